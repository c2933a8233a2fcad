//! An edit and the outline of its source become a plan.

use std::ops::Range;

use super::outline::{Content, Extent, Outline, OutlineItem, OutlineSection};
use super::producers;
use super::{Edit, EditError, ItemEdit, NameEdit, PRODUCERS};
use crate::scan::ItemKind;
use crate::scan::leb128::{encode, shortest};
use crate::splice::{Patch, Plan};

/// An item's section has at most this many bytes. Source: wasmparser's `MAX_WASM_MODULE_SIZE`.
const MAX_NESTED: u64 = 1 << 30;

pub(super) fn plan(edit: &Edit, outline: &Outline, source_len: u64) -> Result<Plan, EditError> {
    let mut patches = Vec::new();
    let mut growth = vec![0; outline.items.len()];
    for (path, wanted) in &edit.items {
        let &place = outline.changed.get(path).ok_or_else(|| EditError::NoItem(path.clone()))?;
        let changes = Changes::of(&outline.items[place], wanted)?;
        growth[place] = changes.growth();
        patches.extend(changes.patches);
    }
    // An item's growth is its holder's, and with that size field's own growth the enclosing item's.
    for (place, item) in outline.items.iter().enumerate().rev() {
        let (Some(holder), Some(parent)) = (&item.holder, item.parent) else { continue };
        if growth[place] != 0 {
            let size = resized(holder, growth[place], MAX_NESTED)?;
            growth[parent] += growth[place] + growth_of(&size);
            patches.push(size);
        }
    }
    Ok(Plan::new(source_len, patches))
}

/// What changes in one item.
struct Changes<'a> {
    item: &'a OutlineItem,
    patches: Vec<Patch>,
    /// Behind which offsets the sections' places change.
    moves: Vec<u64>,
}

impl<'a> Changes<'a> {
    fn of(item: &'a OutlineItem, wanted: &ItemEdit) -> Result<Self, EditError> {
        let mut changes = Self { item, patches: Vec::new(), moves: Vec::new() };
        // What may be inserted at one place comes in the order in which it is to stand there.
        changes.name(wanted)?;
        changes.producers(wanted)?;
        for (name, data) in &wanted.sections {
            changes.section(name, data.as_deref())?;
        }
        for (name, data) in &wanted.appended {
            changes.insert(item.end, name, data)?;
        }
        changes.check_links()?;
        Ok(changes)
    }

    fn growth(&self) -> i64 {
        self.patches.iter().map(growth_of).sum()
    }

    fn custom(&self, name: &str) -> impl Iterator<Item = &'a OutlineSection> + use<'a> {
        let name = name.to_owned();
        self.item.sections.iter().filter(move |section| section.is_custom && *section.name == *name)
    }

    /// The data that sections of this name are to have: the first takes it, and the others go.
    fn section(&mut self, name: &str, data: Option<&[u8]>) -> Result<(), EditError> {
        let mut takes = data;
        for section in self.custom(name) {
            match takes.take() {
                Some(data) => self.replace(section, data)?,
                None => self.remove(section),
            }
        }
        match takes {
            Some(data) => self.insert(self.item.end, name, data),
            None => Ok(()),
        }
    }

    fn name(&mut self, wanted: &ItemEdit) -> Result<(), EditError> {
        let Some(name) = &wanted.name else { return Ok(()) };
        let section_name = match self.item.kind {
            ItemKind::Module => "name",
            ItemKind::Component => "component-name",
        };
        let name = match name {
            NameEdit::Set(name) => Some(name),
            NameEdit::Clear => None,
        };
        let mut takes = name.map(|name| own_name(name));
        let mut sections = self.custom(section_name).peekable();
        // A section that has the name already is where it stays; otherwise the first section takes it.
        let has_own =
            |section: &OutlineSection| matches!(&section.content, Content::OwnNames(names) if !names.is_empty());
        if !self.custom(section_name).any(has_own)
            && let (Some(section), Some(subsection)) = (sections.peek(), &takes)
        {
            let inserted = Patch { range: section.data..section.data, bytes: subsection.clone() };
            return self.patch_data(section, vec![inserted]);
        }
        if sections.peek().is_none() {
            return match takes {
                Some(subsection) => self.insert(self.place_of_name(), section_name, &subsection),
                None => Ok(()),
            };
        }
        for section in sections {
            let Content::OwnNames(names) = &section.content else { continue };
            let mut patches = Vec::new();
            for (range, old) in names {
                let bytes = match takes.take() {
                    Some(_) if name.is_some_and(|name| name.as_bytes() == old) => continue,
                    bytes => bytes.unwrap_or_default(),
                };
                patches.push(Patch { range: range.clone(), bytes });
            }
            self.patch_data(section, patches)?;
        }
        Ok(())
    }

    fn producers(&mut self, wanted: &ItemEdit) -> Result<(), EditError> {
        if wanted.producers.is_empty() {
            return Ok(());
        }
        let sections: Vec<_> = self.custom(PRODUCERS).collect();
        let data = sections.iter().map(|section| match &section.content {
            Content::Whole(data) => &data[..],
            Content::Unknown | Content::OwnNames(_) => &[],
        });
        let edited = producers::edit(data, &wanted.producers).map_err(|(nth, why)| EditError::Unreadable {
            section: PRODUCERS,
            offset: sections[nth].extent.start,
            why,
        })?;
        for (section, edited) in sections.iter().zip(&edited.sections) {
            match edited {
                Some(data) if data.is_empty() => self.remove(section),
                Some(data) => self.replace(section, data)?,
                None => {}
            }
        }
        match &edited.added {
            Some(data) => self.insert(self.place_of_producers(), PRODUCERS, data),
            None => Ok(()),
        }
    }

