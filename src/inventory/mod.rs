//! Packages that the data of a binary names: an inventory of binaries that declare nothing.
//!
//! An [`InventoryReader`] is a [`Visitor`](crate::scan::Visitor) and runs on every driver;
//! [`read_slice`] and [`Input::inventory`](crate::Input::inventory) run it. It requests only the
//! data sections of modules, at any depth, and searches them for a few anchors.
//!
//! | ecosystem | source |
//! | --- | --- |
//! | Rust | paths of source files in Cargo's registry, Git checkouts, vendored directories and the standard library |
//! | Go | the build information between its markers |
//! | npm | paths with a `package.json`, and paths of pnpm |
//! | others | texts in which a library states its version |
//!
//! Each [`Package`] has its [`Evidence`], a [`Confidence`] and the offset of the first evidence.
//! Only names, versions and fixed words are reported, never the rest of a path.
//!
//! # Declared lists
//!
//! With the feature `dependencies`, [`Inventory::reconcile`] compares the packages with the lists
//! that cargo-auditable declares. Declared packages win, and differences are findings.
//!
//! # Segments
//!
//! The contents of a data section's segments are searched in their order. Contents that are
//! adjacent in linear memory are joined, and zeros that a linker dropped between them are restored.
//! No match crosses from one segment to another that is elsewhere in memory, or whose address is
//! not a constant. In a malformed section, the rest is searched as one text, with a finding.
//!
//! # Limits
//!
//! The text around an anchor is at most 256 bytes before and 1,024 bytes after it, within 4 KiB of
//! the file. Packages take at
//! most 4 MiB; further ones are counted in a finding (`too-large`). Repetitions are folded into
//! [`Package::count`].

mod context;
mod data;
#[cfg(feature = "dependencies")]
mod declared;
mod go;
mod keys;
mod list;
mod npm;
mod package;
mod path;
mod reader;
mod rust;
mod search;
mod text;
mod versions;
mod window;

#[cfg(feature = "dependencies")]
pub use self::declared::declared_packages;
pub use self::go::GoBuild;
pub use self::list::Inventory;
pub use self::package::{Confidence, Ecosystem, Evidence, ListKind, Package};
pub use self::reader::InventoryReader;

use crate::drive;
use crate::error::Error;
use crate::finding::FindingCode;
use crate::input::Input;
use crate::limits::Limits;
use crate::outcome::Outcome;
use crate::read::CHANGED;

/// Finds the packages of a binary in memory. For other sources, run an [`InventoryReader`] on a
/// driver, such as [`drive::collect_fetch`].
///
/// # Errors
///
/// The bytes are not WebAssembly, are truncated or malformed, or exceed a default limit.
pub fn read_slice(bytes: &[u8]) -> Result<Inventory, Error> {
    read_slice_with(bytes, Limits::default()).complete()
}

/// As [`read_slice`], within these limits.
pub fn read_slice_with(bytes: &[u8], limits: Limits) -> Outcome<Inventory> {
    drive::collect_slice(bytes, InventoryReader::with_limits(limits))
}

impl Input {
    /// Finds the packages that the file's data names. A change of the file during the read is a
    /// finding (`changed`).
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read), but the error carries no metadata.
    pub fn inventory(&self) -> Result<Inventory, Error> {
        self.inventory_with(Limits::default()).complete()
    }

    /// As [`inventory`](Self::inventory), within these limits.
    pub fn inventory_with(&self, limits: Limits) -> Outcome<Inventory> {
        self.collect_checked(InventoryReader::with_limits(limits), |inventory| {
            inventory.find_in_root(FindingCode::Changed, CHANGED);
        })
    }
}
