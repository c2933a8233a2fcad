//! Checks the documents with CycloneDX's own library. They are valid by the schema, the library
//! reads them, and every purl has the package's name and version.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use sectile_sbom::Sbom;
use sectile_testing::files::project;

use sectile_testing::binary::{component, custom, module, nested, zlib};

/// Reads documents, prints the contents of each, and fails for an invalid one.
const READER: &str = r#"
import json, sys
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

validator = JsonStrictValidator(SchemaVersion.V1_6)
for path in sys.argv[1:]:
    text = open(path, encoding="utf-8").read()
    error = validator.validate_str(text)
    assert error is None, f"{path}: {error}"
    bom = Bom.from_json(json.loads(text))
    bom.validate()
    for component in json.loads(text)["components"]:
        if "purl" in component:
            purl = PackageURL.from_string(component["purl"])
            assert (purl.name, purl.version) == (component["name"], component["version"]), purl
    print(len(bom.components), len(bom.dependencies), bom.metadata.component.name)
"#;

/// The path where `.ci/run` installs it.
fn python() -> PathBuf {
    project().join("target/oracles/bin/python3")
}

/// The library's output for the documents of these binaries.
fn read(binaries: &[PathBuf]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let documents = binaries.iter().enumerate().map(|(nth, binary)| {
        let metadata = sectile::read(binary).unwrap();
        let sbom = Sbom::from_metadata(&metadata).with_name("a file.wasm");
        let sbom = if nth % 2 == 0 { sbom } else { sbom.with_created("2026-01-31T12:00:00.5+01:00").unwrap() };
        let path = directory.path().join(format!("{nth}.json"));
        let mut text = Vec::new();
        sbom.write_json(&mut text).unwrap();
        fs::write(&path, text).unwrap();
        path
    });
    let documents: Vec<PathBuf> = documents.collect();
    let output = Command::new(python()).args(["-c", READER]).args(documents).output().expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[test]
#[ignore = "needs cyclonedx-python-lib"]
fn real_files() {
    let files = project().join("tests/files");
    let names = ["rust-auditable.component.wasm", "rust-auditable.wasm", "clang-fib.component.wasm", "clang-fib.o"];
    let said = read(&names.map(|name| files.join(name)));
    assert_eq!(said[0], "3 5 checksum");
    assert_eq!(said[1].split(' ').next(), Some("3"));
    assert_eq!(said[3], "0 1 a file.wasm");
}

/// Lists with false data, and lists in several items.
#[test]
#[ignore = "needs cyclonedx-python-lib"]
fn crafted_files() {
    let list = |packages: &str| custom(".dep-v0", zlib(format!(r#"{{"packages":[{packages}]}}"#)));
    let sources = ["crates.io", "git", "local", "registry", "else"].map(|source| {
        format!(r#"{{"name":"a b/c@%\u001b\u202e","version":"1.0.0-a.1+b.2","source":"{source}","kind":"build","dependencies":[]}}"#)
    });
    let twice = r#"{"name":"a","version":"1.0.0","source":"git","dependencies":[1,1]},{"name":"","version":"0.0.0","source":"git"}"#;
    let inner = module(&[list(twice)]);
    let binaries = [
        component(&[nested(&inner), nested(&inner), list(twice)]),
        module(&[list(&sources.join(","))]),
        module(&[custom(".dep-v0", b"corrupt")]),
        module(&[list("")]),
    ];
    let directory = tempfile::tempdir().unwrap();
    let paths = binaries.iter().enumerate().map(|(nth, bytes)| {
        let path = directory.path().join(format!("{nth}.wasm"));
        fs::write(&path, bytes).unwrap();
        path
    });
    let said = read(&paths.collect::<Vec<_>>());
    let expected = ["6 9 a file.wasm", "5 6 a file.wasm", "0 1 a file.wasm", "0 1 a file.wasm"];
    assert_eq!(said, expected);
}
