//! Manifests: every row of every table, and what is wrong with them.

mod bad;
mod cargo;
mod forms;
mod json;

use std::path::{Path, PathBuf};

use sectile::manifest::{Becomes, Format, Manifest, ManifestError, NoticeKind, Row};
use sectile::metadata::Field;

/// Reads a text as if it stood where nothing else is.
fn parse(format: Format, text: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(format, Path::new("/nowhere/at/all").join(format.file_name()), text)
}

#[track_caller]
fn manifest(format: Format, text: &str) -> Manifest {
    parse(format, text).unwrap()
}

/// What is said, without the directory: `LINE KEY: MESSAGE`.
fn notices(manifest: &Manifest) -> Vec<(NoticeKind, String)> {
    let said = |notice: &sectile::manifest::Notice| {
        let place = &notice.place;
        (notice.kind, format!("{} {}: {}", place.line, place.key, notice.message))
    };
    manifest.notices().iter().map(said).collect()
}

/// An error with what brought it about, and without the directory.
fn told(error: &ManifestError) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default()).replace("/nowhere/at/all/", "")
}

/// What one key with this value gives, alone.
fn alone(format: Format, key: &str, value: &str) -> Result<Manifest, ManifestError> {
    if format == Format::Npm {
        return parse(format, &format!("{{\n\"{key}\": {value}}}"));
    }
    let (table, last) = key.rsplit_once('.').unwrap();
    parse(format, &format!("[{table}]\n{last} = {value}\n"))
}

fn value(manifest: &Manifest, row: &Row) -> Option<String> {
    match row.becomes() {
        Becomes::Field(field) => manifest.value(field),
        Becomes::Name => manifest.name(),
        _ => None,
    }
}

