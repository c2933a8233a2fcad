//! The table of evidence in `docs/inventory.md`.

use std::fmt::Write;

use sectile::inventory::Evidence;
use sectile_testing::docs::assert_generated;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/inventory.md");

#[test]
fn the_table_of_evidence_matches_the_source() {
    let mut table = "| evidence | list | |\n| --- | --- | --- |\n".to_owned();
    for evidence in Evidence::ALL {
        writeln!(table, "| `{evidence}` | {} | {} |", evidence.list(), evidence.help()).unwrap();
    }
    assert_generated(PAGE, "<!-- generated from src/inventory/package.rs -->\n", &table);
}
