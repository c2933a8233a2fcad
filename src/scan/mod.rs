//! A scanner of the framing of modules and components: preambles, section headers and nesting.
//!
//! [`Scanner`] does no I/O and owns no bytes. Given a [`Window`] of the input, it reports each
//! section to a [`Visitor`] as ranges, and returns the absolute range that it needs next. It does
//! not interpret payloads: data that a visitor requests is passed to it unchanged. The drivers in
//! [`crate::drive`] supply the windows.
//!
//! Framing matches `wasmparser`: both reject the same malformed framing, and report the same ranges.
//! Section bodies are not parsed, so a malformed body is not an error. A section is reported as soon
//! as its header is complete, or its header and name for a custom section. If the input ends inside
//! the payload, the error follows later.
//!
//! A visitor that lists the custom sections whose names match a pattern:
//!
//! ```
//! use sectile::scan::{DataRequest, Section, Visitor};
//! use sectile::{Glob, Limits, drive};
//!
//! struct Matching {
//!     pattern: Glob,
//!     found: Vec<String>,
//! }
//!
//! impl Visitor<'_> for Matching {
//!     fn section(&mut self, section: &Section<'_>) -> DataRequest {
//!         if section.is_custom() && self.pattern.matches(section.name()) {
//!             self.found.push(format!("{} {:?}", section.name(), section.data()));
//!         }
//!         DataRequest::Nothing
//!     }
//! }
//!
//! let module = b"\0asm\x01\0\0\0\x00\x0c\x0b.debug_info\x00\x05\x04note";
//! let mut matching = Matching { pattern: Glob::new(".debug_*")?, found: Vec::new() };
//! drive::scan_slice(module, &mut matching, Limits::default()).complete()?;
//! assert_eq!(matching.found, [".debug_info 22..22"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod both;
pub(crate) mod error;
mod fault;
mod frame;
mod header;
mod item_path;
pub(crate) mod leb128;
mod preamble;
mod scanner;
mod section;
mod visitor;
mod window;

pub use self::both::Both;
pub use self::error::ScanError;
pub(crate) use self::fault::Fault;
pub use self::item_path::{ItemPath, ItemPathError};
pub use self::scanner::Scanner;
pub use self::section::{ItemKind, Section, SectionKind};
pub use self::visitor::{Collector, DataRequest, ItemStart, Visitor};
pub use self::window::Window;
