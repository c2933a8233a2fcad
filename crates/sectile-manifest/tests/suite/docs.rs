//! The tables of keys in `docs/manifests.md` are generated.
//! `BLESS=1 cargo test --workspace --all-features docs` rewrites them.

use sectile_manifest::{KeyTarget, ManifestFormat};

#[test]
fn tables_of_keys_are_generated() {
    const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/manifests.md");
    const HEADING: &str = "\n| key | becomes |\n| --- | --- |\n";
    const BUILD_HEADING: &str = "\n| key | value | |\n| --- | --- | --- |\n";
    let docs = std::fs::read_to_string(DOCS).unwrap().replace("\r\n", "\n");
    let mut expected = docs.clone();
    for format in ManifestFormat::ALL {
        let section = expected.find(&format!("\n## {}\n", format.file_name())).unwrap();
        let start = section + expected[section..].find(HEADING).unwrap() + HEADING.len();
        let end = start
            + expected[start..].find("\n\n").map_or(0, |end| end + 1) * usize::from(expected[start..].starts_with('|'));
        let lines = format.key_mappings().into_iter().map(|mapping| {
            let becomes = match mapping.target() {
                KeyTarget::Field(field) if mapping.joins() => format!("`{field}`, joined"),
                KeyTarget::Field(field) => format!("`{field}`"),
                KeyTarget::Name => "the name".to_owned(),
                _ => "ignored, with a notice".to_owned(),
            };
            format!("| `{}` | {becomes} |\n", mapping.key())
        });
        expected.replace_range(start..end, &lines.collect::<String>());
    }
    let start = expected.find(BUILD_HEADING).unwrap() + BUILD_HEADING.len();
    let end = start
        + expected[start..].find("\n\n").map_or(0, |end| end + 1) * usize::from(expected[start..].starts_with('|'));
    let lines = ManifestFormat::Sectile.build_keys();
    let lines = lines.map(|key| format!("| `{}` | {} | {} |\n", key.name(), key.expects(), key.help()));
    expected.replace_range(start..end, &lines.collect::<String>());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(DOCS, &expected).unwrap();
    }
    let docs = std::fs::read_to_string(DOCS).unwrap().replace("\r\n", "\n");
    assert!(
        docs == expected,
        "docs/manifests.md is not what the tables say: run `BLESS=1 cargo test --workspace --all-features docs`"
    );
}
