//! Malformed manifests, and files that are not manifests.

use std::fs;

use sectile::edit::{Edit, EditError};
use sectile::metadata::Field;
use sectile_manifest::{Manifest, ManifestError, ManifestFormat};

use super::{error_text, manifest, parse, tree};
#[cfg(unix)]
use sectile_testing::files::make_fifo;

const FILES: [&str; 4] = ["Cargo.toml", "wkg.toml", "package.json", "pyproject.toml"];

/// The errors for a file of these bytes under each name.
fn each_refused(bytes: &[u8]) -> Vec<String> {
    let (_kept, directory) = tree(&[]);
    let refused = |name| {
        let path = directory.join(name);
        fs::write(&path, bytes).unwrap();
        error_text(&Manifest::read(&path).unwrap_err()).replace(&format!("{}/", directory.display()), "")
    };
    FILES.map(refused).to_vec()
}

#[test]
fn invalid_utf8_has_a_line() {
    for (error, name) in each_refused(b"# a\n\n\xff\n").into_iter().zip(FILES) {
        assert_eq!(error, format!("{name}:3: it is not UTF-8"));
    }
    assert!(each_refused(b"\xff\xfe[\0").iter().all(|error| error.contains(":1: it is not UTF-8"))); // UTF-16
}

#[test]
fn syntax_errors_have_lines() {
    for (error, name) in each_refused(b"{\n\"a\": \n").into_iter().zip(FILES) {
        assert!(error.starts_with(&format!("{name}:")), "{error}");
    }
    assert_eq!(error_text(&parse(ManifestFormat::Npm, "").unwrap_err()), "package.json:1: it is empty");
    assert_eq!(
        error_text(&parse(ManifestFormat::Npm, "\n[]").unwrap_err()),
        "package.json:2: expected an object, found a list"
    );
}

#[test]
fn unknown_file_names_are_refused() {
    for name in ["cargo.toml", "Cargo.lock", "Cargo.toml.orig", "", ".", "..", "/", "a/b.wasm", "x\x1b[31m"] {
        let error = Manifest::read(name).unwrap_err();
        assert!(matches!(error, ManifestError::UnknownName(_)), "{name}");
        for file in FILES {
            assert!(error.to_string().contains(file));
        }
        assert!(!error.to_string().contains('\x1b'));
    }
}

