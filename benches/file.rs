//! From a path to the metadata tree, with the file in the page cache.
//!
//! Compared with `std::fs::read` and `wasm_metadata::Payload::from_binary`, and with the floor: the same system calls
//! (open, fstat, the same positioned reads, close) without decoding. Targets: 1,000 times as fast as `wasm_metadata` on
//! modules of 39 to 69 MB, and at most 1.5 times the floor.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use sectile::drive::ReadAt;
use sectile::{Limits, Outcome, metadata::Metadata};
use wasm_metadata::Payload;

use sectile_testing::bench;
use sectile_testing::bench::inputs::{BenchFile, COMPONENT, DUCKDB, OPENCASCADE, RUBY_DEBUG, input};
use sectile_testing::bench::paired::{Line, Side, Target, paired, print};

fn main() {
    let mut criterion = bench::criterion();
    for (name, faster) in [(OPENCASCADE, 1_000.0), (RUBY_DEBUG, 1_000.0), (DUCKDB, 1_000.0), (COMPONENT, 100.0)] {
        let input = input(name);
        let file = BenchFile::of(&input);
        let path = file.path.as_path();
        let size = input.bytes.len() as u64;
        let cost = by_sectile(path).cost();

        let row = format!("file/{}", input.id);
        let mut group = criterion.benchmark_group(&row);
        let reads = Recording::of(path);
        let mut buffer = vec![0; reads.iter().map(|read| read.len).max().unwrap_or_default()];
        let floor = Side { name: "floor", run: || by_floor(path, &reads, &mut buffer).expect("the file is there") };
        let times = paired(&mut group, || by_sectile(path), floor);
        group.finish();
        let target = Target::AtMost(1.5, 0.0);
        print(times.map(|times| Line { row: &row, other: "floor", times, target, cost, size }));

        let row = format!("file/{}/whole", input.id);
        let mut group = criterion.benchmark_group(&row);
        group.sample_size(20); // the other side takes a second
        let wasm_metadata = Side { name: "wasm-metadata", run: || by_wasm_metadata(path) };
        let times = paired(&mut group, || by_sectile(path), wasm_metadata);
        group.finish();
        let (other, target) = ("read and wasm-metadata", Target::Faster(faster));
        print(times.map(|times| Line { row: &row, other, times, target, cost, size }));
    }
    criterion.final_summary();
}

fn by_sectile(path: &Path) -> Outcome<Metadata<'static>> {
    let outcome = sectile::Input::open(path).expect("the file is there").read_with(Limits::default());
    assert!(outcome.is_complete(), "the inputs are sound");
    outcome
}

fn by_wasm_metadata(path: &Path) -> Payload {
    let bytes = fs::read(path).expect("the file is there");
    Payload::from_binary(&bytes).expect("the input is valid")
}

fn by_floor(path: &Path, reads: &[Read], buffer: &mut [u8]) -> io::Result<u64> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    for read in reads {
        file.read_at(&mut buffer[..read.len], read.offset)?;
    }
    Ok(len)
}

/// A positioned read.
#[derive(Clone, Copy)]
struct Read {
    offset: u64,
    len: usize,
}

/// Records the reads of a file.
struct Recording {
    file: File,
    reads: RefCell<Vec<Read>>,
}

impl Recording {
    /// The reads of Sectile for the metadata tree.
    fn of(path: &Path) -> Vec<Read> {
        let file = File::open(path).expect("the file is there");
        let len = file.metadata().expect("the file is open").len();
        let recording = Self { file, reads: RefCell::default() };
        sectile::read_at(&recording, len).expect("the input is valid");
        recording.reads.into_inner()
    }
}

impl ReadAt for Recording {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.reads.borrow_mut().push(Read { offset, len: buffer.len() });
        self.file.read_at(buffer, offset)
    }
}
