//! The proof that writing is safe. The command is run, killed and failed at every system call, in
//! unusual environments, and against a model of a power cut.
//!
//! Tests that need strace or root are ignored in a plain `cargo test`, because a test that cannot
//! run must not appear to pass. `.ci/run` runs all of them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod audit;
mod build;
mod commands;
mod crash_model;
mod disk;
mod every_writer;
mod file_kinds;
mod layout;
mod matrix;
mod modes;
mod mounted;
mod no_space;
mod outputs;
mod permissions;
mod planted_journals;
mod reflink;
mod stage;
mod streams;
mod trace;
mod writers;
