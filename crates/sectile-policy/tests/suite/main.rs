//! External tests of the crate, in one binary that is linked once.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod diff;
mod docs;
mod fuzz;
mod gate;
mod names;
mod policy;
mod threads;

#[global_allocator]
static ALLOCATOR: sectile_testing::memory::Counting = sectile_testing::memory::Counting;
