#![no_main]
//! The framing agrees with wasmparser's, on bytes as the fuzzer gives them.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    sectile_testing::bodies::framing(bytes);
});
