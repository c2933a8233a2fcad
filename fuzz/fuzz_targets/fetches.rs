#![no_main]
//! A source of ranges that lies costs no more than its budget, and never a panic.

libfuzzer_sys::fuzz_target!(|input: &[u8]| sectile_testing::bodies::fetches(input));
