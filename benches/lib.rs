//! The benches of the core. This library is empty.
