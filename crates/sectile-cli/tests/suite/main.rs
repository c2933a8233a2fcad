//! The tests of the command from outside, in one binary: it links once.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod cli;
mod docs;
