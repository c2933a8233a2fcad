#![no_main]
//! Any bytes as an upload, in any chunks.

libfuzzer_sys::fuzz_target!(|input: &[u8]| policy_bodies::gate(input));
