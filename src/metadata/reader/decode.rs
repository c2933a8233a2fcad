//! Decoding of the data of one section into a value.

use std::ops::Range;

use super::{Decoder, MetadataReader, PendingSection};
use crate::finding::FindingCode;
use crate::metadata::check::has_controls;
use crate::metadata::convention::Decode;
use crate::metadata::debug_link::{self, DebugLinks};
use crate::metadata::dependencies::Dependencies;
use crate::metadata::field::Field;
use crate::metadata::name::NameStep;
use crate::metadata::producers;
use crate::metadata::value::{Ownership, Value};
use crate::scan::DataRequest;

impl<'v, O> MetadataReader<'v, O> {
    // Neither this function nor `name_step` is inlined, so that the code that skips through name
    // sections stays short. Measured (`metadata` bench).
    #[inline(never)]
    pub(super) fn decode<'w>(&mut self, pending: &PendingSection, bytes: &'w [u8], start: u64)
    where
        O: Ownership<'w, 'v>,
    {
        match &pending.decoder {
            Decoder::Annotation(field) => self.annotation(pending, *field, bytes),
            Decoder::Convention(Decode::Producers) => self.producers(pending, bytes, start),
            Decoder::Convention(Decode::Dependencies) => self.dependencies(pending, bytes),
            Decoder::Convention(Decode::RegistryMetadata) => self.registry_metadata(pending, bytes),
            Decoder::Convention(decode) => self.debug_link(pending, bytes, *decode == Decode::Text),
            Decoder::Name(_) => {} // see `name_step`
        }
    }

    fn annotation<'w>(&mut self, pending: &PendingSection, field: Field, bytes: &'w [u8])
    where
        O: Ownership<'w, 'v>,
    {
        let value = self.text(pending, bytes, pending.data.clone());
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            let errors = field.check(text);
            self.report_value_errors(pending, pending.data.start, errors);
        }
        if self.charge(pending, bytes.len()) {
            let annotations = &mut self.metadata.items[pending.item as usize].annotations;
            let position = annotations.partition_point(|(other, _)| *other < field);
            annotations.insert(position, (field, value));
        }
    }

    /// Decodes text. If the bytes are not UTF-8, reports a finding and returns them undecoded.
    fn text<'w>(&mut self, pending: &PendingSection, bytes: &'w [u8], range: Range<u64>) -> Value<'v>
    where
        O: Ownership<'w, 'v>,
    {
        match std::str::from_utf8(bytes) {
            Ok(text) => Value::text(O::text(text), range),
            Err(error) => {
                let offset = range.start + error.valid_up_to() as u64;
                self.report_pending(pending, FindingCode::NotUtf8, offset, "the value is not UTF-8");
                Value::bytes(O::bytes(bytes), range)
            }
        }
    }

    fn producers<'w>(&mut self, pending: &PendingSection, bytes: &'w [u8], start: u64)
    where
        O: Ownership<'w, 'v>,
    {
        producers::inspect(bytes, &mut |(code, at, message)| {
            self.report_pending(pending, code, start + at as u64, message);
        });
        if self.charge(pending, bytes.len()) {
            let section = Value::bytes(O::bytes(bytes), pending.data.clone());
            self.metadata.items[pending.item as usize].producers.push(section);
        }
    }

    fn dependencies<'w>(&mut self, pending: &PendingSection, bytes: &'w [u8])
    where
        O: Ownership<'w, 'v>,
    {
        #[cfg(feature = "dependencies")]
        let packages = self.packages(pending, bytes);
        let dependencies = Dependencies {
            raw: Value::bytes(O::bytes(bytes), pending.data.clone()),
            #[cfg(feature = "dependencies")]
            packages,
        };
        if self.charge(pending, dependencies.size()) {
            self.metadata.items[pending.item as usize].dependencies = Some(dependencies.into());
        }
    }

    /// Inflates and decodes packages. The inflated bytes per input are limited, because a few
    /// kilobytes of zlib can expand to megabytes.
    #[cfg(feature = "dependencies")]
    fn packages(&mut self, pending: &PendingSection, bytes: &[u8]) -> Vec<crate::metadata::Package> {
        if self.inflated > self.limits.max_retained_bytes {
            let message =
                format!("not inflated: more than {} bytes inflated in one input", self.limits.max_retained_bytes);
            self.report_pending(pending, FindingCode::TooLarge, pending.start, message);
            return Vec::new();
        }
        let (limit, mut inflated) = (self.limits.max_inflated, 0);
        let packages = crate::metadata::dependencies::decode(
            bytes,
            limit,
            &mut inflated,
            |crate::metadata::check::ValueError { code, message }| {
                self.report_pending(pending, code, pending.data.start, message);
            },
        );
        self.inflated += inflated;
        packages
    }

    fn registry_metadata<'w>(&mut self, pending: &PendingSection, bytes: &'w [u8])
    where
        O: Ownership<'w, 'v>,
    {
        let message = "retired: its fields have sections of their own now";
        self.report_pending(pending, FindingCode::RetiredSection, pending.start, message);
        let value = self.text(pending, bytes, pending.data.clone());
        #[cfg(feature = "json")]
        if let Some(text) = value.as_str() {
            let errors = crate::metadata::json::check_registry_metadata(text);
            self.report_value_errors(pending, pending.data.start, errors);
        }
        self.report_controls(pending, &value, true);
        if self.charge(pending, bytes.len()) {
            self.metadata.items[pending.item as usize].registry_metadata = Some(value);
        }
    }

    fn debug_link<'w>(&mut self, pending: &PendingSection, bytes: &'w [u8], is_text: bool)
    where
        O: Ownership<'w, 'v>,
    {
        if bytes.is_empty() {
            return; // already reported as empty
        }
        let DebugLinks { values, finding } = debug_link::read(bytes, is_text);
        let start = pending.data.start;
        if let Some((code, at, message)) = finding {
            self.report_pending(pending, code, start + at as u64, message);
        }
        for relative in values {
            let (value, range) = (&bytes[relative.clone()], start + relative.start as u64..start + relative.end as u64);
            let value = if is_text { self.text(pending, value, range) } else { Value::bytes(O::bytes(value), range) };
            self.report_controls(pending, &value, false);
            if self.charge(pending, value.as_bytes().len()) {
                self.metadata.items[pending.item as usize].debug_links.push((pending.section, value));
            }
        }
    }

    /// Processes steps of a name section until it requests more data or ends.
    #[inline(never)]
    pub(super) fn name_step<'w>(&mut self, pending: &mut PendingSection, mut step: NameStep<'w>) -> DataRequest
    where
        O: Ownership<'w, 'v>,
    {
        loop {
            match step {
                NameStep::Request(range) => return DataRequest::Bytes(range),
                NameStep::End => return DataRequest::Nothing,
                NameStep::Malformed(what, offset) => {
                    self.report_pending(pending, FindingCode::MalformedName, offset, what);
                    return DataRequest::Nothing;
                }
                NameStep::TooLong(range) => {
                    let len = range.end - range.start;
                    let message =
                        format!("a name of {len} bytes; more than {} are not decoded", self.limits.max_section_data);
                    self.report_pending(pending, FindingCode::TooLarge, range.start, message);
                }
                NameStep::OwnName(name) => {
                    if let Some(error) = name.error {
                        self.report_pending(pending, FindingCode::MalformedName, name.range.end, error);
                    }
                    self.own_name(pending, name.bytes, name.range);
                }
            }
            let Decoder::Name(names) = &pending.decoder else { return DataRequest::Nothing };
            step = names.next();
        }
    }

    fn own_name<'w>(&mut self, pending: &PendingSection, bytes: &'w [u8], range: Range<u64>)
    where
        O: Ownership<'w, 'v>,
    {
        let name = self.text(pending, bytes, range);
        self.report_controls(pending, &name, false);
        let old = self.metadata.items[pending.item as usize].name.take();
        if let Some(old) = old {
            let in_this_section = pending.data.contains(&old.range().start);
            let first_values = self.metadata.items[pending.item as usize].first_values.get_or_insert_default();
            if first_values.name.is_none() {
                first_values.name = Some(old);
            } else {
                self.release(old.as_bytes().len());
            }
            if in_this_section {
                let message = "a second subsection with the item's own name; the last one is used";
                self.report_pending(pending, FindingCode::MalformedName, name.range().start, message);
            }
        }
        if self.charge(pending, bytes.len()) {
            self.metadata.items[pending.item as usize].name = Some(name);
        }
    }

    fn report_controls(&mut self, pending: &PendingSection, value: &Value<'_>, multiline: bool) {
        if value.as_str().is_some_and(|text| has_controls(text, multiline)) {
            let message = "control or bidirectional characters in the value";
            self.report_pending(pending, FindingCode::ControlCharacters, value.range().start, message);
        }
    }
}
