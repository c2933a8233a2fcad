//! The visitor that makes values of sections.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::Range;

use super::Metadata;
use super::check::{ValueError, has_controls, is_plain};
use super::convention::{Convention, Decode, KnownSection, meaning};
use super::debug_link::{self, DebugLinks};
use super::dependencies::Dependencies;
use super::field::Field;
use super::item::{ItemData, path};
use super::name::{NameSectionReader, NameStep};
use super::producers;
use super::value::{Borrowed, Copied, Keep, Value};
use crate::escape::quoted;
use crate::finding::{FindingCode, Findings};
use crate::limits::Limits;
use crate::scan::{Collector, DataRequest, ItemKind, ItemStart, Section, Visitor};

macro_rules! readers {
    ($($(#[$doc:meta])* $reader:ident<$($bound:lifetime)?; $value:lifetime; $window:lifetime> $keep:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $reader$(<$bound>)?(MetadataReader<$value, $keep>);

        impl$(<$bound>)? $reader$(<$bound>)? {
            /// A reader with the default limits.
            pub fn new() -> Self {
                Self::default()
            }

            /// A reader with these limits.
            pub fn with_limits(limits: Limits) -> Self {
                Self(MetadataReader::new(limits))
            }

            /// The metadata read so far, of an input that may go on: items that are not complete may still change. `None`
            /// before the root's preamble.
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
    /// Reads metadata from bytes in memory that outlive the values, which borrow from them.
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

/// The visitor behind both readers: `K` says how values are kept.
#[derive(Debug)]
pub(super) struct MetadataReader<'v, K> {
    limits: Limits,
    /// What was read so far. Before the root is entered, and only then, it has no item.
    read: Metadata<'v>,
    /// The item that the scanner is in, and those that enclose it, the root first.
    open: ItemState,
    enclosing: Vec<ItemState>,
    /// What the values take that are kept, with a flat charge for each.
    kept: u64,
    /// What compressed sections inflated to, be it kept or not.
    #[cfg(feature = "dependencies")]
    inflated: u64,
    waiting: Option<Waiting>,
    keep: PhantomData<K>,
}

/// What is to be remembered of an item until it is left.
#[derive(Debug, Default)]
struct ItemState {
    /// A bit for each row of the tables whose section was seen.
    seen: u64,
    /// Where the first `producers` section begins.
    producers: Option<u64>,
}

/// The section whose bytes are wanted, and what for.
#[derive(Debug)]
struct Waiting {
    item: u32,
    section: &'static str,
    start: u64,
    data: Range<u64>,
    what: Decoder,
}

#[derive(Debug)]
enum Decoder {
    Annotation(Field),
    Name(NameSectionReader),
    Convention(Decode),
}

/// What keeping a value costs beside its bytes, roughly.
const FLAT_CHARGE: u64 = 64;

impl<'v, K> MetadataReader<'v, K> {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            read: Metadata { items: Vec::new(), findings: Findings::with_limit(limits.max_findings_per_code) },
            open: ItemState::default(),
            enclosing: Vec::new(),
            kept: 0,
            #[cfg(feature = "dependencies")]
            inflated: 0,
            waiting: None,
            keep: PhantomData,
        }
    }

    fn finish(self) -> Option<Metadata<'v>> {
        (!self.read.items.is_empty()).then_some(self.read)
    }

    fn so_far(&self) -> Option<&Metadata<'v>> {
        (!self.read.items.is_empty()).then_some(&self.read)
    }

    fn find(
        &mut self,
        code: FindingCode,
        item: u32,
        offset: u64,
        section: Option<&str>,
        message: impl Into<Cow<'static, str>>,
    ) {
        let items = &self.read.items;
        let describe = || (path(items, item as usize), message.into());
        self.read.findings.add(code, item, offset, section, describe);
    }

    fn find_in(&mut self, waiting: &Waiting, code: FindingCode, offset: u64, message: impl Into<Cow<'static, str>>) {
        self.find(code, waiting.item, offset, Some(waiting.section), message);
    }

    fn find_value_errors(&mut self, waiting: &Waiting, offset: u64, errors: Vec<ValueError>) {
        for ValueError { code, message } in errors {
            self.find_in(waiting, code, offset, message);
        }
    }

    /// A section that one of the tables knows: whether it stands where and as often as it should, and whether bytes of it
    /// are wanted.
    fn known(&mut self, section: &Section<'_>, row: KnownSection, number: u8) -> bool {
        let again = self.open.seen & (1 << number) != 0;
        self.open.seen |= 1 << number;
        let what = match row {
            KnownSection::Annotation(field) => Decoder::Annotation(field),
            KnownSection::Convention(convention) => {
                self.placement(section, convention);
                if convention.name.ends_with('*') {
                    self.name_of(section);
                }
                match convention.decode {
                    Decode::Nothing => return false,
                    Decode::Name => Decoder::Name(NameSectionReader::new(section.data())),
                    decode => Decoder::Convention(decode),
                }
            }
        };
        let waiting = Waiting {
            item: section.item,
            section: row.name(),
            start: section.range().start,
            data: section.data(),
            what,
        };
        if again {
            let counts = match waiting.what {
                Decoder::Convention(Decode::Producers | Decode::Bytes | Decode::Text) => "all are given here",
                Decoder::Annotation(_) | Decoder::Name(_) | Decoder::Convention(_) => "the last counts here",
            };
            let message = format!("{} stands more than once; {counts}", quoted(waiting.section));
            self.find_in(&waiting, FindingCode::DuplicateSection, waiting.start, message);
            self.forget(&waiting);
        }
        self.begin(waiting)
    }

    /// A custom section, a nested item's, or one that means nothing. Gives whether bytes of it are wanted.
    #[inline(never)]
    fn special(&mut self, section: &Section<'_>) -> bool {
        if !section.is_custom() {
            self.read.items[section.item as usize].shares.add(section);
            if section.is_unknown() {
                self.unknown(section);
            }
            return false;
        }
        let meaning = meaning(section.name_bytes());
        let shares = &mut self.read.items[section.item as usize].shares;
        if let (Some(row), Some(number)) = (meaning.row(), meaning.number()) {
            shares.add_known(section, number);
            return self.known(section, row, number);
        }
        shares.add(section);
        self.name_of(section);
        false
    }

    /// A section whose id means nothing.
    #[cold]
    fn unknown(&mut self, section: &Section<'_>) {
        let message = format!("section id {:#04x} means nothing in a {}", section.id, section.item_kind);
        self.find(FindingCode::UnknownSection, section.item, section.range().start, None, message);
    }

    /// A custom section's name, of which the tables know the beginning at the most.
    #[inline]
    fn name_of(&mut self, section: &Section<'_>) {
        if !is_plain(section.name_bytes()) && has_controls(section.name(), false) {
            let message = "control or bidirectional characters in the name of a custom section";
            let start = section.payload().start;
            self.find(FindingCode::ControlCharacters, section.item, start, Some(section.name()), message);
        }
    }

    /// Checks that a section is where its convention pins it.
    fn placement(&mut self, section: &Section<'_>, convention: &'static Convention) {
        let open = &mut self.open;
        let start = section.range().start;
        let misplaced = if convention.first {
            let message = "the section must be the first, and is not";
            let past_front = self.read.items[section.item as usize].shares.past_front();
            past_front.then_some((FindingCode::MisplacedSection, start, convention.name, message))
        } else if convention.decode == Decode::Producers {
            open.producers.get_or_insert(start);
            None
        } else if convention.decode == Decode::Name && section.item_kind == ItemKind::Module && section.item == 0 {
            // Readers that refuse the other order read core modules only. wit-component uses that order in the modules
            // that it adds to a component.
            let message = "`producers` should come after `name`";
            open.producers.take().map(|offset| (FindingCode::MisplacedProducers, offset, "producers", message))
        } else {
            None
        };
        if let Some((code, offset, name, message)) = misplaced {
            self.find(code, section.item, offset, Some(name), message);
        }
    }

    /// Whether bytes of a section are wanted; if so, it waits for them.
    fn begin(&mut self, waiting: Waiting) -> bool {
        let len = waiting.data.end - waiting.data.start;
        if len == 0 && !matches!(waiting.what, Decoder::Convention(Decode::Producers)) {
            self.find_in(&waiting, FindingCode::EmptyValue, waiting.start, "the section is empty");
        }
        let wants = match &waiting.what {
            Decoder::Name(_) => len > 0,
            _ => len <= u64::from(self.limits.max_section_data),
        };
        if wants {
            self.waiting = Some(waiting);
        } else if len > 0 {
            let message = format!("{len} bytes; more than {} are not decoded", self.limits.max_section_data);
            self.find_in(&waiting, FindingCode::TooLarge, waiting.start, message);
        }
        wants
    }

    /// What the section that waits wants first.
    fn wanted(&self) -> DataRequest {
        match &self.waiting {
            Some(Waiting { what: Decoder::Name(hopper), .. }) => match hopper.next() {
                NameStep::DataRequest(range) => DataRequest::Bytes(range),
                _ => DataRequest::Nothing,
            },
            Some(waiting) => DataRequest::Bytes(waiting.data.clone()),
            None => DataRequest::Nothing,
        }
    }

    /// Lets go of what an earlier section said, where only the last counts.
    fn forget(&mut self, waiting: &Waiting) {
        let item = &mut self.read.items[waiting.item as usize];
        let old = match &waiting.what {
            Decoder::Annotation(field) => {
                let place = item.annotations.iter().position(|(found, _)| found == field);
                let old = place.map(|place| item.annotations.remove(place));
                match old {
                    // This is the second: what goes is the first.
                    Some(old) if item.shares.sections_of(field.section()) == 2 => {
                        item.firsts.get_or_insert_default().annotations.push(old);
                        None
                    }
                    old => old.map(|(_, value)| value.as_bytes().len()),
                }
            }
            Decoder::Convention(Decode::Dependencies) => item.dependencies.take().map(|old| old.size()),
            Decoder::Convention(Decode::RegistryMetadata) => {
                item.registry_metadata.take().map(|old| old.as_bytes().len())
            }
            // A second name section may hold no name. Producers and links are all kept.
            Decoder::Name(_) | Decoder::Convention(_) => None,
        };
        if let Some(old) = old {
            self.release(old);
        }
    }

    /// Gives back what was charged for a value of so many bytes.
    fn release(&mut self, len: usize) {
        self.kept -= len as u64 + FLAT_CHARGE;
    }

    /// Charges for a value of so many bytes. Where that exceeds the limit, a finding says so, and it is not kept.
    fn charge(&mut self, waiting: &Waiting, len: usize) -> bool {
        let kept = self.kept + len as u64 + FLAT_CHARGE;
        let affordable = kept <= self.limits.max_retained_bytes;
        if affordable {
            self.kept = kept;
        } else {
            let message =
                format!("not kept: more than {} bytes of values in one input", self.limits.max_retained_bytes);
            self.find_in(waiting, FindingCode::TooLarge, waiting.start, message);
        }
        affordable
    }
}

