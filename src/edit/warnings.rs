//! Findings of a plan: invalidated signatures and ids, invalid values, and removed sections of
//! unknown purpose.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::encoding::{MAX_NESTED, custom_section_head};
use super::plan::{Change, ChangeKind};
use super::source_layout::{Content, SourceLayout};
use super::{NAMES, NameEdit, PRODUCERS, ProducerEdit};
use crate::drive::{self, ReadAt};
use crate::escape::quoted;
use crate::finding::{Finding, FindingCode, Findings};
use crate::limits::Limits;
use crate::metadata::convention::signs_all;
use crate::metadata::{SectionPurpose, StreamReader, controls, purpose};
use crate::scan::{Collector, ItemKind, Visitor};
use crate::splice::{Patch, Plan};

/// Collects the findings of a plan, item by item.
pub(super) struct Warnings<'o> {
    layout: &'o SourceLayout<'o>,
    limits: Limits,
    states: Vec<ItemState>,
    /// Edited sections that sign all other sections of their item, with the item's number.
    edited_full_signatures: BTreeSet<(usize, Box<str>)>,
    found: Vec<Warning>,
}

/// A finding without the item's path.
struct Warning {
    number: usize,
    code: FindingCode,
    offset: u64,
    section: Option<Box<str>>,
    message: Cow<'static, str>,
}

/// Changes in an item, nested items included.
#[derive(Clone, Copy, Default)]
struct ItemState {
    changed: bool,
    /// Offset of the first change after the signature.
    first_signed_change: Option<u64>,
    /// Whether the edit changes the signature itself.
    signature_edited: bool,
    /// Whether anything has changed other than full signatures, which are sections that sign all
    /// others.
    content_changed: bool,
}

impl<'o> Warnings<'o> {
    pub(super) fn new(layout: &'o SourceLayout<'o>, limits: Limits) -> Self {
        Self {
            layout,
            limits,
            states: vec![ItemState::default(); layout.items.len()],
            edited_full_signatures: BTreeSet::new(),
            found: Vec::new(),
        }
    }

    /// Records the patches and changes of an item.
    pub(super) fn changed(&mut self, number: usize, patches: &[Patch], changes: &[Change]) {
        for patch in patches {
            self.touch(number, patch.range.start);
        }
        self.states[number].signature_edited = changes.iter().any(|change| &*change.section == "signature");
        self.states[number].content_changed |= changes.iter().any(|change| !signs_all(&change.section));
        let edited_full_signatures = changes.iter().filter(|change| signs_all(&change.section));
        self.edited_full_signatures.extend(edited_full_signatures.map(|change| (number, change.section.clone())));
        self.removed_unknown(number, changes);
        self.written(number, changes);
        self.deceptive_names(number, changes);
        self.unreadable_names(number);
        self.build_id(number, changes);
        for change in changes {
            self.warn_near_limit(number, change.range.start, change.after, u64::from(u32::MAX), Some(&change.section));
        }
    }

    /// Ends an item and propagates its changes to the enclosing item. `resized` is the new payload
    /// size of the section that contains the item, if that size changed. Nested items must end
    /// before their parents.
    pub(super) fn leave(&mut self, number: usize, resized: Option<u64>) {
        self.signature(number);
        self.full_signatures(number);
        let item = &self.layout.items[number];
        let (Some(parent), Some(container)) = (item.parent, &item.container) else { return };
        if self.states[number].changed {
            self.touch(parent, container.start);
            self.states[parent].content_changed = true;
        }
        if let Some(size) = resized {
            self.warn_near_limit(number, container.start, size, MAX_NESTED, None);
        }
    }

