//! Any bytes as a database of advisories, or as an OpenVEX document.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::databases(input));
