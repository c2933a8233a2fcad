//! The proof that writing is safe: the command is run, stopped and failed at every system call, in odd surroundings, and
//! against a model of a power cut. What needs strace or root is ignored where `cargo test` is run as it is: a test that
//! cannot run must not pretend to pass. `.ci/run` runs all of it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod audit;
#[path = "../suite/support/binary.rs"]
#[allow(dead_code)] // the suite uses the rest
mod binary;
mod crash_model;
mod disk;
mod layout;
mod matrix;
mod modes;
mod mounted;
mod permissions;
mod places;
mod planted;
mod reflink;
#[path = "../suite/support/seeded.rs"]
#[allow(dead_code)] // the suite uses the rest
mod seeded;
mod stage;
mod streams;
mod tight;
mod trace;
mod writers;
