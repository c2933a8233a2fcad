//! The proof that writing is safe. The command is run, killed and failed at every system call, in
//! unusual environments, and against a model of a power cut.
//!
//! Tests that need strace or root are ignored in a plain `cargo test`, because a test that cannot
//! run must not appear to pass. `.ci/run` runs all of them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod audit;
mod crash_model;
mod disk;
mod layout;
mod matrix;
mod modes;
mod mounted;
mod outputs;
mod permissions;
mod places;
mod planted;
mod reflink;
mod stage;
mod streams;
mod tight;
mod trace;
mod writers;
