//! Reads the metadata of WebAssembly modules and components without reading the rest.
pub mod drive;
mod error;
mod escape;
mod finding;
mod limits;
pub mod metadata;
mod read;
pub mod scan;

pub use self::error::{Error, Outcome};
pub use self::escape::Escaped;
pub use self::finding::{Code, Finding, Findings, Severity};
pub use self::limits::Limits;
pub use self::read::{read_at, read_slice};
