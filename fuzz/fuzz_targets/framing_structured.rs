#![no_main]
//! The framing agrees with wasmparser's, on modules and components that lie.

libfuzzer_sys::fuzz_target!(|fuel: &[u8]| {
    bodies::framing(&bodies::binary(&mut arbitrary::Unstructured::new(fuel)));
});
