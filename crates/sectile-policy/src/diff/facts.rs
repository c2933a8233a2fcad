//! The comparable facts of one binary.

use std::ffi::{OsStr, OsString};

use sectile::Field;
use sectile::digest::Digests;
use sectile::interface::Extern;
use sectile::metadata::Metadata;
use sectile::scan::{ItemKind, ItemPath};

use super::fact::Fact;
use super::findings::SavedFinding;
use super::{Aspect, BinaryReading, FactValue, SectionList};
use crate::JudgedFinding;
use crate::report::Report;

/// The comparable facts of one binary.
#[derive(Clone, Debug)]
pub struct BinaryFacts {
    pub(super) file: OsString,
    pub(super) size: Option<u64>,
    /// Everything but sections.
    pub(super) facts: Vec<Fact>,
    /// Sections by item and name, if they are known.
    pub(super) sections: Option<Vec<Fact>>,
    /// Sections by kind over all items, if they are known.
    pub(super) totals: Option<Vec<Fact>>,
    pub(super) known: KnownAspects,
    pub(super) is_complete: bool,
}

impl BinaryFacts {
    /// The facts of a binary. Findings are compared only if they are given.
    pub fn new(report: &Report<'_>, findings: Option<&[JudgedFinding<'_>]>, sections: Option<&SectionList>) -> Self {
        let mut facts = Self::empty(report.file().to_owned(), report.size(), report.is_complete());
        facts.add_root(Aspect::Outcome, if report.is_complete() { "complete" } else { "partial" });
        if let Some(metadata) = report.metadata() {
            facts.add_metadata(metadata);
            facts.add_packages(report);
            facts.totals = Some(totals(metadata));
            facts.sections = sections.map(SectionList::facts);
        }
        if let Some(interface) = report.interface() {
            facts.add_externs(Aspect::Import, interface.imports());
            facts.add_externs(Aspect::Export, interface.exports());
        }
        if let Some(findings) = findings {
            let findings: Vec<SavedFinding> = findings.iter().map(SavedFinding::from).collect();
            facts.add_findings(&findings);
        }
        facts
    }

    /// The facts of a binary with its findings, as they are without a policy.
    pub fn for_reading(file: &OsStr, size: Option<u64>, reading: &BinaryReading) -> Self {
        let report = Report::for_policy(file, size, &reading.outcome);
        let verdict = crate::Policy::default().judge(&report);
        Self::new(&report, Some(verdict.findings()), Some(&reading.sections))
    }

    pub(super) fn empty(file: OsString, size: Option<u64>, is_complete: bool) -> Self {
        Self {
            file,
            size,
            facts: Vec::new(),
            sections: None,
            totals: None,
            known: KnownAspects::default(),
            is_complete,
        }
    }

    /// Adds the digests of all bytes.
    #[must_use]
    pub fn with_digests(mut self, digests: &Digests) -> Self {
        self.add_root(Aspect::Digest, digests.file().to_string());
        if let Some(content) = digests.content() {
            self.add_root(Aspect::Content, content.to_string());
        }
        self
    }

    /// Name of the input.
    pub fn file(&self) -> &OsStr {
        &self.file
    }

    /// Length in bytes, if it is known.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Whether all of the binary was read.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub(super) fn add(&mut self, aspect: Aspect, facts: impl IntoIterator<Item = Fact>) {
        self.known.insert(aspect);
        self.facts.extend(facts);
    }

    pub(super) fn add_root(&mut self, aspect: Aspect, value: impl Into<FactValue>) {
        self.add(aspect, [Fact::new(&ItemPath::root(), aspect, None, "", value)]);
    }

    pub(super) fn add_findings(&mut self, findings: &[SavedFinding]) {
        for aspect in [Aspect::Finding, Aspect::Advisory] {
            self.add(aspect, findings.iter().map(SavedFinding::fact).filter(|fact| fact.key.aspect == aspect));
        }
    }

    fn add_metadata(&mut self, metadata: &Metadata<'_>) {
        for item in metadata.items() {
            let path = &item.path();
            let fact =
                |aspect, group: Option<&str>, name: &str, value: FactValue| Fact::new(path, aspect, group, name, value);
            self.add(Aspect::Kind, [fact(Aspect::Kind, None, "", item.kind().name().into())]);
            self.add(Aspect::Name, item.name().map(|name| fact(Aspect::Name, None, "", name.into())));
            let fields = item.annotations();
            self.add(
                Aspect::Field,
                fields.map(|(field, value)| fact(Aspect::Field, None, Field::section(field), value.into())),
            );
            let producers = item.producers();
            let values = producers.fields().flat_map(|field| field.values().map(move |value| (field.name(), value)));
            self.add(
                Aspect::Producer,
                values.map(|(field, (name, version))| fact(Aspect::Producer, Some(field), name, version.into())),
            );
            let links = item.debug_links();
            self.add(Aspect::DebugLink, links.map(|(name, value)| fact(Aspect::DebugLink, None, name, value.into())));
        }
    }

    fn add_packages(&mut self, report: &Report<'_>) {
        let facts = report.packages().map(|package| {
            let version = package_version(&package.version, &package.source);
            Fact::new(&package.path, Aspect::Package, Some(package.ecosystem.name()), &package.name, version)
        });
        self.add(Aspect::Package, facts);
    }

    fn add_externs(&mut self, aspect: Aspect, externs: &[Extern]) {
        let facts = externs.iter().map(|one| {
            let value = extern_value(one.kind().name(), one.implements());
            Fact::new(&ItemPath::root(), aspect, one.module(), one.name(), value)
        });
        self.add(aspect, facts);
    }
}

/// The aspects that are known of a binary.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KnownAspects([bool; Aspect::ALL.len()]);

impl KnownAspects {
    fn insert(&mut self, aspect: Aspect) {
        self.0[aspect as usize] = true;
    }

    pub(super) fn contains(self, aspect: Aspect) -> bool {
        self.0[aspect as usize]
    }
}

/// The version of a package, with its source unless that is the public registry of its ecosystem.
pub(super) fn package_version(version: &str, source: &str) -> String {
    match source {
        "" | "crates.io" | "registry" => version.to_owned(),
        source => format!("{version} ({source})"),
    }
}

pub(super) fn extern_value(kind: &str, implements: Option<&str>) -> String {
    implements.map_or_else(|| kind.to_owned(), |interface| format!("{kind} of {interface}"))
}

/// Sections by kind over all items. Sections that hold an item are not counted.
fn totals(metadata: &Metadata<'_>) -> Vec<Fact> {
    let mut totals: Vec<(&'static str, u64, u64)> = Vec::new();
    for item in metadata.items() {
        for size in item.section_sizes().filter(|size| !holds_items(item.kind(), size.name())) {
            match totals.iter_mut().find(|(name, ..)| *name == size.name()) {
                Some((_, sections, bytes)) => {
                    *sections += size.sections();
                    *bytes += size.bytes();
                }
                None => totals.push((size.name(), size.sections(), size.bytes())),
            }
        }
    }
    totals.into_iter().map(|(name, sections, bytes)| total_fact(name, sections, bytes)).collect()
}

pub(super) fn total_fact(name: &str, sections: u64, bytes: u64) -> Fact {
    let value = FactValue::Sections { sections, bytes, digest: None };
    Fact::new(&ItemPath::root(), Aspect::Section, None, name, value)
}

/// Whether sections of this kind hold items. The sections of these items are counted instead.
pub fn holds_items(item: ItemKind, kind: &str) -> bool {
    item == ItemKind::Component && matches!(kind, "core module" | "component")
}
