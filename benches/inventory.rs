//! The inventory of a file in the page cache.
//!
//! | row | baseline | target |
//! | --- | --- | --- |
//! | `inventory/NAME` | reading the same data sections into memory, and one search for `registry/src/` | at most 2 x |
//! | `inventory/NAME/quitters` | reading the file, and `quitters` | 20 x as fast |
//! | `inventory/NAME/strings` | `strings` piped into `grep` | 20 x as fast |
//! | `inventory/memory` | | at most 16 MiB, the peak of a process that reads a module of 500 MB with 100,000 packages |
//!
//! `cargo xtask inventory` fetches the binaries. Without them, the bench generates one with 9 MB of data in 10,000
//! segments.

use std::env;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use sectile::drive::ReadAt;
use sectile::inventory::Inventory;
use sectile::scan::{DataRequest, Section, SectionKind, Visitor};
use sectile::{Input, Limits, Outcome};

use sectile_testing::bench;
use sectile_testing::bench::inputs::BenchFile;
use sectile_testing::bench::paired::{Line, Side, Target, paired, print};
use sectile_testing::binary::{active, data_section, leb128, module};
use sectile_testing::files::project;

fn main() {
    if let [_, option, path] = &*env::args().collect::<Vec<_>>()
        && option == ONLY_READ
    {
        drop(by_sectile(Path::new(path)));
        println!("{}", peak_memory());
        return;
    }
    if env::args().any(|arg| arg == "--bench") {
        memory();
    }
    let mut criterion = bench::criterion();
    let files = ["typst.wasm", "biome.wasm"].map(|name| project().join("benches/inventory/files").join(name));
    let fetched: Vec<(String, PathBuf)> = (files.into_iter().filter(|path| path.exists()))
        .map(|path| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path))
        .collect();
    let generated = BenchFile::make(|path| fs::write(path, generated()).expect("the disk has room"));
    let inputs = if fetched.is_empty() { vec![("generated".to_owned(), generated.path.clone())] } else { fetched };
    for (name, path) in inputs {
        let path = path.as_path();
        let size = path.metadata().expect("the file is there").len();
        let cost = by_sectile(path).cost();
        let sections = data_sections(path);
        let mut buffer = Vec::new();
        let row = format!("inventory/{name}");
        let mut group = criterion.benchmark_group(&row);
        let floor = Side { name: "floor", run: || by_floor(path, &sections, &mut buffer) };
        let times = paired(&mut group, || by_sectile(path), floor);
        group.finish();
        print(times.map(|times| Line {
            row: &row,
            other: "floor",
            times,
            target: Target::AtMost(2.0, 0.0),
            cost,
            size,
        }));

        let row = format!("inventory/{name}/quitters");
        let mut group = criterion.benchmark_group(&row);
        group.sample_size(10);
        let quitters =
            Side { name: "quitters", run: || quitters::versions(&fs::read(path).expect("it is there")).len() };
        let times = paired(&mut group, || by_sectile(path), quitters);
        group.finish();
        let target = Target::Faster(20.0);
        print(times.map(|times| Line { row: &row, other: "quitters", times, target, cost, size }));

        let row = format!("inventory/{name}/strings");
        let mut group = criterion.benchmark_group(&row);
        group.sample_size(10);
        let times = paired(&mut group, || by_sectile(path), Side { name: "strings", run: || by_strings(path) });
        group.finish();
        print(times.map(|times| Line { row: &row, other: "strings and grep", times, target, cost, size }));
    }
    criterion.final_summary();
}

fn by_sectile(path: &Path) -> Outcome<Inventory> {
    let outcome = Input::open(path).expect("the file is there").inventory_with(Limits::default());
    assert!(outcome.value().is_some_and(|inventory| !inventory.packages().is_empty()));
    outcome
}

