//! The proof that writing is safe: the command is run, stopped and failed at every system call, in odd surroundings, and
//! against a model of a power cut. What needs strace or root is ignored where `cargo test` is run as it is: a test that
//! cannot run must not pretend to pass. `.ci/run` runs all of it.
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
