//! Internal to Sectile: inputs, oracles and servers that the tests, benches and fuzz targets share.
//!
//! - [`binary`] writes modules and components section by section; [`bodies::binary`] generates
//!   invalid ones;
//! - [`all_drivers`] runs one input through every driver and asserts that all agree;
//! - [`bodies`] are the checks of the fuzz targets; ordinary tests run them over the seeds;
//! - [`files`] finds the real binaries of `tests/files` and the seeds of fuzz targets;
//! - [`git`](mod@git) runs the program `git` as an oracle;
//! - [`server`] and [`registry`] (feature `servers`) answer on loopback; [`images`] writes images of
//!   every shape;
//! - [`recorded`] keeps the inputs of tests, from which `tests/shared` is generated;
//! - [`names`] checks how values with a name are displayed;
//! - [`memory`] counts allocations, [`growth`] distinguishes linear from quadratic time;
//! - [`mod@bench`] (feature `bench`) times two sides alternately.
#![allow(missing_docs, clippy::unwrap_used, clippy::pedantic)] // asserts in tests may panic

pub mod all_drivers;
#[cfg(feature = "bench")]
pub mod bench;
pub mod binary;
pub mod bodies;
pub mod clusters;
pub mod docs;
pub mod files;
pub mod found;
pub mod git;
pub mod growth;
#[cfg(feature = "servers")]
pub mod images;
pub mod memory;
pub mod names;
#[cfg(feature = "servers")]
pub mod parts;
pub mod ranges;
pub mod recorded;
#[cfg(feature = "servers")]
pub mod registry;
pub mod seeded;
#[cfg(feature = "servers")]
pub mod server;
pub mod shapes;
pub mod sources;
#[cfg(unix)]
pub mod terminal;

use sectile::{Cost, Error, Outcome};

/// An outcome as value, result and cost, for comparison.
pub fn parts_of<T>(outcome: Outcome<T>) -> (Option<T>, Result<(), Error>, Cost) {
    let (value, error, cost) = outcome.into_parts();
    (value, error.map_or(Ok(()), Err), cost)
}