    /// Behind the sections that are not custom, and those for the linker; in front of `producers` and
    /// `target_features`. Source: the tool conventions, and what LLVM and wabt refuse.
    fn place_of_name(&self) -> u64 {
        match self.item.kind {
            ItemKind::Module => self.place_between(&[], &[PRODUCERS, "target_features"]),
            ItemKind::Component => self.item.end,
        }
    }

    /// Behind the name section as well; in front of `target_features`.
    fn place_of_producers(&self) -> u64 {
        match self.item.kind {
            ItemKind::Module => self.place_between(&["name"], &["target_features"]),
            ItemKind::Component => self.item.end,
        }
    }

    fn place_between(&self, after: &[&str], before: &[&str]) -> u64 {
        let comes_first =
            |section: &&OutlineSection| !section.is_custom || is_for_linker(section) || after.contains(&&*section.name);
        let floor = self.item.sections.iter().filter(comes_first).map(|section| section.extent.end).max();
        let comes_last = |section: &&OutlineSection| {
            section.is_custom && before.contains(&&*section.name) && Some(section.extent.start) >= floor
        };
        self.item.sections.iter().find(comes_last).map_or(self.item.end, |section| section.extent.start)
    }

    /// A new section.
    fn insert(&mut self, at: u64, name: &str, data: &[u8]) -> Result<(), EditError> {
        let name_len = shortest(name.len() as u32);
        let size = u64::from(name_len) + name.len() as u64 + data.len() as u64;
        let size = u32::try_from(size).map_err(|_| too_large(at, size, u64::from(u32::MAX)))?;
        let mut bytes = vec![0];
        bytes.extend(encode(size, 0));
        bytes.extend(encode(name.len() as u32, name_len));
        bytes.extend(name.as_bytes());
        bytes.extend(data);
        self.patches.push(Patch { range: at..at, bytes });
        self.moves.push(at);
        Ok(())
    }

    fn remove(&mut self, section: &OutlineSection) {
        self.patches.push(Patch { range: section.extent.start..section.extent.end, bytes: Vec::new() });
        self.moves.push(section.extent.start);
    }

    /// Other data for a section, unless it is the same.
    fn replace(&mut self, section: &OutlineSection, data: &[u8]) -> Result<(), EditError> {
        if matches!(&section.content, Content::Whole(old) if old == data) {
            return Ok(());
        }
        self.patch_data(section, vec![Patch { range: section.data..section.extent.end, bytes: data.to_vec() }])
    }

    /// Patches to a section's data, with what they do to its size. A section that loses all of its data goes.
    fn patch_data(&mut self, section: &OutlineSection, patches: Vec<Patch>) -> Result<(), EditError> {
        let growth: i64 = patches.iter().map(growth_of).sum();
        let len = section.extent.end - section.data;
        let loses_all =
            len > 0 && len.checked_add_signed(growth) == Some(0) && matches!(section.content, Content::OwnNames(_));
        if loses_all {
            self.remove(section);
            return Ok(());
        }
        if growth != 0 {
            self.patches.push(resized(&section.extent, growth, u64::from(u32::MAX))?);
        }
        self.patches.extend(patches);
        Ok(())
    }

    /// An object's `linking` and `reloc.*` sections name others by their places: none of those may move.
    fn check_links(&self) -> Result<(), EditError> {
        let sections = &self.item.sections;
        if !sections.iter().any(is_for_linker) {
            return Ok(());
        }
        let named = sections.iter().filter(|section| !section.is_custom || !is_never_named(section));
        let last_named = named.map(|section| section.extent.start).max();
        match self.moves.iter().min() {
            Some(&moved) if Some(moved) <= last_named => Err(EditError::MovesLinked),
            _ => Ok(()),
        }
    }
}

fn is_for_linker(section: &OutlineSection) -> bool {
    section.is_custom && (&*section.name == "linking" || section.name.starts_with("reloc."))
}

/// What the linker's sections never point to: metadata, and themselves.
fn is_never_named(section: &OutlineSection) -> bool {
    let name = &*section.name;
    is_for_linker(section)
        || ["name", PRODUCERS, "target_features"].contains(&name)
        || crate::metadata::Field::ALL.iter().any(|field| field.section() == name)
}

/// Subsection 0 of a name section.
fn own_name(name: &str) -> Vec<u8> {
    let len = name.len() as u32;
    let mut bytes = vec![0];
    bytes.extend(encode(u32::from(shortest(len)) + len, 0));
    bytes.extend(encode(len, 0));
    bytes.extend(name.as_bytes());
    bytes
}

/// A section's size field for a payload that grows so much: in its old width, where the new size fits it.
fn resized(extent: &Extent, growth: i64, max: u64) -> Result<Patch, EditError> {
    let range: Range<u64> = extent.start + 1..extent.payload;
    let size = (extent.end - extent.payload).saturating_add_signed(growth);
    let fits = u32::try_from(size).ok().filter(|_| size <= max);
    let fits = fits.ok_or_else(|| too_large(extent.start, size, max))?;
    let width = (range.end - range.start) as u8;
    Ok(Patch { range, bytes: encode(fits, width).collect() })
}

fn too_large(offset: u64, size: u64, max: u64) -> EditError {
    EditError::TooLarge { offset, size, max }
}

fn growth_of(patch: &Patch) -> i64 {
    (patch.bytes.len() as u64).wrapping_sub(patch.range.end - patch.range.start).cast_signed()
}
