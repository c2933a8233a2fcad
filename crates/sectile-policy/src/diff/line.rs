//! Lines of a report: the output of `audit`, `check`, `show` or `digest` as JSON.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;

use sectile::internal::json::SCHEMA;
use sectile::scan::{ItemKind, ItemPath, SectionKind};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::fact::Fact;
use super::facts::{extern_value, holds_items, package_version, total_fact};
use super::findings::{SavedAdvisory, SavedFinding};
use super::{Aspect, BinaryFacts, FactValue, ReportError};
use crate::internal::NameValue;

/// The keys that tell what a line is.
#[derive(Deserialize)]
pub(super) struct LineHead<'l> {
    #[serde(borrow)]
    pub(super) file: Option<NameValue<'l>>,
    #[serde(borrow)]
    pub(super) audit: Option<AuditHead<'l>>,
    archive: Option<IgnoredAny>,
    /// A row that was gone when the report was written.
    change: Option<IgnoredAny>,
    pub(super) summary: Option<SummaryHead>,
}

#[derive(Deserialize)]
struct Schema {
    schema: u32,
}

#[derive(Deserialize)]
pub(super) struct AuditHead<'l> {
    #[serde(borrow)]
    paths: Vec<NameValue<'l>>,
    #[serde(borrow)]
    pub(super) fingerprint: Cow<'l, str>,
}

#[derive(Deserialize)]
pub(super) struct SummaryHead {
    #[serde(default)]
    pub(super) stopped: bool,
}

impl<'l> LineHead<'l> {
    /// Parses a line of a report of this version.
    pub(super) fn parse(line: &'l [u8], number: u64) -> Result<Self, ReportError> {
        let invalid = || if number == 1 { ReportError::NotAReport } else { ReportError::NotARow(number) };
        // Keys of another version may have other values.
        let Schema { schema } = serde_json::from_slice(line).map_err(|_| invalid())?;
        if schema != SCHEMA {
            return Err(ReportError::Schema(schema));
        }
        let head: Self = serde_json::from_slice(line).map_err(|_| invalid())?;
        let is_known = head.file.is_some()
            || head.audit.is_some()
            || head.archive.is_some()
            || head.change.is_some()
            || head.summary.is_some();
        if is_known { Ok(head) } else { Err(invalid()) }
    }
}

impl AuditHead<'_> {
    pub(super) fn roots(&self) -> Roots {
        Roots::new(self.paths.iter().filter_map(NameValue::to_os_name))
    }
}

/// The roots of a report. Names of its rows are compared relative to its only root.
#[derive(Clone, Debug, Default)]
pub(super) struct Roots(Option<Vec<u8>>);

impl Roots {
    pub(super) fn new<N: AsRef<OsStr>>(paths: impl IntoIterator<Item = N>) -> Self {
        let mut paths = paths.into_iter();
        match (paths.next(), paths.next()) {
            (Some(only), None) => Self(Some(only.as_ref().as_encoded_bytes().to_vec())),
            _ => Self(None),
        }
    }

    /// The name of a row, relative to the root.
    pub(super) fn relative<'n>(&self, name: &'n OsStr) -> &'n [u8] {
        let name = name.as_encoded_bytes();
        let Some(root) = &self.0 else { return name };
        let Some(rest) = name.strip_prefix(&**root) else { return name };
        match rest {
            [] | [b':' | b'@', ..] => rest,
            // The name in an archive, which may be written with `./`.
            [b'!', entry @ ..] => entry.strip_prefix(b"./").unwrap_or(entry),
            [b'/' | b'\\', rest @ ..] => rest,
            _ if root.ends_with(b"/") => rest,
            _ => name,
        }
    }
}

/// A row of a report.
#[derive(Clone, Debug)]
pub struct ReportRow {
    pub(super) facts: BinaryFacts,
    pub(super) findings: Vec<SavedFinding>,
}

impl ReportRow {
    /// Parses a line of the output of `audit`, `check`, `show` or `digest` as JSON.
    ///
    /// # Errors
    ///
    /// The line is not a row, or has another version of the schema.
    pub fn parse(line: &[u8]) -> Result<Self, ReportError> {
        LineHead::parse(line, 1)?;
        Self::parse_line(line).ok_or(ReportError::NotARow(1))
    }

    /// As [`parse`](Self::parse), for a line whose schema is known.
    pub(super) fn parse_line(line: &[u8]) -> Option<Self> {
        serde_json::from_slice::<RowJson<'_>>(line).ok()?.into_row()
    }

    /// The facts of the row.
    pub fn facts(&self) -> &BinaryFacts {
        &self.facts
    }

    /// The findings of the row, in its order.
    pub fn findings(&self) -> &[SavedFinding] {
        &self.findings
    }
}

