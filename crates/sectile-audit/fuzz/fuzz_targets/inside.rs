//! Searches any bytes for binaries: files and streams give the same rows, which can be read by name.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::inside(input));
