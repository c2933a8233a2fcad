#![no_main]
//! The drivers agree, and never panic.

libfuzzer_sys::fuzz_target!(|input: &[u8]| sectile_testing::bodies::drivers(input));