#[derive(Deserialize)]
struct RowJson<'l> {
    #[serde(borrow)]
    file: NameValue<'l>,
    size: Option<u64>,
    #[serde(borrow)]
    digest: Option<Cow<'l, str>>,
    #[serde(borrow)]
    content: Option<Cow<'l, str>>,
    #[serde(borrow)]
    item: Option<ItemJson<'l>>,
    #[serde(borrow)]
    section_totals: Option<HashMap<Cow<'l, str>, (u64, u64)>>,
    #[serde(borrow)]
    section_list: Option<Vec<SectionJson<'l>>>,
    #[serde(borrow)]
    findings: Option<Vec<FindingJson<'l>>>,
    #[serde(borrow, default)]
    advisories: Vec<AdvisoryJson<'l>>,
    #[serde(borrow)]
    packages: Option<Vec<PackageJson<'l>>>,
    #[serde(borrow)]
    outcome: Option<Cow<'l, str>>,
}

/// The number of the item, the id, the start and the end of a section; of a custom section, also the start of its data
/// and its name.
#[derive(Deserialize)]
#[serde(untagged)]
enum SectionJson<'l> {
    Custom(usize, u8, u64, u64, IgnoredAny, #[serde(borrow)] Cow<'l, str>),
    Other(usize, u8, u64, u64),
}

#[derive(Deserialize)]
struct ItemJson<'l> {
    #[serde(borrow)]
    kind: Cow<'l, str>,
    #[serde(borrow)]
    path: Cow<'l, str>,
    #[serde(borrow)]
    name: Option<NameValue<'l>>,
    #[serde(borrow)]
    annotations: HashMap<Cow<'l, str>, NameValue<'l>>,
    #[serde(borrow)]
    producers: HashMap<Cow<'l, str>, Vec<[Cow<'l, str>; 2]>>,
    #[serde(borrow, default)]
    debug_links: Vec<(Cow<'l, str>, NameValue<'l>)>,
    #[serde(borrow)]
    imports: Option<Vec<ExternJson<'l>>>,
    #[serde(borrow)]
    exports: Option<Vec<ExternJson<'l>>>,
    #[serde(borrow)]
    items: Vec<Self>,
}

#[derive(Deserialize)]
struct ExternJson<'l> {
    #[serde(borrow)]
    module: Option<Cow<'l, str>>,
    #[serde(borrow)]
    name: Cow<'l, str>,
    #[serde(borrow)]
    kind: Cow<'l, str>,
    #[serde(borrow)]
    implements: Option<Cow<'l, str>>,
}

#[derive(Deserialize)]
struct PackageJson<'l> {
    #[serde(borrow)]
    name: Cow<'l, str>,
    #[serde(borrow)]
    version: Cow<'l, str>,
    #[serde(borrow)]
    ecosystem: Cow<'l, str>,
    #[serde(borrow)]
    source: Cow<'l, str>,
    #[serde(borrow)]
    path: Cow<'l, str>,
}

#[derive(Deserialize)]
struct FindingJson<'l> {
    #[serde(borrow)]
    code: Cow<'l, str>,
    #[serde(borrow)]
    severity: Cow<'l, str>,
    #[serde(borrow)]
    path: Cow<'l, str>,
    #[serde(borrow)]
    section: Option<Cow<'l, str>>,
    #[serde(borrow)]
    message: Cow<'l, str>,
}

#[derive(Deserialize)]
struct AdvisoryJson<'l> {
    #[serde(borrow)]
    id: Cow<'l, str>,
    #[serde(borrow)]
    package: Cow<'l, str>,
    #[serde(borrow)]
    version: Cow<'l, str>,
    finding: usize,
}

impl RowJson<'_> {
    fn into_row(self) -> Option<ReportRow> {
        let is_complete = self.outcome.as_deref().is_none_or(|outcome| matches!(outcome, "complete" | "skipped"));
        let mut facts = BinaryFacts::empty(self.file.to_os_name()?.into_owned(), self.size, is_complete);
        if let Some(outcome) = &self.outcome {
            facts.add_root(Aspect::Outcome, &**outcome);
        }
        for (aspect, digest) in [(Aspect::Digest, &self.digest), (Aspect::Content, &self.content)] {
            if let Some(digest) = digest {
                facts.add_root(aspect, &**digest);
            }
        }
        // The paths and kinds of the items in their order.
        let mut numbered = Vec::new();
        let mut items: Vec<&ItemJson<'_>> = self.item.iter().collect();
        while let Some(item) = items.pop() {
            numbered.push(item.add_to(&mut facts)?);
            items.extend(item.items.iter().rev());
        }
        facts.sections = match &self.section_list {
            Some(sections) => Some(section_facts(sections, &numbered)?),
            None => None,
        };
        if let Some(totals) = self.section_totals.as_ref().filter(|_| self.item.is_some()) {
            let totals = totals.iter().map(|(name, (sections, bytes))| total_fact(name, *sections, *bytes));
            facts.totals = Some(totals.collect());
        }
        if let Some(packages) = &self.packages {
            let facts_of = packages.iter().map(PackageJson::fact).collect::<Option<Vec<_>>>()?;
            facts.add(Aspect::Package, facts_of);
        }
        let mut findings = Vec::new();
        if let Some(parsed) = &self.findings {
            findings = parsed.iter().map(FindingJson::to_finding).collect::<Option<Vec<_>>>()?;
            for AdvisoryJson { id, package, version, finding } in &self.advisories {
                let [id, package, version] = [id, package, version].map(|text| text.clone().into_owned());
                findings.get_mut(*finding)?.advisory = Some(SavedAdvisory { id, package, version });
            }
            facts.add_findings(&findings);
        }
        Some(ReportRow { facts, findings })
    }
}

