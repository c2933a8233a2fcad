//! The README shows the figures of `docs/comparison.md`: `benches/compare` writes both. No test measures them again.

use std::path::Path;

use sectile_testing::docs::{END, text_of};

const BEGIN: &str = "<!-- what was measured: made by `benches/compare` -->\n";

fn text(file: &str) -> String {
    text_of(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))
}

/// The text before, between and after the marks.
fn parts(text: &str) -> [&str; 3] {
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (between, behind) = rest.split_once(END).unwrap();
    [before, between, behind]
}

#[test]
fn the_readme_shows_the_figures_of_the_comparison() {
    let (readme, page) = (text("README.md"), text("docs/comparison.md"));
    let (shown, [_, figures, tables]) = (parts(&readme)[1], parts(&page));
    assert_eq!(shown, figures, "run `benches/compare --render`");

    // The figures come from the tables below them.
    let rows = figures.lines().filter(|line| line.starts_with("| ")).skip(2);
    let cells: Vec<_> = rows.map(|row| row.trim_end_matches(" |").rsplit(" | ").next().unwrap()).collect();
    assert_eq!(cells.len(), 3, "{figures}");
    for figure in cells.iter().flat_map(|cell| cell.split(", ")).flat_map(|part| part.split(" of memory instead of ")) {
        assert!(
            tables.contains(figure.trim_end_matches(" looked at")),
            "{figure} is in no table of docs/comparison.md"
        );
    }
}

#[test]
fn the_readme_has_no_other_figures_of_the_comparison() {
    let readme = text("README.md");
    let [before, _, behind] = parts(&readme);
    let (_, before) = before.split_once("\n## Compared\n").unwrap();
    let (behind, _) = behind.split_once("\n## ").unwrap();
    for by_hand in [before, behind] {
        assert!(!by_hand.contains(|char: char| char.is_ascii_digit()), "{by_hand}");
    }
}

#[test]
fn the_pictures_exist_and_load_nothing() {
    for (file, shown_in) in [("comparison-size.svg", "README.md"), ("comparison-sections.svg", "docs/comparison.md")] {
        let picture = text(&format!("docs/{file}"));
        assert!(picture.starts_with("<svg ") && picture.contains("prefers-color-scheme: dark"), "{file}");
        assert!(!picture.contains("href") && !picture.contains("url(") && !picture.contains("<script"), "{file}");
        assert!(text(shown_in).contains(&format!("{file})")), "{shown_in} does not show {file}");
    }
}
