//! Audits any bytes as a file of a store: every run gives the same rows, in bounded work.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::archives(input));
