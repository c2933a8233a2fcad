//! The body of the fuzz target, over its seeds.

use sectile_testing::files::for_each_seed;

#[path = "../../fuzz/bodies/mod.rs"]
mod bodies;

#[test]
fn manifest() {
    for_each_seed("crates/sectile-manifest/fuzz/seeds/manifest", bodies::manifest);
}