    /// Returns the findings of all items in source order, with the same limit per code as a read.
    pub(super) fn finish(mut self, plan: &Plan, changes: &[Change]) -> Vec<Finding> {
        if !plan.is_identity() {
            self.warn_near_limit(0, 0, plan.len(), MAX_NESTED, None);
        }
        let count = |kind| changes.iter().filter(|change| change.kind == kind).count() as u64;
        let sections = self.layout.sections + count(ChangeKind::Added) - count(ChangeKind::Removed);
        if sections > self.limits.max_sections {
            let message = format!("{sections} sections exceed the read limit of {}", self.limits.max_sections);
            self.add(0, FindingCode::NearLimit, 0, None, message);
        }
        self.found.sort_by_key(|found| (found.number, found.offset));
        let mut findings = Findings::with_limit(self.limits.max_findings_per_code);
        for Warning { number, code, offset, section, message } in self.found {
            let describe = || (self.layout.path(number), message);
            findings.add(code, number as u32, offset, section.as_deref(), describe);
        }
        findings.iter().cloned().collect()
    }

    fn touch(&mut self, number: usize, offset: u64) {
        let state = &mut self.states[number];
        state.changed = true;
        let signed = self.layout.items[number].signed.as_ref();
        if signed.is_some_and(|signed| signed.signature.end <= offset) {
            state.first_signed_change = Some(state.first_signed_change.map_or(offset, |first| first.min(offset)));
        }
    }

    fn add(
        &mut self,
        number: usize,
        code: FindingCode,
        offset: u64,
        section: Option<&str>,
        message: impl Into<Cow<'static, str>>,
    ) {
        let found = Warning { number, code, offset, section: section.map(Into::into), message: message.into() };
        self.found.push(found);
    }

    /// Adds the findings that a reader would report about written sections.
    fn written(&mut self, number: usize, changes: &[Change]) {
        let item = &self.layout.items[number];
        let Some(edit) = item.requested.edit else { return };
        for (name, data) in edit.put().filter(|(name, _)| !edit.is_checked(name)) {
            let has_name = |other: &str| other == name;
            let change = changes.iter().find(|change| change.kind != ChangeKind::Removed && has_name(&change.section));
            let existing = || item.sections.iter().find(|section| has_name(&section.name));
            let offset = change.map(|change| change.range.start);
            let offset = offset.or_else(|| existing().map(|section| section.extent.start)).unwrap_or(item.end);
            for finding in read_alone(item.kind, name, data, self.limits) {
                self.add(number, finding.code(), offset, finding.section(), finding.message().to_owned());
            }
        }
    }

    /// Reports deceptive characters in the item's own name and producers. Deceptive field values
    /// are errors instead.
    fn deceptive_names(&mut self, number: usize, changes: &[Change]) {
        let Some(edit) = self.layout.items[number].requested.edit else { return };
        let own = match &edit.name {
            Some(NameEdit::Set(name)) => Some(&**name),
            _ => None,
        };
        let of_producers = edit.producers.iter().flat_map(ProducerEdit::texts);
        let own = own.into_iter().map(|text| (&NAMES[..], text));
        for (sections, text) in own.chain(of_producers.map(|text| (&[PRODUCERS][..], text))) {
            let change = changes.iter().find(|change| sections.contains(&&*change.section));
            if let (Some(error), Some(change)) = (controls(text, false), change) {
                self.add(number, error.code, change.range.start, Some(&change.section), error.message);
            }
        }
    }

    /// Reports unreadable name sections, which cannot be stripped.
    fn unreadable_names(&mut self, number: usize) {
        let item = &self.layout.items[number];
        for section in item.sections.iter().filter(|section| item.requested.edits_names_of(&section.name)) {
            if let Content::Unreadable(why) = section.content {
                let message = format!("names not stripped, because the section cannot be read: {why}");
                self.add(number, FindingCode::MalformedName, section.extent.start, Some(&section.name), message);
            }
        }
    }

    /// Reports a `signature` section that the edit invalidates. The signature covers all bytes
    /// after it. Each delimiter ends a part that can be verified without the rest. Source: the tool
    /// conventions' `Signatures.md`.
    fn signature(&mut self, number: usize) {
        let ItemState { first_signed_change: Some(first), signature_edited: false, .. } = self.states[number] else {
            return;
        };
        let Some(signed) = &self.layout.items[number].signed else { return };
        let parts = signed.delimiters.iter().filter(|end| **end <= first).count();
        let message = match parts {
            0 => "the signature no longer holds: the signed bytes change".to_owned(),
            _ => format!(
                "the signature no longer holds for the whole item; the part before the {} `signature_delimiter` is \
                 unchanged and can still be verified on its own",
                ordinal(parts)
            ),
        };
        self.add(number, FindingCode::BrokenSignature, signed.signature.start, Some("signature"), message);
    }

