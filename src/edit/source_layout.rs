//! Layout of a source as needed for an edit: size fields of items, custom sections of the changed
//! items, and signatures.

use std::collections::HashSet;
use std::ops::Range;

use super::item::ItemEdits;
use super::{EditError, ItemEdit, NAMES, NameEdit, PRODUCERS, Strip};
use crate::limits::Limits;
use crate::metadata::convention::signs_all;
use crate::metadata::name::{NameSectionReader, NameStep, OwnName};
use crate::scan::{DataRequest, ItemKind, ItemPath, ItemStart, Section, Visitor};

/// All items in source order.
pub(super) struct SourceLayout<'e> {
    pub(super) items: Vec<LayoutItem<'e>>,
    /// Item paths of the edit that exist in the source.
    pub(super) found: HashSet<&'e ItemPath>,
    /// Number of sections of all items.
    pub(super) sections: u64,
}

pub(super) struct LayoutItem<'e> {
    pub(super) kind: ItemKind,
    pub(super) parent: Option<usize>,
    /// Index among the children of the parent.
    index: u32,
    /// The section that contains the item; `None` for the root.
    pub(super) container: Option<Extent>,
    /// Absolute end offset.
    pub(super) end: u64,
    pub(super) requested: RequestedChanges<'e>,
    /// The last section that is not custom.
    pub(super) last_known: Option<Range<u64>>,
    /// Custom sections; empty if the edit does not change the item.
    pub(super) sections: Vec<LayoutSection>,
    pub(super) signed: Option<Signed>,
    /// Names and ranges of sections that sign all others of the item.
    pub(super) full_signatures: Vec<(Box<str>, Range<u64>)>,
}

/// Changes requested for an item.
#[derive(Clone, Copy, Default)]
pub(super) struct RequestedChanges<'e> {
    pub(super) edit: Option<&'e ItemEdit>,
    pub(super) strip: Option<&'e Strip>,
}

/// A `signature` section and its delimiters.
pub(super) struct Signed {
    pub(super) signature: Range<u64>,
    /// End offsets of the delimiters.
    pub(super) delimiters: Vec<u64>,
}

/// Absolute offsets of a section.
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

/// Known contents of a section.
pub(super) enum Content {
    /// Not read, or not relevant.
    Unknown,
    /// Equal to the requested data.
    AsRequested,
    /// The data.
    Data(Vec<u8>),
    /// The item's own names in a name section.
    Names(Vec<FoundName>),
    /// Cannot be read, with the reason.
    Unreadable(&'static str),
}

/// A subsection 0 of a name section.
#[derive(Clone, Debug)]
pub(super) struct FoundName {
    /// Absolute range from the id to the end.
    pub(super) subsection: Range<u64>,
    /// Widths in bytes of the subsection's size field and of the name's length field.
    pub(super) widths: [u8; 2],
    /// Whether the name is the requested one.
    pub(super) is_requested: bool,
}

/// The visitor that collects a layout.
pub(super) struct LayoutReader<'e> {
    edits: &'e ItemEdits,
    limits: Limits,
    layout: SourceLayout<'e>,
    /// The item being scanned and the enclosing items, the root first.
    open: Vec<usize>,
    path: ItemPath,
    /// Changes requested for the item being scanned.
    requested: RequestedChanges<'e>,
    /// The last section, which may contain the next item.
    last: Option<Extent>,
    names: Option<NameSectionReader>,
    retained: u64,
    too_many: bool,
}

impl<'e> RequestedChanges<'e> {
    pub(super) fn is_none(self) -> bool {
        self.edit.is_none() && self.strip.is_none()
    }

