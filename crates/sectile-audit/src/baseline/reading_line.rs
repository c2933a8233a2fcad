//! Rebuilds the reading of a binary from its row.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::line::{BorrowedText, ItemLine, PackageLine, RowLine};
use crate::section_list::MAX_SECTIONS;
use sectile::interface::{Extern, ExternKind, Interface};
use sectile::internal::{self, MetadataBuilder};
use sectile::inventory::{self, Confidence, Ecosystem, Evidence, Inventory};
use sectile::metadata::{Field, Metadata};
use sectile::scan::{ItemKind, ItemPath, Section};
use sectile_policy::internal::rebuilt_reading;
use sectile_policy::{Packages, Policy, Reading};

/// A section: the number of its item, its id and its range, and of a custom section, the offset of its data and its
/// name.
pub(crate) struct SectionLine<'l> {
    item: u32,
    id: u8,
    start: u64,
    end: u64,
    data: u64,
    name: Cow<'l, str>,
}

/// A package, declared or found in the data.
#[derive(Deserialize)]
pub(crate) struct FoundPackageLine<'l> {
    #[serde(borrow)]
    name: Cow<'l, str>,
    #[serde(borrow)]
    version: Cow<'l, str>,
    #[serde(borrow)]
    ecosystem: Cow<'l, str>,
    #[serde(borrow)]
    source: Cow<'l, str>,
    #[serde(borrow)]
    evidence: Cow<'l, str>,
    #[serde(borrow)]
    confidence: Cow<'l, str>,
    #[serde(borrow)]
    path: Cow<'l, str>,
    offset: u64,
    count: u64,
    #[serde(borrow, default)]
    checksum: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    replaces: Option<Cow<'l, str>>,
}

/// An import.
#[derive(Deserialize)]
pub(crate) struct ImportLine<'l> {
    #[serde(borrow, default)]
    module: Option<Cow<'l, str>>,
    #[serde(borrow)]
    name: Cow<'l, str>,
    #[serde(borrow)]
    kind: Cow<'l, str>,
    #[serde(borrow, default)]
    implements: Option<Cow<'l, str>>,
    #[serde(default)]
    offset: u64,
}

/// The reading that a row was made from, as far as the row has it.
pub(crate) struct SavedReading {
    /// `None` if nothing was read.
    pub(crate) reading: Option<Reading<'static>>,
    /// Number of items that are too deep for the report.
    pub(crate) items_left_out: u64,
    /// Number of packages that were omitted.
    pub(crate) packages_left_out: u64,
    /// Whether the row has all sections.
    pub(crate) has_sections: bool,
    /// Whether this version knows all packages in the row.
    pub(crate) has_packages: bool,
}

/// Largest offset of a section. Sums of the sizes in a row do not overflow.
const MAX_OFFSET: u64 = 1 << 48;

impl RowLine<'_> {
    /// Rebuilds the reading that the row was made from.
    pub(crate) fn reading(&self, policy: &Policy, packages: Packages) -> SavedReading {
        let mut saved = SavedReading {
            reading: None,
            items_left_out: self.items_left_out,
            packages_left_out: self.packages_left_out,
            has_sections: false,
            has_packages: true,
        };
        let Some((mut builder, kinds)) = self.items() else { return saved };
        let sections = self.sections(&kinds);
        if let Some(sections) = &sections {
            builder.sections(sections);
        }
        let Some(metadata) = builder.finish() else { return saved };
        let inventory = (packages == Packages::All).then(|| self.inventory(&metadata)).flatten();
        let interface = self.item.as_ref().and_then(ItemLine::interface);
        saved.has_sections = sections.is_some();
        saved.has_packages = packages == Packages::Declared || inventory.is_some();
        saved.reading = Some(rebuilt_reading(policy, metadata, sections.as_deref(), interface, inventory));
        saved
    }

    /// The items with their values, and their kinds. `None` if this version does not know one.
    fn items(&self) -> Option<(MetadataBuilder, Vec<ItemKind>)> {
        let mut builder = MetadataBuilder::default();
        let mut kinds = Vec::new();
        let mut items: Vec<(&ItemLine<'_>, Option<u32>)> = self.item.iter().map(|root| (root, None)).collect();
        while let Some((item, parent)) = items.pop() {
            let kind = item.kind()?;
            let number = builder.item(kind, parent, item.range.0, item.range.1);
            kinds.push(kind);
            item.write_to(&mut builder);
            items.extend(item.items.iter().rev().map(|child| (child, Some(number))));
        }
        Some((builder, kinds))
    }

    /// The sections; `None` if the row does not have them all. `kinds` are those of the items.
    fn sections(&self, kinds: &[ItemKind]) -> Option<Vec<Section<'_>>> {
        let lines = self.sections.as_ref().filter(|lines| lines.len() <= MAX_SECTIONS)?;
        let sections = lines.iter().filter(|line| line.end <= MAX_OFFSET).map(|line| {
            let kind = *kinds.get(line.item as usize)?;
            internal::section(line.item, kind, line.id, line.start..line.end, line.data, &line.name)
        });
        sections.collect::<Option<Vec<_>>>().filter(|sections| sections.len() == lines.len())
    }

    /// The packages that the data names; `None` if this version does not know a value in the row.
    fn inventory(&self, metadata: &Metadata<'_>) -> Option<Inventory> {
        let found = self.packages.iter().filter(|line| line.evidence != Evidence::DepV0.name());
        let (mut numbers, mut packages) = (HashMap::new(), Vec::new());
        for line in found {
            let mut package = line.to_package()?;
            package.item = match number_of(&package.path, metadata, &mut numbers) {
                Some(item) => item,
                None if self.items_left_out > 0 => continue,
                None => return None,
            };
            packages.push(package);
        }
        Some(internal::inventory(packages))
    }

    /// The packages that this version knows, without the numbers of their items.
    pub(crate) fn listed_packages(&self) -> Vec<inventory::Package> {
        self.packages.iter().filter_map(FoundPackageLine::to_package).collect()
    }

    /// The imports; `None` if they were not read, or this version does not know their kind.
    pub(crate) fn listed_imports(&self) -> Option<Vec<Extern>> {
        self.item.as_ref()?.listed_imports()
    }
}

