//! Input from someone hostile, and surroundings that fail: what reading owes them, row by row.

mod decoded;
mod long;
mod memory;
mod numbers;
mod posing;
mod sizes;
mod surroundings;
mod texts;

use std::thread;

use sectile::metadata::Metadata;
use sectile::{Error, Limits};

use crate::support::mouths;

/// Reads an input that breaks off.
#[track_caller]
fn partial(bytes: &[u8], limits: Limits) -> (Metadata<'_>, Error) {
    let (metadata, result) = mouths::read(bytes, limits);
    (metadata.expect("at least the root's preamble"), result.expect_err("a break"))
}

/// Runs where recursion does not get far.
fn on_a_small_stack(work: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let small = thread::Builder::new().stack_size(256 << 10);
        small.spawn_scoped(scope, work).unwrap().join().unwrap();
    });
}
