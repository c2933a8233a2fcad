//! The visitor that decodes sections into values.

mod decode;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::Range;

use super::Metadata;
use super::check::{ValueError, has_controls, is_plain};
use super::convention::{Convention, Decode, KnownSection, lookup};
use super::field::Field;
use super::item::{ItemData, path};
use super::name::{NameSectionReader, NameStep};
use super::value::{Borrowed, Copied, Ownership};
use crate::escape::quoted;
use crate::finding::{FindingCode, Findings};
use crate::limits::Limits;
use crate::scan::{Collector, DataRequest, ItemKind, ItemStart, Section, Visitor};

macro_rules! readers {
    ($($(#[$doc:meta])* $reader:ident<$($bound:lifetime)?; $value:lifetime; $window:lifetime> $ownership:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $reader$(<$bound>)?(MetadataReader<$value, $ownership>);

        impl$(<$bound>)? $reader$(<$bound>)? {
            /// Creates a reader with the default limits.
            pub fn new() -> Self {
                Self::default()
            }

            /// Creates a reader with these limits.
            pub fn with_limits(limits: Limits) -> Self {
                Self(MetadataReader::new(limits))
            }

            /// Returns the metadata read so far. Incomplete items may still change. Returns
            /// `None` before the root's preamble is read.
            pub fn so_far(&self) -> Option<&Metadata<$value>> {
                self.0.so_far()
            }
        }

        impl$(<$bound>)? Default for $reader$(<$bound>)? {
            fn default() -> Self {
                Self::with_limits(Limits::default())
            }
        }

        impl$(<$bound>)? Collector for $reader$(<$bound>)? {
            type Value = Metadata<$value>;

            fn limits(&self) -> Limits {
                self.0.limits
            }

            fn finish(self) -> Option<Self::Value> {
                self.0.finish()
            }
        }

        impl<$window> Visitor<$window> for $reader$(<$bound>)? {
            fn enter(&mut self, item: &ItemStart<'_>) {
                self.0.enter(item);
            }

            #[inline]
            fn section(&mut self, section: &Section<$window>) -> DataRequest {
                self.0.section(section)
            }

            #[inline]
            fn data(&mut self, bytes: &$window [u8], start: u64) -> DataRequest {
                self.0.data(bytes, start)
            }

            fn leave(&mut self, item: u32, end: u64) {
                self.0.leave(item, end);
            }
        }
    )*};
}

readers! {
    /// Reads metadata from bytes in memory. The values borrow from these bytes.
    ///
    /// ```
    /// use sectile::{Field, drive, metadata::SliceReader};
    ///
    /// let module = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";
    /// let metadata = drive::collect_slice(module, SliceReader::new()).complete()?;
    /// assert_eq!(metadata.root().text(Field::Licenses), Some("MIT"));
    /// # Ok::<(), sectile::Error>(())
    /// ```
    SliceReader<'a; 'a; 'a> Borrowed;

    /// Reads metadata from any driver and copies the values.
    ///
    /// ```
    /// use sectile::{Field, drive::PushDriver, metadata::StreamReader};
    ///
    /// let mut push = PushDriver::new(StreamReader::new());
    /// push.push(b"\0asm\x01\0\0\0\x00\x0c\x08licenses")?;
    /// push.push(b"MIT")?;
    /// let metadata = push.finish().complete()?;
    /// assert_eq!(metadata.root().text(Field::Licenses), Some("MIT"));
    /// # Ok::<(), sectile::Error>(())
    /// ```
    StreamReader<; 'static; 'w> Copied;
}

/// The implementation of both readers. `O` decides whether values are borrowed or copied.
#[derive(Debug)]
pub(super) struct MetadataReader<'v, O> {
    limits: Limits,
    /// Metadata read so far. Has no items until the root is entered.
    metadata: Metadata<'v>,
    /// State of the item being scanned.
    current: ItemState,
    /// States of the enclosing items, the root first.
    enclosing: Vec<ItemState>,
    /// Bytes of the retained values, plus [`FLAT_CHARGE`] for each.
    retained: u64,
    /// Inflated bytes of all compressed sections, retained or not.
    #[cfg(feature = "dependencies")]
    inflated: u64,
    pending: Option<PendingSection>,
    ownership: PhantomData<O>,
}

