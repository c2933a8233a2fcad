//! Nothing: what is wanted of the dependency is its tests.
