#![no_main]
//! Policies are read as they promise, and one judges the same from every mouth.

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::policy(input));
