//! The reference is generated from the tables. `BLESS=1 cargo test --workspace --all-features docs`
//! rewrites it.

use std::fmt::Write;

use sectile::FindingCode;
use sectile::metadata::Field;
use sectile_testing::docs::text_of;

mod comparison;
mod guarantees;
#[cfg(feature = "inventory")]
mod inventory;
mod paths;
mod sections;

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");

#[test]
fn the_reference_matches_the_tables() {
    let expected = reference();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(REFERENCE, &expected).unwrap();
    }
    assert!(
        text_of(REFERENCE) == expected,
        "docs/reference.md is not what the tables say: run `BLESS=1 cargo test --workspace --all-features docs`"
    );
}

fn reference() -> String {
    let mut text = "# Reference\n\n\
        Made of the tables in the source (`src/metadata/field.rs`, `src/finding.rs`); a test keeps it so.\n\n\
        ## Annotations\n\n\
        A custom section each, at any item of the tree. Its data is the bare UTF-8 value, with no length before it.\n\n"
        .to_owned();
    text += &fields();
    text += "\n## Findings\n\n\
        The codes are stable. The severity is the default, which a policy can change. `sectile check` refuses errors by \
        default. `sectile explain CODE` prints the same texts.\n\n\
        | code | severity | what it is | why it matters | how to fix it |\n| --- | --- | --- | --- | --- |\n";
    for code in FindingCode::ALL {
        let (help, why, fix) = (code.help(), code.why(), code.fix());
        writeln!(text, "| `{code}` | {} | {help} | {why} | {fix} |", code.severity()).unwrap();
    }
    text
}

/// A row for every field.
fn fields() -> String {
    let mut table = "| custom section | OCI annotation | value | |\n| --- | --- | --- | --- |\n".to_owned();
    for field in Field::ALL {
        let (section, key, expects) = (field.section(), field.oci_key(), field.expects().name());
        writeln!(table, "| `{section}` | `{key}` | {expects} | {} |", field.help()).unwrap();
    }
    table
}
