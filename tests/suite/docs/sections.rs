//! What `docs/custom-sections.md` says is so: its table of fields is the one in the source, and its bytes are read as it says.

use sectile::Code;
use sectile::metadata::Field;

use super::{fields, spans, stands_between, text_of};
use crate::support::{binary, found, mouths};

const SECTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/custom-sections.md");

/// The comments around what is made of the table.
const BEGIN: &str = "<!-- the table of fields: made of it, by `BLESS=1 cargo test docs` -->\n";

fn text() -> String {
    text_of(SECTIONS)
}

/// What stands in the fences of this kind.
pub fn fenced(text: &str, kind: &str) -> Vec<String> {
    let begin = format!("```{kind}\n");
    text.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_fields_are_those_of_the_table() {
    stands_between(SECTIONS, BEGIN, &fields());
}

#[test]
fn the_bytes_are_read_as_it_says() {
    let byte = |byte: &str| u8::from_str_radix(byte, 16).unwrap();
    let bytes = |block: &String| -> Vec<u8> {
        let lines = block.lines().map(|line| line.split(';').next().unwrap());
        lines.flat_map(str::split_whitespace).map(byte).collect()
    };
    let sections: Vec<Vec<u8>> = fenced(&text(), "hex").iter().map(bytes).collect();
    assert_eq!(sections.len(), 4);
    let module = binary::module(&sections);
    let metadata = mouths::metadata(&module);
    let root = metadata.root();
    assert!(metadata.findings().is_empty(), "{:?}", metadata.findings());
    assert_eq!((found::text(root, Field::Licenses), found::name(root)), (Some("MIT"), Some("adder")));
    assert_eq!(found::producers(root), [("language", vec![("Rust", "2024")])]);
    let links: Vec<_> = root.debug_links().map(|(section, value)| (section, value.as_str())).collect();
    assert_eq!(links, [("sourceMappingURL", Some("a.json"))]);
}

#[test]
#[cfg(feature = "dependencies")]
fn the_dependencies_are_read_as_it_says() {
    let json = &fenced(&text(), "json")[0];
    let module = binary::module(&[binary::custom(".dep-v0", binary::zlib(json))]);
    let metadata = mouths::metadata(&module);
    assert!(metadata.findings().is_empty());
    let packages = &metadata.root().dependencies().unwrap().packages;
    let told: Vec<_> = packages.iter().map(|found| (&*found.name, &*found.source, found.build, found.root)).collect();
    let expected = [("adler", "crates.io", false, false), ("cc", "git", true, false), ("app", "local", false, true)];
    assert_eq!(told, expected);
    assert_eq!(packages[2].dependencies, [0, 1]);
}

#[test]
#[cfg(feature = "json")]
fn the_retired_form_goes_where_it_says() {
    use sectile::edit::Edit;

    let json = &fenced(&text(), "json")[1];
    let module = binary::module(&[binary::custom("registry-metadata", json)]);
    let metadata = mouths::metadata(&module);
    assert_eq!(found::codes(&metadata), [Code::RetiredSection]);
    let (edit, migration) = Edit::new().migrate(metadata.root()).unwrap();
    assert_eq!(migration.dropped, [r#"categories: ["http"]"#]);
    let edited = edit.plan_slice(&module, Default::default()).unwrap().plan.to_vec(&module).unwrap();
    let migrated = mouths::metadata(&edited);
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

/// Every code that it names is one.
#[test]
fn its_findings_are_there() {
    let text = text();
    let named: Vec<_> = spans(&text).filter(|code| Code::ALL.iter().any(|known| known.name() == *code)).collect();
    assert!(named.len() >= 20, "{named:?}");
}
