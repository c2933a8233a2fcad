//! Builds a plan from an edit and the layout of its source.

use std::ops::Range;

use super::encoding::{MAX_NESTED, custom_section, own_name, resized};
use super::item::{ItemEdits, check_len};
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
    layout: &SourceLayout<'_>,
    source_len: u64,
    limits: Limits,
) -> Result<EditPlan, EditError> {
    if let Some(path) = edits.items.keys().chain(edits.strips.keys()).find(|path| !layout.found.contains(path)) {
        return Err(EditError::NoItem(path.clone()));
    }
    let mut patches = Vec::new();
    let mut changes = Vec::new();
    let mut growth = vec![0; layout.items.len()];
    let mut warnings = Warnings::new(layout, limits);
    // Nested items are planned first. Their growth, and that of the size fields of the sections
    // that contain them, is part of the growth of the enclosing item. If an item and its parent end
    // at the same offset, this order also puts the item's insertions before those of the parent.
    for (number, item) in layout.items.iter().enumerate().rev() {
        if !item.requested.is_none() {
            let mut planner = ItemPlanner::new(item, edits.forced, limits)?;
            if !planner.changes.is_empty() {
                let path = layout.path(number);
                planner.changes.iter_mut().for_each(|change| change.path = path.clone());
            }
            warnings.changed(number, &planner.patches, &planner.changes);
            growth[number] += planner.growth();
            patches.extend(planner.patches);
            changes.extend(planner.changes);
        }
        let mut size = None;
        if let (Some(container), Some(parent)) = (&item.container, item.parent)
            && growth[number] != 0
        {
            let field = resized(container, growth[number], MAX_NESTED)?;
            size = Some((container.end - container.payload).saturating_add_signed(growth[number]));
            growth[parent] += growth[number] + growth_of(&field);
            patches.push(field);
        }
        warnings.leave(number, size);
    }
    // An insertion precedes a removal at the same offset.
    patches.sort_by_key(|patch| (patch.range.start, patch.range.end));
    changes.sort_by_key(|change: &Change| (change.range.start, change.range.end));
    let plan = Plan::new(source_len, patches);
    let findings = warnings.finish(&plan, &changes);
    Ok(EditPlan { plan, findings, changes })
}

/// Patches and changes of one item.
struct ItemPlanner<'a> {
    item: &'a LayoutItem<'a>,
    /// Patches of existing sections.
    patches: Vec<Patch>,
    /// New sections. They come after other patches at the same offset. For example, if the item's
    /// last section is empty and gets new data, that patch is also at the end of the item.
    added: Vec<Patch>,
    /// Changes have the root's path until `plan` sets the item's path. It computes that path only if
    /// there are changes.
    changes: Vec<Change>,
}

impl<'a> ItemPlanner<'a> {
    fn new(item: &'a LayoutItem<'a>, forced: bool, limits: Limits) -> Result<Self, EditError> {
        let mut planner = Self { item, patches: Vec::new(), added: Vec::new(), changes: Vec::new() };
        if let Some(edit) = item.requested.edit {
            // Sections inserted at the same offset are ordered: `name`, `producers`, others.
            planner.sections(edit, |name| NAMES.contains(&name))?;
            planner.add_own_name(edit)?;
            planner.sections(edit, |name| name == PRODUCERS)?;
            planner.producers(edit, limits)?;
            planner.sections(edit, |name| !NAMES.contains(&name) && name != PRODUCERS)?;
            for (name, data) in &edit.appended {
                planner.insert(item.end, name, data)?;
            }
        }
        planner.change_names()?;
        planner.removals();
        if !forced {
            planner.check_links()?;
        }
        planner.patches.append(&mut planner.added);
        Ok(planner)
    }

    fn growth(&self) -> i64 {
        self.patches.iter().map(growth_of).sum()
    }

    fn custom<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a LayoutSection> + use<'a, 'n> {
        self.item.sections.iter().filter(move |section| *section.name == *name)
    }

