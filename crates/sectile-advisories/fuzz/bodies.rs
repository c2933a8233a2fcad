//! Reads any bytes as a database of advisories, or as an OpenVEX document.

use std::fs;
use std::path::Path;

use sectile_advisories::{Advisories, AdvisoryMatch, Ecosystem, PackageId, PackageOrigin, VexDocument};

/// Reads a database or a document. The first byte of the input selects the format.
pub fn databases(input: &[u8]) {
    let Some((format, data)) = input.split_first() else { return };
    match format % 4 {
        0 => read_file(data, &rustsec_path(data)),
        1 => read_file(data, "npm/record.json"),
        2 => read_archive(data),
        _ => read_document(data),
    }
}

/// Reads a directory with this file.
fn read_file(data: &[u8], path: &str) {
    let directory = tempfile::tempdir().expect("there is a place for temporary files");
    let file = directory.path().join(path);
    fs::create_dir_all(file.parent().expect("it is in a directory")).expect("the directory can be created");
    fs::write(&file, data).expect("the file can be written");
    read(directory.path(), data);
}

/// The path of an advisory in RustSec's database, whose directory and name its text must repeat.
fn rustsec_path(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    let value = |key: &str| {
        let value = text.split_once(key).and_then(|(_, rest)| rest.split_once('"')).map_or("a", |(value, _)| value);
        let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if is_plain && (1..100).contains(&value.len()) { value.to_owned() } else { "a".to_owned() }
    };
    let package = value("\npackage = \"");
    let collection = if package == "std" { "rust" } else { "crates" };
    format!("{collection}/{package}/{}.md", value("\nid = \""))
}

fn read_archive(data: &[u8]) {
    let file = tempfile::NamedTempFile::new().expect("there is a place for temporary files");
    fs::write(file.path(), data).expect("the file can be written");
    read(file.path(), data);
}

/// Reads a database, and matches versions with each of its packages.
fn read(path: &Path, data: &[u8]) {
    let mut advisories = Advisories::default();
    if advisories.read(path).is_err() {
        assert!(advisories.databases().is_empty() && advisories.affected().next().is_none());
        return;
    }
    let [database] = advisories.databases() else { panic!("one database was read") };
    assert!(database.advisories + database.withdrawn > 0);
    assert_eq!(database.problems == 0, advisories.problems().is_empty());
    let text = String::from_utf8_lossy(data);
    let versions = ["1.0.0", "1.0.0-rc.1", "0.0.0-0", "v1", "go1.21rc2", "", text.lines().last().unwrap_or_default()];
    for affected in advisories.affected().take(100) {
        for version in versions {
            let id = PackageId::new(affected.ecosystem(), affected.package(), version);
            let matches = advisories.matches(id);
            assert_eq!(matches.incomparable(id).is_some(), !matches.unjudged.is_empty());
            for found in matches.affected {
                let found = AdvisoryMatch::new(found.clone(), version, PackageOrigin::Recovered);
                assert!(!found.to_string().contains('\n'));
            }
        }
    }
    assert!(advisories.matches(PackageId::new(Ecosystem::Npm, "\0", "1.0.0")).affected.len() <= 1);
    for problem in advisories.problems() {
        assert!(!problem.to_string().is_empty());
    }
}

fn read_document(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match VexDocument::parse("vex.json", text) {
        Ok(document) => assert!(document.statements.len() <= text.len()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
