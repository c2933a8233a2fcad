//! Rows as columns, compared with rows as text and without an output, on two threads over 20,000 generated files.
//!
//! | row | baseline | target |
//! | --- | --- | --- |
//! | the format `parquet`, to a file | the format `jsonl`, to a file | at least 0.9 of its rate: at most 1.11 x |
//! | Arrow record batches | the audit without an output | at least 0.9 of its rate: at most 1.11 x |
//!
//! `docs/figures.md` has the results.
//!
//! Both sides take turns. The line gives the fastest round of each, and the medians of the ratios of the rounds.

use std::fs::{self, File};
use std::path::Path;

use sectile_audit::{Audit, Format, FormatWriter, Progress, Root};
use sectile_policy::Policy;
use sectile_testing::bench::rounds::{paired, print_ratio};
use sectile_testing::bench::shapes;
use sectile_testing::binary::{custom, packages, producers};

/// 0.9 of the rate.
const LIMIT: f64 = 1.0 / 0.9;

fn main() {
    let measures = std::env::args().any(|arg| arg == "--bench"); // `cargo test --benches` runs it briefly
    let (files, rounds) = if measures { (20_000, 15) } else { (200, 1) };
    let store = tempfile::tempdir().expect("there is a place for temporary files");
    make(store.path(), files);
    let roots = [Root::from(store.path())];
    let audit = Audit::new(Policy::default()).with_threads(2);
    let file = || tempfile::tempfile().expect("there is a place for temporary files");
    let write = |format, out: &mut File| {
        let outcome = audit.run(&roots, Some(format), out, &Progress::new()).expect("the file can be written");
        assert_eq!(outcome.summary.rows, files as u64);
        out.metadata().expect("it is open").len()
    };
    let [parquet, jsonl] = [Format::Parquet, Format::Jsonl].map(|format| write(format, &mut file()));
    println!(
        "{files} files: {} bytes of Parquet and {} of JSON lines for each",
        parquet / files as u64,
        jsonl / files as u64
    );
    let ratios = paired(rounds, || write(Format::Parquet, &mut file()), || write(Format::Jsonl, &mut file()));
    print_ratio("columns/parquet", "jsonl", &ratios, LIMIT);

    let batches = || {
        let mut rows = 0;
        let mut receive = |batch: arrow_array::RecordBatch| {
            rows += batch.num_rows() as u64;
            Ok(())
        };
        let outputs = &mut [FormatWriter::for_batches(&mut receive)];
        audit.run_with_outputs(&roots, outputs, &Progress::new()).expect("batches are received");
        rows
    };
    let without =
        || audit.run(&roots, None, &mut std::io::sink(), &Progress::new()).expect("nothing fails").summary.rows;
    print_ratio("columns/batches", "no output", &paired(rounds, batches, without), LIMIT);
}

/// Writes a store of modules with metadata and packages, a thousand in each directory.
fn make(store: &Path, files: usize) {
    let parts = [(1, "", 300), (3, "", 100), (7, "", 400), (10, "", 20_000), (0, "name", 3_000)];
    let tools =
        producers(&[("language", &[("Rust", "")][..]), ("processed-by", &[("rustc", "1.90.0"), ("clang", "18")])]);
    for nth in 0..files {
        let directory = store.join(format!("{:04}", nth / 1_000));
        if nth % 1_000 == 0 {
            fs::create_dir(&directory).expect("the directory can be made");
        }
        let mut module = shapes::module(&parts);
        module.extend(custom("producers", &*tools));
        module.extend(custom("licenses", "MIT OR Apache-2.0"));
        module.extend(custom("version", format!("1.{}.{}", nth % 7, nth % 13)));
        if nth % 4 == 0 {
            module.extend(packages(&[("atty", "0.2.14"), ("smallvec", "1.6.0"), ("serde", "1.0.200")]));
        }
        fs::write(directory.join(format!("{nth:07}.wasm")), &module).expect("the file can be written");
    }
}
