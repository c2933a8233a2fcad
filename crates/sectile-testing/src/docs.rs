//! Pages with parts that are generated from tables in the source.
//! `BLESS=1 cargo test --workspace --all-features docs` rewrites them.

use std::path::Path;

/// The text of a page, with `\n` as the line end.
pub fn text_of(page: impl AsRef<Path>) -> String {
    std::fs::read_to_string(page).unwrap().replace("\r\n", "\n")
}

/// The mark at the end of a generated part.
pub const END: &str = "<!-- its end -->\n";

/// Asserts that this table is between the marks in a page. With `BLESS=1`, writes it there.
pub fn assert_generated(page: &str, begin: &str, table: &str) {
    let text = text_of(page);
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{begin}\n{table}\n{END}{after}");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(page, &expected).unwrap();
        return;
    }
    assert!(text == expected, "{page}: run `BLESS=1 cargo test --workspace --all-features docs`");
}

/// The code spans of a text.
pub fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
