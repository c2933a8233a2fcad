//! What the tests share: inputs written out byte by byte, and every mouth for each of them.

pub mod binary;
pub mod files;
pub mod found;
pub mod growth;
pub mod memory;
pub mod mouths;
#[cfg(any(feature = "push", feature = "remote"))]
pub mod parts;
pub mod ranges;
#[cfg(feature = "push")]
pub mod registry;
pub mod seeded;
#[cfg(any(feature = "push", feature = "remote"))]
pub mod server;
pub mod sources;
#[cfg(all(unix, feature = "cli"))]
pub mod terminal;