    /// Reports invalidated signatures that cover all other sections. Source: wasmsign
    /// (`signature_wasmsign`) and wascap (`jwt`, `wasmcloud_jwt`).
    fn full_signatures(&mut self, number: usize) {
        if !self.states[number].content_changed {
            return;
        }
        let layout = self.layout;
        for (name, range) in &layout.items[number].full_signatures {
            if !self.edited_full_signatures.contains(&(number, name.clone())) {
                let message = "the signature no longer holds: the signed bytes change";
                self.add(number, FindingCode::BrokenSignature, range.start, Some(name), message);
            }
        }
    }

    /// Reports stripped sections of unknown purpose, which the program may need.
    fn removed_unknown(&mut self, number: usize, changes: &[Change]) {
        let requested = self.layout.items[number].requested;
        let total = self.layout.items[0].end.max(1);
        for change in changes.iter().filter(|change| change.kind == ChangeKind::Removed) {
            if purpose(&change.section).is_none() && requested.strips(&change.section) {
                let (len, percent) = (change.before, change.before * 100 / total);
                let message = format!(
                    "{} is removed although its purpose is unknown: {len} bytes, {percent} % of the file",
                    quoted(&change.section)
                );
                self.add(number, FindingCode::RemovedUnknown, change.range.start, Some(&change.section), message);
            }
        }
    }

    /// Reports a kept build id if the debugging data changes. Tools look up debugging data by this
    /// id.
    fn build_id(&mut self, number: usize, changes: &[Change]) {
        let is_id = |name: &str| name == "build_id";
        let is_debug = |name: &str| purpose(name) == Some(SectionPurpose::Debug) || name == "external_debug_info";
        if changes.iter().any(|change| is_id(&change.section))
            || !changes.iter().any(|change| is_debug(&change.section))
        {
            return;
        }
        let item = &self.layout.items[number];
        let id = item.sections.iter().find(|section| is_id(&section.name));
        if let Some(id) = id {
            let message = "the debugging data changes, but its build id does not";
            self.add(number, FindingCode::StaleBuildId, id.extent.start, Some("build_id"), message);
        }
    }

    /// Reports a size above 7/8 of a limit.
    fn warn_near_limit(&mut self, number: usize, offset: u64, size: u64, max: u64, section: Option<&str>) {
        if size > max / 8 * 7 {
            let message = format!("{size} bytes; the maximum that can be read is {max}");
            self.add(number, FindingCode::NearLimit, offset, section, message);
        }
    }
}

/// Returns the findings that a reader would report for an item with only this section. The data is
/// not copied.
fn read_alone(kind: ItemKind, name: &str, data: &[u8], limits: Limits) -> Vec<Finding> {
    // Data that is too large makes planning fail, so it needs no findings.
    let Ok(head) = custom_section_head(0, name, data.len()) else { return Vec::new() };
    let front = Patch { range: 0..0, bytes: [&kind.preamble()[..], &head].concat() };
    let plan = Plan::new(data.len() as u64, vec![front]);
    let mut reader = StreamReader::with_limits(limits);
    let visitor: &mut dyn for<'w> Visitor<'w> = &mut reader;
    let source: &dyn ReadAt = &plan.reader(data);
    _ = drive::scan_at(source, plan.len(), visitor, limits);
    reader.finish().map(|metadata| metadata.findings().iter().cloned().collect()).unwrap_or_default()
}

fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals() {
        let numbers = [1, 2, 3, 4, 11, 12, 13, 21, 101, 111].map(ordinal);
        assert_eq!(numbers, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "101st", "111th"]);
    }
}
