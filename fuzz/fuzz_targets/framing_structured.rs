#![no_main]
//! The framing agrees with wasmparser's, on modules and components that lie.

libfuzzer_sys::fuzz_target!(|fuel: &[u8]| {
    sectile_testing::bodies::framing(&sectile_testing::bodies::binary(&mut arbitrary::Unstructured::new(fuel)));
});