/// State of an item until the scanner leaves it.
#[derive(Debug, Default)]
struct ItemState {
    /// Set of the known section names seen so far: one bit for each [row
    /// number](super::convention::RowNumber).
    seen: u64,
    /// Start offset of the first `producers` section.
    producers: Option<u64>,
}

/// A section whose data was requested from the driver.
#[derive(Debug)]
struct PendingSection {
    item: u32,
    section: &'static str,
    start: u64,
    data: Range<u64>,
    decoder: Decoder,
}

#[derive(Debug)]
enum Decoder {
    Annotation(Field),
    Name(NameSectionReader),
    Convention(Decode),
}

/// Approximate overhead of a retained value, in bytes.
const FLAT_CHARGE: u64 = 64;

impl<'v, O> MetadataReader<'v, O> {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            metadata: Metadata { items: Vec::new(), findings: Findings::with_limit(limits.max_findings_per_code) },
            current: ItemState::default(),
            enclosing: Vec::new(),
            retained: 0,
            #[cfg(feature = "dependencies")]
            inflated: 0,
            pending: None,
            ownership: PhantomData,
        }
    }

    fn finish(self) -> Option<Metadata<'v>> {
        (!self.metadata.items.is_empty()).then_some(self.metadata)
    }

    fn so_far(&self) -> Option<&Metadata<'v>> {
        (!self.metadata.items.is_empty()).then_some(&self.metadata)
    }

    fn report(
        &mut self,
        code: FindingCode,
        item: u32,
        offset: u64,
        section: Option<&str>,
        message: impl Into<Cow<'static, str>>,
    ) {
        let items = &self.metadata.items;
        let describe = || (path(items, item as usize), message.into());
        self.metadata.findings.add(code, item, offset, section, describe);
    }

    fn report_pending(
        &mut self,
        pending: &PendingSection,
        code: FindingCode,
        offset: u64,
        message: impl Into<Cow<'static, str>>,
    ) {
        self.report(code, pending.item, offset, Some(pending.section), message);
    }

    fn report_value_errors(&mut self, pending: &PendingSection, offset: u64, errors: Vec<ValueError>) {
        for ValueError { code, message } in errors {
            self.report_pending(pending, code, offset, message);
        }
    }

    /// Checks the placement and uniqueness of a known section. Returns whether its data is
    /// requested.
    fn known_section(&mut self, section: &Section<'_>, row: KnownSection, number: u8) -> bool {
        let is_duplicate = self.current.seen & (1 << number) != 0;
        self.current.seen |= 1 << number;
        let decoder = match row {
            KnownSection::Annotation(field) => Decoder::Annotation(field),
            KnownSection::Convention(convention) => {
                self.check_placement(section, convention);
                if convention.name.ends_with('*') {
                    self.check_name(section);
                }
                match convention.decode {
                    Decode::Nothing => return false,
                    Decode::Name => Decoder::Name(NameSectionReader::new(section.data())),
                    decode => Decoder::Convention(decode),
                }
            }
        };
        let pending = PendingSection {
            item: section.item,
            section: row.name(),
            start: section.range().start,
            data: section.data(),
            decoder,
        };
        if is_duplicate {
            let counts = match pending.decoder {
                Decoder::Convention(Decode::Producers | Decode::Bytes | Decode::Text) => "all are reported",
                Decoder::Annotation(_) | Decoder::Name(_) | Decoder::Convention(_) => "the last one is used",
            };
            let message = format!("{} occurs more than once; {counts}", quoted(pending.section));
            self.report_pending(&pending, FindingCode::DuplicateSection, pending.start, message);
            self.discard_previous(&pending);
        }
        self.begin(pending)
    }

    /// Handles a custom section, a section that contains an item, or a section with an unknown id.
    /// Returns whether its data is requested.
    #[inline(never)]
    fn uncommon_section(&mut self, section: &Section<'_>) -> bool {
        if !section.is_custom() {
            self.metadata.items[section.item as usize].sizes.add(section);
            if section.is_unknown() {
                self.unknown_section(section);
            }
            return false;
        }
        let found = lookup(section.name_bytes());
        let sizes = &mut self.metadata.items[section.item as usize].sizes;
        if let (Some(row), Some(number)) = (found.row(), found.number()) {
            sizes.add_known(section, number);
            return self.known_section(section, row, number);
        }
        sizes.add(section);
        self.check_name(section);
        false
    }

    /// Reports a section with an unknown id.
    #[cold]
    fn unknown_section(&mut self, section: &Section<'_>) {
        let message = format!("section id {:#04x} is not defined in a {}", section.id, section.item_kind);
        self.report(FindingCode::UnknownSection, section.item, section.range().start, None, message);
    }

    /// Checks a custom section's name for control characters. Not needed for a known section whose
    /// table entry is a full name, not a pattern.
    #[inline]
    fn check_name(&mut self, section: &Section<'_>) {
        if !is_plain(section.name_bytes()) && has_controls(section.name(), false) {
            let message = "control or bidirectional characters in the name of a custom section";
            let start = section.payload().start;
            self.report(FindingCode::ControlCharacters, section.item, start, Some(section.name()), message);
        }
    }

    /// Reports a section that is not at the position required by its convention.
    fn check_placement(&mut self, section: &Section<'_>, convention: &'static Convention) {
        let current = &mut self.current;
        let start = section.range().start;
        let misplaced = if convention.first {
            let message = "the section must be the first one";
            let has_unpinned_sections = self.metadata.items[section.item as usize].sizes.has_unpinned_sections();
            has_unpinned_sections.then_some((FindingCode::MisplacedSection, start, convention.name, message))
        } else if convention.decode == Decode::Producers {
            current.producers.get_or_insert(start);
            None
        } else if convention.decode == Decode::Name && section.item_kind == ItemKind::Module && section.item == 0 {
            // Some readers of core modules reject `producers` before `name`. Not checked in nested
            // modules, because wit-component writes this order in the modules that it adds.
            let message = "`producers` should come after `name`";
            current.producers.take().map(|offset| (FindingCode::MisplacedProducers, offset, "producers", message))
        } else {
            None
        };
        if let Some((code, offset, name, message)) = misplaced {
            self.report(code, section.item, offset, Some(name), message);
        }
    }

    /// Makes a section pending if its data is needed and within the limits. Returns whether it is
    /// pending.
    fn begin(&mut self, pending: PendingSection) -> bool {
        let len = pending.data.end - pending.data.start;
        if len == 0 && !matches!(pending.decoder, Decoder::Convention(Decode::Producers)) {
            self.report_pending(&pending, FindingCode::EmptyValue, pending.start, "the section is empty");
        }
        let requested = match &pending.decoder {
            Decoder::Name(_) => len > 0,
            _ => len <= u64::from(self.limits.max_section_data),
        };
        if requested {
            self.pending = Some(pending);
        } else if len > 0 {
            let message = format!("{len} bytes; more than {} are not decoded", self.limits.max_section_data);
            self.report_pending(&pending, FindingCode::TooLarge, pending.start, message);
        }
        requested
    }

    /// Returns the first request of the pending section.
    fn first_request(&self) -> DataRequest {
        match &self.pending {
            Some(PendingSection { decoder: Decoder::Name(names), .. }) => match names.next() {
                NameStep::Request(range) => DataRequest::Bytes(range),
                _ => DataRequest::Nothing,
            },
            Some(pending) => DataRequest::Bytes(pending.data.clone()),
            None => DataRequest::Nothing,
        }
    }

    /// Drops the value of the previous section with the same name, if only the last section is used.
    fn discard_previous(&mut self, pending: &PendingSection) {
        let item = &mut self.metadata.items[pending.item as usize];
        let old = match &pending.decoder {
            Decoder::Annotation(field) => {
                let position = item.annotations.iter().position(|(found, _)| found == field);
                let old = position.map(|position| item.annotations.remove(position));
                match old {
                    // Keeps the first value for readers that use the first section. Only values
                    // between the first and the last are dropped.
                    Some(old) if item.sizes.sections_of(field.section()) == 2 => {
                        item.first_values.get_or_insert_default().annotations.push(old);
                        None
                    }
                    old => old.map(|(_, value)| value.as_bytes().len()),
                }
            }
            Decoder::Convention(Decode::Dependencies) => item.dependencies.take().map(|old| old.size()),
            Decoder::Convention(Decode::RegistryMetadata) => {
                item.registry_metadata.take().map(|old| old.as_bytes().len())
            }
            // The first name is kept, because the second name section may lack the item's own name.
            // All producers and links are kept.
            Decoder::Name(_) | Decoder::Convention(_) => None,
        };
        if let Some(old) = old {
            self.release(old);
        }
    }

    /// Releases the charge for a value of `len` bytes.
    fn release(&mut self, len: usize) {
        self.retained -= len as u64 + FLAT_CHARGE;
    }

    /// Charges for a value of `len` bytes. Reports a finding and returns false if the limit is
    /// exceeded.
    fn charge(&mut self, pending: &PendingSection, len: usize) -> bool {
        let retained = self.retained + len as u64 + FLAT_CHARGE;
        let within_limit = retained <= self.limits.max_retained_bytes;
        if within_limit {
            self.retained = retained;
        } else {
            let message =
                format!("value skipped: more than {} bytes of values in one input", self.limits.max_retained_bytes);
            self.report_pending(pending, FindingCode::TooLarge, pending.start, message);
        }
        within_limit
    }
}

