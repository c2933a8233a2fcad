//! An edit and the outline of its source become a plan.

use std::ops::Range;

use super::encoding::{MAX_NESTED, custom_section, own_name, resized};
use super::item::{ItemEdits, within};
use super::plan::{Change, ChangeKind, EditPlan};
use super::source_layout::{Content, FoundName, LayoutItem, LayoutSection, SourceLayout};
use super::warnings::Warnings;
use super::{EditError, ItemEdit, NAMES, NameEdit, PRODUCERS, producers};
use crate::limits::Limits;
use crate::metadata::Field;
use crate::metadata::convention::is_joined;
use crate::scan::{ItemKind, ItemPath};
use crate::splice::{Patch, Plan};

pub(super) fn plan(
    edits: &ItemEdits,
    outline: &SourceLayout<'_>,
    source_len: u64,
    limits: Limits,
) -> Result<EditPlan, EditError> {
    if let Some(path) = edits.items.keys().chain(edits.strips.keys()).find(|path| !outline.found.contains(path)) {
        return Err(EditError::NoItem(path.clone()));
    }
    let mut patches = Vec::new();
    let mut changes = Vec::new();
    let mut growth = vec![0; outline.items.len()];
    let mut warnings = Warnings::new(outline, limits);
    // An item's growth is its holder's, and with that size field's own growth the enclosing item's. What is inserted at
    // the end of an item and of those that end there with it belongs to the innermost first.
    for (place, item) in outline.items.iter().enumerate().rev() {
        if !item.wish.is_none() {
            let mut in_item = InItem::new(item, edits.forced, limits)?;
            if !in_item.changes.is_empty() {
                let path = outline.path(place);
                in_item.changes.iter_mut().for_each(|change| change.path = path.clone());
            }
            warnings.changed(place, &in_item.patches, &in_item.changes);
            growth[place] += in_item.growth();
            patches.extend(in_item.patches);
            changes.extend(in_item.changes);
        }
        let mut size = None;
        if let (Some(holder), Some(parent)) = (&item.holder, item.parent)
            && growth[place] != 0
        {
            let field = resized(holder, growth[place], MAX_NESTED)?;
            size = Some((holder.end - holder.payload).saturating_add_signed(growth[place]));
            growth[parent] += growth[place] + growth_of(&field);
            patches.push(field);
        }
        warnings.leave(place, size);
    }
    // What is inserted where something else is dropped comes before it.
    patches.sort_by_key(|patch| (patch.range.start, patch.range.end));
    changes.sort_by_key(|change: &Change| (change.range.start, change.range.end));
    let plan = Plan::new(source_len, patches);
    let findings = warnings.finish(&plan, &changes);
    Ok(EditPlan { plan, findings, changes })
}

/// What changes in one item.
struct InItem<'a> {
    item: &'a LayoutItem<'a>,
    /// To the sections that are there.
    patches: Vec<Patch>,
    /// New sections, which stand behind what ends where they begin: an empty section that takes data, say.
    added: Vec<Patch>,
    /// Their paths are the root's until the item's own is known to be needed.
    changes: Vec<Change>,
}

impl<'a> InItem<'a> {
    fn new(item: &'a LayoutItem<'a>, forced: bool, limits: Limits) -> Result<Self, EditError> {
        let mut all = Self { item, patches: Vec::new(), added: Vec::new(), changes: Vec::new() };
        if let Some(wanted) = item.wish.edit {
            // What may be inserted at one place comes in the order in which it is to stand there.
            all.sections(wanted, |name| NAMES.contains(&name))?;
            all.own_name(wanted)?;
            all.sections(wanted, |name| name == PRODUCERS)?;
            all.producers(wanted, limits)?;
            all.sections(wanted, |name| !NAMES.contains(&name) && name != PRODUCERS)?;
            for (name, data) in &wanted.appended {
                all.insert(item.end, name, data)?;
            }
        }
        all.names()?;
        all.removals();
        if !forced {
            all.check_links()?;
        }
        all.patches.append(&mut all.added);
        Ok(all)
    }

    fn growth(&self) -> i64 {
        self.patches.iter().map(growth_of).sum()
    }

    fn custom<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a LayoutSection> + use<'a, 'n> {
        self.item.sections.iter().filter(move |section| *section.name == *name)
    }

    /// The data that sections of some names are to have: the first takes it, and the others go. Where readers join the
    /// sections of a name, a section with the data is added to them.
    fn sections(&mut self, wanted: &ItemEdit, which: impl Fn(&str) -> bool) -> Result<(), EditError> {
        for (name, data) in wanted.sections.iter().filter(|(name, _)| which(name)) {
            let Some(data) = data else { continue };
            let mut sections = self.custom(name);
            if is_joined(name) {
                if !sections.any(|section| matches!(section.content, Content::AsWanted)) {
                    self.insert(self.place_of(name), name, data)?;
                }
                continue;
            }
            match sections.next() {
                Some(first) => self.replace(first, data)?,
                None => self.insert(self.place_of(name), name, data)?,
            }
            sections.for_each(|section| self.remove(section));
        }
        Ok(())
    }

