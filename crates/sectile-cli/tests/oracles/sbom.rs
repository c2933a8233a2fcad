//! Checks the documents with the libraries of `CycloneDX` and SPDX, and with the checker of NTIA's minimum elements. The
//! documents are valid by their schemas, the libraries read them, and every purl has the package's name and version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sectile_testing::binary::{component, custom, module, module_with_data, name, nested, zlib};
use sectile_testing::files::project;

/// Reads documents, prints the contents of each, and fails for an invalid one.
const READER: &str = r#"
import json, sys, warnings
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

warnings.simplefilter("ignore")
validators = {"1.6": JsonStrictValidator(SchemaVersion.V1_6), "1.7": JsonStrictValidator(SchemaVersion.V1_7)}
for path in sys.argv[1:]:
    text = open(path, encoding="utf-8").read()
    data = json.loads(text)
    if "spdxVersion" in data:
        document = parse_file(path)
        errors = [error.validation_message for error in validate_full_spdx_document(document)]
        assert errors == [], f"{path}: {errors}"
        print("SPDX", len(document.packages), len(document.relationships), document.creation_info.name)
    else:
        error = validators[data["specVersion"]].validate_str(text)
        assert error is None, f"{path}: {error}"
        bom = Bom.from_json(data)
        bom.validate()
        for component in data["components"]:
            if "purl" in component:
                purl = PackageURL.from_string(component["purl"])
                assert (purl.name, purl.version) == (component["name"], component["version"]), purl
        print(data["specVersion"], len(bom.components), len(bom.dependencies), bom.metadata.component.name)
"#;

/// Prints whether an SPDX document has the minimum elements, and whether its dependency relationships are there.
const NTIA: &str = r#"
import sys, warnings
warnings.simplefilter("ignore")
from ntia_conformance_checker import SbomChecker
for path in sys.argv[1:]:
    checker = SbomChecker(path, compliance="ntia")
    assert not checker.parsing_error, checker.parsing_error
    print(checker.compliant, checker.dependency_relationships)
"#;

