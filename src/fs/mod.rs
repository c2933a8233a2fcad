//! File operations that the standard library lacks: atomic replacement, open directories,
//! fingerprints, advisory locks.

pub mod atomic;
pub mod directory;
pub mod fingerprint;
pub mod lock;
