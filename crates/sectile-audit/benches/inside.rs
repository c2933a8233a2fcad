//! The search for binaries inside other files.
//!
//! | row | baseline | target |
//! | --- | --- | --- |
//! | an audit of scripts | reading the same files and searching them for one string, with `memchr` | at most 1.25 x |
//!
//! The target is missed. `memmem` compares two bytes and takes 0.47 instructions for a byte of minified scripts. The
//! search takes 1.40:
//!
//! | part | instructions for a byte | speed in cache, when `memmem` has 64 GB/s |
//! | --- | --- | --- |
//! | the keys, with the packed searcher of `aho-corasick` | 0.71 | 30 GB/s |
//! | the probes of runs | 0.4 | 69 GB/s |
//! | the whole search | 1.40 | 19 GB/s |
//!
//! The packed searcher is the floor of a search for several strings: it has 38 GB/s for one key of two bytes that does
//! not occur, 24 GB/s for three bytes and 18 GB/s for four.
//!
//! Both sides take turns, on one thread. The line gives the fastest round of each, and the median of the ratios of the
//! rounds.

use std::fmt::Write;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use memchr::memmem::Finder;
use sectile_audit::{Audit, Progress};
use sectile_policy::Policy;
use sectile_testing::bench::rounds::{paired, print_ratio};

fn main() {
    let measures = std::env::args().any(|arg| arg == "--bench"); // `cargo test --benches` runs it briefly
    let (files, len, rounds) = if measures { (16, 8 << 20, 15) } else { (2, 64 << 10, 1) };
    let store = tempfile::tempdir().expect("there is a place for temporary files");
    for nth in 0..files {
        fs::write(store.path().join(format!("{nth}.js")), script(nth, len)).expect("the file can be written");
    }
    let audit = Audit::new(Policy::default()).with_threads(1);
    let roots = [store.path().into()];
    let ours = || {
        let outcome = audit.run(&roots, None, &mut std::io::sink(), &Progress::new());
        outcome.expect("nothing is written").summary.not_wasm
    };
    let ratios = paired(rounds, ours, || search(store.path()));
    print_ratio("inside/scripts", "reading and one search", &ratios, 1.25);
}

/// Reads all files in windows, and searches each for a string that is not there.
fn search(directory: &Path) -> u64 {
    let (finder, mut buffer, mut searched) = (Finder::new("AGFzbQEAAAA"), vec![0; 256 << 10], 1);
    for entry in fs::read_dir(directory).expect("the directory exists") {
        let path = entry.expect("the directory can be read").path();
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
