#![no_main]
//! Any bytes as a manifest of any format.

libfuzzer_sys::fuzz_target!(|input: &[u8]| manifest_bodies::manifest(input));
