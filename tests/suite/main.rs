//! The tests that see the crate from outside, in one binary: it links once.

mod framing;
mod support;