impl<'v, K> MetadataReader<'v, K> {
    // What is rare stands behind calls, here and in `hopped`, so that hops through a name section are short: measured.
    #[inline(never)]
    fn decode<'w>(&mut self, waiting: &Waiting, bytes: &'w [u8], start: u64)
    where
        K: Keep<'w, 'v>,
    {
        match &waiting.what {
            Decoder::Annotation(field) => self.annotation(waiting, *field, bytes),
            Decoder::Convention(Decode::Producers) => self.producers(waiting, bytes, start),
            Decoder::Convention(Decode::Dependencies) => self.dependencies(waiting, bytes),
            Decoder::Convention(Decode::RegistryMetadata) => self.registry_metadata(waiting, bytes),
            Decoder::Convention(decode) => self.debug_link(waiting, bytes, *decode == Decode::Text),
            Decoder::Name(_) => {} // is hopped through
        }
    }

    fn annotation<'w>(&mut self, waiting: &Waiting, field: Field, bytes: &'w [u8])
    where
        K: Keep<'w, 'v>,
    {
        let value = self.text(waiting, bytes, waiting.data.clone());
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            let errors = field.check(text);
            self.find_value_errors(waiting, waiting.data.start, errors);
        }
        if self.charge(waiting, bytes.len()) {
            let annotations = &mut self.read.items[waiting.item as usize].annotations;
            let place = annotations.partition_point(|(other, _)| *other < field);
            annotations.insert(place, (field, value));
        }
    }

    /// Bytes that should be a text.
    fn text<'w>(&mut self, waiting: &Waiting, bytes: &'w [u8], range: Range<u64>) -> Value<'v>
    where
        K: Keep<'w, 'v>,
    {
        match std::str::from_utf8(bytes) {
            Ok(text) => Value::text(K::text(text), range),
            Err(error) => {
                let offset = range.start + error.valid_up_to() as u64;
                self.find_in(waiting, FindingCode::NotUtf8, offset, "the value is not UTF-8");
                Value::bytes(K::bytes(bytes), range)
            }
        }
    }

    fn producers<'w>(&mut self, waiting: &Waiting, bytes: &'w [u8], start: u64)
    where
        K: Keep<'w, 'v>,
    {
        producers::inspect(bytes, |(code, at, message)| {
            self.find_in(waiting, code, start + at as u64, message);
        });
        if self.charge(waiting, bytes.len()) {
            let section = Value::bytes(K::bytes(bytes), waiting.data.clone());
            self.read.items[waiting.item as usize].producers.push(section);
        }
    }

    fn dependencies<'w>(&mut self, waiting: &Waiting, bytes: &'w [u8])
    where
        K: Keep<'w, 'v>,
    {
        #[cfg(feature = "dependencies")]
        let packages = self.packages(waiting, bytes);
        let dependencies = Dependencies {
            raw: Value::bytes(K::bytes(bytes), waiting.data.clone()),
            #[cfg(feature = "dependencies")]
            packages,
        };
        if self.charge(waiting, dependencies.size()) {
            self.read.items[waiting.item as usize].dependencies = Some(dependencies.into());
        }
    }

    /// Inflates and decodes packages, unless too much was inflated before: a few kilobytes may take as long as megabytes.
    #[cfg(feature = "dependencies")]
    fn packages(&mut self, waiting: &Waiting, bytes: &[u8]) -> Vec<super::Package> {
        if self.inflated > self.limits.max_retained_bytes {
            let message =
                format!("not inflated: more than {} bytes were, of one input", self.limits.max_retained_bytes);
            self.find_in(waiting, FindingCode::TooLarge, waiting.start, message);
            return Vec::new();
        }
        let (limit, mut inflated) = (self.limits.max_inflated, 0);
        let packages = super::dependencies::decode(bytes, limit, &mut inflated, |ValueError { code, message }| {
            self.find_in(waiting, code, waiting.data.start, message);
        });
        self.inflated += inflated;
        packages
    }

    fn registry_metadata<'w>(&mut self, waiting: &Waiting, bytes: &'w [u8])
    where
        K: Keep<'w, 'v>,
    {
        let message = "retired: its fields have sections of their own now";
        self.find_in(waiting, FindingCode::RetiredSection, waiting.start, message);
        let value = self.text(waiting, bytes, waiting.data.clone());
        #[cfg(feature = "json")]
        if let Some(text) = value.as_str() {
            let errors = super::json::check_registry_metadata(text);
            self.find_value_errors(waiting, waiting.data.start, errors);
        }
        self.find_controls(waiting, &value, true);
        if self.charge(waiting, bytes.len()) {
            self.read.items[waiting.item as usize].registry_metadata = Some(value);
        }
    }

    fn debug_link<'w>(&mut self, waiting: &Waiting, bytes: &'w [u8], is_text: bool)
    where
        K: Keep<'w, 'v>,
    {
        if bytes.is_empty() {
            return; // which is a finding already
        }
        let DebugLinks { values, finding } = debug_link::read(bytes, is_text);
        let start = waiting.data.start;
        if let Some((code, at, message)) = finding {
            self.find_in(waiting, code, start + at as u64, message);
        }
        for place in values {
            let (value, range) = (&bytes[place.clone()], start + place.start as u64..start + place.end as u64);
            let value = if is_text { self.text(waiting, value, range) } else { Value::bytes(K::bytes(value), range) };
            self.find_controls(waiting, &value, false);
            if self.charge(waiting, value.as_bytes().len()) {
                self.read.items[waiting.item as usize].debug_links.push((waiting.section, value));
            }
        }
    }

    /// What a hop in a name section came upon.
    #[inline(never)]
    fn hopped<'w>(&mut self, waiting: &mut Waiting, mut hop: NameStep<'w>) -> DataRequest
    where
        K: Keep<'w, 'v>,
    {
        loop {
            match hop {
                NameStep::DataRequest(range) => return DataRequest::Bytes(range),
                NameStep::End => return DataRequest::Nothing,
                NameStep::Malformed(what, offset) => {
                    self.find_in(waiting, FindingCode::MalformedName, offset, what);
                    return DataRequest::Nothing;
                }
                NameStep::TooLong(range) => {
                    let len = range.end - range.start;
                    let message =
                        format!("a name of {len} bytes; more than {} are not decoded", self.limits.max_section_data);
                    self.find_in(waiting, FindingCode::TooLarge, range.start, message);
                }
                NameStep::OwnName(name) => {
                    if let Some(flaw) = name.flaw {
                        self.find_in(waiting, FindingCode::MalformedName, name.range.end, flaw);
                    }
                    self.own_name(waiting, name.bytes, name.range);
                }
            }
            let Decoder::Name(hopper) = &waiting.what else { return DataRequest::Nothing };
            hop = hopper.next();
        }
    }

    fn own_name<'w>(&mut self, waiting: &Waiting, bytes: &'w [u8], range: Range<u64>)
    where
        K: Keep<'w, 'v>,
    {
        let name = self.text(waiting, bytes, range);
        self.find_controls(waiting, &name, false);
        let old = self.read.items[waiting.item as usize].name.take();
        if let Some(old) = old {
            let in_this_section = waiting.data.contains(&old.range().start);
            let firsts = self.read.items[waiting.item as usize].firsts.get_or_insert_default();
            if firsts.name.is_none() {
                firsts.name = Some(old);
            } else {
                self.release(old.as_bytes().len());
            }
            if in_this_section {
                let message = "a second subsection with the item's own name; the last counts here";
                self.find_in(waiting, FindingCode::MalformedName, name.range().start, message);
            }
        }
        if self.charge(waiting, bytes.len()) {
            self.read.items[waiting.item as usize].name = Some(name);
        }
    }

    fn find_controls(&mut self, waiting: &Waiting, value: &Value<'_>, multiline: bool) {
        if value.as_str().is_some_and(|text| has_controls(text, multiline)) {
            let message = "control or bidirectional characters in the value";
            self.find_in(waiting, FindingCode::ControlCharacters, value.range().start, message);
        }
    }
}

