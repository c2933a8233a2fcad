//! Tests of the core's public API, in one binary, which links once.
#![allow(clippy::unwrap_used, clippy::pedantic)]

mod allocation;
mod collect;
#[cfg(feature = "digest")]
mod digest;
mod docs;
mod edit;
mod findings;
mod framing;
mod fuzz_bodies;
mod hostile;
#[cfg(feature = "interface")]
mod interface;
#[cfg(feature = "inventory")]
mod inventory;
mod limits;
mod metadata;
mod names;
mod partial;
mod peers;
mod public_suites;
mod push;
mod ranges;
mod splice;
mod streamed_edits;
mod threads;
mod values;
mod workspace;

#[global_allocator]
static ALLOCATOR: sectile_testing::memory::Counting = sectile_testing::memory::Counting;