    /// The sections that go as a whole, in whatever way that is said.
    fn removals(&mut self) {
        for section in &self.item.sections {
            if self.item.wish.removes(&section.name) {
                self.remove(section);
            }
        }
    }

    /// A name where there is none yet.
    fn own_name(&mut self, wanted: &ItemEdit) -> Result<(), EditError> {
        let Some(NameEdit::Set(name)) = &wanted.name else { return Ok(()) };
        let section = self.name_section();
        if self.custom(section).next().is_none() {
            self.insert(self.place_of(section), section, &own_name(name, [0; 2]))?;
        }
        Ok(())
    }

    /// The name sections that change in part: in their own names, and, where they are stripped, in all else.
    fn names(&mut self) -> Result<(), EditError> {
        let own = self.name_section();
        let has_own = |section: &LayoutSection| matches!(&section.content, Content::Names(names) if !names.is_empty());
        let any_has_own = self.custom(own).any(has_own);
        let edit = self.item.wish.edit.and_then(|edit| edit.name.as_ref());
        let mut takes = match edit {
            Some(NameEdit::Set(name)) => Some(name),
            Some(NameEdit::Clear) | None => None,
        };
        let item = self.item;
        for section in item.sections.iter().filter(|section| NAMES.contains(&&*section.name)) {
            let is_edited = edit.is_some();
            let is_own = *section.name == *own; // the other kind's is read as a name too, but none is put there
            let names = match &section.content {
                Content::Names(names) => names,
                Content::Unreadable(why) if is_edited => return Err(unreadable(name_of(section), section, why)),
                _ => continue, // where it is only stripped, that is a finding
            };
            let mut patches = Vec::new();
            if is_edited {
                // A section that has a name already is where it stays; otherwise the first section takes it.
                if is_own
                    && !any_has_own
                    && let Some(name) = takes.take()
                {
                    patches.push(Patch { range: section.data..section.data, bytes: own_name(name, [0; 2]) });
                }
                for found in names {
                    match takes.take_if(|_| is_own) {
                        Some(_) if found.is_wanted => {}
                        Some(name) => patches.push(found.patch(own_name(name, found.widths))),
                        None => patches.push(found.patch(Vec::new())),
                    }
                }
            }
            if item.wish.strip.is_some_and(|strip| strip.takes_names_of(&section.name)) {
                patches.extend(between(names, section.data..section.extent.end));
            }
            self.patch_data(section, patches)?;
        }
        Ok(())
    }