impl<'w, 'v, K: Keep<'w, 'v>> Visitor<'w> for MetadataReader<'v, K> {
    fn enter(&mut self, entry: &ItemStart<'_>) {
        if let Some(parent) = entry.parent() {
            self.read.items[parent as usize].children += 1;
        }
        if entry.parent().is_some() {
            self.enclosing.push(std::mem::take(&mut self.open));
        }
        let depth = self.enclosing.len() as u32;
        // A module is one item; a component has several. Capacity beyond the limit would never be used.
        let len = self.read.items.len();
        if len == self.read.items.capacity() {
            let left = (self.limits.max_items as usize).saturating_sub(len);
            self.read.items.reserve_exact(if depth == 0 { 1 } else { len.max(7).min(left).max(1) });
        }
        let item = ItemData::new(entry.kind(), entry.parent(), entry.index(), depth, entry.start());
        self.read.items.push(ItemData { end: entry.end(), ..item });
    }

    #[inline]
    fn section(&mut self, section: &Section<'w>) -> DataRequest {
        if section.is_ordinary() {
            self.read.items[section.item as usize].shares.add(section);
            return DataRequest::Nothing;
        }
        // What is behind a call is given a section of its own, and answers with a flag: this one's fields, and the
        // answer, stay in registers.
        let wants = self.special(&Section { item: section.item, ..*section });
        if wants { self.wanted() } else { DataRequest::Nothing }
    }

    #[inline]
    fn data(&mut self, bytes: &'w [u8], start: u64) -> DataRequest {
        let mut hop = None;
        if let Some(Waiting { what: Decoder::Name(hopper), .. }) = &mut self.waiting {
            match hopper.hop(bytes, self.limits.max_section_data) {
                NameStep::DataRequest(range) => return DataRequest::Bytes(range), // nothing to be said of what was hopped over
                other => hop = Some(other),
            }
        }
        let Some(mut waiting) = self.waiting.take() else { return DataRequest::Nothing };
        let Some(hop) = hop else {
            self.decode(&waiting, bytes, start);
            return DataRequest::Nothing;
        };
        let want = self.hopped(&mut waiting, hop);
        if want != DataRequest::Nothing {
            self.waiting = Some(waiting);
        }
        want
    }

    fn leave(&mut self, item: u32, end: u64) {
        let item = &mut self.read.items[item as usize];
        item.end = Some(end);
        item.whole = true;
        self.open = self.enclosing.pop().unwrap_or_default();
    }
}
