//! The bodies of the fuzz targets, each over its seeds.

use sectile_testing::files::{for_each_seed, real_files};
use sectile_testing::seeded::Seeded;

#[path = "../../fuzz/bodies/mod.rs"]
pub mod bodies;

#[test]
fn gate() {
    for_each_seed("crates/sectile-policy/fuzz/seeds/gate", bodies::gate);
    // Random bytes rarely contain a section: half of these inputs control the generator of
    // binaries.
    let mut seeded = Seeded::new(5);
    for _ in 0..2000 {
        let len = seeded.below(400);
        bodies::gate(&seeded.bytes(len));
    }
}

#[test]
fn policy() {
    for_each_seed("crates/sectile-policy/fuzz/seeds/policy", bodies::policy);
    // Generated policies, for binaries with metadata.
    let mut seeded = Seeded::new(6);
    for (_, module) in real_files().into_iter().filter(|(_, bytes)| bytes.len() < 32 << 10) {
        for _ in 0..4 {
            bodies::policy(&[&seeded.bytes(400), &module[..]].concat());
        }
    }
}
