//! Imports and exports of the root item, and what a WIT package defines: read only when somebody asks for them.
//!
//! A [`Reader`] is a [`Visitor`](crate::scan::Visitor) and runs on every driver; [`read_slice`], [`read_at`] and
//! [`Input::interface`](crate::Input::interface) run it. It wants the data of the root's own import and export sections
//! and, as long as a component may be a WIT package, of its type and alias sections. Nested items are passed over: what
//! they import says nothing of the root.
//!
//! Reading is lenient: a section that cannot be decoded is a finding (`malformed-interface`), and what stands before the
//! fault in it, and in the other sections, is still given.
//!
//! ```
//! use sectile::{Limits, interface};
//!
//! // (module (import "env" "log" (func)) (memory (export "memory") 1))
//! let module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0b\x01\x03env\x03log\0\0\x05\x03\x01\0\x01\x07\x0a\x01\x06memory\x02\0";
//! let interface = interface::read_slice(module, Limits::default())?.complete()?;
//! let import = &interface.imports()[0];
//! assert_eq!((import.module(), import.name(), import.kind().name()), (Some("env"), "log", "function"));
//! let export = &interface.exports()[0];
//! assert_eq!((export.name(), export.kind().name()), ("memory", "memory"));
//! # Ok::<(), sectile::Error>(())
//! ```
//!
//! # Beside oci-wasm
//!
//! oci-wasm, and with it wkg, makes a world of a component (wit-component's `decode`) and lists that world's imports and
//! exports. What is listed here is the same, name by name and in the same order, for every component of which a world can
//! be made. The others:
//!
//! | a component that | there | here |
//! | --- | --- | --- |
//! | imports a module, a component or a value | these are passed over: no world has such | listed |
//! | exports anything but functions and instances | is refused | listed |
//! | does not validate, somewhere in its bodies | is refused | listed |
//! | is a WIT package | its exports are in random order, another in each run | in the order of the binary |

mod along;
mod decode;
mod reader;
mod types;
mod wit;

use std::fmt;
use std::sync::Arc;

pub(crate) use self::along::Along;
pub use self::reader::Reader;
pub use self::wit::WitPackage;

use crate::drive::{self, Fetch, FetchOptions, ReadAt};
use crate::error::{Error, Outcome};
use crate::finding::{Code, Findings};
use crate::limits::Limits;
use crate::metadata::{self, Metadata};
use crate::read::{CHANGED, outcome};
use crate::scan::{ItemKind, Path};
use crate::store::Input;

/// What the root item asks of its surroundings, and what it offers them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    kind: ItemKind,
    imports: Vec<Extern>,
    exports: Vec<Extern>,
    wit_package: Option<WitPackage>,
    findings: Findings,
}

impl Interface {
    /// What the root item is.
    pub fn kind(&self) -> ItemKind {
        self.kind
    }

    /// What it imports, in the order of the binary.
    pub fn imports(&self) -> &[Extern] {
        &self.imports
    }

    /// What it exports, in the order of the binary.
    pub fn exports(&self) -> &[Extern] {
        &self.exports
    }

    /// What it defines, if it is a WIT package: a component that only carries types.
    pub fn wit_package(&self) -> Option<&WitPackage> {
        self.wit_package.as_ref()
    }

    /// What could not be decoded; where there is something, imports and exports may be missing.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    pub(crate) fn find_in_root(&mut self, code: Code, message: &'static str) {
        self.findings.add(code, 0, 0, None, || (Path::root(), message.into()));
    }
}

/// An import or an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extern {
    /// Imports of one module share it.
    module: Option<Arc<str>>,
    name: Box<str>,
    implements: Option<Box<str>>,
    kind: ExternKind,
    offset: u64,
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

/// What is imported or exported.
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

/// Reads the imports and exports of a binary in memory.
///
/// # Errors
///
/// The bytes are no WebAssembly. Whatever else is wrong with them, what stands before it is read: see [`Outcome`].
pub fn read_slice(bytes: &[u8], limits: Limits) -> Result<Outcome<Interface>, Error> {
    let mut reader = Reader::new(limits);
    let (result, cost) = drive::slice(bytes, &mut reader, limits);
    outcome(reader.finish(), result, cost)
}

/// Reads the imports and exports of a file, or of anything else with positioned reads, of `len` bytes.
///
/// # Errors
///
/// The bytes are no WebAssembly, or cannot be read at all. Whatever else is wrong, what stands before it is read: see
/// [`Outcome`].
pub fn read_at<R: ReadAt + ?Sized>(source: &R, len: u64, limits: Limits) -> Result<Outcome<Interface>, Error> {
    let mut reader = Reader::new(limits);
    let (result, cost) = drive::read_at(source, len, &mut reader, limits);
    outcome(reader.finish(), result, cost)
}

/// Reads the imports and exports of what a source gives by ranges.
///
/// # Errors
///
/// The bytes are no WebAssembly, or cannot be had at all. Whatever else is wrong, what stands before it is read: see
/// [`Outcome`].
pub async fn read_fetch<F: Fetch>(
    source: &mut F,
    options: FetchOptions,
    limits: Limits,
) -> Result<Outcome<Interface>, Error> {
    let mut reader = Reader::new(limits);
    let (result, cost) = drive::fetch(source, &mut reader, options, limits).await;
    outcome(reader.finish(), result, cost)
}

/// Reads both in one pass: the metadata of what a source gives by ranges, and what its root item imports and exports.
///
/// # Errors
///
/// As for [`read_fetch`].
pub async fn read_fetch_with_metadata<F: Fetch>(
    source: &mut F,
    options: FetchOptions,
    limits: Limits,
) -> Result<Outcome<(Metadata<'static>, Interface)>, Error> {
    let mut along = Along::new(metadata::Reader::copying(limits), Some(Reader::new(limits)));
    let (result, cost) = drive::fetch(source, &mut along, options, limits).await;
    outcome(along.of_custom.finish().zip(along.reader.and_then(Reader::finish)), result, cost)
}

impl Input {
    /// Reads what the file's root item imports and exports. A file that was changed meanwhile is a finding (`changed`).
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn interface(&self, limits: Limits) -> Result<Outcome<Interface>, Error> {
        let mut reader = Reader::new(limits);
        let read = self.scan(&mut reader, limits);
        self.outcome(reader.finish(), read, |interface| interface.find_in_root(Code::Changed, CHANGED))
    }

    /// Reads both in one pass: the file's metadata, and what its root item imports and exports.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn read_with_interface(&self, limits: Limits) -> Result<Outcome<(Metadata<'static>, Interface)>, Error> {
        let mut along = Along::new(metadata::Reader::copying(limits), Some(Reader::new(limits)));
        let read = self.scan(&mut along, limits);
        let interface = along.reader.and_then(Reader::finish);
        let both = along.of_custom.finish().zip(interface);
        self.outcome(both, read, |(metadata, _)| metadata.find_in_root(Code::Changed, CHANGED))
    }
}
