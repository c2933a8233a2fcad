//! Sections as ranges, and what the ids mean.

use std::fmt;
use std::ops::Range;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ItemKind {
    /// A core module.
    Module,
    /// A component.
    Component,
}

impl ItemKind {
    /// `module` or `component`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Component => "component",
        }
    }

    /// What the scanner does with a section, by its id.
    pub(crate) const fn classes(self) -> &'static Classes {
        match self {
            Self::Module => &MODULE_CLASSES,
            Self::Component => &COMPONENT_CLASSES,
        }
    }
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One section, as ranges of absolute byte offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section<'w> {
    /// The item that holds it, by its number in the order of entering; the root is 0.
    pub item: u32,
    /// What that item is.
    pub item_kind: ItemKind,
    /// The section id, below 0x80.
    pub id: u8,
    pub(crate) start: u64,
    pub(crate) payload: u64,
    pub(crate) data: u64,
    pub(crate) end: u64,
    pub(crate) class: Class,
    /// Valid UTF-8; empty where the section is not a custom one.
    pub(crate) name: &'w [u8],
}

impl<'w> Section<'w> {
    /// The whole section, from its id byte on.
    pub const fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// The id byte and the size field.
    pub const fn header(&self) -> Range<u64> {
        self.start..self.payload
    }

    /// All after the size field.
    pub const fn payload(&self) -> Range<u64> {
        self.payload..self.end
    }

    /// A custom section's payload after its name; any other section's payload.
    pub const fn data(&self) -> Range<u64> {
        self.data..self.end
    }

    /// Whether this is a custom section (id 0).
    pub const fn is_custom(&self) -> bool {
        self.id == 0
    }

    /// A custom section's name; empty for other sections.
    pub fn name(&self) -> &'w str {
        std::str::from_utf8(self.name).unwrap_or_default() // was checked when the name was scanned
    }

    /// A custom section's name as bytes, which are valid UTF-8; empty for other sections.
    pub const fn name_bytes(&self) -> &'w [u8] {
        self.name
    }

    /// What the id means in an item of this kind: `code`, `core module`, `custom`; `unknown` where the
    /// specifications give it no meaning.
    pub fn kind_name(&self) -> &'static str {
        kind_name(self.item_kind, self.id)
    }

    /// Whether the specifications give the id no meaning. Such sections pass a parser; a validator rejects them.
    pub fn is_unknown(&self) -> bool {
        self.class == Class::UNKNOWN
    }

    /// Whether its payload is an item: the sections inside are visited next.
    pub fn holds_item(&self) -> bool {
        matches!(self.class, Class::NESTED_MODULE | Class::NESTED_COMPONENT)
    }

    /// Whether the specifications give the id a meaning, and that is no custom section and no nested item.
    pub(crate) fn is_ordinary(&self) -> bool {
        self.class <= Class::LAST_RANKED
    }
}

/// What the scanner does with a section, by its id: a number, so that the loop looks it up and compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Class(u8);

impl Class {
    /// A component's section: any order, any number.
    pub(crate) const FREE: Self = Self(0);
    /// The last of a module's sections in the order that the specification asks for. Those before it have lower
    /// classes, in their order.
    pub(crate) const LAST_RANKED: Self = Self::ranked(13);
    pub(crate) const CUSTOM: Self = Self(0x20);
    /// No meaning; takes no part in the order.
    pub(crate) const UNKNOWN: Self = Self(0x21);
    pub(crate) const NESTED_MODULE: Self = Self(0x22);
    pub(crate) const NESTED_COMPONENT: Self = Self(0x23);
    /// 0x80 and more.
    pub(crate) const MALFORMED: Self = Self(0x24);

    const fn ranked(rank: u8) -> Self {
        Self(rank)
    }
}

/// A module's sections: the name, and the rank, of each id.
/// Source: the core specification, *Binary Format / Modules*; the tag section (13) stands between memory and
/// global, the data count section (12) before code.
const MODULE: [(&str, Class); 14] = [
    ("custom", Class::CUSTOM),
    ("type", Class::ranked(1)),
    ("import", Class::ranked(2)),
    ("function", Class::ranked(3)),
    ("table", Class::ranked(4)),
    ("memory", Class::ranked(5)),
    ("global", Class::ranked(7)),
    ("export", Class::ranked(8)),
    ("start", Class::ranked(9)),
    ("element", Class::ranked(10)),
    ("code", Class::ranked(12)),
    ("data", Class::ranked(13)),
    ("data count", Class::ranked(11)),
    ("tag", Class::ranked(6)),
];

/// A component's sections. Source: the component model's *Binary Format*.
const COMPONENT: [(&str, Class); 12] = [
    ("custom", Class::CUSTOM),
    ("core module", Class::NESTED_MODULE),
    ("core instance", Class::FREE),
    ("core type", Class::FREE),
    ("component", Class::NESTED_COMPONENT),
    ("instance", Class::FREE),
    ("alias", Class::FREE),
    ("type", Class::FREE),
    ("canon", Class::FREE),
    ("start", Class::FREE),
    ("import", Class::FREE),
    ("export", Class::FREE),
];

pub(crate) type Classes = [Class; 256];

static MODULE_CLASSES: Classes = classes(&MODULE);
static COMPONENT_CLASSES: Classes = classes(&COMPONENT);

const fn classes(rows: &[(&str, Class)]) -> Classes {
    let mut classes = [Class::MALFORMED; 256];
    let mut id = 0;
    while id < 0x80 {
        classes[id] = if id < rows.len() { rows[id].1 } else { Class::UNKNOWN };
        id += 1;
    }
    classes
}

/// What a section id means in an item of this kind.
pub(crate) fn kind_name(item: ItemKind, id: u8) -> &'static str {
    let rows: &[(&'static str, Class)] = match item {
        ItemKind::Module => &MODULE,
        ItemKind::Component => &COMPONENT,
    };
    rows.get(usize::from(id)).map_or("unknown", |row| row.0)
}
