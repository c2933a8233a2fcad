//! What the standard library lacks for files: atomic replacement, fingerprints, advisory locks.

pub mod atomic;
pub mod fingerprint;
pub mod lock;
