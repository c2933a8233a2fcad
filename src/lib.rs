//! Reads the metadata of WebAssembly modules and components without reading the rest.
pub mod drive;
mod error;
mod escape;
mod finding;
mod limits;
pub mod metadata;
mod policy;
mod read;
pub mod report;
pub mod scan;
mod store;

pub use self::error::{Error, Outcome};
pub use self::escape::Escaped;
pub use self::finding::{Code, Finding, Findings, Severity};
pub use self::limits::Limits;
pub use self::policy::{Judged, Policy, Verdict};
pub use self::read::{read_at, read_slice};
pub use self::store::Input;
