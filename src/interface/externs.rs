//! Imports and exports.

use std::fmt;
use std::sync::Arc;

/// An import or an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extern {
    /// Imports of one module share it.
    pub(super) module: Option<Arc<str>>,
    pub(super) name: Box<str>,
    pub(super) implements: Option<Box<str>>,
    pub(super) kind: ExternKind,
    pub(super) offset: u64,
}

impl Extern {
    /// An import from a saved report.
    pub(crate) fn new(
        module: Option<&str>,
        name: &str,
        implements: Option<&str>,
        kind: ExternKind,
        offset: u64,
    ) -> Self {
        Self { module: module.map(Into::into), name: name.into(), implements: implements.map(Into::into), kind, offset }
    }

    /// The module from which a core module imports it; `None` for exports, and in a component.
    pub fn module(&self) -> Option<&str> {
        self.module.as_deref()
    }

    /// Its name. In a component, with the full version even if the binary stores the rest
    /// separately (`version-suffix`): `wasi:io/poll@0.2.6`, not `wasi:io/poll@0.2`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The interface that an instance with a plain name implements, if the binary states it.
    pub fn implements(&self) -> Option<&str> {
        self.implements.as_deref()
    }

    /// Its kind.
    pub fn kind(&self) -> ExternKind {
        self.kind
    }

    /// Absolute byte offset of its entry in the section. In a group of imports that shares a module
    /// name, the entry starts after that name.
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

/// Kind of an import or export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ExternKind {
    /// A function of a core module or a component.
    Function,
    /// A core module's table.
    Table,
    /// A core module's memory.
    Memory,
    /// A core module's global.
    Global,
    /// A core module's exception tag.
    Tag,
    /// A core module that a component imports or exports.
    Module,
    /// A component's value.
    Value,
    /// A component's type.
    Type,
    /// An instance, usually an interface.
    Instance,
    /// A component.
    Component,
}

impl ExternKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Function,
        Self::Table,
        Self::Memory,
        Self::Global,
        Self::Tag,
        Self::Module,
        Self::Value,
        Self::Type,
        Self::Instance,
        Self::Component,
    ];

    /// `function`, `table`, `memory`, `global`, `tag`, `module`, `value`, `type`, `instance` or
    /// `component`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Table => "table",
            Self::Memory => "memory",
            Self::Global => "global",
            Self::Tag => "tag",
            Self::Module => "module",
            Self::Value => "value",
            Self::Type => "type",
            Self::Instance => "instance",
            Self::Component => "component",
        }
    }
}

impl fmt::Display for ExternKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
