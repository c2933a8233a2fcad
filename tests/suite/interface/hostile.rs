//! Bytes that lie.