    fn name_section(&self) -> &'static str {
        match self.item.kind {
            ItemKind::Module => "name",
            ItemKind::Component => "component-name",
        }
    }

    fn producers(&mut self, wanted: &ItemEdit, limits: Limits) -> Result<(), EditError> {
        if wanted.producers.is_empty() {
            return Ok(());
        }
        let sections: Vec<_> = self.custom(PRODUCERS).collect();
        let mut data = Vec::new();
        for section in &sections {
            match &section.content {
                Content::Whole(whole) => data.push(&whole[..]),
                Content::Unreadable(why) => return Err(unreadable(PRODUCERS, section, why)),
                _ => data.push(&[]),
            }
        }
        let edited = producers::edit(data.into_iter(), &wanted.producers)
            .map_err(|(nth, why)| unreadable(PRODUCERS, sections[nth], why))?;
        for data in edited.sections.iter().chain([&edited.added]).flatten() {
            within(PRODUCERS, data.len(), limits.max_section_data)?;
        }
        for (section, edited) in sections.iter().zip(&edited.sections) {
            match edited {
                Some(data) if data.is_empty() => self.remove(section),
                Some(data) => self.replace(section, data)?,
                None => {}
            }
        }
        match &edited.added {
            Some(data) => self.insert(self.place_of(PRODUCERS), PRODUCERS, data),
            None => Ok(()),
        }
    }

    /// Where a new section goes: at the end; but in a module `name` goes behind the sections that are not custom and
    /// those for the linker, in front of `producers` and `target_features`, and `producers` goes behind `name` as well.
    /// Source: the tool conventions, and what LLVM and wabt refuse.
    fn place_of(&self, name: &str) -> u64 {
        match (self.item.kind, name) {
            (ItemKind::Module, "name") => self.place_between(&[], &[PRODUCERS, "target_features"]),
            (ItemKind::Module, PRODUCERS) => self.place_between(&["name"], &["target_features"]),
            _ => self.item.end,
        }
    }

    fn place_between(&self, after: &[&str], before: &[&str]) -> u64 {
        let comes_first = |section: &&LayoutSection| is_for_linker(section) || after.contains(&&*section.name);
        let floor = self.item.sections.iter().filter(comes_first).map(|section| section.extent.end).max();
        let floor = floor.max(self.item.last_known.as_ref().map(|known| known.end));
        let comes_last =
            |section: &&LayoutSection| before.contains(&&*section.name) && Some(section.extent.start) >= floor;
        self.item.sections.iter().find(comes_last).map_or(self.item.end, |section| section.extent.start)
    }

    /// A new section.
    fn insert(&mut self, at: u64, name: &str, data: &[u8]) -> Result<(), EditError> {
        let bytes = custom_section(at, name, data)?;
        self.change(ChangeKind::Added, name, at..at, bytes.len() as u64);
        self.added.push(Patch { range: at..at, bytes });
        Ok(())
    }

    fn remove(&mut self, section: &LayoutSection) {
        let range = section.extent.start..section.extent.end;
        self.change(ChangeKind::Removed, &section.name, range.clone(), 0);
        self.patches.push(Patch { range, bytes: Vec::new() });
    }

    /// Other data for a section, unless it is the same.
    fn replace(&mut self, section: &LayoutSection, data: &[u8]) -> Result<(), EditError> {
        if matches!(section.content, Content::AsWanted) {
            return Ok(());
        }
        self.patch_data(section, vec![Patch { range: section.data..section.extent.end, bytes: data.to_vec() }])
    }

    /// Patches to a section's data, with what they do to its size. A name section that loses all of its data goes.
    fn patch_data(&mut self, section: &LayoutSection, mut patches: Vec<Patch>) -> Result<(), EditError> {
        if patches.is_empty() {
            return Ok(());
        }
        let growth: i64 = patches.iter().map(growth_of).sum();
        let len = section.extent.end - section.data;
        if len.checked_add_signed(growth) == Some(0) && matches!(section.content, Content::Names(_)) {
            self.remove(section);
            return Ok(());
        }
        if growth != 0 {
            patches.push(resized(&section.extent, growth, u64::from(u32::MAX))?);
        }
        let range = section.extent.start..section.extent.end;
        let growth: i64 = patches.iter().map(growth_of).sum();
        let after = (range.end - range.start).saturating_add_signed(growth);
        self.change(ChangeKind::Replaced, &section.name, range, after);
        self.patches.extend(patches);
        Ok(())
    }

    fn change(&mut self, kind: ChangeKind, section: &str, range: Range<u64>, after: u64) {
        let before = range.end - range.start;
        self.changes.push(Change { path: ItemPath::root(), section: section.into(), kind, range, before, after });
    }

    /// An object's `linking` and `reloc.*` sections name others by their places: none of those may move, and none of
    /// these may go.
    fn check_links(&self) -> Result<(), EditError> {
        let sections = &self.item.sections;
        if !sections.iter().any(is_for_linker) {
            return Ok(());
        }
        let named = sections.iter().filter(|section| !is_never_named(section));
        let last_named = named.map(|section| section.extent.start).max();
        let last_named = last_named.max(self.item.last_known.as_ref().map(|known| known.start));
        let breaks = |change: &Change| match change.kind {
            ChangeKind::Replaced => false,
            ChangeKind::Added => Some(change.range.start) <= last_named,
            ChangeKind::Removed => Some(change.range.start) <= last_named || is_linker_name(&change.section),
        };
        if self.changes.iter().any(breaks) { Err(EditError::MovesLinked) } else { Ok(()) }
    }
}

/// The name of a name section.
fn name_of(section: &LayoutSection) -> &'static str {
    NAMES.into_iter().find(|name| **name == *section.name).unwrap_or(NAMES[0])
}

impl FoundName {
    fn patch(&self, bytes: Vec<u8>) -> Patch {
        Patch { range: self.subsection.clone(), bytes }
    }
}

/// Patches that leave nothing of some data but the items' own names.
fn between(names: &[FoundName], data: Range<u64>) -> impl Iterator<Item = Patch> {
    let starts = [data.start].into_iter().chain(names.iter().map(|name| name.subsection.end));
    let ends = names.iter().map(|name| name.subsection.start).chain([data.end]);
    let gaps = starts.zip(ends).map(|(start, end)| start..end).filter(|range| !range.is_empty());
    gaps.map(|range| Patch { range, bytes: Vec::new() })
}

fn is_for_linker(section: &LayoutSection) -> bool {
    is_linker_name(&section.name)
}

pub(super) fn is_linker_name(name: &str) -> bool {
    name == "linking" || name.starts_with("reloc.")
}

/// What the linker's sections never point to: metadata, and themselves.
fn is_never_named(section: &LayoutSection) -> bool {
    let name = &*section.name;
    is_for_linker(section)
        || ["name", PRODUCERS, "target_features"].contains(&name)
        || Field::ALL.iter().any(|field| field.section() == name)
}

fn unreadable(name: &'static str, section: &LayoutSection, why: &'static str) -> EditError {
    EditError::Unreadable { section: name, offset: section.extent.start, why }
}

fn growth_of(patch: &Patch) -> i64 {
    (patch.bytes.len() as u64).wrapping_sub(patch.range.end - patch.range.start).cast_signed()
}
