//! The checks of the fuzz targets, as plain functions: the tests of the crate run them over the seeds.
//!
//! - [`policy()`] parses policies and judges binaries;
//! - [`gate()`] judges uploads in chunks.

mod gate;
mod policy;

pub use self::gate::gate;
pub use self::policy::{policy, pushed};
