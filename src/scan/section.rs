//! Sections as ranges, and the meaning of section ids.

use std::fmt;
use std::ops::Range;

/// Kind of an item: module or component.
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

    /// The class of each section id in an item of this kind.
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
    pub(crate) item: u32,
    pub(crate) item_kind: ItemKind,
    pub(crate) id: u8,
    pub(crate) start: u64,
    pub(crate) payload: u64,
    pub(crate) data: u64,
    pub(crate) end: u64,
    pub(crate) class: Class,
    /// Valid UTF-8; empty unless the section is custom.
    pub(crate) name: &'w [u8],
}

impl<'w> Section<'w> {
    /// Number of the item that holds the section, in the order of entering; the root is 0.
    #[inline]
    pub const fn item(&self) -> u32 {
        self.item
    }

    /// Kind of the item that holds the section.
    #[inline]
    pub const fn item_kind(&self) -> ItemKind {
        self.item_kind
    }

    /// Section id, below 0x80.
    #[inline]
    pub const fn id(&self) -> u8 {
        self.id
    }

    /// Meaning of the id in an item of this kind.
    pub fn kind(&self) -> SectionKind {
        SectionKind::new(self.item_kind, self.id)
    }

    /// The whole section, from its id byte on.
    pub const fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// The id byte and the size field.
    pub const fn header(&self) -> Range<u64> {
        self.start..self.payload
    }

    /// Everything after the size field.
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

    /// Whether the specifications do not define the id. A parser accepts such a section, a
    /// validator rejects it.
    pub fn is_unknown(&self) -> bool {
        self.class == Class::UNKNOWN
    }

    /// Whether the payload is a nested item. Its sections are visited next.
    pub fn holds_item(&self) -> bool {
        matches!(self.class, Class::NESTED_MODULE | Class::NESTED_COMPONENT)
    }

    /// Whether the id is defined, and is neither that of a custom section nor that of a nested
    /// item.
    pub(crate) fn is_ordinary(&self) -> bool {
        self.class <= Class::LAST_RANKED
    }
}

/// Class of a section id: how the scanner treats the section. A number, because the scanner's loop
/// compares classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Class(u8);

impl Class {
    /// A component's section: any order, any number of times.
    pub(crate) const FREE: Self = Self(0);
    /// The last section in the order of a module. The sections before it have lower classes, in
    /// that order.
    pub(crate) const LAST_RANKED: Self = Self::ranked(13);
    pub(crate) const CUSTOM: Self = Self(0x20);
    /// Not defined by the specifications; any position.
    pub(crate) const UNKNOWN: Self = Self(0x21);
    pub(crate) const NESTED_MODULE: Self = Self(0x22);
    pub(crate) const NESTED_COMPONENT: Self = Self(0x23);
    /// 0x80 and above.
    pub(crate) const MALFORMED: Self = Self(0x24);

    const fn ranked(rank: u8) -> Self {
        Self(rank)
    }
}

/// Meaning of a section id in a module or a component.
///
/// Sources: the core specification, *Binary Format / Modules*, and the component model's *Binary
/// Format*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SectionKind {
    /// A custom section, in either kind of item.
    Custom,
    /// Types, in either kind of item.
    Type,
    /// Imports, in either kind of item.
    Import,
    /// Type indexes of a module's functions.
    Function,
    /// A module's tables.
    Table,
    /// A module's memories.
    Memory,
    /// A module's globals.
    Global,
    /// Exports, in either kind of item.
    Export,
    /// The start function, in either kind of item.
    Start,
    /// A module's element segments.
    Element,
    /// A module's function bodies.
    Code,
    /// A module's data segments.
    Data,
    /// The number of a module's data segments.
    DataCount,
    /// A module's exception tags.
    Tag,
    /// A core module nested in a component.
    CoreModule,
    /// A component's core instances.
    CoreInstance,
    /// A component's core types.
    CoreType,
    /// A component nested in a component.
    Component,
    /// A component's instances.
    Instance,
    /// A component's aliases.
    Alias,
    /// A component's canonical functions.
    Canon,
    /// An id that the specifications do not define. A parser accepts such sections, a validator
    /// rejects them.
    Other(u8),
}

impl SectionKind {
    /// Returns the meaning of an id in an item of this kind.
    pub fn new(item: ItemKind, id: u8) -> Self {
        rows(item).get(usize::from(id)).map_or(Self::Other(id), |row| row.0)
    }

    /// Name in reports and policies: `code`, `core module`, `custom`; `unknown` for
    /// [`Other`](Self::Other).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Custom => "custom",
            Self::Type => "type",
            Self::Import => "import",
            Self::Function => "function",
            Self::Table => "table",
            Self::Memory => "memory",
            Self::Global => "global",
            Self::Export => "export",
            Self::Start => "start",
            Self::Element => "element",
            Self::Code => "code",
            Self::Data => "data",
            Self::DataCount => "data count",
            Self::Tag => "tag",
            Self::CoreModule => "core module",
            Self::CoreInstance => "core instance",
            Self::CoreType => "core type",
            Self::Component => "component",
            Self::Instance => "instance",
            Self::Alias => "alias",
            Self::Canon => "canon",
            Self::Other(_) => "unknown",
        }
    }
}

impl fmt::Display for SectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Kind and class of a module's section ids. In the order of sections, tag (13) is between memory
/// and global, and data count (12) is before code.
const MODULE: [(SectionKind, Class); 14] = [
    (SectionKind::Custom, Class::CUSTOM),
    (SectionKind::Type, Class::ranked(1)),
    (SectionKind::Import, Class::ranked(2)),
    (SectionKind::Function, Class::ranked(3)),
    (SectionKind::Table, Class::ranked(4)),
    (SectionKind::Memory, Class::ranked(5)),
    (SectionKind::Global, Class::ranked(7)),
    (SectionKind::Export, Class::ranked(8)),
    (SectionKind::Start, Class::ranked(9)),
    (SectionKind::Element, Class::ranked(10)),
    (SectionKind::Code, Class::ranked(12)),
    (SectionKind::Data, Class::ranked(13)),
    (SectionKind::DataCount, Class::ranked(11)),
    (SectionKind::Tag, Class::ranked(6)),
];

/// Kind and class of a component's section ids.
const COMPONENT: [(SectionKind, Class); 12] = [
    (SectionKind::Custom, Class::CUSTOM),
    (SectionKind::CoreModule, Class::NESTED_MODULE),
    (SectionKind::CoreInstance, Class::FREE),
    (SectionKind::CoreType, Class::FREE),
    (SectionKind::Component, Class::NESTED_COMPONENT),
    (SectionKind::Instance, Class::FREE),
    (SectionKind::Alias, Class::FREE),
    (SectionKind::Type, Class::FREE),
    (SectionKind::Canon, Class::FREE),
    (SectionKind::Start, Class::FREE),
    (SectionKind::Import, Class::FREE),
    (SectionKind::Export, Class::FREE),
];

pub(crate) type Classes = [Class; 256];

static MODULE_CLASSES: Classes = classes(&MODULE);
static COMPONENT_CLASSES: Classes = classes(&COMPONENT);

const fn classes(rows: &[(SectionKind, Class)]) -> Classes {
    let mut classes = [Class::MALFORMED; 256];
    let mut id = 0;
    while id < 0x80 {
        classes[id] = if id < rows.len() { rows[id].1 } else { Class::UNKNOWN };
        id += 1;
    }
    classes
}

fn rows(item: ItemKind) -> &'static [(SectionKind, Class)] {
    match item {
        ItemKind::Module => &MODULE,
        ItemKind::Component => &COMPONENT,
    }
}
