#![no_main]
//! What passes is edited as the whole would be, and judged as the whole would be, and never panics.

libfuzzer_sys::fuzz_target!(|input: &[u8]| sectile_testing::bodies::stream_edits(input));
