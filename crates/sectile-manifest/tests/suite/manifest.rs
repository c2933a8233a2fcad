//! Manifests: every key of every format, and errors.

mod bad;
mod cargo;
mod forms;
mod json;
mod own;
mod project;

use std::path::{Path, PathBuf};

use sectile::metadata::Field;
use sectile_manifest::{KeyMapping, KeyTarget, Manifest, ManifestError, ManifestFormat, Notice, NoticeKind};

/// Parses the text at a path without other files.
fn parse(format: ManifestFormat, text: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(format, Path::new("/nowhere/at/all").join(format.file_name()), text)
}

#[track_caller]
fn manifest(format: ManifestFormat, text: &str) -> Manifest {
    parse(format, text).unwrap()
}

/// The notices, without the directory: `LINE KEY: MESSAGE`.
fn notices(manifest: &Manifest) -> Vec<(NoticeKind, String)> {
    let said = |notice: &Notice| {
        let location = &notice.location;
        (notice.kind, format!("{} {}: {}", location.line, location.key, notice.message))
    };
    manifest.notices().iter().map(said).collect()
}

/// An error with its source, without the directory.
fn error_text(error: &ManifestError) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default()).replace("/nowhere/at/all/", "")
}

/// A manifest of one key with this value.
fn alone(format: ManifestFormat, key: &str, value: &str) -> Result<Manifest, ManifestError> {
    if format == ManifestFormat::Npm {
        return parse(format, &format!("{{\n{}}}", json_entry(key, value)));
    }
    match key.rsplit_once('.') {
        Some((table, last)) => parse(format, &format!("[{table}]\n{last} = {value}\n")),
        None => parse(format, &format!("\n{key} = {value}\n")),
    }
}

/// An entry of an object, in a table of its own if the key has a dot.
fn json_entry(key: &str, value: &str) -> String {
    match key.split_once('.') {
        Some((table, key)) => format!("\"{table}\": {{\"{key}\": {value}}}"),
        None => format!("\"{key}\": {value}"),
    }
}

fn value(manifest: &Manifest, mapping: &KeyMapping) -> Option<String> {
    match mapping.target() {
        KeyTarget::Field(field) => manifest.value(field),
        KeyTarget::Name => manifest.name(),
        _ => None,
    }
}

