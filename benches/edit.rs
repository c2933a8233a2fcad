//! Edits: what planning costs beside scanning, and writing in place beside writing all of it anew.
//!
//! To reach: a plan that sets five fields takes at most twice the scan of the file alone; an edit in place at the end of
//! a module of 66 MB, with its journal and nothing synced, is 1,000 times as fast as encoding the module again with
//! `wasm_metadata` and writing it out, and writes the metadata and less than 4 KiB beside it; an edit deep in a component
//! takes at most 1.2 times as long as the same edit at its root.

mod support;

use std::fs;
use std::path::Path;

use sectile::drive::Cost;
use sectile::edit::Edit;
use sectile::metadata::Field;
use sectile::scan::{Section, Visitor, Want};
use sectile::splice::{Plan, WriteOptions};
use sectile::{Input, Limits};
use wasm_metadata::{AddMetadata, Licenses};

use support::duel::{Line, Side, Target, duel, print};
use support::inputs::{COMPONENT, DUCKDB, OPENCASCADE, OnDisk, RUBY_DEBUG, input};

fn main() {
    let mut criterion = support::criterion();
    plan_beside_scan(&mut criterion);
    deep_beside_root(&mut criterion);
    in_place_beside_anew(&mut criterion);
    criterion.final_summary();
}

/// A plan that sets five fields, beside the scan alone; both by positioned reads of an open file.
fn plan_beside_scan(criterion: &mut criterion::Criterion) {
    let edit = five_fields(Edit::new());
    for name in [OPENCASCADE, RUBY_DEBUG, DUCKDB, COMPONENT] {
        let input = input(name);
        let file = OnDisk::of(&input);
        let open = Input::open(&file.path).expect("the file is there");
        let row = format!("plan/{}", input.id);
        let mut group = criterion.benchmark_group(&row);
        let scan = Side { name: "scan", run: || scan(&open) };
        let times = duel(&mut group, || plan(&edit, &open), scan);
        group.finish();
        let (other, target, size) = ("the scan alone", Target::AtMost(2.0, 0.0), open.len());
        let cost = scan_cost(&open);
        print(times.map(|times| Line { row: &row, other, times, target, cost, size }));
    }
}

/// The same edit at the deepest item, beside the root.
fn deep_beside_root(criterion: &mut criterion::Criterion) {
    let input = input(COMPONENT);
    let file = OnDisk::of(&input);
    let open = Input::open(&file.path).expect("the file is there");
    let metadata = open.read(Limits::default()).expect("the inputs are sound").value;
    let deepest = metadata.items().iter().max_by_key(|item| item.depth()).expect("there is a root");
    let (at_root, deep) = (five_fields(Edit::new()), five_fields(Edit::new().at(metadata.path(deepest))));
    let row = format!("deep/{}", input.id);
    let mut group = criterion.benchmark_group(&row);
    let root = Side { name: "root", run: || plan(&at_root, &open) };
    let times = duel(&mut group, || plan(&deep, &open), root);
    group.finish();
    let (other, target, size) = ("at the root", Target::AtMost(1.2, 0.0), open.len());
    let cost = scan_cost(&open);
    print(times.map(|times| Line { row: &row, other, times, target, cost, size }));
}

/// From the path: opened, planned, journalled, written, the journal removed.
fn in_place_beside_anew(criterion: &mut criterion::Criterion) {
    let input = input(OPENCASCADE);
    let edited = OnDisk::make(|path| {
        let plan = licensed("MIT").plan_slice(&input.bytes, Limits::default()).expect("the inputs are sound").plan;
        fs::write(path, plan.to_vec(&input.bytes).expect("it is the plan's source")).expect("the disk has room");
    });
    let anew = OnDisk::make(|_| ());
    let edits = [licensed("ISC OR MIT"), licensed("MIT")];
    let mut turn = 0;
    let mut in_place = || {
        turn ^= 1;
        let open = Input::open(&edited.path).expect("the file is there");
        let plan = plan(&edits[turn ^ 1], &open);
        assert!(!plan.is_identity());
        plan.write_in_place(&edited.path, WriteOptions { sync: false, ..Default::default() })
            .expect("the disk has room");
    };

    let row = format!("in-place/{}", input.id);
    let mut group = criterion.benchmark_group(&row);
    group.sample_size(20); // the other side takes a tenth of a second
    let wasm_metadata = Side { name: "wasm-metadata", run: || encode_anew(&input.bytes, &anew.path) };
    let times = duel(&mut group, &mut in_place, wasm_metadata);
    group.finish();
    let written = written_by(&mut in_place);
    let (other, target, size) = ("wasm-metadata and fs::write", Target::Faster(1_000.0), input.bytes.len() as u64);
    let cost = scan_cost(&Input::open(&edited.path).expect("the file is there"));
    print(times.map(|times| Line { row: &row, other, times, target, cost, size }));
    if let (Some(written), Some(_)) = (written, times) {
        say_written(written);
    }
}

#[allow(clippy::print_stdout)] // a bench prints
fn say_written(written: u64) {
    const METADATA: u64 = 21; // the longer of the two sections
    let verdict = if written <= METADATA + 4096 { "reached" } else { "MISSED" };
    println!(
        "| in-place: {written} bytes written, journal and all, for {METADATA} of metadata (limit + 4096): {verdict}\n"
    );
}

fn five_fields(edit: Edit) -> Edit {
    let fields = [Field::Authors, Field::Licenses, Field::Revision, Field::Source, Field::Version];
    let values = ["Sectile's authors", "MIT OR Apache-2.0", "0123456789abcdef", "https://example.com/a", "1.2.3"];
    fields.into_iter().zip(values).fold(edit, |edit, (field, value)| edit.set(field, value).expect("it is sound"))
}

fn licensed(licenses: &str) -> Edit {
    Edit::new().set(Field::Licenses, licenses).expect("it is sound")
}

fn plan(edit: &Edit, input: &Input) -> Plan {
    edit.plan(input, Limits::default()).expect("the inputs are sound").plan
}

struct Nobody;

impl Visitor<'_> for Nobody {
    fn section(&mut self, _: &Section<'_>) -> Want {
        Want::Nothing
    }
}

fn scan(input: &Input) {
    input.scan(&mut Nobody, Limits::default()).0.expect("the inputs are sound");
}

fn scan_cost(input: &Input) -> Cost {
    input.scan(&mut Nobody, Limits::default()).1
}

fn encode_anew(bytes: &[u8], out: &Path) {
    let mut add = AddMetadata::default();
    add.licenses = wasm_metadata::AddMetadataField::Set("MIT".parse::<Licenses>().expect("it is sound"));
    fs::write(out, add.to_wasm(bytes).expect("the inputs are sound")).expect("the disk has room");
}

/// The bytes that something hands to the system to be written; known on Linux alone.
fn written_by(run: &mut impl FnMut()) -> Option<u64> {
    let count = || -> Option<u64> {
        let io = fs::read_to_string("/proc/self/io").ok()?;
        io.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse().ok())
    };
    let before = count()?;
    run();
    Some(count()? - before)
}
