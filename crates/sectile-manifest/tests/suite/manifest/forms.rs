//! Forms of values: persons, repositories, licenses, labels.

use sectile::metadata::Field;
use sectile_manifest::{ManifestFormat, NoticeKind};

use super::{alone, error_text, manifest, notices};
use NoticeKind::{Dropped, Rewritten};

/// Checks the value that a key sets, and the kinds of the notices.
#[track_caller]
fn gives(format: ManifestFormat, key: &str, value: &str, field: Field, expected: Option<&str>, kinds: &[NoticeKind]) {
    let manifest = alone(format, key, value).unwrap();
    assert_eq!(manifest.value(field).as_deref(), expected, "{value}");
    let said: Vec<_> = manifest.notices().iter().map(|notice| notice.kind).collect();
    assert_eq!(said, kinds, "{value}: {:?}", manifest.notices());
}

#[test]
fn repositories_of_npm() {
    for (written, expected, kinds) in [
        ("https://example.com/a/b", "https://example.com/a/b", &[][..]),
        ("https://github.com/a/b.git#main", "https://github.com/a/b.git#main", &[]),
        ("a/b", "https://github.com/a/b", &[]),
        ("a-b/c.js", "https://github.com/a-b/c.js", &[]),
        ("a/b#main", "https://github.com/a/b", &[Dropped]),
        ("github:a/b", "https://github.com/a/b", &[]),
        ("gitlab:a/b/c", "https://gitlab.com/a/b/c", &[]),
        ("bitbucket:a/b", "https://bitbucket.org/a/b", &[]),
        ("gist:11081aaa281", "https://gist.github.com/11081aaa281", &[]),
        ("sourcehut:~a/b", "https://git.sr.ht/~a/b", &[]),
        ("git+https://github.com/a/b.git", "https://github.com/a/b.git", &[]),
        ("git+http://example.com/a", "http://example.com/a", &[]),
        ("git+https://git@example.com/a.git", "https://example.com/a.git", &[Rewritten]),
        ("git+https://git@github.com/a/b.git#main", "https://github.com/a/b.git#main", &[Rewritten]),
        ("git+http://git@example.com:8080/a", "http://example.com:8080/a", &[Rewritten]),
        ("https://git@example.com/a@b", "https://example.com/a@b", &[Rewritten]),
        ("git+https://example.com/@scope/a", "https://example.com/@scope/a", &[]),
        // A password is rejected when the value is set.
        ("git+https://me:secret@example.com/a", "https://me:secret@example.com/a", &[]),
        ("git://github.com/a/b.git", "https://github.com/a/b.git", &[Rewritten]),
        ("git+ssh://git@gitlab.com/a/b.git", "https://gitlab.com/a/b.git", &[Rewritten]),
        ("git+ssh://git@github.com:a/b.git", "https://github.com/a/b.git", &[Rewritten]),
        ("git+ssh://git@github.com:1/b.git", "https://github.com/1/b.git", &[Rewritten]),
        ("ssh://git@github.com:22/a/b.git", "https://github.com/a/b.git", &[Rewritten]),
        ("git://gitlab.com:9418/a/b/c", "https://gitlab.com/a/b/c", &[Rewritten]),
        ("git@github.com:22/b", "https://github.com/22/b", &[Rewritten]),
        ("ssh://git@bitbucket.org/a/b", "https://bitbucket.org/a/b", &[Rewritten]),
        ("git@github.com:a/b.git", "https://github.com/a/b.git", &[Rewritten]),
        // Unknown hosts may not support https. These URLs stay unchanged, and are not valid for the
        // field.
        ("git+ssh://git@example.com/a", "git+ssh://git@example.com/a", &[]),
        ("git@example.com:a", "git@example.com:a", &[]),
        ("git://github.com.example/a", "git://github.com.example/a", &[]),
        ("git://me:secret@github.com/a", "git://me:secret@github.com/a", &[]),
        ("unknown:a/b", "unknown:a/b", &[]),
        ("./a/b", "./a/b", &[]),
        ("a/b/c", "a/b/c", &[]),
        ("a b/c", "a b/c", &[]),
    ] {
        gives(ManifestFormat::Npm, "repository", &format!("{written:?}"), Field::Source, Some(expected), kinds);
        let object = format!("{{\"type\": \"git\", \"url\": {written:?}}}");
        gives(ManifestFormat::Npm, "repository", &object, Field::Source, Some(expected), kinds);
    }
    let object = r#"{"url": "github:a/b", "directory": "packages/c"}"#;
    gives(ManifestFormat::Npm, "repository", object, Field::Source, Some("https://github.com/a/b"), &[Dropped]);
    gives(ManifestFormat::Npm, "repository", "{}", Field::Source, None, &[Dropped]);
    let error = error_text(&alone(ManifestFormat::Npm, "repository", r#"{"url": 1}"#).unwrap_err());
    assert_eq!(error, "package.json:2: repository.url: expected a string, found a number");
}

#[test]
fn licenses_of_npm() {
    for (written, expected, kinds) in [
        (r#""MIT""#, Some("MIT"), &[][..]),
        (r#""(MIT OR Apache-2.0)""#, Some("(MIT OR Apache-2.0)"), &[]),
        (r#""Apache 2.0""#, Some("Apache-2.0"), &[Rewritten]),
        (r#""SEE LICENSE IN LICENSE.txt""#, None, &[Dropped]),
        (r#""UNLICENSED""#, None, &[Dropped]),
        (r#"{"type": "MIT", "url": "https://example.com"}"#, Some("MIT"), &[Rewritten]),
        (r#"[{"type": "MIT"}, {"type": "Apache 2.0"}]"#, Some("MIT OR Apache-2.0"), &[Rewritten, Rewritten]),
        (r#"["MIT AND ISC", "Zlib"]"#, Some("(MIT AND ISC) OR Zlib"), &[Rewritten]),
    ] {
        for key in ["license", "licenses"] {
            gives(ManifestFormat::Npm, key, written, Field::Licenses, expected, kinds);
        }
    }
    let outside = alone(ManifestFormat::Npm, "license", r#""SEE LICENSE IN ../LICENSE""#).unwrap();
    assert!(outside.notices()[0].message.contains("outside the package"));
    let error = error_text(&alone(ManifestFormat::Npm, "license", "{}").unwrap_err());
    assert_eq!(error, "package.json:2: license: `type` is missing");
}

#[test]
fn persons_of_npm() {
    let text = r#"{"author": {"name": "A", "email": "a@b.c", "url": "https://a"},
        "contributors": ["B <b@b.c>", {"name": "A", "email": "a@b.c", "url": "https://a"}, {"email": "c@b.c"}, "B <b@b.c>"]}"#;
    let manifest = manifest(ManifestFormat::Npm, text);
    let expected = "A <a@b.c> (https://a), B <b@b.c>, <c@b.c>";
    assert_eq!(manifest.value(Field::Authors).as_deref(), Some(expected));
    assert_eq!(notices(&manifest), []);
    for wrong in [r#"{"name": 1}"#, "3", r#"["a", 3]"#] {
        let error = error_text(&alone(ManifestFormat::Npm, "author", wrong).unwrap_err());
        assert!(error.starts_with("package.json:2: author"), "{error}");
    }
}

/// wasm-pack writes the authors of Cargo.toml as `collaborators`.
#[test]
fn collaborators_of_npm() {
    let ann = r#""collaborators": ["Ann <ann@example.com>", "Ben"]"#;
    for (others, expected, kinds) in [
        ("", "Ann <ann@example.com>, Ben", &[][..]),
        (r#""author": "", "#, "Ann <ann@example.com>, Ben", &[]),
        (r#""author": "Eve", "#, "Eve", &[Dropped]),
        (r#""contributors": ["Eve"], "#, "Eve", &[Dropped]),
        (r#""contributors": ["Ann <ann@example.com>", "Ben"], "#, "Ann <ann@example.com>, Ben", &[]),
        (r#""maintainers": ["Eve"], "#, "Ann <ann@example.com>, Ben", &[Dropped]),
    ] {
        let manifest = manifest(ManifestFormat::Npm, &format!("{{{others}{ann}}}"));
        assert_eq!(manifest.value(Field::Authors).as_deref(), Some(expected), "{others}");
        let said: Vec<_> = manifest.notices().iter().map(|notice| notice.kind).collect();
        assert_eq!(said, kinds, "{others}: {:?}", manifest.notices());
    }
    let manifest = manifest(ManifestFormat::Npm, &format!("{{\"author\": \"Eve\", {ann}}}"));
    assert!(notices(&manifest)[0].1.contains("collaborators"), "{:?}", manifest.notices());
}

#[test]
fn identifiers_in_another_case_become_those_of_the_list() {
    for (written, expected) in [("apache-2.0", "Apache-2.0"), ("MIT OR bsd-3-clause", "MIT OR BSD-3-Clause")] {
        gives(ManifestFormat::Npm, "license", &format!("{written:?}"), Field::Licenses, Some(expected), &[Rewritten]);
        let toml = format!("{written:?}");
        gives(ManifestFormat::Cargo, "package.license", &toml, Field::Licenses, Some(expected), &[Rewritten]);
    }
}

#[test]
fn poetry() {
    let text = "[tool.poetry]\nname = \"a\"\nversion = \"1.0.0\"\ndescription = \"d\"\n\
        authors = [\"Ann <ann@example.com>\", \"Ben\"]\nlicense = \"mit\"\nhomepage = \"https://h.example\"\n\
        repository = \"https://s.example\"\ndocumentation = \"https://d.example\"\nkeywords = [\"k\"]\n";
    let poetry = manifest(ManifestFormat::Python, text);
    assert_eq!(poetry.name().as_deref(), Some("a"));
    let values: Vec<_> = poetry.values().map(|(field, value, _)| (field, value)).collect();
    let expected = [
        (Field::Authors, "Ann <ann@example.com>, Ben"),
        (Field::Description, "d"),
        (Field::Documentation, "https://d.example"),
        (Field::Homepage, "https://h.example"),
        (Field::Licenses, "MIT"),
        (Field::Source, "https://s.example"),
        (Field::Version, "1.0.0"),
    ];
    assert_eq!(values, expected.map(|(field, value)| (field, value.to_owned())));
    let kinds: Vec<_> = poetry.notices().iter().map(|notice| notice.kind).collect();
    assert_eq!(kinds, [Rewritten, Dropped], "{:?}", poetry.notices());

    // `project` takes precedence, and Poetry's table supplies missing values.
    let text = "[project]\nname = \"a\"\nversion = \"2.0.0\"\n[tool.poetry]\nname = \"a\"\nversion = \"1.0.0\"\n\
        license = \"Proprietary\"\ndescription = \"d\"\n";
    let both = manifest(ManifestFormat::Python, text);
    assert_eq!(both.value(Field::Version).as_deref(), Some("2.0.0"));
    assert_eq!((both.value(Field::Description).as_deref(), both.value(Field::Licenses)), (Some("d"), None));
    assert_eq!(both.notices().len(), 2, "{:?}", both.notices());
}

#[test]
fn licenses_of_python() {
    for (written, expected, kinds) in [
        (r#""MIT""#, Some("MIT"), &[][..]),
        (r#""LicenseRef-Mine""#, Some("LicenseRef-Mine"), &[]),
        (r#"{text = "MIT"}"#, Some("MIT"), &[Rewritten]),
        (r#"{text = "Apache 2.0"}"#, Some("Apache-2.0"), &[Rewritten, Rewritten]),
        (r#"{text = "Permission is hereby granted, to anyone"}"#, None, &[Dropped]),
        (r#"{file = "LICENSE"}"#, None, &[Dropped]),
    ] {
        gives(ManifestFormat::Python, "project.license", written, Field::Licenses, expected, kinds);
    }
    let error = error_text(&alone(ManifestFormat::Python, "project.license", "{}").unwrap_err());
    assert_eq!(error, "pyproject.toml:2: project.license: `text` or `file` is missing");
    gives(
        ManifestFormat::Python,
        "project.license-files",
        r#"["LICENSE", "licenses/*"]"#,
        Field::Licenses,
        None,
        &[Dropped, Dropped],
    );
    gives(
        ManifestFormat::Python,
        "project.license-files",
        r#"{paths = ["LICENSE"]}"#,
        Field::Licenses,
        None,
        &[Dropped],
    );
    for outside in ["../LICENSE", "a/../LICENSE", "/etc/passwd"] {
        let error =
            error_text(&alone(ManifestFormat::Python, "project.license-files", &format!("[{outside:?}]")).unwrap_err());
        assert_eq!(error, format!("pyproject.toml:2: project.license-files: `{outside}` is outside the package"));
    }
}

#[test]
fn labels_of_python_ignore_punctuation_space_and_case() {
    let text = "[project.urls]\n\"Home Page\" = \"https://h.example\"\n\"Source_Code\" = \"https://s.example\"\n\
        DOCS = \"https://d.example\"\n\"Issue Tracker\" = \"https://i.example\"\n[project]\nname = \"a\"\n";
    let manifest = manifest(ManifestFormat::Python, text);
    let values: Vec<_> = manifest.values().map(|(field, value, place)| (field, value, place.key.clone())).collect();
    let expected = [
        (Field::Documentation, "https://d.example", "project.urls.DOCS"),
        (Field::Homepage, "https://h.example", "project.urls.Home Page"),
        (Field::Source, "https://s.example", "project.urls.Source_Code"),
    ];
    assert_eq!(values, expected.map(|(field, value, key)| (field, value.to_owned(), key.to_owned())));
    let [(Dropped, said)] = &notices(&manifest)[..] else { panic!() };
    assert!(said.starts_with("5 project.urls.Issue Tracker: no matching field"), "{said}");
}

#[test]
fn dynamic_fields_of_python_are_reported() {
    let text = "[project]\nname = \"a\"\ndynamic = [\"version\", \"readme\", \"urls\"]\n";
    let said: Vec<_> = notices(&manifest(ManifestFormat::Python, text)).into_iter().map(|(_, said)| said).collect();
    assert_eq!(
        said,
        [
            "3 project.dynamic: `version` is computed by the build and cannot be read from the manifest",
            "3 project.dynamic: `urls` is computed by the build and cannot be read from the manifest",
        ]
    );
}
