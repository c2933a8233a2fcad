#![no_main]
//! Edits keep what they promise, of any bytes.

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    sectile_testing::bodies::plans(input);
});