    /// Returns the new data of sections with this name, if any.
    fn data(self, name: &str) -> Option<&'e [u8]> {
        self.edit?.sections.get(name)?.as_deref()
    }

    /// Whether sections with this name are written or removed by name.
    fn edits_section(self, name: &str) -> bool {
        self.edit.is_some_and(|edit| edit.sections.contains_key(name))
    }

    /// Whether a custom section with this name is removed.
    pub(super) fn removes(self, name: &str) -> bool {
        if self.edits_section(name) {
            return self.data(name).is_none();
        }
        self.matches_glob(name) || self.strip.is_some_and(|strip| strip.removes(name))
    }

    /// Whether a custom section with this name is removed only by stripping.
    pub(super) fn strips(self, name: &str) -> bool {
        !self.edits_section(name) && !self.matches_glob(name) && self.strip.is_some_and(|strip| strip.removes(name))
    }

    fn matches_glob(self, name: &str) -> bool {
        self.edit.is_some_and(|edit| edit.globs.iter().any(|glob| glob.matches(name)))
    }

    /// Whether sections with this name are name sections in which the edit sets or removes names,
    /// instead of replacing or removing the whole section.
    pub(super) fn edits_names_of(self, name: &str) -> bool {
        let is_edited = self.edit.is_some_and(|edit| edit.name.is_some());
        NAMES.contains(&name)
            && (is_edited || self.strip.is_some_and(|strip| strip.removes_names_of(name)))
            && !self.edits_section(name)
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
    pub(super) fn path(&self, number: usize) -> ItemPath {
        let mut indexes = Vec::new();
        let mut item = &self.items[number];
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
            layout: SourceLayout { items: Vec::new(), found: HashSet::new(), sections: 0 },
            open: Vec::new(),
            path: ItemPath::root(),
            requested: RequestedChanges::default(),
            last: None,
            names: None,
            retained: 0,
            too_many: false,
        }
    }

    pub(super) fn finish(self) -> Result<SourceLayout<'e>, EditError> {
        if self.too_many { Err(EditError::TooMany) } else { Ok(self.layout) }
    }

    /// Returns the item being scanned.
    fn item_mut(&mut self) -> Option<&mut LayoutItem<'e>> {
        let number = *self.open.last()?;
        Some(&mut self.layout.items[number])
    }

    /// Sets the contents of the last section.
    fn set_content(&mut self, content: Content) -> DataRequest {
        if let Some(section) = self.item_mut().and_then(|item| item.sections.last_mut()) {
            section.content = content;
        }
        DataRequest::Nothing
    }

    /// Charges retained bytes. Returns false if the limit is exceeded.
    fn charge(&mut self, bytes: usize) -> bool {
        self.retained += bytes as u64;
        self.too_many |= self.retained > self.limits.max_retained_bytes;
        !self.too_many
    }

    /// Continues to read a name section, and drops its reader at the end of the section.
    fn step(&mut self, step: NameStep<'_>) -> DataRequest {
        let request = self.next_request(step);
        if request == DataRequest::Nothing {
            self.names = None;
        }
        request
    }

    fn next_request(&mut self, mut step: NameStep<'_>) -> DataRequest {
        loop {
            match step {
                NameStep::Request(range) => return DataRequest::Bytes(range),
                NameStep::End => return DataRequest::Nothing,
                NameStep::Malformed(why, _) => return self.set_content(Content::Unreadable(why)),
                NameStep::TooLong(_) => return self.set_content(Content::Unreadable("its name is too long")),
                NameStep::OwnName(name) => {
                    if !self.charge(size_of::<FoundName>()) {
                        return DataRequest::Nothing;
                    }
                    let found = FoundName::new(&name, self.requested.name());
                    let section = self.item_mut().and_then(|item| item.sections.last_mut());
                    if let Some(Content::Names(names)) = section.map(|section| &mut section.content) {
                        names.push(found);
                    }
                }
            }
            let Some(names) = &self.names else { return DataRequest::Nothing };
            step = names.next();
        }
    }

    /// Records a signature or delimiter.
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
    fn new(name: &OwnName<'_>, requested: Option<&str>) -> Self {
        let size = name.contents - name.subsection.start - 1;
        let len = name.range.start - name.contents;
        let is_requested =
            name.error.is_none() && requested.is_some_and(|requested| requested.as_bytes() == name.bytes);
        Self { subsection: name.subsection.clone(), widths: [size as u8, len as u8], is_requested }
    }
}

