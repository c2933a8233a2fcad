//! What an edit must know of its source: where the items' sizes stand, and the custom sections of the items that it
//! changes.

use std::collections::HashMap;
use std::ops::Range;

use super::{Edit, EditError, ItemEdit, NAMES, PRODUCERS};
use crate::limits::Limits;
use crate::metadata::name::{Hop, Hopper};
use crate::scan::{Entry, ItemKind, Path, Section, Visitor, Want};

/// All items, in the order of entering.
pub(super) struct Outline {
    pub(super) items: Vec<OutlineItem>,
    /// By path, the items that are changed.
    pub(super) changed: HashMap<Path, usize>,
}

pub(super) struct OutlineItem {
    pub(super) kind: ItemKind,
    pub(super) parent: Option<usize>,
    /// The section that holds it; `None` for the root.
    pub(super) holder: Option<Extent>,
    /// One past its last byte.
    pub(super) end: u64,
    /// Its sections, if it is changed.
    pub(super) sections: Vec<OutlineSection>,
}

/// A section as far as its size goes.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    pub(super) start: u64,
    pub(super) payload: u64,
    pub(super) end: u64,
}

pub(super) struct OutlineSection {
    pub(super) extent: Extent,
    /// Empty for one that is not custom.
    pub(super) name: Box<str>,
    pub(super) is_custom: bool,
    pub(super) data: u64,
    pub(super) content: Content,
}

/// What was kept of a section's data.
pub(super) enum Content {
    /// It was not asked for.
    Unknown,
    /// All of it.
    Whole(Vec<u8>),
    /// The subsections with the item's own name, and what those say.
    OwnNames(Vec<(Range<u64>, Vec<u8>)>),
}

/// The visitor that draws an outline.
pub(super) struct Outliner<'e> {
    edit: &'e Edit,
    limits: Limits,
    outline: Outline,
    /// Where the scanner is: the items from the root down, and the edit of the last.
    open: Vec<usize>,
    path: Path,
    wanted: Option<&'e ItemEdit>,
    /// The section that was handed over last: it may hold the next item.
    last: Option<Extent>,
    hopper: Option<Hopper>,
    kept: u64,
    error: Option<EditError>,
}

impl<'e> Outliner<'e> {
    pub(super) fn new(edit: &'e Edit, limits: Limits) -> Self {
        Self {
            edit,
            limits,
            outline: Outline { items: Vec::new(), changed: HashMap::new() },
            open: Vec::new(),
            path: Path::root(),
            wanted: None,
            last: None,
            hopper: None,
            kept: 0,
            error: None,
        }
    }

    pub(super) fn finish(self) -> Result<Outline, EditError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.outline),
        }
    }

    /// The section that was handed over last, of the item that the scanner is in.
    fn section_mut(&mut self) -> Option<&mut OutlineSection> {
        let item = *self.open.last()?;
        self.outline.items[item].sections.last_mut()
    }

    fn refuse(&mut self, why: &'static str) -> Want {
        let Some(section) = self.section_mut() else { return Want::Nothing };
        let name = NAMES.into_iter().chain([PRODUCERS]).find(|name| **name == *section.name);
        let (section, offset) = (name.unwrap_or("custom"), section.extent.start);
        self.error.get_or_insert(EditError::Unreadable { section, offset, why });
        Want::Nothing
    }

    /// Whether data of so many bytes is to be kept: what stands there may be what is wanted already.
    fn compares(&self, name: &str, len: u64) -> bool {
        let wanted = self.wanted.and_then(|wanted| wanted.sections.get(name));
        matches!(wanted, Some(Some(data)) if data.len() as u64 == len)
    }

    /// Goes on in a name section; when it is done with, the next data is another section's.
    fn hop(&mut self, hop: Hop<'_>) -> Want {
        let want = self.hopped(hop);
        if want == Want::Nothing {
            self.hopper = None;
        }
        want
    }

    fn hopped(&mut self, mut hop: Hop<'_>) -> Want {
        loop {
            match hop {
                Hop::Want(range) => return Want::Bytes(range),
                Hop::End => return Want::Nothing,
                Hop::Malformed(why, _) => return self.refuse(why),
                Hop::TooLong(_) => return self.refuse("its name is too long"),
                Hop::OwnName(name) => {
                    if let Some(why) = name.flaw {
                        return self.refuse(why);
                    }
                    let found = (name.subsection, name.bytes.to_vec());
                    if let Some(Content::OwnNames(names)) = self.section_mut().map(|section| &mut section.content) {
                        names.push(found);
                    }
                }
            }
            let Some(hopper) = &self.hopper else { return Want::Nothing };
            hop = hopper.next();
        }
    }
}

impl Visitor<'_> for Outliner<'_> {
    fn enter(&mut self, entry: &Entry) {
        let holder = self.last.take().filter(|_| entry.parent.is_some());
        if entry.parent.is_some() {
            self.path.push(entry.index);
        }
        let place = self.outline.items.len();
        self.wanted = self.edit.items.get(&self.path);
        if self.wanted.is_some() {
            self.outline.changed.insert(self.path.clone(), place);
        }
        self.open.push(place);
        self.outline.items.push(OutlineItem {
            kind: entry.kind,
            parent: entry.parent.map(|parent| parent as usize),
            holder,
            end: entry.end.unwrap_or_default(), // the root's is known when it is left
            sections: Vec::new(),
        });
    }

    fn section(&mut self, section: &Section<'_>) -> Want {
        let extent =
            Extent { start: section.range().start, payload: section.payload().start, end: section.range().end };
        self.last = Some(extent.clone());
        let Some(wanted) = self.wanted else { return Want::Nothing };
        let name = section.name();
        self.kept += (size_of::<OutlineSection>() + name.len()) as u64;
        if self.kept > self.limits.kept {
            self.error.get_or_insert(EditError::TooMany);
            return Want::Nothing;
        }
        let data = section.data();
        let len = data.end - data.start;
        let mut content = Content::Unknown;
        let mut want = Want::Nothing;
        let edits_name = wanted.name.is_some() && NAMES.contains(&name);
        let edits_producers = !wanted.producers.is_empty() && name == PRODUCERS;
        if edits_name {
            content = Content::OwnNames(Vec::new());
        } else if edits_producers || self.compares(name, len) {
            want = Want::Bytes(data.clone());
        }
        let Some(&place) = self.open.last() else { return Want::Nothing };
        self.outline.items[place].sections.push(OutlineSection {
            extent,
            name: name.into(),
            is_custom: section.is_custom(),
            data: data.start,
            content,
        });
        if edits_name {
            let hopper = Hopper::new(data);
            let hop = hopper.next();
            self.hopper = Some(hopper);
            return self.hop(hop);
        }
        if edits_producers && len > u64::from(self.limits.data) {
            return self.refuse("it is too large to be decoded");
        }
        want
    }

    fn data(&mut self, bytes: &[u8], _: u64) -> Want {
        if let Some(hopper) = &mut self.hopper {
            let hop = hopper.hop(bytes, self.limits.data);
            return self.hop(hop);
        }
        if let Some(section) = self.section_mut() {
            section.content = Content::Whole(bytes.to_vec());
        }
        Want::Nothing
    }

    fn leave(&mut self, _: u32, end: u64) {
        if let Some(place) = self.open.pop() {
            self.outline.items[place].end = end;
        }
        self.path.pop();
        self.wanted = self.edit.items.get(&self.path);
    }
}