impl ItemJson<'_> {
    /// Adds the facts of the item, and returns its path and kind.
    fn add_to(&self, facts: &mut BinaryFacts) -> Option<(ItemPath, ItemKind)> {
        let path: ItemPath = self.path.parse().ok()?;
        let kind = [ItemKind::Module, ItemKind::Component].into_iter().find(|kind| kind.name() == self.kind)?;
        let fact =
            |aspect, group: Option<&str>, name: &str, value: FactValue| Fact::new(&path, aspect, group, name, value);
        facts.add(Aspect::Kind, [fact(Aspect::Kind, None, "", (&*self.kind).into())]);
        facts.add(Aspect::Name, self.name.as_ref().map(|name| fact(Aspect::Name, None, "", name.to_value().into())));
        let fields = self.annotations.iter();
        facts.add(Aspect::Field, fields.map(|(name, value)| fact(Aspect::Field, None, name, value.to_value().into())));
        let producers =
            self.producers.iter().flat_map(|(field, values)| values.iter().map(move |value| (field, value)));
        let producer = |(field, [name, version]): (&Cow<'_, str>, &[Cow<'_, str>; 2])| {
            fact(Aspect::Producer, Some(&**field), name, (&**version).into())
        };
        facts.add(Aspect::Producer, producers.map(producer));
        let links = self.debug_links.iter();
        facts.add(
            Aspect::DebugLink,
            links.map(|(name, value)| fact(Aspect::DebugLink, None, name, value.to_value().into())),
        );
        for (aspect, externs) in [(Aspect::Import, &self.imports), (Aspect::Export, &self.exports)] {
            if let Some(externs) = externs {
                let one = |one: &ExternJson<'_>| {
                    let value = extern_value(&one.kind, one.implements.as_deref());
                    fact(aspect, one.module.as_deref(), &one.name, value.into())
                };
                facts.add(aspect, externs.iter().map(one));
            }
        }
        Some((path, kind))
    }
}

/// Sections by item and name. Those that hold an item are not counted.
fn section_facts(sections: &[SectionJson<'_>], items: &[(ItemPath, ItemKind)]) -> Option<Vec<Fact>> {
    let mut totals = BTreeMap::<(&ItemPath, &str), (u64, u64)>::new();
    for section in sections {
        let (item, id, start, end, name) = match section {
            SectionJson::Custom(item, id, start, end, _, name) => (item, id, start, end, Some(&**name)),
            SectionJson::Other(item, id, start, end) => (item, id, start, end, None),
        };
        let (path, kind) = items.get(*item)?;
        let name = name.unwrap_or_else(|| SectionKind::new(*kind, *id).name());
        if !(*id != 0 && holds_items(*kind, name)) {
            let (number, bytes) = totals.entry((path, name)).or_default();
            *number += 1;
            *bytes = bytes.saturating_add(end.checked_sub(*start)?);
        }
    }
    let fact = |((path, name), (sections, bytes)): ((&ItemPath, &str), (u64, u64))| {
        Fact::new(path, Aspect::Section, None, name, FactValue::Sections { sections, bytes, digest: None })
    };
    Some(totals.into_iter().map(fact).collect())
}

impl PackageJson<'_> {
    fn fact(&self) -> Option<Fact> {
        let version = package_version(&self.version, &self.source);
        Some(Fact::new(&self.path.parse().ok()?, Aspect::Package, Some(&self.ecosystem), &self.name, version))
    }
}

impl FindingJson<'_> {
    fn to_finding(&self) -> Option<SavedFinding> {
        Some(SavedFinding {
            code: self.code.clone().into_owned(),
            severity: self.severity.clone().into_owned(),
            path: self.path.parse().ok()?,
            section: self.section.as_ref().map(|section| section.clone().into_owned()),
            message: self.message.clone().into_owned(),
            advisory: None,
        })
    }
}