    /// Writes the sections whose names match `which`. The first section of a name gets the data,
    /// and the others are removed. If readers concatenate the sections of the name, adds a section
    /// unless one already has the data.
    fn sections(&mut self, edit: &ItemEdit, which: impl Fn(&str) -> bool) -> Result<(), EditError> {
        for (name, data) in edit.sections.iter().filter(|(name, _)| which(name)) {
            let Some(data) = data else { continue };
            let mut sections = self.custom(name);
            if is_joined(name) {
                if !sections.any(|section| matches!(section.content, Content::AsRequested)) {
                    self.insert(self.position_for(name), name, data)?;
                }
                continue;
            }
            match sections.next() {
                Some(first) => self.replace(first, data)?,
                None => self.insert(self.position_for(name), name, data)?,
            }
            sections.for_each(|section| self.remove(section));
        }
        Ok(())
    }

    /// Removes sections, whether by name, pattern or stripping.
    fn removals(&mut self) {
        for section in &self.item.sections {
            if self.item.requested.removes(&section.name) {
                self.remove(section);
            }
        }
    }

    /// Adds a name section with the item's own name if there is none.
    fn add_own_name(&mut self, edit: &ItemEdit) -> Result<(), EditError> {
        let Some(NameEdit::Set(name)) = &edit.name else { return Ok(()) };
        let section = self.name_section();
        if self.custom(section).next().is_none() {
            self.insert(self.position_for(section), section, &own_name(name, [0; 2]))?;
        }
        Ok(())
    }

