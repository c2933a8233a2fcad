//! What an edit must know of its source: where the items' sizes stand, the custom sections of the items that it changes,
//! and what is signed.

use std::collections::HashSet;
use std::ops::Range;

use super::item::ItemEdits;
use super::{EditError, ItemEdit, NAMES, NameEdit, PRODUCERS, Strip};
use crate::limits::Limits;
use crate::metadata::convention::signs_all;
use crate::metadata::name::{NameSectionReader, NameStep, OwnName};
use crate::scan::{DataRequest, ItemKind, ItemPath, ItemStart, Section, Visitor};

/// All items, in the order of entering.
pub(super) struct SourceLayout<'e> {
    pub(super) items: Vec<LayoutItem<'e>>,
    /// The paths of the edit that there are items at.
    pub(super) found: HashSet<&'e ItemPath>,
    /// How many sections there are, of all items.
    pub(super) sections: u64,
}

pub(super) struct LayoutItem<'e> {
    pub(super) kind: ItemKind,
    pub(super) parent: Option<usize>,
    /// Which child of that it is.
    index: u32,
    /// The section that holds it; `None` for the root.
    pub(super) holder: Option<Extent>,
    /// One past its last byte.
    pub(super) end: u64,
    pub(super) wish: Wish<'e>,
    /// The last of its sections that are not custom.
    pub(super) last_known: Option<Range<u64>>,
    /// Its custom sections, if something is wanted of it.
    pub(super) sections: Vec<LayoutSection>,
    pub(super) signed: Option<Signed>,
    /// Sections that sign all others of the item.
    pub(super) seals: Vec<(Box<str>, Range<u64>)>,
}

/// What is wanted of an item.
#[derive(Clone, Copy, Default)]
pub(super) struct Wish<'e> {
    pub(super) edit: Option<&'e ItemEdit>,
    pub(super) strip: Option<&'e Strip>,
}

/// A `signature` section, and what it signs.
pub(super) struct Signed {
    pub(super) signature: Range<u64>,
    /// Where the delimiters end.
    pub(super) delimiters: Vec<u64>,
}

/// A section as far as its size goes.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    pub(super) start: u64,
    pub(super) payload: u64,
    pub(super) end: u64,
}

/// A custom section.
pub(super) struct LayoutSection {
    pub(super) extent: Extent,
    pub(super) name: Box<str>,
    pub(super) data: u64,
    pub(super) content: Content,
}

/// What is known of a section's data.
pub(super) enum Content {
    /// Nothing that matters.
    Unknown,
    /// It is what the section is to have.
    AsWanted,
    /// All of it.
    Whole(Vec<u8>),
    /// Where a name section has the item's own name.
    Names(Vec<FoundName>),
    /// It cannot be read, for this reason.
    Unreadable(&'static str),
}

/// A subsection 0.
#[derive(Clone, Debug)]
pub(super) struct FoundName {
    /// From its id to its end.
    pub(super) subsection: Range<u64>,
    /// How many bytes its size takes, and the length of the name.
    pub(super) widths: [u8; 2],
    /// Whether the name is the one that is wanted.
    pub(super) is_wanted: bool,
}

/// The visitor that draws an outline.
pub(super) struct LayoutReader<'e> {
    edits: &'e ItemEdits,
    limits: Limits,
    outline: SourceLayout<'e>,
    /// Where the scanner is: the items from the root down.
    open: Vec<usize>,
    path: ItemPath,
    /// What is wanted of the last of these.
    wish: Wish<'e>,
    /// The section that was handed over last: it may hold the next item.
    last: Option<Extent>,
    hopper: Option<NameSectionReader>,
    kept: u64,
    too_many: bool,
}

impl<'e> Wish<'e> {
    pub(super) fn is_none(self) -> bool {
        self.edit.is_none() && self.strip.is_none()
    }

