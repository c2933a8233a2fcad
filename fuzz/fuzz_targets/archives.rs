#![no_main]
//! Whatever a file of a store holds, an audit gives its rows, the same again, in bounded work.

libfuzzer_sys::fuzz_target!(|input: &[u8]| bodies::archives(input));