#[test]
fn oversized_manifests_are_refused() {
    let (_kept, directory) = tree(&[]);
    for name in FILES {
        let path = directory.join(name);
        fs::File::create(&path).unwrap().set_len(64 << 30).unwrap(); // sparse
        let error = Manifest::read(&path).unwrap_err();
        assert!(error.to_string().ends_with("is larger than 1 MiB"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn special_files_are_refused_without_blocking() {
    let (_kept, directory) = tree(&[]);
    for name in FILES {
        let path = directory.join(name);
        assert!(Manifest::read(&path).unwrap_err().to_string().starts_with("cannot read "));
        make_fifo(&path);
        assert!(Manifest::read(&path).unwrap_err().to_string().ends_with("is not a regular file"));
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert!(Manifest::read(&path).unwrap_err().to_string().ends_with("is not a regular file"));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(Manifest::read(&path).unwrap_err().to_string().ends_with("is not a regular file"));
    }
    // The same for the manifest of a workspace.
    let (_kept, directory) = tree(&[("a/Cargo.toml", "[package]\nversion.workspace = true\n")]);
    make_fifo(directory.join("Cargo.toml"));
    let error = Manifest::read(directory.join("a/Cargo.toml")).unwrap_err();
    assert!(error.to_string().ends_with("is not a regular file"), "{error}");
}

/// Texts that are valid except for their depth, and truncated ones.
#[test]
fn deep_nesting_is_refused() {
    let toml = |value: &str| format!("x = {value}");
    let keys = ["a"; 79].join(".");
    let deep = [
        toml(&("[".repeat(100_000) + &"]".repeat(100_000))),
        toml(&("[".repeat(90) + &"]".repeat(90))),
        toml(&"[".repeat(100_000)),
        toml(&"{x = ".repeat(100_000)),
        format!("{keys} = {{").repeat(79) + "b = 1" + &"}".repeat(79),
        ["a"; 100_000].join(".") + " = 1",
        format!("[{}]", ["a"; 100_000].join(".")),
    ];
    for text in &deep {
        for format in [ManifestFormat::Cargo, ManifestFormat::Wkg, ManifestFormat::Python] {
            let error = error_text(&parse(format, text).unwrap_err());
            // The parser has its own, lower limit.
            assert!(error.contains("nests too deep") || error.contains("max recursion depth"), "{error}");
        }
    }
    let deep = [
        format!("{{\"x\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000)),
        "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000),
        "{\"a\":".repeat(100_000),
    ];
    for text in &deep {
        let error = error_text(&parse(ManifestFormat::Npm, text).unwrap_err());
        assert!(error.contains("nests too deep"), "{error}");
    }
}

#[test]
fn byte_order_mark_is_treated_as_by_each_tool() {
    let toml = "\u{feff}[package]\nname = \"a\"\n";
    assert_eq!(manifest(ManifestFormat::Cargo, toml).name().as_deref(), Some("a"));
    let json = "\u{feff}{\"name\": \"a\"}";
    assert_eq!(manifest(ManifestFormat::Npm, json).name().as_deref(), Some("a"));
    let wkg = "\u{feff}[metadata]\nrevision = \"r\"\n";
    assert_eq!(manifest(ManifestFormat::Wkg, wkg).value(Field::Revision).as_deref(), Some("r"));
    let error = error_text(&parse(ManifestFormat::Python, "\u{feff}[project]\nname = \"a\"\n").unwrap_err());
    assert_eq!(error, "pyproject.toml:1: starts with a byte order mark, which Python rejects");
}

#[test]
fn manifest_without_package_is_refused_or_reported() {
    let error = error_text(&parse(ManifestFormat::Cargo, "[workspace]\n").unwrap_err());
    assert!(error.starts_with("Cargo.toml:1: package: the table is missing"), "{error}");
    for format in [ManifestFormat::Wkg, ManifestFormat::Python] {
        let said = &manifest(format, "[tool]\n").notices()[0].message.clone();
        assert_eq!(said, "the table with the metadata is missing");
    }
    assert_eq!(
        error_text(&parse(ManifestFormat::Cargo, "package = 1").unwrap_err()),
        "Cargo.toml:1: package: expected a table, found a number"
    );
}

/// Values are checked when they are added to an edit, so that the edit can override them.
#[test]
fn invalid_value_is_an_error_unless_overridden() {
    let text = "[package]\nname = \"a\"\nlicense = \"Foo\"\nrepository = \"git@example.com:a\"\n";
    let manifest = manifest(ManifestFormat::Cargo, text);
    let error = manifest.add_to(Edit::new()).unwrap_err();
    assert!(matches!(
        error,
        ManifestError::InvalidValue { source: EditError::Invalid { field: Field::Licenses, .. }, .. }
    ));
    let error_text = error_text(&error);
    assert!(
        error_text.starts_with("Cargo.toml:3: package.license: invalid value for licenses: `Foo` is not an SPDX"),
        "{error_text}"
    );

    let set = |edit: Edit, field, value: &str| edit.set(field, value).unwrap();
    let edit = set(Edit::new(), Field::Licenses, "MIT");
    let error = manifest.add_to(edit.clone()).unwrap_err();
    assert!(error.to_string().ends_with("Cargo.toml:4: package.repository"), "{error}");
    let edit = manifest.add_to(set(edit, Field::Source, "https://example.com/a")).unwrap();
    let planned = edit.plan_slice(b"\0asm\x01\0\0\0").unwrap();
    assert_eq!((planned.changes().len(), planned.findings().len()), (4, 0));

    let planned = manifest.add_unchecked_to(Edit::new()).unwrap().plan_slice(b"\0asm\x01\0\0\0");
    assert_eq!(planned.unwrap().findings().len(), 2);

    // An edit of the producers also overrides the language.
    let edit = set(set(Edit::new(), Field::Licenses, "MIT"), Field::Source, "https://example.com/a");
    let language = |edit: Edit| {
        let plan = manifest.add_to(edit).unwrap().plan_slice(b"\0asm\x01\0\0\0").unwrap();
        plan.changes().iter().any(|change| format!("{change:?}").contains("producers"))
    };
    assert!(language(edit.clone()));
    assert!(!language(edit.unset_producers().unwrap()));

    let nul = super::manifest(ManifestFormat::Npm, r#"{"name": "a\u0000b"}"#);
    let error = nul.add_unchecked_to(Edit::new()).unwrap_err();
    assert!(error.to_string().ends_with("package.json:1: name"), "{error}");
}
