//! Imports and exports of the root item, and the definitions of a WIT package. Read only on
//! request.
//!
//! An [`InterfaceReader`] is a [`Visitor`](crate::scan::Visitor) and runs on every driver;
//! [`read_slice`] and [`Input::interface`](crate::Input::interface) run it. It requests the data of
//! the root's import and export sections. While a component may be a WIT package, it also requests
//! its type and alias sections. Nested items are skipped, because their imports are not those of
//! the root.
//!
//! Reading is lenient: a section that cannot be decoded is a finding (`malformed-interface`). The
//! imports and exports before the fault, and those of other sections, are still returned.
//!
//! ```
//! use sectile::interface;
//!
//! // (module (import "env" "log" (func)) (memory (export "memory") 1))
//! let module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0b\x01\x03env\x03log\0\0\x05\x03\x01\0\x01\x07\x0a\x01\x06memory\x02\0";
//! let interface = interface::read_slice(module)?;
//! let import = &interface.imports()[0];
//! assert_eq!((import.module(), import.name(), import.kind().name()), (Some("env"), "log", "function"));
//! let export = &interface.exports()[0];
//! assert_eq!((export.name(), export.kind().name()), ("memory", "memory"));
//! # Ok::<(), sectile::Error>(())
//! ```
//!
//! # Comparison with oci-wasm
//!
//! oci-wasm, and therefore wkg, decodes a component to a world (`decode` of wit-component) and
//! lists the imports and exports of that world. For every component that can be decoded to a world,
//! the names and their order are the same here. Other components differ:
//!
//! | component | oci-wasm | here |
//! | --- | --- | --- |
//! | imports a module, a component or a value | skipped: a world cannot have them | listed |
//! | exports anything but functions and instances | rejected | listed |
//! | does not validate | rejected | listed |
//! | is a WIT package | exports in random order, different in each run | exports in the order of the binary |

mod combined;
mod decode;
mod externs;
mod reader;
mod types;
mod wit;

pub use self::combined::CombinedReader;
pub use self::externs::{Extern, ExternKind};
pub use self::reader::{Interface, InterfaceReader};
pub use self::wit::WitPackage;

use crate::drive;
use crate::error::Error;
use crate::finding::FindingCode;
use crate::input::Input;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::outcome::Outcome;
use crate::read::CHANGED;

/// Reads the imports and exports of a binary in memory. For other sources, run an
/// [`InterfaceReader`] on a driver, such as [`drive::collect_fetch`].
///
/// # Errors
///
/// The bytes are not WebAssembly, are truncated or malformed, or exceed a default limit.
pub fn read_slice(bytes: &[u8]) -> Result<Interface, Error> {
    read_slice_with(bytes, Limits::default()).complete()
}

/// As [`read_slice`], within these limits.
pub fn read_slice_with(bytes: &[u8], limits: Limits) -> Outcome<Interface> {
    drive::collect_slice(bytes, InterfaceReader::with_limits(limits))
}

impl Input {
    /// Reads the imports and exports of the file's root item. A change of the file during the read
    /// is a finding (`changed`).
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read), but the error carries no metadata.
    pub fn interface(&self) -> Result<Interface, Error> {
        self.interface_with(Limits::default()).complete()
    }

    /// As [`interface`](Self::interface), within these limits.
    pub fn interface_with(&self, limits: Limits) -> Outcome<Interface> {
        self.collect_checked(InterfaceReader::with_limits(limits), |interface| {
            interface.find_in_root(FindingCode::Changed, CHANGED);
        })
    }

    /// Reads the file's metadata, and the imports and exports of its root item, in one pass.
    pub fn read_with_interface(&self, limits: Limits) -> Outcome<(Metadata<'static>, Interface)> {
        self.collect_checked(CombinedReader::with_limits(limits), |(metadata, _)| {
            metadata.find_in_root(FindingCode::Changed, CHANGED);
        })
    }
}
