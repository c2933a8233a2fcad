//! External tests of the crate, in one binary that is linked once.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod sbom;
mod threads;
