//! `docs/custom-sections.md` is correct: its table of fields is that of the source, and its
//! examples are read as documented.

use sectile::FindingCode;
use sectile::metadata::Field;

use super::fields;
use sectile_testing::docs::{assert_generated, spans, text_of};
use sectile_testing::{all_drivers, binary, found};

const SECTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/custom-sections.md");

/// The comment before the generated table.
const BEGIN: &str =
    "<!-- generated from the table of fields by `BLESS=1 cargo test --workspace --all-features docs` -->\n";

fn text() -> String {
    text_of(SECTIONS)
}

/// The contents of the code blocks with this language.
pub fn fenced(text: &str, kind: &str) -> Vec<String> {
    let begin = format!("```{kind}\n");
    text.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_fields_match_the_table() {
    assert_generated(SECTIONS, BEGIN, &fields());
}

#[test]
fn the_example_bytes_are_read_as_documented() {
    let byte = |byte: &str| u8::from_str_radix(byte, 16).unwrap();
    let bytes = |block: &String| -> Vec<u8> {
        let lines = block.lines().map(|line| line.split(';').next().unwrap());
        lines.flat_map(str::split_whitespace).map(byte).collect()
    };
    let sections: Vec<Vec<u8>> = fenced(&text(), "hex").iter().map(bytes).collect();
    assert_eq!(sections.len(), 4);
    let module = binary::module(&sections);
    let metadata = all_drivers::metadata(&module);
    let root = metadata.root();
    assert!(metadata.findings().is_empty(), "{:?}", metadata.findings());
    assert_eq!((found::text(root, Field::Licenses), found::name(root)), (Some("MIT"), Some("adder")));
    assert_eq!(found::producers(root), [("language", vec![("Rust", "2024")])]);
    let links: Vec<_> = root.debug_links().map(|(section, value)| (section, value.as_str())).collect();
    assert_eq!(links, [("sourceMappingURL", Some("a.json"))]);
}

#[test]
#[cfg(feature = "dependencies")]
fn the_example_dependencies_are_read_as_documented() {
    let json = &fenced(&text(), "json")[0];
    let module = binary::module(&[binary::custom(".dep-v0", binary::zlib(json))]);
    let metadata = all_drivers::metadata(&module);
    assert!(metadata.findings().is_empty());
    let packages = &metadata.root().dependencies().unwrap().packages();
    let listed: Vec<_> = packages.iter().map(|found| (&*found.name, &*found.source, found.build, found.root)).collect();
    let expected = [("adler", "crates.io", false, false), ("cc", "git", true, false), ("app", "local", false, true)];
    assert_eq!(listed, expected);
    assert_eq!(packages[2].dependencies, [0, 1]);
}

#[test]
#[cfg(feature = "json")]
fn the_retired_section_is_migrated_as_documented() {
    use sectile::edit::Edit;

    let json = &fenced(&text(), "json")[1];
    let module = binary::module(&[binary::custom("registry-metadata", json)]);
    let metadata = all_drivers::metadata(&module);
    assert_eq!(found::codes(&metadata), [FindingCode::RetiredSection]);
    let (edit, migration) = Edit::new().migrate(metadata.root()).unwrap();
    assert_eq!(migration.dropped(), [r#"categories: ["http"]"#]);
    let edited = edit.plan_slice(&module).unwrap().plan().to_vec(&module).unwrap();
    let migrated = all_drivers::metadata(&edited);
    let values: Vec<_> = migrated.root().annotations().map(|(field, value)| (field, value.as_str().unwrap())).collect();
    let expected = [
        (Field::Authors, "A, B"),
        (Field::Description, "d"),
        (Field::Homepage, "https://example.org"),
        (Field::Licenses, "MIT"),
        (Field::Source, "https://example.org/r"),
    ];
    assert_eq!(values, expected);
}

/// The page names at least 20 finding codes.
#[test]
fn the_named_findings_exist() {
    let text = text();
    let named: Vec<_> =
        spans(&text).filter(|code| FindingCode::ALL.iter().any(|known| known.name() == *code)).collect();
    assert!(named.len() >= 20, "{named:?}");
}
