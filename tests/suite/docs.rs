//! The reference that is made of the tables. `BLESS=1 cargo test docs` writes it anew.

use std::fmt::Write;
use std::path::Path;

use sectile::Code;
use sectile::metadata::Field;

mod comparison;
mod guarantees;
#[cfg(feature = "policy")]
mod policy;
mod sections;

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");

#[test]
fn the_reference_is_what_the_tables_say() {
    let expected = reference();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(REFERENCE, &expected).unwrap();
    }
    assert!(
        text_of(REFERENCE) == expected,
        "docs/reference.md is not what the tables say: run `BLESS=1 cargo test docs`"
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
        The codes are stable. The severity is the default; `sectile check` refuses errors, unless told otherwise.\n\n\
        | code | severity | |\n| --- | --- | --- |\n";
    for code in Code::ALL {
        writeln!(text, "| `{code}` | {} | {} |", code.severity(), code.help()).unwrap();
    }
    text
}

/// A page, with the ends of lines that are checked in.
fn text_of(page: impl AsRef<Path>) -> String {
    std::fs::read_to_string(page).unwrap().replace("\r\n", "\n")
}

/// The end of what is made.
const END: &str = "<!-- its end -->\n";

/// Asserts that a table stands behind this mark in a page, up to its end; or writes it there.
fn stands_between(page: &str, begin: &str, table: &str) {
    let text = text_of(page);
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{begin}\n{table}\n{END}{after}");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(page, &expected).unwrap();
        return;
    }
    assert!(text == expected, "{page}: run `BLESS=1 cargo test docs`");
}

/// What stands between backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
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