impl Visitor<'_> for LayoutReader<'_> {
    fn enter(&mut self, item: &ItemStart<'_>) {
        let container = self.last.take().filter(|_| item.parent().is_some());
        if item.parent().is_some() {
            self.path.push(item.index());
        }
        let edit = self.edits.items.get_key_value(&self.path);
        let strip = self.edits.strips.get_key_value(&self.path);
        self.layout.found.extend(edit.map(|(path, _)| path));
        self.layout.found.extend(strip.map(|(path, _)| path));
        let inherited = self.requested.strip.filter(|strip| !strip.this_item_only);
        self.requested =
            RequestedChanges { edit: edit.map(|(_, edit)| edit), strip: strip.map(|(_, strip)| strip).or(inherited) };
        self.open.push(self.layout.items.len());
        self.layout.items.push(LayoutItem {
            kind: item.kind(),
            parent: item.parent().map(|parent| parent as usize),
            index: item.index(),
            container,
            end: item.end().unwrap_or_default(), // the root's end is set in `leave`
            requested: self.requested,
            last_known: None,
            sections: Vec::new(),
            signed: None,
            full_signatures: Vec::new(),
        });
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        let extent =
            Extent { start: section.range().start, payload: section.payload().start, end: section.range().end };
        self.last = Some(extent.clone());
        self.layout.sections += 1;
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
            let full_signature = (name.into(), section.range());
            if let Some(item) = self.item_mut() {
                item.full_signatures.push(full_signature);
            }
        }
        let requested = self.requested;
        if requested.is_none() || !self.charge(size_of::<LayoutSection>() + name.len()) {
            return DataRequest::Nothing;
        }
        let data = section.data();
        let len = data.end - data.start;
        let mut content = Content::Unknown;
        let mut request = DataRequest::Nothing;
        if requested.edits_names_of(name) {
            content = Content::Names(Vec::new());
            self.names = Some(NameSectionReader::new(data.clone()));
        } else if requested.edits_producers() && name == PRODUCERS {
            if len > u64::from(self.limits.max_section_data) {
                content = Content::Unreadable("it exceeds the size limit");
            } else if self.charge(len as usize) {
                request = DataRequest::Bytes(data.clone());
            }
        } else if requested.data(name).is_some_and(|requested| requested.len() as u64 == len) {
            request = DataRequest::Bytes(data.clone()); // compared with the requested data
        }
        let section = LayoutSection { extent, name: name.into(), data: data.start, content };
        let Some(item) = self.item_mut() else { return DataRequest::Nothing };
        item.sections.push(section);
        match &self.names {
            Some(names) => {
                let step = names.next();
                self.step(step)
            }
            None => request,
        }
    }

    fn data(&mut self, bytes: &[u8], _: u64) -> DataRequest {
        if let Some(names) = &mut self.names {
            let step = names.step(bytes, self.limits.max_section_data);
            return self.step(step);
        }
        let requested = self.requested;
        let Some(section) = self.item_mut().and_then(|item| item.sections.last()) else { return DataRequest::Nothing };
        let content = match requested.data(&section.name) {
            Some(requested) if requested == bytes => Content::AsRequested,
            Some(_) => Content::Unknown,
            None => Content::Data(bytes.to_vec()),
        };
        self.set_content(content)
    }

    fn leave(&mut self, _: u32, end: u64) {
        if let Some(item) = self.item_mut() {
            item.end = end;
        }
        self.open.pop();
        self.path.pop();
        self.last = None;
        self.requested = self.item_mut().map(|item| item.requested).unwrap_or_default();
    }
}
