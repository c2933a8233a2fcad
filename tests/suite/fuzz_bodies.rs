//! The bodies of the fuzz targets, each over its seeds.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use arbitrary::Unstructured;

use crate::support::seeded::Seeded;

#[path = "../../fuzz/bodies/mod.rs"]
pub mod bodies;

use bodies::Verdict;

/// Runs a body over what is in the directory of its target.
fn over_seeds(target: &str, body: impl Fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds = 0;
    for entry in fs::read_dir(directory).unwrap() {
        body(&fs::read(entry.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds >= 20, "{seeds} seeds");
}

#[cfg(feature = "audit")]
#[test]
fn archives() {
    over_seeds("archives", bodies::archives);
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

/// Holds what is made of the seeds against the reference; some are accepted, and some are not.
fn frame_seeds(target: &str, make: impl Fn(&[u8]) -> Vec<u8>) {
    let (accepted, rejected) = (Cell::new(0), Cell::new(0));
    over_seeds(target, |seed| match bodies::framing(&make(seed)) {
        Verdict::Rejected => rejected.set(rejected.get() + 1),
        Verdict::Accepted | Verdict::BrokenBody => accepted.set(accepted.get() + 1),
    });
    assert!(accepted.get() >= 10 && rejected.get() >= 10, "{accepted:?} {rejected:?}");
}

#[cfg(feature = "manifest")]
#[test]
fn manifest() {
    over_seeds("manifest", bodies::manifest);
}

#[cfg(feature = "policy")]
#[test]
fn policy() {
    over_seeds("policy", bodies::policy);
    // And policies of all tables, made of any bytes, for binaries that say something.
    let mut seeded = Seeded::new(6);
    for (_, module) in crate::support::files::real_files().into_iter().filter(|(_, bytes)| bytes.len() < 32 << 10) {
        for _ in 0..4 {
            bodies::policy(&[&seeded.bytes(400), &module[..]].concat());
        }
    }
}

#[test]
fn passing() {
    over_seeds("passing", bodies::passing);
    // Few inputs of any bytes hold a section: most of these are made of what the generator makes of them.
    let mut seeded = Seeded::new(5);
    for _ in 0..2000 {
        let len = seeded.below(400);
        bodies::passing(&seeded.bytes(len));
    }
}

#[test]
fn plans() {
    let edited = Cell::new(0);
    over_seeds("plans", |input| edited.set(edited.get() + usize::from(bodies::plans(input).is_some())));
    assert!(edited.get() >= 20, "{edited:?}");
}
