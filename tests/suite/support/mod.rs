//! What the tests share: inputs written out byte by byte, and every mouth for each of them.

pub mod binary;
pub mod files;
pub mod found;
pub mod memory;
pub mod mouths;
#[cfg(feature = "push")]
pub mod registry;
pub mod seeded;
#[cfg(feature = "push")]
pub mod server;
pub mod sources;
