//! An upload that arrives in chunks: what pushing them costs, and what the gate does beside the hashing that a registry does
//! anyway.
//!
//! Pushing stands beside SHA-256 of the same chunks: to reach are 10 ns a chunk (most hold no header), and a thousandth of
//! the hash. The gate hashes, too, and stands beside hashing alone: to reach is 1.03 times its time.

mod support;

use sectile::Limits;
use sectile::digest::{Digest, Hasher};
use sectile::drive::{Cost, Push};
use sectile::gate::{Accepted, Gate};
use sectile::metadata::{Metadata, Reader};
use sectile::policy::Policy;

use support::duel::{Line, Side, Target, duel, print};
use support::inputs::{OPENCASCADE, input};

fn main() {
    let mut criterion = support::criterion();
    let input = input(OPENCASCADE);
    let bytes = &input.bytes[..];
    let size = bytes.len() as u64;
    for (label, chunk) in [("16 KiB", 16 << 10), ("64 KiB", 64 << 10)] {
        let chunks = bytes.len().div_ceil(chunk) as u64;
        let cost = Cost { bytes: size, reads: chunks };

        let row = format!("push/{}/{label}", input.id);
        let mut group = criterion.benchmark_group(&row);
        group.sample_size(20); // hashing takes tens of milliseconds
        let hash = Side { name: "sha-256", run: || hashed(bytes, chunk) };
        let times = duel(&mut group, || pushed(bytes, chunk), hash);
        group.finish();
        for target in [Target::AtMost(0.0, 10.0 * chunks as f64), Target::AtMost(0.001, 0.0)] {
            print(times.map(|times| Line { row: &row, other: "sha-256", times, target, cost, size }));
        }

        let row = format!("gate/{}/{label}", input.id);
        let mut group = criterion.benchmark_group(&row);
        group.sample_size(20);
        let hash = Side { name: "sha-256", run: || hashed(bytes, chunk) };
        let times = duel(&mut group, || gated(bytes, chunk), hash);
        group.finish();
        let target = Target::AtMost(1.03, 0.0);
        print(times.map(|times| Line { row: &row, other: "sha-256", times, target, cost, size }));
    }
    criterion.final_summary();
}

fn pushed(bytes: &[u8], chunk: usize) -> Metadata<'static> {
    let mut push = Push::new(Reader::copying(Limits::default()), Limits::default());
    for chunk in bytes.chunks(chunk) {
        push.push(chunk).expect("the input is sound");
    }
    let (reader, result) = push.finish();
    result.expect("the input is sound");
    reader.finish().expect("it has a root")
}

fn hashed(bytes: &[u8], chunk: usize) -> Digest {
    let mut hasher = Hasher::new();
    bytes.chunks(chunk).for_each(|chunk| hasher.update(chunk));
    hasher.finish()
}

fn gated(bytes: &[u8], chunk: usize) -> Accepted {
    let mut gate = Gate::new(Policy::default()).declared(bytes.len() as u64);
    for chunk in bytes.chunks(chunk) {
        gate.push(chunk).expect("nothing is refused of it");
    }
    gate.finish().expect("nothing is refused of it")
}
