//! Rebuilds metadata from a saved report, so that a policy can judge it again.

use std::ops::Range;

use super::convention;
use super::item::ItemData;
use super::section_sizes::SectionSizes;
#[cfg(feature = "dependencies")]
use super::{Dependencies, Package};
use super::{Field, Metadata, Value};
use crate::finding::Findings;
use crate::scan::leb128::{encode, shortest};
use crate::scan::{ItemKind, Section};

/// Builds metadata item by item, in input order: each item before its children.
///
/// The range of every value is empty, at the start of its item, and each value counts as one
/// section, unless [`sections`](Self::sections) are added.
#[derive(Debug, Default)]
pub struct MetadataBuilder(Vec<ItemData<'static>>);

impl MetadataBuilder {
    /// Adds an item and returns its number. `parent` is the number of the enclosing item, `None`
    /// for the root. The values added next belong to this item.
    pub fn item(&mut self, kind: ItemKind, parent: Option<u32>, start: u64, end: Option<u64>) -> u32 {
        let number = self.0.len() as u32;
        let (mut index, mut depth) = (0, 0);
        if let Some(parent) = parent.and_then(|parent| self.0.get_mut(parent as usize)) {
            (index, depth) = (parent.children, parent.depth + 1);
            parent.children += 1;
        }
        self.0.push(ItemData { end, complete: true, ..ItemData::new(kind, parent, index, depth, start) });
        number
    }

    /// Marks the last item as not read to its end.
    pub fn incomplete(&mut self) {
        self.last(|item| item.complete = false);
    }

    /// Sets the name of the last item.
    pub fn name(&mut self, text: Result<String, Vec<u8>>) {
        let value = self.value(text);
        self.last(|item| {
            item.name = value;
            item.sizes.add_empty("name");
        });
    }

    /// Adds an annotation to the last item.
    pub fn annotation(&mut self, field: Field, text: Result<String, Vec<u8>>) {
        let value = self.value(text);
        self.last(|item| {
            item.annotations.extend(value.map(|value| (field, value)));
            item.sizes.add_empty(field.section());
        });
    }

    /// Adds the first of several values of a field to the last item.
    pub fn first_annotation(&mut self, field: Field, text: Result<String, Vec<u8>>) {
        let value = self.value(text);
        self.last(|item| {
            let first_values = item.first_values.get_or_insert_default();
            first_values.annotations.extend(value.map(|value| (field, value)));
        });
    }

    /// Adds a `producers` section with these fields to the last item.
    pub fn producers<'t, F, V>(&mut self, fields: F)
    where
        F: ExactSizeIterator<Item = (&'t str, V)>,
        V: ExactSizeIterator<Item = [&'t str; 2]>,
    {
        let mut bytes = Vec::new();
        let number = |bytes: &mut Vec<u8>, number: usize| bytes.extend(encode(number as u32, shortest(number as u32)));
        let text = |bytes: &mut Vec<u8>, text: &str| {
            number(bytes, text.len());
            bytes.extend_from_slice(text.as_bytes());
        };
        number(&mut bytes, fields.len());
        for (field, values) in fields {
            text(&mut bytes, field);
            number(&mut bytes, values.len());
            values.flatten().for_each(|part| text(&mut bytes, part));
        }
        self.producers_section(bytes);
    }

    /// Notes that the producers of the last item could not be read completely.
    pub fn incomplete_producers(&mut self) {
        self.producers_section(vec![1]); // one field, which is missing
    }

    /// Adds an empty list of packages to the last item.
    #[cfg(feature = "dependencies")]
    pub fn dependencies(&mut self) {
        let raw = self.value(Err(Vec::new()));
        self.last(|item| {
            item.dependencies = raw.map(|raw| Dependencies { raw, packages: Vec::new() }.into());
            item.sizes.add_empty(".dep-v0");
        });
    }

    /// Adds a package to the list of the last item and returns it; `None` without a list.
    #[cfg(feature = "dependencies")]
    pub fn package(&mut self) -> Option<&mut Package> {
        let of_item = self.0.last_mut()?.dependencies.as_mut()?;
        of_item.packages.push(Package {
            name: String::new(),
            version: String::new(),
            source: String::new(),
            build: false,
            root: false,
            dependencies: Vec::new(),
        });
        of_item.packages.last_mut()
    }

    /// Sets the sections of all items, in input order. Values get the ranges of their sections.
    pub fn sections(&mut self, sections: &[Section<'_>]) {
        for item in &mut self.0 {
            item.sizes = SectionSizes::default();
        }
        for section in sections {
            let Some(item) = self.0.get_mut(section.item as usize) else { continue };
            match convention::lookup(section.name_bytes()).number().filter(|_| section.is_custom()) {
                Some(number) => {
                    item.sizes.add_known(section, number);
                    item.set_ranges(section);
                }
                None => item.sizes.add(section),
            }
        }
        for item in &mut self.0 {
            // The fields of all sections were added as one section.
            let missing = item.sizes.sections_of("producers").saturating_sub(item.producers.ranges().count() as u64);
            for _ in 0..missing {
                item.producers.push(Value::bytes(vec![0].into(), item.start..item.start));
            }
        }
    }

    /// Returns the metadata, without findings. `None` without items.
    pub fn finish(self) -> Option<Metadata<'static>> {
        (!self.0.is_empty()).then_some(Metadata { items: self.0, findings: Findings::with_limit(0) })
    }

    fn producers_section(&mut self, data: Vec<u8>) {
        let value = self.value(Err(data));
        self.last(|item| {
            if let Some(value) = value {
                item.producers.push(value);
            }
            item.sizes.add_empty("producers");
        });
    }

    fn value(&self, text: Result<String, Vec<u8>>) -> Option<Value<'static>> {
        let start = self.0.last()?.start;
        let range: Range<u64> = start..start;
        Some(match text {
            Ok(text) => Value::text(text.into(), range),
            Err(bytes) => Value::bytes(bytes.into(), range),
        })
    }

    fn last(&mut self, change: impl FnOnce(&mut ItemData<'static>)) {
        if let Some(item) = self.0.last_mut() {
            change(item);
        }
    }
}

impl ItemData<'_> {
    /// Sets the ranges of the values in a section, which is the last one of its name so far.
    fn set_ranges(&mut self, section: &Section<'_>) {
        let name = section.name();
        let is_first = self.sizes.sections_of(name) == 1;
        let first_values = self.first_values.iter_mut().filter(|_| is_first).flat_map(|first| &mut first.annotations);
        for (field, value) in self.annotations.iter_mut().chain(first_values) {
            if field.section() == name {
                value.set_range(section.data());
            }
        }
        if name == "producers" && is_first {
            self.producers.first_mut().into_iter().for_each(|value| value.set_range(section.data()));
        }
        #[cfg(feature = "dependencies")]
        if let Some(dependencies) = self.dependencies.as_mut().filter(|_| name == ".dep-v0") {
            dependencies.raw.set_range(section.data());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rebuilt_metadata_has_the_values_in_their_items() {
        let mut builder = MetadataBuilder::default();
        let root = builder.item(ItemKind::Component, None, 0, Some(100));
        builder.annotation(Field::Licenses, Ok("MIT".to_owned()));
        let first = builder.item(ItemKind::Module, Some(root), 10, Some(20));
        builder.name(Ok("first".to_owned()));
        builder.item(ItemKind::Module, Some(root), 30, Some(40));
        builder.producers([("language", [["Rust", "1.95"], ["C", ""]].into_iter())].into_iter());
        assert_eq!(first, 1);
        let metadata = builder.finish().unwrap();
        assert_eq!(metadata.items().map(|item| item.path().to_string()).collect::<Vec<_>>(), ["", "0", "1"]);
        assert_eq!(metadata.root().text(Field::Licenses), Some("MIT"));
        let items: Vec<_> = metadata.items().collect();
        assert_eq!(items[1].name().unwrap().as_str(), Some("first"));
        assert_eq!(items[2].range(), Some(30..40));
        let values: Vec<_> =
            items[2].producers().fields().flat_map(|field| field.values().collect::<Vec<_>>()).collect();
        assert_eq!(values, [("Rust", "1.95"), ("C", "")]);
        assert!(items[2].producers().is_complete());
        assert!(MetadataBuilder::default().finish().is_none());
    }
}