/// Runs a program in Python, as `.ci/sbom-tools` installs it, and returns its output.
fn python(program: &str, documents: &[PathBuf]) -> Vec<String> {
    let python = project().join("target/oracles/bin/python3");
    let output = Command::new(python).args(["-c", program]).args(documents).output().expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

/// The documents in all formats that a command writes into this directory.
pub fn documents(directory: &Path, command: &[&str], stem: &str) -> [PathBuf; 3] {
    let paths = [".cdx.json", ".17.json", ".spdx.json"].map(|extension| directory.join(format!("{stem}{extension}")));
    let formats = ["cyclonedx-1.6", "cyclonedx-1.7", "spdx-2.3"];
    let outputs =
        formats.iter().zip(&paths).flat_map(|(format, path)| ["-o".to_owned(), format!("{format}={}", path.display())]);
    let output = Command::new(env!("CARGO_BIN_EXE_sectile"))
        .args(command)
        .args(outputs)
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(paths.iter().all(|path| path.is_file()), "{}", String::from_utf8_lossy(&output.stderr));
    paths
}

/// Text that attacks parsers and terminals.
const HOSTILE: &str = "\u{1b}[2J\u{202e}\u{1}\u{2}\u{3}\"}],</a>\n(";

const FIELDS: [&str; 10] = [
    "authors",
    "created",
    "description",
    "documentation",
    "homepage",
    "licenses",
    "revision",
    "source",
    "vendor",
    "version",
];

fn list(packages: &str) -> Vec<u8> {
    custom(".dep-v0", zlib(format!(r#"{{"packages":[{packages}]}}"#)))
}

/// Binaries with false data, lists in several items, and packages that data names.
pub fn crafted() -> Vec<(&'static str, Vec<u8>)> {
    let sources = ["crates.io", "git", "local", "registry", "else"].map(|source| {
        format!(r#"{{"name":"a b/c@%\u001b\u202e","version":"1.0.0-a.1+b.2","source":"{source}","kind":"build","dependencies":[]}}"#)
    });
    let twice = r#"{"name":"a","version":"1.0.0","source":"git","dependencies":[1,1]},{"name":"","version":"0.0.0","source":"git"}"#;
    let inner = module(&[list(twice), custom("licenses", "MIT OR LicenseRef-Ours")]);
    let path = "/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/smallvec-1.6.0/src/lib.rs\0";
    let whole = module(&[list(twice), custom("vendor", "v")]);
    let with = |value: &[u8]| module(&FIELDS.map(|field| custom(field, value)));
    vec![
        ("plain.wasm", module(&[])),
        ("tree.wasm", component(&[nested(&inner), nested(&component(&[nested(&inner)])), list(twice)])),
        ("sources.wasm", module(&[list(&sources.join(","))])),
        ("corrupt.wasm", module(&[custom(".dep-v0", b"corrupt")])),
        ("empty.wasm", module(&[list("")])),
        ("recovered.wasm", module_with_data(path)),
        ("truncated.wasm", whole[..whole.len() - 1].to_vec()),
        ("hostile.wasm", with(HOSTILE.as_bytes())),
        ("long.wasm", with("é".repeat(50_000).as_bytes())),
        ("bytes.wasm", with(b"\xff\xfe")),
        ("url.wasm", with(b"http://[::1]:80/a%20b?x=1#y")),
        ("license.wasm", with(b"GPL-2.0+ WITH Classpath-exception-2.0 AND (DocumentRef-a:LicenseRef-b OR mit)")),
    ]
}

#[test]
#[ignore = "needs cyclonedx-python-lib and spdx-tools"]
fn real_files() {
    let directory = tempfile::tempdir().unwrap();
    let files = project().join("tests/files");
    let names = ["rust-auditable.component.wasm", "rust-auditable.wasm", "clang-fib.component.wasm", "clang-fib.o"];
    let documents: Vec<_> = names
        .iter()
        .flat_map(|name| {
            let command = ["sbom", "--packages", "declared", files.join(name).to_str().unwrap()].map(ToOwned::to_owned);
            documents(directory.path(), &command.each_ref().map(String::as_str), name)
        })
        .collect();
    let said = python(READER, &documents);
    assert_eq!(&said[..2], ["1.6 3 9 checksum", "1.7 3 9 checksum"]);
    assert!(said[2].starts_with("SPDX 9 ") && said[2].ends_with(" checksum"), "{}", said[2]);
    assert_eq!(said[9], "1.6 0 1 clang-fib.o");
}

#[test]
#[ignore = "needs cyclonedx-python-lib and spdx-tools"]
fn crafted_files_and_their_audit() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    fs::create_dir(&store).unwrap();
    let mut paths = Vec::new();
    for (name, bytes) in crafted() {
        fs::write(store.join(name), bytes).unwrap();
        paths.extend(documents(directory.path(), &["sbom", &format!("store/{name}")], name));
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        fs::write(store.join(std::ffi::OsStr::from_bytes(b"\xff\n\x1b.wasm")), module(&[])).unwrap();
    }
    fs::write(store.join("not.zip"), b"PK\x03\x04").unwrap();
    paths.extend(documents(directory.path(), &["audit", "store", "--packages", "all", "--hash"], "audit"));
    let said = python(READER, &paths);
    let shown: Vec<&str> = said.iter().take(6).map(String::as_str).collect();
    assert_eq!(shown[0], "1.6 0 1 plain.wasm");
    assert_eq!(shown[3], "1.6 6 10 tree.wasm");
    assert_eq!(said.len(), paths.len());
    assert!(said[said.len() - 1].ends_with(" store"), "{said:?}");
}

#[test]
#[ignore = "needs ntia-conformance-checker"]
fn described_binary_has_the_minimum_elements() {
    let directory = tempfile::tempdir().unwrap();
    let described = module(&[custom("name", name("app")), custom("vendor", "Example"), custom("version", "1.0.0")]);
    fs::write(directory.path().join("described.wasm"), described).unwrap();
    let [.., described] = documents(directory.path(), &["sbom", "described.wasm"], "described");
    let real = project().join("tests/files/rust-auditable.component.wasm");
    let [.., real] = documents(directory.path(), &["sbom", real.to_str().unwrap()], "real");
    // A list of packages names no suppliers.
    assert_eq!(python(NTIA, &[described, real]), ["True True", "False True"]);
}
