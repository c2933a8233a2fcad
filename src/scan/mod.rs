//! The scanner: a machine that knows the framing of modules and components (preambles, section headers, nesting), and
//! nothing else.
//!
//! [`Scanner`] does no I/O and owns no bytes. Fed a [`Window`] of the input it hands each section to a
//! [`Visitor`], as ranges, and pauses with the absolute range that it needs next. What is in a section
//! is never looked at; what a visitor wants of a section's data is handed over when a window holds it.
//! Drivers ([`crate::drive`]) do the feeding.
//!
//! The framing is that of `wasmparser`: what it rejects because of framing is rejected here, what it accepts
//! is accepted with the same ranges. Bodies are not parsed, so a broken body is no error. Where the input ends
//! is not known until it ends: a section is handed over once its header, and a custom section's name, is
//! complete, and an input that ends inside it is an error after it.

mod fault;
mod header;
pub(crate) mod leb128;
mod path;
mod preamble;
mod scanner;
mod section;
mod visitor;
mod window;

pub(crate) use self::fault::Fault;
pub use self::path::{Path, PathError};
pub use self::scanner::Scanner;
pub(crate) use self::section::kind_name;
pub use self::section::{ItemKind, Section};
pub use self::visitor::{Entry, Visitor, Want};
pub use self::window::Window;