    /// The data that sections of this name are to have, if they are to have any.
    fn data(self, name: &str) -> Option<&'e [u8]> {
        self.edit?.sections.get(name)?.as_deref()
    }

    /// Whether it is said of sections of this name what is to become of them as a whole.
    fn is_whole(self, name: &str) -> bool {
        self.edit.is_some_and(|edit| edit.sections.contains_key(name))
    }

    /// Whether a custom section of this name is to go.
    pub(super) fn removes(self, name: &str) -> bool {
        if self.is_whole(name) {
            return self.data(name).is_none();
        }
        self.is_matched(name) || self.strip.is_some_and(|strip| strip.takes(name))
    }

    /// Whether a custom section of this name is to go for no other reason than that it is stripped.
    pub(super) fn strips(self, name: &str) -> bool {
        !self.is_whole(name) && !self.is_matched(name) && self.strip.is_some_and(|strip| strip.takes(name))
    }

    fn is_matched(self, name: &str) -> bool {
        self.edit.is_some_and(|edit| edit.globs.iter().any(|glob| glob.matches(name)))
    }

    /// Whether subsections of a name section of this name are to change, and not all of it.
    pub(super) fn edits_names_of(self, name: &str) -> bool {
        let is_edited = self.edit.is_some_and(|edit| edit.name.is_some());
        NAMES.contains(&name)
            && (is_edited || self.strip.is_some_and(|strip| strip.takes_names_of(name)))
            && !self.is_whole(name)
            && !self.removes(name)
    }

    fn edits_producers(self) -> bool {
        self.edit.is_some_and(|edit| !edit.producers.is_empty())
    }

    fn name(self) -> Option<&'e str> {
        match self.edit?.name.as_ref()? {
            NameEdit::Set(name) => Some(name),
            NameEdit::Clear => None,
        }
    }
}

impl SourceLayout<'_> {
    pub(super) fn path(&self, place: usize) -> ItemPath {
        let mut indexes = Vec::new();
        let mut item = &self.items[place];
        while let Some(parent) = item.parent {
            indexes.push(item.index);
            item = &self.items[parent];
        }
        indexes.into_iter().rev().collect()
    }
}

impl<'e> LayoutReader<'e> {
    pub(super) fn new(edits: &'e ItemEdits, limits: Limits) -> Self {
        Self {
            edits,
            limits,
            outline: SourceLayout { items: Vec::new(), found: HashSet::new(), sections: 0 },
            open: Vec::new(),
            path: ItemPath::root(),
            wish: Wish::default(),
            last: None,
            hopper: None,
            kept: 0,
            too_many: false,
        }
    }

    pub(super) fn finish(self) -> Result<SourceLayout<'e>, EditError> {
        if self.too_many { Err(EditError::TooMany) } else { Ok(self.outline) }
    }

    /// The item that the scanner is in.
    fn item_mut(&mut self) -> Option<&mut LayoutItem<'e>> {
        let place = *self.open.last()?;
        Some(&mut self.outline.items[place])
    }

    /// Takes note of what is known of the data of the section that was handed over last.
    fn know(&mut self, content: Content) -> DataRequest {
        if let Some(section) = self.item_mut().and_then(|item| item.sections.last_mut()) {
            section.content = content;
        }
        DataRequest::Nothing
    }

    /// What is kept in mind is limited.
    fn charge(&mut self, bytes: usize) -> bool {
        self.kept += bytes as u64;
        self.too_many |= self.kept > self.limits.max_retained_bytes;
        !self.too_many
    }

    /// Goes on in a name section; when it is done with, the next data is another section's.
    fn hop(&mut self, hop: NameStep<'_>) -> DataRequest {
        let want = self.hopped(hop);
        if want == DataRequest::Nothing {
            self.hopper = None;
        }
        want
    }

    fn hopped(&mut self, mut hop: NameStep<'_>) -> DataRequest {
        loop {
            match hop {
                NameStep::Request(range) => return DataRequest::Bytes(range),
                NameStep::End => return DataRequest::Nothing,
                NameStep::Malformed(why, _) => return self.know(Content::Unreadable(why)),
                NameStep::TooLong(_) => return self.know(Content::Unreadable("its name is too long")),
                NameStep::OwnName(name) => {
                    if !self.charge(size_of::<FoundName>()) {
                        return DataRequest::Nothing;
                    }
                    let found = FoundName::new(&name, self.wish.name());
                    let section = self.item_mut().and_then(|item| item.sections.last_mut());
                    if let Some(Content::Names(names)) = section.map(|section| &mut section.content) {
                        names.push(found);
                    }
                }
            }
            let Some(hopper) = &self.hopper else { return DataRequest::Nothing };
            hop = hopper.next();
        }
    }

    /// Takes note of what is signed.
    fn signature(&mut self, section: &Section<'_>) {
        if !self.charge(size_of::<Signed>()) {
            return;
        }
        let Some(item) = self.item_mut() else { return };
        match (&mut item.signed, section.name()) {
            (signed @ None, "signature") => {
                *signed = Some(Signed { signature: section.range(), delimiters: Vec::new() });
            }
            (Some(signed), "signature_delimiter") => signed.delimiters.push(section.range().end),
            _ => {}
        }
    }
}

