//! Inheritance of Cargo.toml. The oracle is Cargo.

use std::path::Path;

use sectile::metadata::Field;
use sectile_manifest::{Manifest, ManifestFormat};

use super::{error_text, manifest, notices, tree};

const WORKSPACE: &str = "[workspace.package]\nversion = \"1.2.3\"\nauthors = [\"A\", \"B\"]\ndescription = \"D\"\n\
    license = \"MIT/Apache-2.0\"\nrepository = \"https://r.example\"\nhomepage = \"https://h.example\"\n\
    documentation = \"https://d.example\"\nkeywords = [\"k\"]\nlicense-file = \"LICENSE\"\n";
const MEMBER: &str = "[package]\nname = \"m\"\nversion.workspace = true\nauthors.workspace = true\n\
    description = { workspace = true }\nlicense.workspace = true\nrepository.workspace = true\n\
    homepage.workspace = true\ndocumentation.workspace = true\nkeywords.workspace = true\n";

const INHERITED: [(Field, &str); 7] = [
    (Field::Authors, "A, B"),
    (Field::Description, "D"),
    (Field::Documentation, "https://d.example"),
    (Field::Homepage, "https://h.example"),
    (Field::Licenses, "MIT OR Apache-2.0"),
    (Field::Source, "https://r.example"),
    (Field::Version, "1.2.3"),
];

#[track_caller]
fn inherits(path: impl AsRef<Path>) {
    let manifest = Manifest::read(path).unwrap();
    let values: Vec<_> = manifest.values().map(|(field, value, _)| (field, value)).collect();
    let expected = INHERITED.map(|(field, value)| (field, value.to_owned()));
    assert_eq!(values, expected);
}

#[track_caller]
fn refused(path: impl AsRef<Path>, directory: &Path) -> String {
    error_text(&Manifest::read(path).unwrap_err()).replace(&format!("{}/", directory.display()), "")
}

#[test]
fn workspace_is_found_as_by_cargo() {
    let root = format!("[workspace]\nmembers = [\"a\"]\nexclude = [\"out\"]\n{WORKSPACE}");
    let own = format!("{root}{MEMBER}");
    let pointing = |to: &str| MEMBER.replace("name = \"m\"", &format!("name = \"m\"\nworkspace = \"{to}\""));
    let (_kept, directory) = tree(&[
        ("Cargo.toml", &root),
        ("a/Cargo.toml", MEMBER),
        ("a/deep/er/Cargo.toml", MEMBER),
        ("between/Cargo.toml", "[package]\nname = \"between\"\n"),
        ("between/b/Cargo.toml", MEMBER),
        ("own/Cargo.toml", &own),
        ("other/c/Cargo.toml", &pointing("../../own")),
        ("other/d/Cargo.toml", "[package]\nname = \"d\"\nworkspace = \"../../own\"\n"),
        ("other/d/e/Cargo.toml", MEMBER),
        ("out/Cargo.toml", MEMBER),
        ("target/package/f/Cargo.toml", MEMBER),
    ]);
    let found = ["a", "a/deep/er", "between/b", "own", "other/c", "other/d/e"];
    for path in found {
        inherits(directory.join(path).join("Cargo.toml"));
    }
    inherits(directory.join("own/../between/./b/Cargo.toml"));
    for path in ["out", "target/package/f"] {
        let error = refused(directory.join(path).join("Cargo.toml"), &directory);
        assert!(
            error.starts_with(&format!("{path}/Cargo.toml:3: package.version: inherited, but no workspace")),
            "{error}"
        );
    }
}

#[test]
fn notices_about_inherited_keys_name_the_workspace() {
    let (_kept, directory) = tree(&[("Cargo.toml", &format!("[workspace]\n{WORKSPACE}")), ("a/Cargo.toml", MEMBER)]);
    let manifest = Manifest::read(directory.join("a/Cargo.toml")).unwrap();
    let files: Vec<_> = manifest.notices().iter().map(|notice| &notice.location.file).collect();
    assert_eq!(files, [&directory.join("Cargo.toml"); 2]);
    let said = notices(&manifest).into_iter().map(|(_, said)| said).collect::<Vec<_>>();
    assert!(said[0].starts_with("6 workspace.package.license: `MIT/Apache-2.0` is not an SPDX expression"), "{said:?}");
    assert_eq!(said[1], "10 workspace.package.keywords: no matching field");
}

