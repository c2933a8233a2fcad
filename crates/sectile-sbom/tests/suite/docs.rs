//! The table of formats in `docs/sbom.md`.

use std::fmt::Write;

use sectile_sbom::SbomFormat;
use sectile_testing::docs::assert_generated;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sbom.md");

#[test]
fn the_table_of_formats_matches_the_source() {
    let mut table = "| format | short name | extension | media type |\n| --- | --- | --- | --- |\n".to_owned();
    for format in SbomFormat::ALL {
        let short_name = format.short_name().map(|name| format!("`{name}`")).unwrap_or_default();
        let extensions: Vec<_> = format.extensions().iter().map(|extension| format!("`.{extension}`")).collect();
        let (name, media_type) = (format.name(), format.media_type());
        writeln!(table, "| `{name}` | {short_name} | {} | `{media_type}` |", extensions.join(" ")).unwrap();
    }
    assert_generated(PAGE, "<!-- generated from crates/sectile-sbom/src/format.rs -->\n", &table);
}
