//! Hostile input and failing environments.

mod decoded;
mod environment;
mod impersonation;
mod long;
mod memory;
mod numbers;
mod sizes;
mod texts;

use std::thread;

use sectile::metadata::Metadata;
use sectile::{Error, Limits};

use sectile_testing::all_drivers;

/// Reads an input that cannot be read to its end.
#[track_caller]
fn partial(bytes: &[u8], limits: Limits) -> (Metadata<'_>, Error) {
    let (metadata, result) = all_drivers::read(bytes, limits);
    (metadata.expect("at least the root's preamble"), result.expect_err("a break"))
}

/// Runs on a stack that is too small for recursion.
fn on_a_small_stack(work: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let small = thread::Builder::new().stack_size(256 << 10);
        small.spawn_scoped(scope, work).unwrap().join().unwrap();
    });
}
