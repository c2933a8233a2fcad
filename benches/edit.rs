//! Edits: planning compared with scanning, and writing in place compared with writing a new file.
//!
//! Targets: A plan that sets five fields takes at most twice as long as scanning the file. An edit in place at the end of
//! a module of 66 MB, with journal and without sync, is 1,000 times as fast as `wasm_metadata` and `fs::write`, and writes
//! the metadata and at most 4 KiB more. An edit deep in a component takes at most 1.2 times as long as the same edit of
//! its root.

use std::fs;
use std::path::Path;

use sectile::Cost;
use sectile::edit::{Edit, EditPlan};
use sectile::metadata::Field;
use sectile::scan::{DataRequest, Section, Visitor};
use sectile::splice::WriteOptions;
use sectile::{Input, Limits};
use wasm_metadata::{AddMetadata, Licenses};

use sectile_testing::bench;
use sectile_testing::bench::inputs::{BenchFile, COMPONENT, DUCKDB, OPENCASCADE, RUBY_DEBUG, input};
use sectile_testing::bench::paired::{Line, Side, Target, paired, print};

fn main() {
    let mut criterion = bench::criterion();
    plan_beside_scan(&mut criterion);
    deep_beside_root(&mut criterion);
    in_place_and_rewritten(&mut criterion);
    criterion.final_summary();
}

/// A plan that sets five fields, compared with a scan. Both use positioned reads of an open file.
fn plan_beside_scan(criterion: &mut criterion::Criterion) {
    let edit = set_five_fields(Edit::new());
    for name in [OPENCASCADE, RUBY_DEBUG, DUCKDB, COMPONENT] {
        let input = input(name);
        let file = BenchFile::of(&input);
        let open = Input::open(&file.path).expect("the file is there");
        let row = format!("plan/{}", input.id);
        let mut group = criterion.benchmark_group(&row);
        let scan = Side { name: "scan", run: || scan(&open) };
        let times = paired(&mut group, || plan(&edit, &open), scan);
        group.finish();
        let (other, target, size) = ("the scan alone", Target::AtMost(2.0, 0.0), open.len());
        let cost = scan_cost(&open);
        print(times.map(|times| Line { row: &row, other, times, target, cost, size }));
    }
}

/// The same edit of the deepest item and of the root.
fn deep_beside_root(criterion: &mut criterion::Criterion) {
    let input = input(COMPONENT);
    let file = BenchFile::of(&input);
    let open = Input::open(&file.path).expect("the file is there");
    let metadata = open.read().expect("the input is valid");
    let deepest = metadata.items().max_by_key(|item| item.depth()).expect("there is a root");
    let (at_root, deep) = (set_five_fields(Edit::new()), set_five_fields(Edit::new().at(deepest.path())));
    let row = format!("deep/{}", input.id);
    let mut group = criterion.benchmark_group(&row);
    let root = Side { name: "root", run: || plan(&at_root, &open) };
    let times = paired(&mut group, || plan(&deep, &open), root);
    group.finish();
    let (other, target, size) = ("at the root", Target::AtMost(1.2, 0.0), open.len());
    let cost = scan_cost(&open);
    print(times.map(|times| Line { row: &row, other, times, target, cost, size }));
}

/// Everything from the path on: open, plan, write the journal, write, remove the journal.
fn in_place_and_rewritten(criterion: &mut criterion::Criterion) {
    let input = input(OPENCASCADE);
    let edited = BenchFile::make(|path| {
        let planned = licensed("MIT").plan_slice(&input.bytes).expect("the input is valid");
        fs::write(path, planned.plan().to_vec(&input.bytes).expect("it is the plan's source"))
            .expect("the file can be written");
    });
    let rewritten = BenchFile::make(|_| ());
    let edits = [licensed("ISC OR MIT"), licensed("MIT")];
    let mut turn = 0;
    let mut in_place = || {
        turn ^= 1;
        let open = Input::open(&edited.path).expect("the file is there");
        let planned = plan(&edits[turn ^ 1], &open);
        assert!(!planned.plan().is_identity());
        planned
            .plan()
            .write_in_place(&edited.path, WriteOptions { sync: false, ..Default::default() })
            .expect("the file can be written");
    };

    let row = format!("in-place/{}", input.id);
    let mut group = criterion.benchmark_group(&row);
    group.sample_size(20); // the other side takes a tenth of a second
    let wasm_metadata =
        Side { name: "wasm-metadata", run: || rewrite_with_wasm_metadata(&input.bytes, &rewritten.path) };
    let times = paired(&mut group, &mut in_place, wasm_metadata);
    group.finish();
    let written = written_by(&mut in_place);
    let (other, target, size) = ("wasm-metadata and fs::write", Target::Faster(1_000.0), input.bytes.len() as u64);
    let cost = scan_cost(&Input::open(&edited.path).expect("the file is there"));
    print(times.map(|times| Line { row: &row, other, times, target, cost, size }));
    if let (Some(written), Some(_)) = (written, times) {
        print_written(written);
    }
}

#[allow(clippy::print_stdout)] // a bench prints
fn print_written(written: u64) {
    const METADATA: u64 = 21; // the longer of the two sections
    let verdict = if written <= METADATA + 4096 { "reached" } else { "MISSED" };
    println!(
        "| in-place: {written} bytes written, journal and all, for {METADATA} of metadata (limit + 4096): {verdict}\n"
    );
}

fn set_five_fields(edit: Edit) -> Edit {
    let fields = [Field::Authors, Field::Licenses, Field::Revision, Field::Source, Field::Version];
    let values = ["Sectile's authors", "MIT OR Apache-2.0", "0123456789abcdef", "https://example.com/a", "1.2.3"];
    fields
        .into_iter()
        .zip(values)
        .fold(edit, |edit, (field, value)| edit.set(field, value).expect("the value is valid"))
}

fn licensed(licenses: &str) -> Edit {
    Edit::new().set(Field::Licenses, licenses).expect("the value is valid")
}

fn plan(edit: &Edit, input: &Input) -> EditPlan {
    edit.plan_input(input).expect("the input is valid")
}

struct IgnoreSections;

impl Visitor<'_> for IgnoreSections {
    fn section(&mut self, _: &Section<'_>) -> DataRequest {
        DataRequest::Nothing
    }
}

fn scan(input: &Input) {
    input.scan(&mut IgnoreSections, Limits::default()).complete().expect("the input is valid");
}

fn scan_cost(input: &Input) -> Cost {
    input.scan(&mut IgnoreSections, Limits::default()).cost()
}

fn rewrite_with_wasm_metadata(bytes: &[u8], out: &Path) {
    let mut add = AddMetadata::default();
    add.licenses = wasm_metadata::AddMetadataField::Set("MIT".parse::<Licenses>().expect("the value is valid"));
    fs::write(out, add.to_wasm(bytes).expect("the input is valid")).expect("the file can be written");
}

/// The bytes that the process passes to write calls. Known only on Linux.
fn written_by(run: &mut impl FnMut()) -> Option<u64> {
    let count = || -> Option<u64> {
        let io = fs::read_to_string("/proc/self/io").ok()?;
        io.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok())
    };
    let before = count()?;
    run();
    Some(count()? - before)
}