/// A value for a mapping, in the language of the manifest, and the resulting value.
fn sample(mapping: &KeyMapping) -> (&'static str, &'static str) {
    match (mapping.target(), mapping.key()) {
        (_, "package.authors") => (r#"["A <a@example.com>", "B"]"#, "A <a@example.com>, B"),
        (_, "project.authors" | "project.maintainers") => (
            r#"[{name = "A", email = "a@example.com"}, {name = "B"}, {email = "c@example.com"}]"#,
            "A <a@example.com>, B, c@example.com",
        ),
        (_, "author") => (r#""A <a@example.com> (https://a.example)""#, "A <a@example.com> (https://a.example)"),
        (_, "contributors" | "maintainers") => {
            (r#"["A", {"name": "B", "email": "b@example.com"}]"#, "A, B <b@example.com>")
        }
        (KeyTarget::Field(Field::Authors), _) => (r#""A, B""#, "A, B"),
        (KeyTarget::Field(Field::Created), _) => (r#""2026-01-02T03:04:05Z""#, "2026-01-02T03:04:05Z"),
        (KeyTarget::Field(Field::Licenses), _) => (r#""MIT/Apache-2.0""#, "MIT OR Apache-2.0"),
        (KeyTarget::Field(Field::Documentation | Field::Homepage | Field::Source), _) => {
            (r#""https://example.com/a""#, "https://example.com/a")
        }
        (KeyTarget::Field(_) | KeyTarget::Name, _) => (r#""some-text""#, "some-text"),
        (_, "project.dynamic") => (r#"["version"]"#, ""),
        (_, "package.license-file") => (r#""LICENSE""#, ""),
        _ => (r#"["a"]"#, ""),
    }
}

/// Another value for a mapping.
fn another(mapping: &KeyMapping) -> &'static str {
    match (mapping.target(), mapping.key()) {
        (_, "package.authors") => r#"["Z"]"#,
        (_, "project.authors" | "project.maintainers") => r#"[{name = "Z"}]"#,
        (KeyTarget::Field(Field::Licenses), _) => r#""ISC""#,
        _ => r#""other""#,
    }
}

#[test]
fn every_mapping_sets_its_target() {
    for format in ManifestFormat::ALL {
        for mapping in format.key_mappings() {
            let (written, expected) = sample(&mapping);
            let manifest = alone(format, mapping.key(), written).unwrap();
            assert_eq!(value(&manifest, &mapping).unwrap_or_default(), expected, "{} of {format:?}", mapping.key());
            match mapping.target() {
                KeyTarget::Ignored => {
                    let [notice] = manifest.notices() else { panic!("{:?}", notices(&manifest)) };
                    assert_eq!(
                        (notice.kind, &*notice.location.key, notice.location.line),
                        (NoticeKind::Dropped, mapping.key(), 2)
                    );
                }
                KeyTarget::Field(Field::Licenses) => {
                    let [notice] = manifest.notices() else { panic!("{:?}", notices(&manifest)) };
                    assert_eq!(notice.kind, NoticeKind::Rewritten);
                }
                _ => assert_eq!(manifest.notices(), [], "{}", mapping.key()),
            }
        }
    }
}

#[test]
fn every_mapping_refuses_other_kinds() {
    let null = error_text(&alone(ManifestFormat::Npm, "contributors", "[null]").unwrap_err());
    assert!(null.starts_with("package.json:2: ") && null.ends_with(", found null"), "{null}");
    for format in ManifestFormat::ALL {
        let mapping = &format.key_mappings()[0];
        assert_eq!(alone(format, mapping.key(), sample(mapping).0).unwrap().format(), format);
        for mapping in format.key_mappings().iter().filter(|mapping| mapping.target() != KeyTarget::Ignored) {
            for wrong in ["1", "true", "[[1]]"] {
                let error = error_text(&alone(format, mapping.key(), wrong).unwrap_err());
                let beginning = format!("{}:2: {}: expected ", format.file_name(), mapping.key());
                assert!(error.starts_with(&beginning), "{error}");
            }
        }
    }
}

#[test]
fn empty_values_set_nothing() {
    let mut empty_ones = 0;
    for format in ManifestFormat::ALL {
        for mapping in format.key_mappings().iter().filter(|mapping| !matches!(mapping.key(), "package.license-file")) {
            for empty in ["\"\"", "[]", "[\"\"]"] {
                let Ok(manifest) = alone(format, mapping.key(), empty) else { continue }; // the value has the wrong type
                assert_eq!(value(&manifest, mapping), None, "{} = {empty}", mapping.key());
                empty_ones += 1;
            }
        }
    }
    let mappings: usize = ManifestFormat::ALL.iter().map(|format| format.key_mappings().len()).sum();
    assert!(empty_ones >= mappings, "{empty_ones} of {mappings} mappings");
}

#[test]
fn first_mapping_wins_or_values_join() {
    let (mut joined, mut first) = (0, 0);
    for format in ManifestFormat::ALL {
        let mappings = format.key_mappings();
        for (nth, mapping) in
            mappings.iter().enumerate().filter(|(_, mapping)| matches!(mapping.target(), KeyTarget::Field(_)))
        {
            for other in mappings[..nth].iter().filter(|other| other.target() == mapping.target()) {
                let text = |mapping: &KeyMapping, value: &str| match format {
                    ManifestFormat::Npm => json_entry(mapping.key(), value) + ",\n",
                    _ => format!("{} = {value}\n", mapping.key()),
                };
                let (written, expected) = sample(other);
                let both = text(other, written) + &text(mapping, another(mapping));
                let manifest = parse(format, &wrapped(format, &both)).unwrap();
                let value = value(&manifest, mapping).unwrap();
                if mapping.joins() && !other.key().starts_with("sectile.") {
                    joined += 1;
                    assert!(value.starts_with(&format!("{expected}, ")), "{value}");
                } else {
                    first += 1;
                    assert_eq!(value, expected, "{} and {}", other.key(), mapping.key());
                    let counts = format!("overridden by `{}`, which sets the same field", other.key());
                    assert!(manifest.notices().iter().any(|notice| notice.message == counts), "{both}");
                }
            }
        }
    }
    assert!(joined > 0 && first > 0, "{joined} {first}");
}

fn wrapped(format: ManifestFormat, entries: &str) -> String {
    if format == ManifestFormat::Npm { format!("{{{entries}\"z\": 0}}") } else { entries.to_owned() }
}

#[test]
fn unknown_keys_of_closed_tables_are_reported() {
    assert!(ManifestFormat::ALL.iter().any(|format| !format.closed_tables().is_empty()));
    for format in ManifestFormat::ALL {
        for table in format.closed_tables() {
            let manifest = alone(format, &format!("{table}.revison"), "\"x\"").unwrap();
            let [notice] = manifest.notices() else { panic!("{:?}", notices(&manifest)) };
            assert_eq!((notice.kind, notice.location.line), (NoticeKind::Dropped, 2));
            assert!(notice.message.starts_with("no matching field; keys used from this table: "));
        }
    }
}

#[test]
fn other_keys_are_ignored() {
    let text = "[package]\nname = \"a\"\nedition = \"2024\"\nreadme = false\n[dependencies]\nb = { version = \"1\" }\n";
    assert_eq!(notices(&manifest(ManifestFormat::Cargo, text)), []);
    let text = r#"{"name": "a", "private": true, "scripts": {"x": [1, {"y": null}]}, "license": null}"#;
    assert_eq!(notices(&manifest(ManifestFormat::Npm, text)), []);
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
