#![no_main]
//! Any bytes as a policy, and any policy for any binary.

libfuzzer_sys::fuzz_target!(|input: &[u8]| policy_bodies::policy(input));
