//! What is notable about a plan: what the edit makes untrue, and what it writes although something is against it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::encoding::{MAX_NESTED, custom_section_head};
use super::plan::{Change, ChangeKind};
use super::source_layout::{Content, SourceLayout};
use super::{NAMES, NameEdit, PRODUCERS, ProducerEdit};
use crate::drive;
use crate::escape::quoted;
use crate::finding::{Finding, FindingCode, Findings};
use crate::limits::Limits;
use crate::metadata::convention::signs_all;
use crate::metadata::{SectionPurpose, StreamReader, controls, purpose};
use crate::scan::ItemKind;
use crate::splice::{Patch, Plan};

/// The findings of a plan, as they are made: by the items that they are about.
pub(super) struct Warnings<'o> {
    outline: &'o SourceLayout<'o>,
    limits: Limits,
    touched: Vec<Touched>,
    /// Sections that sign all others and are changed themselves, by the place of their item.
    resealed: BTreeSet<(usize, Box<str>)>,
    found: Vec<Warning>,
}

/// A finding, without the path of the item that it is about.
struct Warning {
    place: usize,
    code: FindingCode,
    offset: u64,
    section: Option<Box<str>>,
    message: Cow<'static, str>,
}

/// What has changed in an item, that which it holds included.
#[derive(Clone, Copy, Default)]
struct Touched {
    any: bool,
    /// The first change behind the signature.
    signed: Option<u64>,
    /// Whether the edit is about the signature itself.
    resigned: bool,
    /// Whether something other than a section that signs all others has changed.
    unsealed: bool,
}

impl<'o> Warnings<'o> {
    pub(super) fn new(outline: &'o SourceLayout<'o>, limits: Limits) -> Self {
        Self {
            outline,
            limits,
            touched: vec![Touched::default(); outline.items.len()],
            resealed: BTreeSet::new(),
            found: Vec::new(),
        }
    }

    /// An item is changed by these patches, which come to these changes.
    pub(super) fn changed(&mut self, place: usize, patches: &[Patch], changes: &[Change]) {
        for patch in patches {
            self.touch(place, patch.range.start);
        }
        self.touched[place].resigned = changes.iter().any(|change| &*change.section == "signature");
        self.touched[place].unsealed |= changes.iter().any(|change| !signs_all(&change.section));
        let resealed = changes.iter().filter(|change| signs_all(&change.section));
        self.resealed.extend(resealed.map(|change| (place, change.section.clone())));
        self.removed_unknown(place, changes);
        self.put(place, changes);
        self.deceptive_names(place, changes);
        self.unreadable_names(place);
        self.build_id(place, changes);
        for change in changes {
            self.near_limit(place, change.range.start, change.after, u64::from(u32::MAX), Some(&change.section));
        }
    }

    /// What happened in an item happened in the one that holds it; its own section has a payload of so many bytes now,
    /// if that has changed. Items come after those that they hold.
    pub(super) fn leave(&mut self, place: usize, resized: Option<u64>) {
        self.signature(place);
        self.seals(place);
        let item = &self.outline.items[place];
        let (Some(parent), Some(holder)) = (item.parent, &item.holder) else { return };
        if self.touched[place].any {
            self.touch(parent, holder.start);
            self.touched[parent].unsealed = true;
        }
        if let Some(size) = resized {
            self.near_limit(place, holder.start, size, MAX_NESTED, None);
        }
    }

    /// All of them, item by item in the order of the source, folded as those of a reading are.
    pub(super) fn finish(mut self, plan: &Plan, changes: &[Change]) -> Vec<Finding> {
        if !plan.is_identity() {
            self.near_limit(0, 0, plan.len(), MAX_NESTED, None);
        }
        let number = |kind| changes.iter().filter(|change| change.kind == kind).count() as u64;
        let sections = self.outline.sections + number(ChangeKind::Added) - number(ChangeKind::Removed);
        if sections > self.limits.max_sections {
            let message = format!("{sections} sections, and no more than {} are read back", self.limits.max_sections);
            self.find(0, FindingCode::NearLimit, 0, None, message);
        }
        self.found.sort_by_key(|found| (found.place, found.offset));
        let mut findings = Findings::with_limit(self.limits.max_findings_per_code);
        for Warning { place, code, offset, section, message } in self.found {
            let describe = || (self.outline.path(place), message);
            findings.add(code, place as u32, offset, section.as_deref(), describe);
        }
        findings.iter().cloned().collect()
    }

    fn touch(&mut self, place: usize, offset: u64) {
        let touched = &mut self.touched[place];
        touched.any = true;
        let signed = self.outline.items[place].signed.as_ref();
        if signed.is_some_and(|signed| signed.signature.end <= offset) {
            touched.signed = Some(touched.signed.map_or(offset, |first| first.min(offset)));
        }
    }

    fn find(
        &mut self,
        place: usize,
        code: FindingCode,
        offset: u64,
        section: Option<&str>,
        message: impl Into<Cow<'static, str>>,
    ) {
        let found = Warning { place, code, offset, section: section.map(Into::into), message: message.into() };
        self.found.push(found);
    }

    /// What a reader will find in the sections that are given data, once they stand there.
    fn put(&mut self, place: usize, changes: &[Change]) {
        let item = &self.outline.items[place];
        let Some(edit) = item.wish.edit else { return };
        for (name, data) in edit.put().filter(|(name, _)| !edit.is_sound(name)) {
            let is_of = |other: &str| other == name;
            let change = changes.iter().find(|change| change.kind != ChangeKind::Removed && is_of(&change.section));
            let stands = || item.sections.iter().find(|section| is_of(&section.name));
            let offset = change.map(|change| change.range.start);
            let offset = offset.or_else(|| stands().map(|section| section.extent.start)).unwrap_or(item.end);
            for finding in read_alone(item.kind, name, data, self.limits) {
                self.find(place, finding.code(), offset, finding.section(), finding.message().to_owned());
            }
        }
    }

