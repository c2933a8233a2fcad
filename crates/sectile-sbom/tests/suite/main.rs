//! External tests of the crate, in one binary that is linked once.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod collection;
mod docs;
mod sbom;
mod spdx;
mod threads;
