//! The body of the fuzz target `databases`, over its seeds.

use sectile_testing::files::for_each_seed;

#[path = "../../fuzz/bodies.rs"]
mod bodies;

#[test]
fn databases() {
    for_each_seed("crates/sectile-advisories/fuzz/seeds/databases", bodies::databases);
}
