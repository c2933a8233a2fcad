//! An upload that arrives in chunks: pushing them, compared with SHA-256 of the same chunks.
//!
//! Targets: 10 ns a chunk (most hold no header), and a thousandth of the hash's time.

use sectile::Cost;
use sectile::digest::{Digest, Hasher};
use sectile::drive::PushDriver;
use sectile::metadata::{Metadata, StreamReader};

use sectile_testing::bench;
use sectile_testing::bench::inputs::{OPENCASCADE, input};
use sectile_testing::bench::paired::{Line, Side, Target, paired, print};

fn main() {
    let mut criterion = bench::criterion();
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
        let times = paired(&mut group, || pushed(bytes, chunk), hash);
        group.finish();
        for target in [Target::AtMost(0.0, 10.0 * chunks as f64), Target::AtMost(0.001, 0.0)] {
            print(times.map(|times| Line { row: &row, other: "sha-256", times, target, cost, size }));
        }
    }
    criterion.final_summary();
}

fn pushed(bytes: &[u8], chunk: usize) -> Metadata<'static> {
    let mut push = PushDriver::new(StreamReader::new());
    for chunk in bytes.chunks(chunk) {
        push.push(chunk).expect("the input is valid");
    }
    push.finish().complete().expect("the input is valid")
}

fn hashed(bytes: &[u8], chunk: usize) -> Digest {
    let mut hasher = Hasher::new();
    bytes.chunks(chunk).for_each(|chunk| hasher.update(chunk));
    hasher.finish()
}