/// Reads the data sections whole, and searches them once.
fn by_floor(path: &Path, sections: &[Range<u64>], buffer: &mut Vec<u8>) -> usize {
    let file = File::open(path).expect("the file is there");
    let mut found = 0;
    for section in sections {
        let len = (section.end - section.start) as usize;
        buffer.resize(buffer.len().max(len), 0);
        let mut filled = 0;
        while filled < len {
            filled += file.read_at(&mut buffer[filled..len], section.start + filled as u64).expect("it can be read");
        }
        found += memchr::memmem::find_iter(&buffer[..len], b"registry/src/").count();
    }
    found
}

/// As a person would search.
fn by_strings(path: &Path) -> bool {
    let script = "strings \"$1\" | grep -oE 'registry/src/[^/]+/[A-Za-z0-9_-]+-[0-9.]+' | sort -u >/dev/null";
    Command::new("sh").args(["-c", script, "sh"]).arg(path).status().expect("a shell").success()
}

fn data_sections(path: &Path) -> Vec<Range<u64>> {
    #[derive(Default)]
    struct Data(Vec<Range<u64>>);
    impl Visitor<'_> for Data {
        fn section(&mut self, section: &Section<'_>) -> DataRequest {
            if section.kind() == SectionKind::Data {
                self.0.push(section.data());
            }
            DataRequest::Nothing
        }
    }
    let mut data = Data::default();
    let outcome = Input::open(path).expect("the file is there").scan(&mut data, Limits::default());
    outcome.complete().expect("the inputs are sound");
    data.0
}

/// A module whose data has the shape of a large Rust program's.
fn generated() -> Vec<u8> {
    let mut address = 1 << 20;
    let segments: Vec<Vec<u8>> = (0u32..10_000)
        .map(|nth| {
            let mut contents: Vec<u8> = (0..900u32).map(|at| (at.wrapping_mul(nth | 1) >> 3) as u8).collect();
            if nth % 10 == 0 {
                let path = "/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f";
                contents.extend(format!("{path}/crate-{}-1.0.0/src/lib.rs\0", nth % 1_500).bytes());
            }
            let segment = active(address, &contents);
            address += contents.len() as u32 + 9;
            segment
        })
        .collect();
    module(&[data_section(&segments)])
}

/// Runs this program as a process that reads one file and prints its peak memory in KiB.
const ONLY_READ: &str = "--only-read";

/// Measures the memory of a process that reads a large module.
fn memory() {
    const LIMIT: u64 = 16 << 10;
    let large = BenchFile::make(write_large);
    let size = large.path.metadata().expect("it was written").len();
    let this = env::current_exe().expect("this program has a path");
    let output = Command::new(this).arg(ONLY_READ).arg(&large.path).output().expect("this program runs");
    let peak: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("it prints a number");
    let verdict = if peak < LIMIT { "reached" } else { "MISSED" };
    println!("| inventory/memory: {peak} KiB at the peak for {size} bytes (limit {LIMIT} KiB): {verdict}\n");
}

/// Peak memory of this process in KiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the key exists");
    peak.trim().trim_end_matches(" kB").parse().expect("it is a number")
}

/// Writes a module of 500 segments of 1 MB, each with 200 packages that no other has.
fn write_large(path: &Path) {
    const SEGMENTS: u32 = 500;
    let segment = |nth: u32| {
        let mut contents = Vec::with_capacity(1_000_000);
        for package in 200 * nth..200 * (nth + 1) {
            let path = "/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f";
            contents.extend(format!("{path}/crate-{package:06}-1.0.0/src/lib.rs\0").bytes());
            contents.resize(contents.len() + 4_900, package as u8);
        }
        active(nth * 1_100_000, contents)
    };
    let count = leb128(SEGMENTS);
    let len = count.len() + (0..SEGMENTS).map(|nth| segment(nth).len()).sum::<usize>();
    let mut file = BufWriter::new(File::create(path).expect("the file can be written"));
    let mut write = |bytes: &[u8]| file.write_all(bytes).expect("the disk has room");
    [&module(&[])[..], &[11], &leb128(len as u32), &count].into_iter().for_each(&mut write);
    (0..SEGMENTS).for_each(|nth| write(&segment(nth)));
}
