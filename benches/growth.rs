//! Growth of time: none with skipped bytes, linear with the number of headers.
//!
//! The first part reads the metadata of a module whose code section takes 1 KB to 1 GB, from memory and from a file, and
//! compares each with the smallest. File and memory are sparse: the gigabyte is neither written nor read. The second part
//! reads components of 10 to 100,000 small sections, and compares each with ten times the time for a tenth of the
//! sections. That side has ten times the fixed cost of a read: up to 1,000 sections, a ratio below 1 shows the fixed
//! cost, not the growth.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use criterion::Criterion;
use sectile::{Input, Limits, Outcome, metadata::Metadata};

use sectile_testing::bench;
use sectile_testing::bench::inputs::BenchFile;
use sectile_testing::bench::paired::{Line, Side, Target, Times, paired, print};
use sectile_testing::bench::shapes::{around_code, many_sections};

fn main() {
    let mut criterion = bench::criterion();
    skipped(&mut criterion);
    sections(&mut criterion);
    criterion.final_summary();
}

fn skipped(criterion: &mut Criterion) {
    const MIN_CODE: u32 = 1 << 10;
    let baseline = Baseline { bench: "1 KB", label: "1 KB", times: 1.0 };
    let (memory_of_least, file_of_least) = (sparse_memory(MIN_CODE), sparse_file(MIN_CODE));
    for (label, code) in [("1 KB", MIN_CODE), ("1 MB", 1 << 20), ("64 MB", 64 << 20), ("1 GB", 1 << 30)] {
        let (memory, file) = (sparse_memory(code), sparse_file(code));
        let row = format!("growth/skipped/{label}/slice");
        compare(criterion, &row, || from_slice(&memory), baseline, || from_slice(&memory_of_least));
        let row = format!("growth/skipped/{label}/file");
        compare(criterion, &row, || from_file(&file.path), baseline, || from_file(&file_of_least.path));
    }
}

fn sections(criterion: &mut Criterion) {
    let baseline = Baseline { bench: "a tenth", label: "ten times a tenth, fixed cost included,", times: 10.0 };
    let write = |bytes: &[u8]| BenchFile::make(|path| fs::write(path, bytes).expect("the file can be written"));
    for sections in [10, 100, 1_000, 10_000, 100_000] {
        let (memory, memory_of_tenth) = (many_sections(sections), many_sections(sections / 10));
        let (file, file_of_tenth) = (write(&memory), write(&memory_of_tenth));
        let row = format!("growth/sections/{sections}/slice");
        compare(criterion, &row, || from_slice(&memory), baseline, || from_slice(&memory_of_tenth));
        let row = format!("growth/sections/{sections}/file");
        compare(criterion, &row, || from_file(&file.path), baseline, || from_file(&file_of_tenth.path));
    }
}

/// The other side of a row: this many times the time of a smaller input.
#[derive(Clone, Copy)]
struct Baseline {
    bench: &'static str,
    label: &'static str,
    times: f64,
}

fn compare<'a, 'b>(
    criterion: &mut Criterion,
    row: &str,
    mut ours: impl FnMut() -> Reading<'a>,
    Baseline { bench, label, times }: Baseline,
    smaller: impl FnMut() -> Reading<'b>,
) {
    /// The tolerance for flat or linear time on a busy machine.
    const LIMIT: Target = Target::AtMost(1.25, 0.0);
    let outcome = ours();
    let (cost, metadata) = (outcome.cost(), outcome.complete().expect("the input is valid"));
    let size = metadata.root().end().expect("it was read to its end");
    let mut group = criterion.benchmark_group(row);
    let measured = paired(&mut group, ours, Side { name: bench, run: smaller });
    group.finish();
    let scaled = |measured: Times| Times {
        theirs: measured.theirs * times,
        median_ratio: measured.median_ratio / times,
        ..measured
    };
    print(measured.map(|measured| Line { row, other: label, times: scaled(measured), target: LIMIT, cost, size }));
}

type Reading<'a> = Outcome<Metadata<'a>>;

fn from_slice(bytes: &[u8]) -> Reading<'_> {
    complete(sectile::read_slice_with(bytes, Limits::default()))
}

fn from_file(path: &Path) -> Reading<'static> {
    complete(Input::open(path).expect("the file is there").read_with(Limits::default()))
}

fn complete(outcome: Reading<'_>) -> Reading<'_> {
    assert!(outcome.is_complete(), "the inputs are sound");
    outcome
}

/// The allocator takes zeroed memory directly from the system, so untouched pages use no memory.
fn sparse_memory(code: u32) -> Vec<u8> {
    let (before, behind) = around_code(code);
    let code_end = before.len() + code as usize;
    let mut bytes = vec![0; code_end + behind.len()];
    bytes[..before.len()].copy_from_slice(&before);
    bytes[code_end..].copy_from_slice(&behind);
    bytes
}

fn sparse_file(code: u32) -> BenchFile {
    let (before, behind) = around_code(code);
    let file = BenchFile::make(|path| {
        let mut file = File::create(path).expect("the directory is there");
        let written = file
            .write_all(&before)
            .and_then(|()| file.seek(SeekFrom::Current(code.into())))
            .and_then(|_| file.write_all(&behind));
        written.expect("the file can be written");
    });
    assert_is_sparse(&file.path);
    file
}

/// Without sparse files, the bench would write a gigabyte.
fn assert_is_sparse(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let on_disk = fs::metadata(path).expect("the file is there").blocks() * 512;
        assert!(on_disk < 1 << 20, "the file takes {on_disk} bytes on this file system, which knows no holes");
    }
    #[cfg(not(unix))]
    let _ = path;
}
