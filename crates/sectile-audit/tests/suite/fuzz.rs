//! The bodies of the fuzz targets, run over their seeds.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/bodies.rs"]
mod bodies;

#[test]
fn archives() {
    assert!(run("archives", bodies::archives) >= 20);
}

#[test]
fn inside() {
    assert!(run("inside", bodies::inside) >= 30);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet() {
    assert!(run("parquet", bodies::parquet) >= 3);
}

/// Runs a body over the seeds of its target. Returns their number.
fn run(target: &str, body: impl Fn(&[u8])) -> usize {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let seeds = fs::read_dir(directory).unwrap().map(|entry| body(&fs::read(entry.unwrap().path()).unwrap()));
    seeds.count()
}
