#![no_main]
//! The inventories of all drivers agree, for any windows.

libfuzzer_sys::fuzz_target!(|input: &[u8]| sectile_testing::bodies::inventory(input));