/// A value for a row, in the manifest's language, and what becomes of it.
fn sample(row: &Row) -> (&'static str, &'static str) {
    match (row.becomes(), row.key()) {
        (_, "package.authors") => (r#"["A <a@example.com>", "B"]"#, "A <a@example.com>, B"),
        (_, "project.authors" | "project.maintainers") => (
            r#"[{name = "A", email = "a@example.com"}, {name = "B"}, {email = "c@example.com"}]"#,
            "A <a@example.com>, B, c@example.com",
        ),
        (_, "author") => (r#""A <a@example.com> (https://a.example)""#, "A <a@example.com> (https://a.example)"),
        (_, "contributors" | "maintainers") => {
            (r#"["A", {"name": "B", "email": "b@example.com"}]"#, "A, B <b@example.com>")
        }
        (Becomes::Field(Field::Authors), _) => (r#""A, B""#, "A, B"),
        (Becomes::Field(Field::Created), _) => (r#""2026-01-02T03:04:05Z""#, "2026-01-02T03:04:05Z"),
        (Becomes::Field(Field::Licenses), _) => (r#""MIT/Apache-2.0""#, "MIT OR Apache-2.0"),
        (Becomes::Field(Field::Documentation | Field::Homepage | Field::Source), _) => {
            (r#""https://example.com/a""#, "https://example.com/a")
        }
        (Becomes::Field(_) | Becomes::Name, _) => (r#""some-text""#, "some-text"),
        (_, "project.dynamic") => (r#"["version"]"#, ""),
        (_, "package.license-file") => (r#""LICENSE""#, ""),
        _ => (r#"["a"]"#, ""),
    }
}

/// Another value for a row.
fn another(row: &Row) -> &'static str {
    match (row.becomes(), row.key()) {
        (_, "package.authors") => r#"["Z"]"#,
        (_, "project.authors" | "project.maintainers") => r#"[{name = "Z"}]"#,
        (Becomes::Field(Field::Licenses), _) => r#""ISC""#,
        _ => r#""other""#,
    }
}

#[test]
fn every_row_gives_what_it_says() {
    for format in Format::ALL {
        for row in format.rows() {
            let (written, expected) = sample(&row);
            let manifest = alone(format, row.key(), written).unwrap();
            assert_eq!(value(&manifest, &row).unwrap_or_default(), expected, "{} of {format:?}", row.key());
            match row.becomes() {
                Becomes::Nothing => {
                    let [notice] = manifest.notices() else { panic!("{:?}", notices(&manifest)) };
                    assert_eq!(
                        (notice.kind, &*notice.place.key, notice.place.line),
                        (NoticeKind::Dropped, row.key(), 2)
                    );
                }
                Becomes::Field(Field::Licenses) => {
                    let [notice] = manifest.notices() else { panic!("{:?}", notices(&manifest)) };
                    assert_eq!(notice.kind, NoticeKind::Rewritten);
                }
                _ => assert_eq!(manifest.notices(), [], "{}", row.key()),
            }
        }
    }
}

#[test]
fn every_row_refuses_another_kind() {
    let null = told(&alone(Format::Npm, "contributors", "[null]").unwrap_err());
    assert!(null.starts_with("package.json:2: ") && null.ends_with(", and is null"), "{null}");
    for format in Format::ALL {
        let row = &format.rows()[0];
        assert_eq!(alone(format, row.key(), sample(row).0).unwrap().format(), format);
        for row in format.rows().iter().filter(|row| row.becomes() != Becomes::Nothing) {
            for wrong in ["1", "true", "[[1]]"] {
                let error = told(&alone(format, row.key(), wrong).unwrap_err());
                let beginning = format!("{}:2: {}: it is to be ", format.file_name(), row.key());
                assert!(error.starts_with(&beginning), "{error}");
            }
        }
    }
}

#[test]
fn an_empty_value_says_nothing() {
    let mut empty_ones = 0;
    for format in Format::ALL {
        for row in format.rows().iter().filter(|row| !matches!(row.key(), "package.license-file")) {
            for empty in ["\"\"", "[]", "[\"\"]"] {
                let Ok(manifest) = alone(format, row.key(), empty) else { continue }; // it is of the wrong kind
                assert_eq!(value(&manifest, row), None, "{} = {empty}", row.key());
                empty_ones += 1;
            }
        }
    }
    let rows: usize = Format::ALL.iter().map(|format| format.rows().len()).sum();
    assert!(empty_ones >= rows, "{empty_ones} of {rows} rows");
}

#[test]
fn of_two_keys_for_a_field_the_first_row_counts_or_they_join() {
    let (mut joined, mut first) = (0, 0);
    for format in Format::ALL {
        let rows = format.rows();
        for (nth, row) in rows.iter().enumerate().filter(|(_, row)| matches!(row.becomes(), Becomes::Field(_))) {
            for other in rows[..nth].iter().filter(|other| other.becomes() == row.becomes()) {
                let text = |row: &Row, value: &str| match format {
                    Format::Npm => format!("\"{}\": {value},\n", row.key()),
                    _ => format!("{} = {value}\n", row.key()),
                };
                let (written, expected) = sample(other);
                let both = text(other, written) + &text(row, another(row));
                let manifest = parse(format, &wrapped(format, &both)).unwrap();
                let value = value(&manifest, row).unwrap();
                if row.joins() {
                    joined += 1;
                    assert!(value.starts_with(&format!("{expected}, ")), "{value}");
                } else {
                    first += 1;
                    assert_eq!(value, expected, "{} and {}", other.key(), row.key());
                    let counts = format!("`{}` counts, which gives the same field", other.key());
                    assert!(manifest.notices().iter().any(|notice| notice.message == counts), "{both}");
                }
            }
        }
    }
    assert!(joined > 0 && first > 0, "{joined} {first}");
}

fn wrapped(format: Format, entries: &str) -> String {
    if format == Format::Npm { format!("{{{entries}\"z\": 0}}") } else { entries.to_owned() }
}

#[test]
fn what_a_closed_table_holds_beyond_its_rows_is_said() {
    assert!(Format::ALL.iter().any(|format| !format.closed().is_empty()));
    for format in Format::ALL {
        for table in format.closed() {
            let manifest = alone(format, &format!("{table}.revison"), "\"x\"").unwrap();
            let [notice] = manifest.notices() else { panic!("{:?}", notices(&manifest)) };
            assert_eq!((notice.kind, notice.place.line), (NoticeKind::Dropped, 2));
            assert!(notice.message.starts_with("no field says it; what is taken from this table is "));
        }
    }
}

#[test]
fn what_is_no_metadata_is_passed_over() {
    let text = "[package]\nname = \"a\"\nedition = \"2024\"\nreadme = false\n[dependencies]\nb = { version = \"1\" }\n";
    assert_eq!(notices(&manifest(Format::Cargo, text)), []);
    let text = r#"{"name": "a", "private": true, "scripts": {"x": [1, {"y": null}]}, "license": null}"#;
    assert_eq!(notices(&manifest(Format::Npm, text)), []);
}

/// `BLESS=1 cargo test manifest` writes the tables anew.
#[test]
fn the_tables_are_in_the_documentation() {
    const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/manifests.md");
    const HEADING: &str = "\n| key | becomes |\n| --- | --- |\n";
    let docs = std::fs::read_to_string(DOCS).unwrap().replace("\r\n", "\n");
    let mut expected = docs.clone();
    for format in Format::ALL {
        let section = expected.find(&format!("\n## {}\n", format.file_name())).unwrap();
        let start = section + expected[section..].find(HEADING).unwrap() + HEADING.len();
        let end = start
            + expected[start..].find("\n\n").map_or(0, |end| end + 1) * usize::from(expected[start..].starts_with('|'));
        let lines = format.rows().into_iter().map(|row| {
            let becomes = match row.becomes() {
                Becomes::Field(field) if row.joins() => format!("`{field}`, joined"),
                Becomes::Field(field) => format!("`{field}`"),
                Becomes::Name => "the name".to_owned(),
                _ => "nothing, which is said".to_owned(),
            };
            format!("| `{}` | {becomes} |\n", row.key())
        });
        expected.replace_range(start..end, &lines.collect::<String>());
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(DOCS, &expected).unwrap();
    }
    let docs = std::fs::read_to_string(DOCS).unwrap().replace("\r\n", "\n");
    assert!(docs == expected, "docs/manifests.md is not what the tables say: run `BLESS=1 cargo test manifest`");
}

/// A directory with these files.
fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let path = directory.path().canonicalize().unwrap();
    (directory, path)
}