    /// The item's own name and producers that are set although they hold what can deceive. (Fields are refused then.)
    fn deceptive_names(&mut self, place: usize, changes: &[Change]) {
        let Some(edit) = self.outline.items[place].wish.edit else { return };
        let own = match &edit.name {
            Some(NameEdit::Set(name)) => Some(&**name),
            _ => None,
        };
        let of_producers = edit.producers.iter().flat_map(ProducerEdit::texts);
        let own = own.into_iter().map(|text| (&NAMES[..], text));
        for (sections, text) in own.chain(of_producers.map(|text| (&[PRODUCERS][..], text))) {
            let change = changes.iter().find(|change| sections.contains(&&*change.section));
            if let (Some(flaw), Some(change)) = (controls(text, false), change) {
                self.find(place, flaw.code, change.range.start, Some(&change.section), flaw.message);
            }
        }
    }

    /// Name sections that cannot be read keep their names where these are stripped.
    fn unreadable_names(&mut self, place: usize) {
        let item = &self.outline.items[place];
        for section in item.sections.iter().filter(|section| item.wish.edits_names_of(&section.name)) {
            if let Content::Unreadable(why) = section.content {
                let message = format!("its names stay, for it cannot be read: {why}");
                self.find(place, FindingCode::MalformedName, section.extent.start, Some(&section.name), message);
            }
        }
    }

    /// A signature is over what stands behind it; each delimiter ends a part that can be verified without the rest.
    /// Source: the tool conventions' `Signatures.md`.
    fn signature(&mut self, place: usize) {
        let Touched { signed: Some(first), resigned: false, .. } = self.touched[place] else { return };
        let Some(signed) = &self.outline.items[place].signed else { return };
        let parts = signed.delimiters.iter().filter(|end| **end <= first).count();
        let message = match parts {
            0 => "the signature no longer holds: what it signs is changed".to_owned(),
            _ => format!(
                "the signature no longer holds for the whole; what stands before the {} `signature_delimiter` is \
                 unchanged, and can still be verified alone",
                ordinal(parts)
            ),
        };
        self.find(place, FindingCode::BrokenSignature, signed.signature.start, Some("signature"), message);
    }

    /// Some signatures are over all other sections of the module. Source: wasmsign (`signature_wasmsign`) and wascap
    /// (`jwt`, `wasmcloud_jwt`).
    fn seals(&mut self, place: usize) {
        if !self.touched[place].unsealed {
            return;
        }
        let outline = self.outline;
        for (name, range) in &outline.items[place].seals {
            if !self.resealed.contains(&(place, name.clone())) {
                let message = "the signature no longer holds: what it signs is changed";
                self.find(place, FindingCode::BrokenSignature, range.start, Some(name), message);
            }
        }
    }

    /// Stripping takes sections whose purpose is not known, and which the program may need.
    fn removed_unknown(&mut self, place: usize, changes: &[Change]) {
        let wish = self.outline.items[place].wish;
        let total = self.outline.items[0].end.max(1);
        for change in changes.iter().filter(|change| change.kind == ChangeKind::Removed) {
            if purpose(&change.section).is_none() && wish.strips(&change.section) {
                let (len, percent) = (change.before, change.before * 100 / total);
                let message = format!(
                    "{} is removed, and its purpose is not known: {len} bytes, {percent} % of the file",
                    quoted(&change.section)
                );
                self.find(place, FindingCode::RemovedUnknown, change.range.start, Some(&change.section), message);
            }
        }
    }

    /// Debugging data is looked up by the build's id; other data is not that build's.
    fn build_id(&mut self, place: usize, changes: &[Change]) {
        let is_id = |name: &str| name == "build_id";
        let is_debug = |name: &str| purpose(name) == Some(SectionPurpose::Debug) || name == "external_debug_info";
        if changes.iter().any(|change| is_id(&change.section))
            || !changes.iter().any(|change| is_debug(&change.section))
        {
            return;
        }
        let item = &self.outline.items[place];
        let id = item.sections.iter().find(|section| is_id(&section.name));
        if let Some(id) = id {
            let message = "the debugging data beside this id is not what it was when the id was given";
            self.find(place, FindingCode::StaleBuildId, id.extent.start, Some("build_id"), message);
        }
    }

    /// Near is what has used up seven eighths of a limit.
    fn near_limit(&mut self, place: usize, offset: u64, size: u64, max: u64, section: Option<&str>) {
        if size > max / 8 * 7 {
            let message = format!("{size} bytes, where {max} are the most that can be read");
            self.find(place, FindingCode::NearLimit, offset, section, message);
        }
    }
}

/// What a reader finds in a section that is all there is of its item. The data is read where it lies.
fn read_alone(kind: ItemKind, name: &str, data: &[u8], limits: Limits) -> Vec<Finding> {
    let Ok(head) = custom_section_head(0, name, data.len()) else { return Vec::new() }; // no plan comes of it
    let front = Patch { range: 0..0, bytes: [&kind.preamble()[..], &head].concat() };
    let plan = Plan::new(data.len() as u64, vec![front]);
    let read = drive::collect_at(&plan.reader(data), plan.len(), StreamReader::with_limits(limits));
    read.value().map(|metadata| metadata.findings().iter().cloned().collect()).unwrap_or_default()
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