impl<'w, 'v, O: Ownership<'w, 'v>> Visitor<'w> for MetadataReader<'v, O> {
    fn enter(&mut self, item: &ItemStart<'_>) {
        if let Some(parent) = item.parent() {
            self.metadata.items[parent as usize].children += 1;
        }
        if item.parent().is_some() {
            self.enclosing.push(std::mem::take(&mut self.current));
        }
        let depth = self.enclosing.len() as u32;
        // Reserves space for one item at first, because most inputs are a single module. Never
        // reserves more than the limit on items.
        let len = self.metadata.items.len();
        if len == self.metadata.items.capacity() {
            let left = (self.limits.max_items as usize).saturating_sub(len);
            self.metadata.items.reserve_exact(if depth == 0 { 1 } else { len.max(7).min(left).max(1) });
        }
        let data = ItemData::new(item.kind(), item.parent(), item.index(), depth, item.start());
        self.metadata.items.push(ItemData { end: item.end(), ..data });
    }

    #[inline]
    fn section(&mut self, section: &Section<'w>) -> DataRequest {
        if section.is_ordinary() {
            self.metadata.items[section.item as usize].sizes.add(section);
            return DataRequest::Nothing;
        }
        // The callee gets a copy and returns a flag, so that the section's fields and the result
        // stay in registers.
        let requested = self.uncommon_section(&Section { item: section.item, ..*section });
        if requested { self.first_request() } else { DataRequest::Nothing }
    }

    #[inline]
    fn data(&mut self, bytes: &'w [u8], start: u64) -> DataRequest {
        let mut step = None;
        if let Some(PendingSection { decoder: Decoder::Name(names), .. }) = &mut self.pending {
            match names.step(bytes, self.limits.max_section_data) {
                NameStep::Request(range) => return DataRequest::Bytes(range), // nothing to report yet
                other => step = Some(other),
            }
        }
        let Some(mut pending) = self.pending.take() else { return DataRequest::Nothing };
        let Some(step) = step else {
            self.decode(&pending, bytes, start);
            return DataRequest::Nothing;
        };
        let request = self.name_step(&mut pending, step);
        if request != DataRequest::Nothing {
            self.pending = Some(pending);
        }
        request
    }

    fn leave(&mut self, item: u32, end: u64) {
        let item = &mut self.metadata.items[item as usize];
        item.end = Some(end);
        item.complete = true;
        self.current = self.enclosing.pop().unwrap_or_default();
    }
}
