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
    /// The module that a core module imports it from; `None` for exports, and in a component.
    pub fn module(&self) -> Option<&str> {
        self.module.as_deref()
    }

    /// Its name. In a component with the rest of its version, where the binary keeps that apart (`version-suffix`):
    /// `wasi:io/poll@0.2.6`, and not `wasi:io/poll@0.2`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The interface that an instance under a plain name implements, where the binary says so.
    pub fn implements(&self) -> Option<&str> {
        self.implements.as_deref()
    }

    /// What it is.
    pub fn kind(&self) -> ExternKind {
        self.kind
    }

    /// Absolute offset of its entry in the section. (Of imports that share the name of their module, the entry begins
    /// behind that.)
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

/// The type of an import or export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ExternKind {
    /// A function, of a core module or of a component.
    Function,
    /// A core module's table.
    Table,
    /// A core module's memory.
    Memory,
    /// A core module's global.
    Global,
    /// A core module's tag, of exceptions.
    Tag,
    /// A core module, as a component imports or exports it.
    Module,
    /// A component's value.
    Value,
    /// A component's type.
    Type,
    /// An instance of a component: mostly an interface.
    Instance,
    /// A component.
    Component,
}

impl ExternKind {
    /// `function`, `table`, `memory`, `global`, `tag`, `module`, `value`, `type`, `instance` or `component`.
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
