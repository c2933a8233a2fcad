#![no_main]
//! Manifests of any bytes are read, or refused.

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::manifest(input));
