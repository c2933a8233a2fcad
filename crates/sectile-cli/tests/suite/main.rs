//! External tests of the command, in one binary that is linked once.
#![allow(clippy::unwrap_used, clippy::pedantic)]

#[cfg(unix)] // scripts of bash
mod ci;
mod cli;
mod docs;
mod shared;