    /// Changes the item's own name in name sections, and strips other names.
    fn change_names(&mut self) -> Result<(), EditError> {
        let own = self.name_section();
        let has_own = |section: &LayoutSection| matches!(&section.content, Content::Names(names) if !names.is_empty());
        let any_has_own = self.custom(own).any(has_own);
        let edit = self.item.requested.edit.and_then(|edit| edit.name.as_ref());
        let mut new_name = match edit {
            Some(NameEdit::Set(name)) => Some(name),
            Some(NameEdit::Clear) | None => None,
        };
        let item = self.item;
        for section in item.sections.iter().filter(|section| NAMES.contains(&&*section.name)) {
            let is_edited = edit.is_some();
            let is_own = *section.name == *own; // readers accept either name section, but only this one is written
            let names = match &section.content {
                Content::Names(names) => names,
                Content::Unreadable(why) if is_edited => return Err(unreadable(name_of(section), section, why)),
                _ => continue, // an unreadable section that would only be stripped is reported as a finding
            };
            let mut patches = Vec::new();
            if is_edited {
                // If no section has the item's own name, the first section gets it.
                if is_own
                    && !any_has_own
                    && let Some(name) = new_name.take()
                {
                    patches.push(Patch { range: section.data..section.data, bytes: own_name(name, [0; 2]) });
                }
                for found in names {
                    match new_name.take_if(|_| is_own) {
                        Some(_) if found.is_requested => {}
                        Some(name) => patches.push(found.patch(own_name(name, found.widths))),
                        None => patches.push(found.patch(Vec::new())),
                    }
                }
            }
            if item.requested.strip.is_some_and(|strip| strip.removes_names_of(&section.name)) {
                patches.extend(remove_between(names, section.data..section.extent.end));
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

    fn producers(&mut self, edit: &ItemEdit, limits: Limits) -> Result<(), EditError> {
        if edit.producers.is_empty() {
            return Ok(());
        }
        let sections: Vec<_> = self.custom(PRODUCERS).collect();
        let mut data = Vec::new();
        for section in &sections {
            match &section.content {
                Content::Data(bytes) => data.push(&bytes[..]),
                Content::Unreadable(why) => return Err(unreadable(PRODUCERS, section, why)),
                _ => data.push(&[]),
            }
        }
        let edited = producers::edit(data.into_iter(), &edit.producers)
            .map_err(|(nth, why)| unreadable(PRODUCERS, sections[nth], why))?;
        for data in edited.sections.iter().chain([&edited.added]).flatten() {
            check_len(PRODUCERS, data.len(), limits.max_section_data)?;
        }
        for (section, edited) in sections.iter().zip(&edited.sections) {
            match edited {
                Some(data) if data.is_empty() => self.remove(section),
                Some(data) => self.replace(section, data)?,
                None => {}
            }
        }
        match &edited.added {
            Some(data) => self.insert(self.position_for(PRODUCERS), PRODUCERS, data),
            None => Ok(()),
        }
    }

    /// Returns the offset for a new section: the end of the item, with two exceptions in modules.
    /// `name` comes after standard and linking sections and before `producers` and
    /// `target_features`. `producers` also comes after `name`. Source: the tool conventions, and
    /// the orders that LLVM and wabt reject.
    fn position_for(&self, name: &str) -> u64 {
        match (self.item.kind, name) {
            (ItemKind::Module, "name") => self.position_between(&[], &[PRODUCERS, "target_features"]),
            (ItemKind::Module, PRODUCERS) => self.position_between(&["name"], &["target_features"]),
            _ => self.item.end,
        }
    }

    fn position_between(&self, after: &[&str], before: &[&str]) -> u64 {
        let comes_first = |section: &&LayoutSection| is_for_linker(section) || after.contains(&&*section.name);
        let floor = self.item.sections.iter().filter(comes_first).map(|section| section.extent.end).max();
        let floor = floor.max(self.item.last_known.as_ref().map(|known| known.end));
        let comes_last =
            |section: &&LayoutSection| before.contains(&&*section.name) && Some(section.extent.start) >= floor;
        self.item.sections.iter().find(comes_last).map_or(self.item.end, |section| section.extent.start)
    }

    /// Adds a section.
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

    /// Replaces a section's data if it differs.
    fn replace(&mut self, section: &LayoutSection, data: &[u8]) -> Result<(), EditError> {
        if matches!(section.content, Content::AsRequested) {
            return Ok(());
        }
        self.patch_data(section, vec![Patch { range: section.data..section.extent.end, bytes: data.to_vec() }])
    }

    /// Patches a section's data and size. Removes a name section that becomes empty.
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

    /// Rejects changes that break an object's `linking` and `reloc.*` sections, which refer to
    /// other sections by index.
    fn check_links(&self) -> Result<(), EditError> {
        let sections = &self.item.sections;
        if !sections.iter().any(is_for_linker) {
            return Ok(());
        }
        let referenced = sections.iter().filter(|section| !is_never_referenced(section));
        let last_referenced = referenced.map(|section| section.extent.start).max();
        let last_referenced = last_referenced.max(self.item.last_known.as_ref().map(|known| known.start));
        let breaks = |change: &Change| match change.kind {
            ChangeKind::Replaced => false,
            ChangeKind::Added => Some(change.range.start) <= last_referenced,
            ChangeKind::Removed => Some(change.range.start) <= last_referenced || is_linker_name(&change.section),
        };
        if self.changes.iter().any(breaks) { Err(EditError::MovesLinked) } else { Ok(()) }
    }
}

/// Returns the static name of a name section.
fn name_of(section: &LayoutSection) -> &'static str {
    NAMES.into_iter().find(|name| **name == *section.name).unwrap_or(NAMES[0])
}

impl FoundName {
    fn patch(&self, bytes: Vec<u8>) -> Patch {
        Patch { range: self.subsection.clone(), bytes }
    }
}

/// Returns patches that remove all of `data` except for the item's own names.
fn remove_between(names: &[FoundName], data: Range<u64>) -> impl Iterator<Item = Patch> {
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

/// Whether this is a metadata or linking section. Linking sections never refer to these.
fn is_never_referenced(section: &LayoutSection) -> bool {
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
