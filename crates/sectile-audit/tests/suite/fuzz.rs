//! The body of the fuzz target `archives`, run over its seeds.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/bodies.rs"]
mod bodies;

#[test]
fn archives() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/archives");
    let mut seeds = 0;
    for entry in fs::read_dir(directory).unwrap() {
        bodies::archives(&fs::read(entry.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds >= 20, "{seeds} seeds");
}