impl FoundName {
    fn new(name: &OwnName<'_>, wanted: Option<&str>) -> Self {
        let size = name.contents - name.subsection.start - 1;
        let len = name.range.start - name.contents;
        let is_wanted = name.error.is_none() && wanted.is_some_and(|wanted| wanted.as_bytes() == name.bytes);
        Self { subsection: name.subsection.clone(), widths: [size as u8, len as u8], is_wanted }
    }
}

impl Visitor<'_> for LayoutReader<'_> {
    fn enter(&mut self, entry: &ItemStart<'_>) {
        let holder = self.last.take().filter(|_| entry.parent().is_some());
        if entry.parent().is_some() {
            self.path.push(entry.index());
        }
        let edit = self.edits.items.get_key_value(&self.path);
        let strip = self.edits.strips.get_key_value(&self.path);
        self.outline.found.extend(edit.map(|(path, _)| path));
        self.outline.found.extend(strip.map(|(path, _)| path));
        let inherited = self.wish.strip.filter(|strip| !strip.this_item_only);
        self.wish = Wish { edit: edit.map(|(_, edit)| edit), strip: strip.map(|(_, strip)| strip).or(inherited) };
        self.open.push(self.outline.items.len());
        self.outline.items.push(LayoutItem {
            kind: entry.kind(),
            parent: entry.parent().map(|parent| parent as usize),
            index: entry.index(),
            holder,
            end: entry.end().unwrap_or_default(), // the root's is known when it is left
            wish: self.wish,
            last_known: None,
            sections: Vec::new(),
            signed: None,
            seals: Vec::new(),
        });
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        let extent =
            Extent { start: section.range().start, payload: section.payload().start, end: section.range().end };
        self.last = Some(extent.clone());
        self.outline.sections += 1;
        if !section.is_custom() {
            if let Some(item) = self.item_mut() {
                item.last_known = Some(section.range());
            }
            return DataRequest::Nothing;
        }
        let name = section.name();
        if name.starts_with("signature") {
            self.signature(section);
        }
        if signs_all(name) && self.charge(size_of::<(Box<str>, Range<u64>)>() + name.len()) {
            let seal = (name.into(), section.range());
            if let Some(item) = self.item_mut() {
                item.seals.push(seal);
            }
        }
        let wish = self.wish;
        if wish.is_none() || !self.charge(size_of::<LayoutSection>() + name.len()) {
            return DataRequest::Nothing;
        }
        let data = section.data();
        let len = data.end - data.start;
        let mut content = Content::Unknown;
        let mut want = DataRequest::Nothing;
        if wish.edits_names_of(name) {
            content = Content::Names(Vec::new());
            self.hopper = Some(NameSectionReader::new(data.clone()));
        } else if wish.edits_producers() && name == PRODUCERS {
            if len > u64::from(self.limits.max_section_data) {
                content = Content::Unreadable("it is too large to be decoded");
            } else if self.charge(len as usize) {
                want = DataRequest::Bytes(data.clone());
            }
        } else if wish.data(name).is_some_and(|wanted| wanted.len() as u64 == len) {
            want = DataRequest::Bytes(data.clone()); // it may be what is wanted already
        }
        let section = LayoutSection { extent, name: name.into(), data: data.start, content };
        let Some(item) = self.item_mut() else { return DataRequest::Nothing };
        item.sections.push(section);
        match &self.hopper {
            Some(hopper) => {
                let hop = hopper.next();
                self.hop(hop)
            }
            None => want,
        }
    }

    fn data(&mut self, bytes: &[u8], _: u64) -> DataRequest {
        if let Some(hopper) = &mut self.hopper {
            let hop = hopper.step(bytes, self.limits.max_section_data);
            return self.hop(hop);
        }
        let wish = self.wish;
        let Some(section) = self.item_mut().and_then(|item| item.sections.last()) else { return DataRequest::Nothing };
        let content = match wish.data(&section.name) {
            Some(wanted) if wanted == bytes => Content::AsWanted,
            Some(_) => Content::Unknown,
            None => Content::Whole(bytes.to_vec()),
        };
        self.know(content)
    }

    fn leave(&mut self, _: u32, end: u64) {
        if let Some(item) = self.item_mut() {
            item.end = end;
        }
        self.open.pop();
        self.path.pop();
        self.last = None;
        self.wish = self.item_mut().map(|item| item.wish).unwrap_or_default();
    }
}
