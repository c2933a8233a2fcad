//! The tests that see the crate from outside, in one binary: it links once.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod sbom;
mod threads;