/// The number of the item at a path. Collects the paths of all items when the first nested item is looked up.
fn number_of(path: &ItemPath, metadata: &Metadata<'_>, numbers: &mut HashMap<ItemPath, usize>) -> Option<usize> {
    if path.is_root() {
        return Some(0);
    }
    if numbers.is_empty() {
        numbers.extend(metadata.items().map(|item| (item.path(), item.number())));
    }
    numbers.get(path).copied()
}

impl ItemLine<'_> {
    /// Adds the values of the item.
    fn write_to(&self, builder: &mut MetadataBuilder) {
        let field_of = |key: &str| Field::ALL.into_iter().find(|field| field.section() == key);
        if self.incomplete {
            builder.incomplete();
        }
        if let Some(name) = &self.name {
            builder.name(name.to_value());
        }
        for (key, value) in &self.annotations.0 {
            if let Some(field) = field_of(key) {
                builder.annotation(field, value.to_value());
            }
        }
        for (key, value) in &self.first_annotations.0 {
            if let Some(field) = field_of(key) {
                builder.first_annotation(field, value.to_value());
            }
        }
        if !self.producers.0.is_empty() {
            let fields = self.producers.0.iter();
            builder.producers(
                fields.map(|(field, values)| (&**field, values.iter().map(|[name, version]| [&**name, &**version]))),
            );
        }
        if self.incomplete_producers {
            builder.incomplete_producers();
        }
        if let Some(packages) = &self.dependencies {
            builder.dependencies();
            for package in packages {
                if let Some(rebuilt) = builder.package() {
                    PackageLine::write_to(package, rebuilt);
                }
            }
        }
    }

    fn interface(&self) -> Option<Interface> {
        Some(internal::interface(self.kind()?, self.listed_imports()?, !self.incomplete_interface))
    }

    fn listed_imports(&self) -> Option<Vec<Extern>> {
        let imports = self.imports.as_ref()?.iter().map(|line| {
            let kind = ExternKind::ALL.into_iter().find(|kind| kind.name() == line.kind)?;
            Some(internal::import(line.module.as_deref(), &line.name, line.implements.as_deref(), kind, line.offset))
        });
        imports.collect()
    }
}

impl FoundPackageLine<'_> {
    /// The package, without the number of its item; `None` if this version does not know a value in it.
    fn to_package(&self) -> Option<inventory::Package> {
        let ecosystem = Ecosystem::ALL.into_iter().find(|ecosystem| ecosystem.name() == self.ecosystem)?;
        let evidence = Evidence::ALL.into_iter().find(|evidence| evidence.name() == self.evidence)?;
        let confidences = [Confidence::Medium, Confidence::High];
        let confidence = confidences.into_iter().find(|confidence| confidence.name() == self.confidence)?;
        let mut package = internal::package(&self.name, &self.version, ecosystem, &self.source, evidence);
        (package.path, package.confidence) = (self.path.parse().ok()?, confidence);
        (package.offset, package.count) = (self.offset, self.count);
        package.checksum = self.checksum.as_deref().map(str::to_owned);
        package.replaces = self.replaces.as_deref().map(str::to_owned);
        Some(package)
    }
}

impl<'de: 'l, 'l> Deserialize<'de> for SectionLine<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;

        impl<'de> Visitor<'de> for Parts {
            type Value = SectionLine<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the parts of a section")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
                let missing = || serde::de::Error::custom("a part of a section is missing");
                let item = parts.next_element()?.ok_or_else(missing)?;
                let id = parts.next_element()?.ok_or_else(missing)?;
                let start = parts.next_element()?.ok_or_else(missing)?;
                let end = parts.next_element()?.ok_or_else(missing)?;
                let (data, name) = match parts.next_element()? {
                    Some(data) => (data, parts.next_element::<BorrowedText<'_>>()?.ok_or_else(missing)?.0),
                    None => (start, Cow::Borrowed("")),
                };
                Ok(SectionLine { item, id, start, end, data, name })
            }
        }

        deserializer.deserialize_seq(Parts)
    }
}
