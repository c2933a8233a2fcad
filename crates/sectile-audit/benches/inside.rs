//! The search for binaries inside other files.
//!
//! | row | baseline | target |
//! | --- | --- | --- |
//! | the search in memory that the processor caches | one search for a string, with `memchr::memmem` | 0.8 of its speed |
//! | an audit of files in the page cache | reading the same files and one such search | 0.8 of its speed |
//!
//! Without arguments, the input is text that looks like minified scripts. `cargo xtask bench inside PATH…` measures
//! each absolute path of a file or directory: scripts, pages, source maps.
//!
//! Both targets are missed. In cache, the search has 0.17 (generated scripts) to 0.31 (scripts of npm packages) of the
//! speed of `memmem`, and 0.05 in JSON with texts in Base64. From the page cache, the audit has 0.10 to 0.33 of the speed
//! of reading and `memmem`; it also walks, opens and probes each file. In cache:
//!
//! | part | speed in cache, when `memmem` has 68 GB/s |
//! | --- | --- |
//! | the packed searcher of `aho-corasick`, for one string of two bytes that does not occur | 38 GB/s |
//! | the same for the keys | 25 to 32 GB/s |
//! | the probes of runs | 80 GB/s |
//! | the whole search | 10 to 19 GB/s |
//!
//! The packed searcher is the floor of a search for several strings. Vector instructions that only compare bytes, without
//! a table, test one pair of bytes at the speed of `memmem`.
//!
//! Both sides take turns, on one thread.

use std::env;
use std::fmt::Write;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use memchr::memmem;
use sectile_audit::{Audit, Progress};
use sectile_policy::Policy;
use sectile_testing::bench::rounds::paired;

#[allow(dead_code, unused_imports)] // decoders
#[path = "../src/inside/mod.rs"]
mod inside;

/// Number of bytes that an audit reads at once.
const WINDOW_LEN: usize = 128 << 10;

/// Share of the speed of the other side.
const TARGET: f64 = 0.8;

/// A string that is not there.
const STRING: &str = "AGFzbQEAAAAAAA";

fn main() {
    let measures = env::args().any(|arg| arg == "--bench"); // `cargo test --benches` runs it briefly
    let paths: Vec<PathBuf> = env::args_os().skip(1).filter(|arg| arg != "--bench").map(PathBuf::from).collect();
    let rounds = if measures { 15 } else { 1 };
    if paths.is_empty() {
        let (files, len) = if measures { (16, 8 << 20) } else { (2, 64 << 10) };
        let store = tempfile::tempdir().expect("there is a place for temporary files");
        for nth in 0..files {
            fs::write(store.path().join(format!("{nth}.js")), script(nth, len)).expect("the file can be written");
        }
        measure("generated scripts", store.path(), rounds);
    }
    for path in paths {
        measure(&path.file_name().unwrap_or_default().to_string_lossy(), &path, rounds);
    }
}

fn measure(name: &str, path: &Path, rounds: usize) {
    let entries = walkdir::WalkDir::new(path).sort_by_file_name().into_iter();
    let entries = entries.map(|entry| entry.expect("the directory can be read"));
    let files: Vec<PathBuf> =
        entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect();
    let cached = in_cache(&files, rounds);
    let audit = Audit::new(Policy::default()).with_threads(1);
    let roots = [path.into()];
    let ours = || {
        let outcome = audit.run(&roots, None, &mut std::io::sink(), &Progress::new());
        outcome.expect("nothing is written").summary.store_bytes
    };
    let read = paired(rounds, ours, || read_and_search(&files));
    for (row, other, speed) in
        [("in cache", "`memmem`", cached), ("audit", "reading and `memmem`", read.theirs / read.ours)]
    {
        let verdict = if speed >= TARGET { "reached" } else { "MISSED" };
        println!("| inside/{name}, {row}: {speed:.2} of the speed of {other} (to reach {TARGET}): {verdict}");
    }
}

/// The speed of the search, divided by that of `memmem`.
fn in_cache(files: &[PathBuf], rounds: usize) -> f64 {
    const MOST: u64 = 16 << 20;
    let mut bytes = Vec::new();
    for path in files {
        let file = File::open(path).expect("the file exists");
        let rest = MOST.saturating_sub(bytes.len() as u64);
        file.take(rest).read_to_end(&mut bytes).expect("the file can be read");
    }
    let finder = memmem::Finder::new(STRING);
    let (mut ours, mut theirs) = (0.0, 0.0);
    for window in bytes.chunks(WINDOW_LEN) {
        ours += fastest(rounds, || candidates(black_box(window)));
        theirs += fastest(rounds, || finder.find_iter(black_box(window)).count());
    }
    theirs / ours
}

fn fastest(rounds: usize, mut run: impl FnMut() -> usize) -> f64 {
    let time = |_| {
        let begun = Instant::now();
        black_box(run());
        begun.elapsed().as_secs_f64()
    };
    (0..rounds).map(time).fold(f64::INFINITY, f64::min)
}

/// The number of places that the search offers, which are not decoded.
fn candidates(window: &[u8]) -> usize {
    let (mut finder, mut count) = (inside::Finder::default(), 0);
    while let Some(candidate) = finder.next(window, 0, true) {
        finder.reject(&candidate, candidate.at as u64 + 1);
        count += 1;
    }
    count
}

/// Reads all files in windows, and searches each for a string that is not there.
fn read_and_search(files: &[PathBuf]) -> u64 {
    let (finder, mut buffer, mut searched) = (memmem::Finder::new(STRING), vec![0; WINDOW_LEN], 1);
    for path in files {
        let mut file = File::open(path).expect("the file exists");
        loop {
            let len = file.read(&mut buffer).expect("the file can be read");
            if len == 0 {
                break;
            }
            searched += 1 + u64::from(finder.find(&buffer[..len]).is_some());
        }
    }
    searched
}

/// Text that looks like a minified script.
fn script(seed: u32, len: usize) -> String {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut below = |most: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % most
    };
    let words = [
        "function",
        "return",
        "const",
        "this",
        "value",
        "length",
        "Array",
        "prototype",
        "if",
        "0",
        "12",
        "wasm",
        "module",
    ];
    let marks = ["(", ")", "{", "}", ";", ",", ".", "=>", "===", " ", "\"", "[0]", "+", "\n"];
    let mut text = String::new();
    while text.len() < len {
        match below(3) {
            0 => text.push_str(words[below(words.len())]),
            1 => text.push(char::from(b'a' + below(26) as u8)),
            _ => write!(text, "_{:x}", below(1 << 16)).expect("a string takes all text"),
        }
        text.push_str(marks[below(marks.len())]);
    }
    text
}
