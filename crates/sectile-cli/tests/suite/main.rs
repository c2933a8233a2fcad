//! The tests of the command from outside, in one binary: it links once.
#![allow(clippy::unwrap_used, clippy::pedantic)]

#[cfg(unix)] // scripts of bash
mod ci;
mod cli;
mod docs;
