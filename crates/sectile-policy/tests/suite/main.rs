//! The tests that see the crate from outside, in one binary: it links once.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod docs;
mod fuzz;
mod gate;
mod names;
mod policy;
mod threads;

#[global_allocator]
static ALLOCATOR: sectile_testing::memory::Counting = sectile_testing::memory::Counting;
