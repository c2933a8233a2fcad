//! The bodies of the fuzz targets, each run over its seeds.

use std::cell::Cell;

use arbitrary::Unstructured;

use sectile_testing::bodies::{self, Verdict};
use sectile_testing::files::for_each_seed;
use sectile_testing::seeded::Seeded;

/// Runs a body over the seeds of its target.
fn over_seeds(target: &str, body: impl Fn(&[u8])) {
    for_each_seed(&format!("fuzz/seeds/{target}"), body);
}

#[test]
fn drivers() {
    over_seeds("drivers", bodies::drivers);
}

#[test]
fn fetches() {
    over_seeds("fetches", bodies::fetches);
}

#[test]
fn framing_raw() {
    frame_seeds("framing_raw", <[u8]>::to_vec);
}

#[test]
fn framing_structured() {
    frame_seeds("framing_structured", |fuel| bodies::binary(&mut Unstructured::new(fuel)));
}

/// Compares inputs generated from seeds with the reference. Some are accepted and some are not.
fn frame_seeds(target: &str, make: impl Fn(&[u8]) -> Vec<u8>) {
    let (accepted, rejected) = (Cell::new(0), Cell::new(0));
    over_seeds(target, |seed| match bodies::framing(&make(seed)) {
        Verdict::Rejected => rejected.set(rejected.get() + 1),
        Verdict::Accepted | Verdict::BrokenBody => accepted.set(accepted.get() + 1),
    });
    assert!(accepted.get() >= 10 && rejected.get() >= 10, "{accepted:?} {rejected:?}");
}

#[test]
fn stream_edits() {
    over_seeds("stream_edits", bodies::stream_edits);
    // Few random inputs contain a section, so most of these go through the generator.
    let mut seeded = Seeded::new(5);
    for _ in 0..2000 {
        let len = seeded.below(400);
        bodies::stream_edits(&seeded.bytes(len));
    }
}

#[test]
fn plans() {
    let edited = Cell::new(0);
    over_seeds("plans", |input| edited.set(edited.get() + usize::from(bodies::plans(input).is_some())));
    assert!(edited.get() >= 20, "{edited:?}");
}
