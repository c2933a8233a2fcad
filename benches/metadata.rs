//! The metadata tree of a slice, compared with `wasm_metadata::Payload::from_binary` of the same slice.
//!
//! Both return the tree of items with names, producers and annotations. `wasm_metadata` also walks the function bodies and
//! parses all names; Sectile skips everything that is not metadata. Targets: 1,000 times as fast on modules of 39 to
//! 69 MB, 100 times on a component of 590 sections.

use std::hint::black_box;

use sectile::{Limits, Outcome, metadata::Metadata};
use wasm_metadata::Payload;

use sectile_testing::bench;
use sectile_testing::bench::inputs::{COMPONENT, DUCKDB, Input, OPENCASCADE, RUBY_DEBUG, input};
use sectile_testing::bench::paired::{Line, Side, Target, paired, print};

fn main() {
    let mut criterion = bench::criterion().sample_size(20); // the other side takes a second
    for (name, faster) in [(OPENCASCADE, 1_000.0), (RUBY_DEBUG, 1_000.0), (DUCKDB, 1_000.0), (COMPONENT, 100.0)] {
        let Input { id, bytes } = input(name);
        let cost = by_sectile(&bytes).cost();
        let row = format!("metadata/{id}");
        let mut group = criterion.benchmark_group(&row);
        let wasm_metadata = Side { name: "wasm-metadata", run: || by_wasm_metadata(black_box(&bytes)) };
        let times = paired(&mut group, || by_sectile(black_box(&bytes)), wasm_metadata);
        group.finish();
        let (other, target, size) = ("wasm-metadata", Target::Faster(faster), bytes.len() as u64);
        print(times.map(|times| Line { row: &row, other, times, target, cost, size }));
    }
    criterion.final_summary();
}

fn by_sectile(bytes: &[u8]) -> Outcome<Metadata<'_>> {
    let outcome = sectile::read_slice_with(bytes, Limits::default());
    assert!(outcome.is_complete(), "the inputs are sound");
    outcome
}

fn by_wasm_metadata(bytes: &[u8]) -> Payload {
    Payload::from_binary(bytes).expect("the input is valid")
}
