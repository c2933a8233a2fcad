//! Sectile reads and edits the metadata of WebAssembly modules and components without parsing their
//! code.
//!
//! Metadata (authors, licenses, source, revision, producers, dependencies) is stored in custom
//! sections. A scanner moves from one section header to the next, at any depth of nesting, and only
//! metadata is decoded. An edit changes only the requested metadata and keeps all other bytes.
//!
//! ```no_run
//! use sectile::{Edit, Field};
//!
//! fn main() -> Result<(), sectile::Error> {
//!     let metadata = sectile::read("app.wasm")?; // default limits, lenient
//!     for item in metadata.items() {
//!         println!("{} {}: {:?}", item.path(), item.kind(), item.text(Field::Licenses));
//!     }
//!     for finding in metadata.findings() {
//!         eprintln!("{finding}"); // escaped, with item and offset
//!     }
//!     Edit::new().set(Field::Licenses, "MIT")?.apply("app.wasm")?; // atomic
//!     Ok(())
//! }
//! ```
//!
//! # Terms
//!
//! An *item* is a module or a component. The *root* is the file itself; other items are nested in
//! components. The *path* of an item lists the child index at each level, such as `3/0`. *Framing*
//! is the structure around sections: preambles, headers, sizes, nesting. A *finding* reports an
//! anomaly, with a stable [`FindingCode`].
//!
//! # Where to start
//!
//! | input or task | call |
//! | --- | --- |
//! | a file | [`read()`], or [`Input::open`] and its methods |
//! | bytes in memory, or a mapped file ([`drive::Map`]) | [`read_slice`], which copies nothing |
//! | positioned reads | [`read_at`] |
//! | byte ranges on request, such as an object in a bucket | [`read_fetch`], over a [`drive::Fetch`] |
//! | chunks as they arrive | [`drive::PushDriver`] with a [`metadata::StreamReader`] |
//! | chunks that pass through to another consumer | [`drive::Inspected`], which wraps a reader, a writer, a stream or an HTTP body |
//! | custom limits, or partial results of a truncated input | the `_with` functions, which return an [`Outcome`] |
//! | a change to a file | [`Edit::apply`], or [`Edit::plan`] to inspect it first |
//! | a change to a stream | [`edit::StreamEdit`] |
//! | imports and exports (feature `interface`) | `Input::interface`, `interface::read_slice` |
//! | packages that the data names (feature `inventory`) | `Input::inventory`, `inventory::read_slice` |
//! | digests with and without metadata (feature `digest`) | `Input::digests` |
//! | dependencies recorded by cargo-auditable (feature `dependencies`) | [`metadata::Item::dependencies`] |
//! | custom processing of sections | your own [`scan::Visitor`], with any driver of [`drive`] |
//!
//! Other crates of the workspace build on this one: `sectile-policy` (reports, policies, an upload
//! gate), `sectile-oci` (annotations, images, registries), `sectile-sbom`, `sectile-manifest`
//! (Cargo.toml and other manifests, Git revisions), `sectile-remote` (S3, GCS, Azure, HTTP),
//! `sectile-audit` (stores of many binaries) and `sectile-cli` (the command).
//!
//! # Modules
//!
//! - [`scan`]: framing only. A state machine without I/O takes slices of the input and reports
//!   sections.
//! - [`drive`]: feeds a scanner from a slice, a memory map, positioned reads, byte ranges or pushed
//!   chunks.
//! - [`metadata`]: decodes custom sections into values with their ranges. Decoding is lenient: an
//!   invalid value is reported as a finding.
//! - `interface` reads imports and exports, `inventory` finds packages, and `digest` computes
//!   SHA-256. All use the same drivers.
//! - [`edit`]: turns changes into a plan of bytes to keep and bytes to insert.
//! - [`splice`]: writes the result of a plan by atomic replacement, in place with an undo journal,
//!   or to any writer.
//!
//! # Guarantees
//!
//! - Framing matches `wasmparser`: both reject the same malformed framing, and report the
//!   same ranges.
//! - No input causes a panic, unbounded recursion, or an allocation sized by an untrusted length.
//!   [`Limits`] bound the cost.
//! - Every driver gives the same values, findings and errors for the same bytes, for any
//!   division into chunks.
//! - Only requested data is read, and [`Cost`] counts the bytes read.
//! - An edit keeps all bytes outside the requested change, and a repeated edit changes nothing. At
//!   any moment, even after a power cut, a replaced file is entirely the old or entirely the new
//!   one.
//! - Truncated input yields everything before the cut: an [`Outcome`] holds the value and the
//!   error.
//! - Everything is `Send` and `Sync`.
//!
//! `docs/guarantees.md` in the repository lists the tests of each guarantee, and what is not
//! guaranteed. [`Limits`] and other options may get new fields in minor releases: create them with
//! `..Default::default()`.
//!
//! # Features
//!
//! All are off by default and independent of each other.
//!
//! - `dependencies`: decodes the `.dep-v0` section of cargo-auditable. Without it, the value is the
//!   raw bytes.
//! - `json`: checks and migrates the JSON of the retired `registry-metadata` section.
//! - `interface`: imports and exports of the root item, and the contents of WIT packages.
//! - `inventory`: packages that the data sections of a binary name.
//! - `digest`: SHA-256 of a binary, and of a binary without its custom sections.
//! - `stream`, `http`: [`drive::Inspected`] implements `Stream`, or `Body` for HTTP requests and
//!   responses.

#![deny(clippy::print_stdout, clippy::print_stderr)]
#![doc(test(attr(deny(unused_must_use))))] // a value that an example ignores can be ignored
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "digest")]
pub mod digest;
pub mod drive;
pub mod edit;
mod error;
mod escape;
mod finding;
#[doc(hidden)]
mod fs;
mod glob;
mod input;
#[cfg(feature = "interface")]
pub mod interface;
#[doc(hidden)]
pub mod internal;
#[cfg(feature = "inventory")]
pub mod inventory;
#[cfg(feature = "json")]
#[doc(hidden)]
mod json;
mod limits;
pub mod metadata;
mod net;
mod outcome;
mod read;
pub mod scan;
pub mod splice;

pub use self::edit::Edit;
pub use self::error::Error;
pub use self::escape::Escaped;
pub use self::finding::{Finding, FindingCode, Findings, Severity};
pub use self::glob::{Glob, GlobError};
pub use self::input::Input;
pub use self::limits::Limits;
pub use self::metadata::{Field, Item, Metadata};
pub use self::outcome::{Cost, Outcome};
pub use self::read::{read, read_at, read_at_with, read_fetch, read_fetch_with, read_slice, read_slice_with};

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
