//! External tests of the crate, in one binary that is linked once.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod docs;
mod fuzz;
#[cfg(feature = "git")]
mod git;
mod manifest;
mod threads;
