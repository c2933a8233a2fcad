//! Valid binaries, cut at every byte and with every header byte changed. The scanner skips bodies,
//! so large bodies are only sampled.

use std::iter;
use std::ops::Range;

use arbitrary::Unstructured;
use sectile::Limits;
use sectile::scan::Section;
use wasm_smith::{Config, Module};

use sectile_testing::all_drivers;
use sectile_testing::bodies::{self, Outline, Verdict};
use sectile_testing::files::real_files;
use sectile_testing::seeded::Seeded;

/// Preambles, headers and names: all bytes that the scanner examines.
pub(super) fn heads(bytes: &[u8]) -> Vec<Range<usize>> {
    let outline = Outline::of(bytes);
    assert!(outline.error.is_none());
    let head = |section: &Section<'_>| {
        let holds_item = section.kind().name() == "core module" || section.kind().name() == "component";
        let end = section.data().start as usize + if holds_item { 8 } else { 0 };
        section.range().start as usize..end
    };
    iter::once(0..8).chain(outline.sections().map(head)).collect()
}

/// The values that a byte is changed to: extremes, neighbors, and each bit flipped.
fn changes(byte: u8) -> impl Iterator<Item = u8> {
    let neighbors = [0, 1, 0x7f, 0x80, 0xff, byte.wrapping_add(1), byte.wrapping_sub(1)];
    let flips = (0..8).map(move |bit| byte ^ 1 << bit);
    neighbors.into_iter().chain(flips).filter(move |change| *change != byte)
}

/// Changes each byte of the heads. Returns the number of mutants.
fn change_heads(bytes: &[u8]) -> u32 {
    let mut mutant = bytes.to_vec();
    let mut mutants = 0;
    for place in heads(bytes).into_iter().flatten() {
        for change in changes(bytes[place]) {
            mutant[place] = change;
            bodies::framing(&mutant);
            mutants += 1;
        }
        mutant[place] = bytes[place];
    }
    mutants
}

/// Cuts at each byte of the heads, and at every `step`th byte elsewhere. Returns the number of
/// cuts.
fn cut(bytes: &[u8], step: usize) -> u32 {
    let whole = Outline::of(bytes).outline_events();
    let mut is_head = vec![false; bytes.len()];
    heads(bytes).into_iter().flatten().for_each(|place| is_head[place] = true);
    let mut cuts = 0;
    for len in (0..bytes.len()).filter(|len| is_head[*len] || len % step == 0) {
        let cut = &bytes[..len];
        let verdict = bodies::framing(cut);
        cuts += 1;
        // Events before the cut stay valid. A cut after a section of the root is not even
        // truncation.
        let mut events = Outline::of(cut).outline_events();
        if verdict != Verdict::Rejected {
            events.pop();
        }
        assert!(whole.starts_with(&events), "cut at {len}");
    }
    cuts
}

#[test]
fn unchanged_real_files_agree_with_the_reference() {
    for (name, bytes) in real_files() {
        assert_eq!(bodies::framing(&bytes), Verdict::Accepted, "{name}");
        let (_, result) = all_drivers::scan(&bytes, Limits::default());
        result.unwrap();
    }
}

#[test]
fn truncated_real_files_agree_with_the_reference() {
    for (_, bytes) in real_files() {
        let step = 1 + bytes.len() / 2_000;
        assert!(cut(&bytes, step) > 100);
    }
}

#[test]
fn mutated_real_files_agree_with_the_reference() {
    for (_, bytes) in real_files() {
        assert!(change_heads(&bytes) > 100);
    }
}

/// Binaries of wasm-smith from the same random bytes in every run, from 0 to a few kilobytes of
/// them.
pub(super) fn smithed(
    number: usize,
    growth: usize,
    make: impl Fn(&mut Unstructured<'_>) -> Option<Vec<u8>>,
) -> Vec<Vec<u8>> {
    let mut seeded = Seeded::new(263);
    let binaries: Vec<_> = (0..number)
        .filter_map(|nth| {
            let fuel = seeded.bytes(16 + nth * growth);
            make(&mut Unstructured::new(&fuel))
        })
        .collect();
    assert!(binaries.len() > number / 2, "{}", binaries.len());
    binaries
}

fn modules() -> Vec<Vec<u8>> {
    let config = || Config { generate_custom_sections: true, exceptions_enabled: true, ..Config::default() };
    smithed(300, 4, |fuel| Some(Module::new(config(), fuel).ok()?.to_bytes()))
}

pub(super) fn whole_cut_and_changed(binaries: &[Vec<u8>]) {
    for bytes in binaries {
        assert_eq!(bodies::framing(bytes), Verdict::Accepted);
        all_drivers::scan(bytes, Limits::default()).1.unwrap();
        cut(bytes, 1 + bytes.len() / 500);
        change_heads(bytes);
    }
}

#[test]
fn wasm_smith_modules_agree_with_the_reference() {
    whole_cut_and_changed(&modules());
}
