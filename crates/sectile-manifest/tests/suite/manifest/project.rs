//! Manifests of a package that is built, and the outputs of command lines.

use super::{Field, ManifestError, ManifestFormat, tree};
use sectile::Edit;
use sectile_manifest::{Project, outputs};

fn version(project: &Project) -> Option<String> {
    project.manifests().iter().find_map(|manifest| manifest.value(Field::Version))
}

const NPM: (&str, &str) = ("package.json", "{\"version\": \"1\", \"license\": \"MIT\"}");
const PYTHON: (&str, &str) = ("pyproject.toml", "[project]\nname = \"a\"\nversion = \"2\"\n");

#[test]
fn sectile_toml_wins_over_the_manifest_next_to_it() {
    let (_kept, directory) = tree(&[NPM, ("sectile.toml", "version = \"3\"\n")]);
    let project = Project::open(directory.join("package.json")).unwrap();
    assert_eq!((version(&project).as_deref(), project.sets(Field::Licenses)), (Some("3"), true));
    let edit = project.add_to(Edit::new()).unwrap();
    assert_eq!(edit.plan_slice(b"\0asm\x01\0\0\0").unwrap().changes().len(), 2);
}

#[test]
fn nearest_directory_with_a_manifest_counts() {
    let (_kept, directory) = tree(&[NPM, ("a/pyproject.toml", PYTHON.1), ("a/b/c/x", "")]);
    let project = Project::nearest(directory.join("a/b/c")).unwrap().unwrap();
    assert_eq!(version(&project).as_deref(), Some("2"));
}

#[test]
fn manifests_that_disagree_are_an_error() {
    let (_kept, directory) = tree(&[NPM, PYTHON]);
    let error = Project::nearest(&directory).unwrap_err();
    let ManifestError::Disagreement { field: Field::Version, first, second, .. } = &error else { panic!("{error}") };
    assert!(first.file.ends_with("package.json") && second.file.ends_with("pyproject.toml"), "{error}");
    let own = directory.join(ManifestFormat::Sectile.file_name());
    for (text, expected) in [("version = \"3\"\n", "3"), ("manifest = \"pyproject.toml\"\n", "2")] {
        std::fs::write(&own, text).unwrap();
        assert_eq!(version(&Project::nearest(&directory).unwrap().unwrap()).as_deref(), Some(expected));
    }
}

#[test]
fn outputs_of_command_lines() {
    for (line, expected) in [
        ("tinygo build -o a.wasm .", &["a.wasm"][..]),
        ("clang -oa.wasm -Os -objc x.c", &["a.wasm"]),
        ("zig build-exe -femit-bin=a.wasm x.zig", &["a.wasm"]),
        ("asc x.ts --outFile a.wasm --textFile a.wat", &["a.wasm"]),
        ("jco componentize x.js --out=a.wasm", &["a.wasm"]),
        ("x --output a.wasm -o a.wasm --out b.wasm", &["a.wasm", "b.wasm"]),
        ("x -o - --out", &[]),
    ] {
        let arguments: Vec<_> = line.split(' ').map(std::ffi::OsString::from).collect();
        let found: Vec<_> = outputs(&arguments).into_iter().map(|path| path.to_str().unwrap().to_owned()).collect();
        assert_eq!(found, expected, "{line}");
    }
}
