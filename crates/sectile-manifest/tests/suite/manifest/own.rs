//! Sectile's own table, in every format that has one.

use super::{Field, ManifestFormat, error_text, parse};
use sectile::Severity;
use sectile_manifest::{SectionData, StripProfile};
use std::path::Path;

#[test]
fn unknown_keys_are_errors_with_line_and_column() {
    for (format, text, place) in [
        (ManifestFormat::Sectile, "version = \"1\"\n  lisenses = \"MIT\"\n", "sectile.toml:2:3: lisenses"),
        (
            ManifestFormat::Cargo,
            "[package]\nname = \"a\"\n[package.metadata.sectile]\nlisenses = \"MIT\"\n",
            "Cargo.toml:4:1: package.metadata.sectile.lisenses",
        ),
        (ManifestFormat::Npm, "\u{feff}{\"sectile\": {\"lisenses\": \"MIT\"}}", "package.json:1:14: sectile.lisenses"),
        (ManifestFormat::Python, "[tool.sectile]\nmanifest = \"x\"\n", "pyproject.toml:2:1: tool.sectile.manifest"),
        (ManifestFormat::Sectile, "[sections]\na = { fill = \"x\" }\n", "sectile.toml:2:7: sections.a.fill"),
    ] {
        let error = error_text(&parse(format, text).unwrap_err());
        assert!(error.starts_with(&format!("{place}: unknown key; the key")), "{error}");
    }
}

#[test]
fn settings_for_builds_are_read() {
    let text = "strip = \"names\"\nrevision-from-git = false\npolicy = \"p.toml\"\nrefuse = \"warning\"\n\
        manifest = \"package.json\"\n[sections]\nnote = \"x\"\nsbom = { file = \"s.json\" }\n";
    let manifest = parse(ManifestFormat::Sectile, text).unwrap();
    let settings = manifest.settings();
    let path = |name| Some(Path::new("/nowhere/at/all").join(name));
    assert_eq!((settings.strip, settings.refuse), (Some(StripProfile::Names), Some(Severity::Warning)));
    assert_eq!(settings.revision_from_git, Some(false));
    assert_eq!((&settings.policy, &settings.manifest), (&path("p.toml"), &path("package.json")));
    let data = [("note", SectionData::Text("x".to_owned())), ("sbom", SectionData::File(path("s.json").unwrap()))];
    assert_eq!(settings.sections, data.map(|(name, data)| (name.to_owned(), data)));
    assert_eq!(manifest.value(Field::Version), None);
}

#[test]
fn wrong_settings_are_errors() {
    for (text, message) in [
        ("strip = \"most\"", "`most` is not one of `none`, `debug`, `names`, `all`"),
        ("revision-from-git = 1", "expected true or false, found a number"),
        ("policy = \"\"", "the path is empty; leave the key out"),
        ("sections = { licenses = \"MIT\" }", "this section is a field; set the field instead"),
        ("sections = { a = {} }", "the table has no `file`"),
        ("sections = { a = 1 }", "expected a string, or a table with `file`, found a number"),
    ] {
        let error = error_text(&parse(ManifestFormat::Sectile, text).unwrap_err());
        assert!(error.ends_with(message), "{text}: {error}");
    }
}