#[test]
fn failed_inheritance_is_an_error() {
    let member = "[package]\nname = \"m\"\n\nversion.workspace = true\n";
    let (_kept, directory) = tree(&[
        ("Cargo.toml", "[workspace]\n"),
        ("a/Cargo.toml", member),
        ("b/Cargo.toml", "[package]\nversion = { workspace = false }\n"),
        ("c/Cargo.toml", "[package]\nname.workspace = true\n"),
        ("d/Cargo.toml", "[package]\nworkspace = \"../nowhere\"\nversion.workspace = true\n"),
        ("e/Cargo.toml", "[package]\nworkspace = \"../a\"\nversion.workspace = true\n"),
        ("f/Cargo.toml", "[package]\nworkspace = 1\nversion.workspace = true\n"),
        ("g/Cargo.toml", "[workspace.package]\nversion = 1\n[package]\nversion.workspace = true\n"),
        ("h/Cargo.toml", "[workspace\n"),
        ("h/i/Cargo.toml", member),
        ("j/Cargo.toml", "[workspace]\npackage = 1\n[package]\nversion.workspace = true\n"),
    ]);
    for (path, expected) in [
        ("a", "a/Cargo.toml:4: package.version: inherited, but `Cargo.toml` has no `workspace.package.version`"),
        ("b", "b/Cargo.toml:2: package.version.workspace: must be `true`, or write the value here"),
        ("c", "c/Cargo.toml:2: package.name: expected a string, found a table"),
        ("d", "d/Cargo.toml:2: package.workspace: `../nowhere` is not a workspace: no Cargo.toml"),
        (
            "e",
            "e/Cargo.toml:2: package.workspace: `../a` is not a workspace: the Cargo.toml there has no `[workspace]`",
        ),
        ("f", "f/Cargo.toml:2: package.workspace: expected a string, found a number"),
        ("g", "g/Cargo.toml:2: workspace.package.version: expected a string, found a number"),
        ("h/i", "h/Cargo.toml:1: "),
        ("j", "j/Cargo.toml:4: package.version: inherited, but "),
    ] {
        let error = refused(directory.join(path).join("Cargo.toml"), &directory);
        let error = error.replace(&format!("`{}/", directory.display()), "`");
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn excluded_packages_are_reported() {
    let member = "[package]\nname = \"m\"\nversion.workspace = true\n";
    let (_kept, directory) = tree(&[
        ("Cargo.toml", "[workspace]\nexclude = [\"a\", \"b/c\"]\n[workspace.package]\nversion = \"1.0.0\"\n"),
        ("a/Cargo.toml", member),
        ("b/c/d/Cargo.toml", member),
    ]);
    for path in ["a", "b/c/d"] {
        let error = refused(directory.join(path).join("Cargo.toml"), &directory);
        let error = error.replace(&format!("`{}/", directory.display()), "`");
        let expected = format!(
            "{path}/Cargo.toml:3: package.version: inherited, but no workspace is found: `Cargo.toml` excludes this \
             package (`workspace.exclude`)"
        );
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn manifest_can_be_its_own_workspace() {
    let text = format!("[workspace]\n{WORKSPACE}{MEMBER}");
    assert_eq!(manifest(ManifestFormat::Cargo, &text).value(Field::Version).as_deref(), Some("1.2.3"));
}

/// Without inherited keys, no parent directory is read.
#[test]
fn workspace_is_not_read_without_inherited_keys() {
    let (_kept, directory) =
        tree(&[("Cargo.toml", "this is not TOML"), ("a/Cargo.toml", "[package]\nname = \"a\"\nversion = \"1.0.0\"\n")]);
    assert_eq!(Manifest::read(directory.join("a/Cargo.toml")).unwrap().name().as_deref(), Some("a"));
}

#[test]
fn metadata_tables_of_sectile_and_cargo_component() {
    let text = "[package]\nname = \"a\"\nlicense-file = \"../LICENSE\"\n\
        [package.metadata.component]\npackage = \"ns:a\"\nvendor = \"V\"\nrevision = \"r1\"\n\
        [package.metadata.sectile]\nname = \"b\"\nrevision = \"r2\"\nlicenses = \"MIT\"\nauthors = [\"A\", \"B\"]\n";
    let manifest = manifest(ManifestFormat::Cargo, text);
    assert_eq!(manifest.name().as_deref(), Some("b"));
    let values: Vec<_> = manifest.values().map(|(field, value, place)| (field, value, place.line)).collect();
    let expected = [
        (Field::Authors, "A, B", 12),
        (Field::Licenses, "MIT", 11),
        (Field::Revision, "r2", 10),
        (Field::Vendor, "V", 6),
    ];
    assert_eq!(values, expected.map(|(field, value, line)| (field, value.to_owned(), line)));
    let said: Vec<_> = notices(&manifest).into_iter().map(|(_, said)| said).collect();
    assert_eq!(
        said,
        [
            "2 package.name: overridden by `package.metadata.sectile.name`, which sets the same field",
            "3 package.license-file: the license text in `../LICENSE`, outside the package, is not read; \
         write an SPDX expression as the license",
            "7 package.metadata.component.revision: overridden by `package.metadata.sectile.revision`, which sets the same field",
        ]
    );
    assert_eq!(manifest.producers().collect::<Vec<_>>(), [("language", "Rust")]);
}

/// `cargo metadata` reports the same inherited values.
#[test]
fn cargo_agrees() {
    let root = format!("[workspace]\nmembers = [\"a\", \"x/b\"]\nresolver = \"2\"\n{WORKSPACE}");
    let (_kept, directory) = tree(&[
        ("Cargo.toml", &root),
        ("a/Cargo.toml", MEMBER),
        ("a/src/lib.rs", ""),
        ("x/b/Cargo.toml", &MEMBER.replace("\"m\"", "\"b\"")),
        ("x/b/src/lib.rs", ""),
    ]);
    for member in ["a", "x/b"] {
        let manifest = directory.join(member).join("Cargo.toml");
        let args = ["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"];
        let output = std::process::Command::new(env!("CARGO")).args(args).arg(&manifest).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let package = packages.iter().find(|package| package["manifest_path"] == manifest.to_str().unwrap()).unwrap();
        let read = Manifest::read(&manifest).unwrap();
        assert_eq!(package["name"], read.name().unwrap());
        let keys = [
            ("version", Field::Version),
            ("description", Field::Description),
            ("repository", Field::Source),
            ("homepage", Field::Homepage),
            ("documentation", Field::Documentation),
        ];
        for (key, field) in keys {
            assert_eq!(package[key], read.value(field).unwrap(), "{key}");
        }
        let authors: Vec<_> =
            package["authors"].as_array().unwrap().iter().map(|author| author.as_str().unwrap()).collect();
        assert_eq!(authors.join(", "), read.value(Field::Authors).unwrap());
    }
}
