//! Reads any bytes as a Parquet report: an error, or the same rows as from its JSON lines.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::parquet(input));
