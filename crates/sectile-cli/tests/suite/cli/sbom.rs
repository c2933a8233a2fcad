//! `sbom`.

use std::fs;

use serde_json::{Value, json};

use super::{Run, command, file, run, run_with_input};
use sectile_testing::binary::{component, custom, dependencies, module, nested};
use sectile_testing::files::project;

const REAL: &str = "tests/files/rust-auditable.component.wasm";

fn with_epoch(args: &[&str], epoch: &str) -> Run {
    Run::of(command(args).env("SOURCE_DATE_EPOCH", epoch).output().unwrap())
}

#[test]
fn a_document_on_standard_output() {
    let run = run(["sbom", "--packages", "declared", REAL]);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    let document = run.json();
    assert_eq!((document["specVersion"].as_str(), document["components"].as_array().unwrap().len()), (Some("1.6"), 3));
    assert_eq!(document["metadata"].get("timestamp"), None);
}

/// The commit of the compiler is not a gap in the declared list.
#[test]
fn a_declared_list_stays_complete() {
    let document = run(["sbom", REAL]).json();
    assert_eq!(document["components"].as_array().unwrap().len(), 4);
    let compositions = document["compositions"].as_array().unwrap();
    assert_eq!(compositions[1], json!({"aggregate": "complete", "dependencies": ["item:1"]}));
}

#[test]
fn sbom_bytes_do_not_depend_on_the_input_method() {
    let expected = run(["sbom", REAL]);
    let map = run(["sbom", "--map", REAL]);
    let bytes = std::fs::read(project().join(REAL)).unwrap();
    let piped = run_with_input(["sbom", "-"], &bytes);
    let (_directory, path) = file(&bytes);
    let elsewhere = run(["sbom".as_ref(), path.as_os_str()]);
    for other in [map, piped, elsewhere] {
        assert_eq!((other.status, other.stdout), (0, expected.stdout.clone()));
    }
}

#[test]
fn a_time_by_option_or_by_variable() {
    let time = |run: &Run| run.json()["metadata"]["timestamp"].clone();
    assert_eq!(time(&run(["sbom", REAL, "--created", "2026-01-31T12:00:00Z"])), "2026-01-31T12:00:00Z");
    assert_eq!(time(&with_epoch(&["sbom", REAL], "86400")), "1970-01-02T00:00:00Z");
    assert_eq!(time(&with_epoch(&["sbom", REAL, "--created", "2026-01-31T12:00:00Z"], "0")), "2026-01-31T12:00:00Z");
    for wrong in [run(["sbom", REAL, "--created", "yesterday"]), with_epoch(&["sbom", REAL], "soon")] {
        assert_eq!((wrong.status, wrong.text()), (2, ""));
        assert!(wrong.stderr.contains("yesterday") || wrong.stderr.contains("SOURCE_DATE_EPOCH"), "{}", wrong.stderr);
    }
}

#[test]
fn an_unnamed_module_takes_the_name_of_its_file() {
    let (_directory, path) = file(&module(&[dependencies("p")]));
    let document = run(["sbom".as_ref(), path.as_os_str()]).json();
    assert_eq!(document["metadata"]["component"]["name"], "a.wasm");
    let piped = run_with_input(["sbom", "-"], &module(&[dependencies("p")])).json();
    assert_eq!(piped["metadata"]["component"]["name"], "module");
}

#[test]
fn a_missing_package_list_is_reported_as_unknown() {
    let (_directory, path) = file(&module(&[]));
    let run = run(["sbom".as_ref(), path.as_os_str()]);
    assert_eq!((run.status, run.json()["compositions"][0]["aggregate"].as_str()), (0, Some("unknown")));
    assert!(run.stderr.contains("are unknown"), "{}", run.stderr);
}

#[test]
fn a_malformed_package_list_is_status_2() {
    let whole = module(&[dependencies("p"), custom("vendor", "v")]);
    for bytes in [&module(&[custom(".dep-v0", "corrupt")])[..], &whole[..whole.len() - 1]] {
        let (_directory, path) = file(bytes);
        let run = run(["sbom".as_ref(), path.as_os_str()]);
        assert_eq!((run.status, run.json()["compositions"][0]["aggregate"].as_str()), (2, Some("incomplete")));
        assert!(run.stderr.contains("a.wasm: ") && run.stderr.lines().count() == 1, "{}", run.stderr);
    }
    let (_directory, path) = file(b"no WebAssembly");
    let run = run(["sbom".as_ref(), path.as_os_str()]);
    assert_eq!((run.status, run.text()), (2, ""));
}

#[test]
fn an_image_in_a_layout_is_read_as_its_layer() {
    let (directory, path) = file(&module(&[dependencies("p")]));
    let layout = directory.path().join("layout");
    let made = run([
        "oci".as_ref(),
        "layout".as_ref(),
        path.as_os_str(),
        "-o".as_ref(),
        layout.as_os_str(),
        "--ref".as_ref(),
        "v1".as_ref(),
    ]);
    assert_eq!(made.status, 0, "{}", made.stderr);
    let document = run(["sbom", &format!("oci:{}:v1", layout.display())]).json();
    assert_eq!(document["components"][0]["name"], "p");
    assert_eq!(document["metadata"]["component"]["name"], "module");
}

/// The outputs of a command in this directory.
fn run_in(directory: &std::path::Path, args: &[&str]) -> Run {
    Run::of(command(args).current_dir(directory).env_remove("SOURCE_DATE_EPOCH").output().unwrap())
}

fn document(directory: &std::path::Path, name: &str) -> Value {
    serde_json::from_slice(&fs::read(directory.join(name)).unwrap()).unwrap()
}

#[test]
fn several_formats_are_written_at_once() {
    let (directory, _) = file(&module(&[dependencies("p")]));
    let at = directory.path();
    let outputs = ["-o", "a.cdx.json", "-o", "cyclonedx-1.7=b", "-o", "a.spdx.json"];
    let all = run_in(at, &[&["sbom", "a.wasm"], &outputs[..]].concat());
    assert_eq!((all.status, &*all.stdout, &*all.stderr), (0, &b""[..], ""));
    for (format, name) in [("cyclonedx", "a.cdx.json"), ("cyclonedx-1.7", "b"), ("spdx-2.3", "a.spdx.json")] {
        let alone = run_in(at, &["sbom", "a.wasm", "--format", format]);
        assert_eq!(fs::read(at.join(name)).unwrap(), alone.stdout, "{format}");
    }
    assert_eq!(document(at, "b")["specVersion"], "1.7");
    assert_eq!(document(at, "a.spdx.json")["packages"][1]["name"], "p");
    let again = run_in(at, &["sbom", "a.wasm", "-o", "a.cdx.json"]);
    assert_eq!(again.status, 0, "{}", again.stderr);
}

#[test]
fn sbom_outputs_are_checked_first() {
    let (directory, _) = file(&module(&[dependencies("p")]));
    let at = directory.path();
    for (output, message) in [
        ("out.json", "cannot tell the format of out.json"),
        ("spdx=a.wasm", "a.wasm"),
        ("missing/a.cdx.json", "missing/a.cdx.json"),
    ] {
        let run = run_in(at, &["sbom", "a.wasm", "-o", "good.spdx.json", "-o", output]);
        assert!(run.status == 2 && run.stderr.contains(message), "{output}: {}", run.stderr);
    }
    assert_eq!(fs::read_dir(at).unwrap().count(), 1, "no file was written");
}

#[test]
fn the_binary_has_its_digest_and_annotations() {
    let bytes = module(&[custom("vendor", "Example"), custom("licenses", "MIT"), custom("version", "1.0")]);
    let (directory, _) = file(&bytes);
    let hash = sectile::digest::Digest::new(&bytes).hex();
    let root = run_in(directory.path(), &["sbom", "a.wasm"]).json()["metadata"]["component"].clone();
    assert_eq!(root["hashes"], json!([{"alg": "SHA-256", "content": hash}]));
    assert_eq!((&root["supplier"]["name"], &root["version"]), (&json!("Example"), &json!("1.0")));
    let spdx = run_in(directory.path(), &["sbom", "a.wasm", "--format", "spdx"]).json();
    let package = &spdx["packages"][0];
    assert_eq!(package["checksums"], json!([{"algorithm": "SHA256", "checksumValue": hash}]));
    assert_eq!((&package["supplier"], &package["licenseDeclared"]), (&json!("Organization: Example"), &json!("MIT")));
}

#[test]
fn values_that_are_not_utf_8_are_left_out() {
    let fields = ["version", "vendor", "licenses", "authors", "homepage"];
    let sections: Vec<_> = fields.iter().map(|field| custom(field, b"\xff\xfe")).collect();
    let (directory, _) = file(&module(&sections));
    for format in ["cyclonedx", "spdx"] {
        let run = run_in(directory.path(), &["sbom", "a.wasm", "--format", format]);
        assert_eq!(run.status, 0, "{}", run.stderr);
        assert!(!run.text().contains("\u{fffd}") && run.json().is_object(), "{}", run.text());
    }
}

/// A store with a component, a module without a list, a truncated module, and an archive.
fn store() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path().join("store");
    fs::create_dir(&at).unwrap();
    let whole = module(&[dependencies("p"), custom("vendor", "v")]);
    fs::write(at.join("a.wasm"), component(&[nested(&whole), custom("licenses", "our own")])).unwrap();
    fs::write(at.join("b.wasm"), module(&[])).unwrap();
    fs::write(at.join("c.wasm"), &whole[..whole.len() - 1]).unwrap();
    directory
}

#[test]
fn an_audit_writes_the_sboms_of_all_binaries() {
    let store = store();
    let at = store.path();
    let outputs = ["-o", "cyclonedx-1.7=a.json", "-o", "spdx=a.spdx.json", "-o", "rows.jsonl"];
    let audit = run_in(at, &[&["audit", "store", "--hash"], &outputs[..]].concat());
    assert_eq!(audit.status, 2, "{}", audit.stderr);
    let cyclonedx = document(at, "a.json");
    assert_eq!(cyclonedx["metadata"]["component"]["name"], "store");
    let components = cyclonedx["components"].as_array().unwrap().iter();
    let names: Vec<_> = components.map(|component| component["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a.wasm", "p", "b.wasm", "c.wasm", "p"]);
    assert_eq!(cyclonedx["components"][0]["hashes"][0]["alg"], "SHA-256");
    assert_eq!(cyclonedx["compositions"][0], json!({"aggregate": "incomplete", "assemblies": ["store"]}));
    let spdx = document(at, "a.spdx.json");
    assert_eq!(spdx["packages"].as_array().unwrap().len(), 7);
    assert_eq!(spdx["packages"][1]["packageFileName"], "store/a.wasm");

    // The rows have what the documents need.
    let report = run_in(at, &["report", "rows.jsonl", "-o", "cyclonedx-1.7=b.json", "-o", "b.spdx.json"]);
    assert_eq!(report.status, 2, "{}", report.stderr);
    for (one, other) in [("a.json", "b.json"), ("a.spdx.json", "b.spdx.json")] {
        assert!(fs::read(at.join(one)).unwrap() == fs::read(at.join(other)).unwrap(), "{one}");
    }
}

/// The component of a binary is that of its own document, apart from identifiers and the name of the row.
#[test]
fn an_audit_and_a_single_document_have_the_same_components() {
    let store = store();
    let at = store.path();
    let audit =
        run_in(at, &["audit", "store/a.wasm", "--hash", "--format", "cyclonedx"]).text().replace("1/item:", "item:");
    let audit: Value =
        serde_json::from_str(&audit.replace(",{\"name\":\"sectile:file\",\"value\":\"store/a.wasm\"}", "")).unwrap();
    let single = run_in(at, &["sbom", "store/a.wasm"]).json();
    assert_eq!(audit["components"][0], single["metadata"]["component"]);
    assert_eq!(audit["components"][1], single["components"][0]);
    assert_eq!(audit["dependencies"].as_array().unwrap()[1..], single["dependencies"].as_array().unwrap()[..]);
}

#[test]
fn an_audit_does_not_depend_on_the_number_of_threads() {
    let store = store();
    for format in ["cyclonedx-1.6", "spdx-2.3"] {
        let audit =
            |threads: &str| run_in(store.path(), &["audit", "store", "--threads", threads, "--format", format]).stdout;
        assert!(audit("1") == audit("4"), "{format}");
    }
}

#[test]
fn source_date_epoch_sets_the_time_of_an_audit() {
    let store = store();
    let audit = |format: &str| {
        let args = ["audit", "store", "--format", format];
        Run::of(command(args).current_dir(store.path()).env("SOURCE_DATE_EPOCH", "86400").output().unwrap()).json()
    };
    assert_eq!(audit("cyclonedx")["metadata"]["timestamp"], "1970-01-02T00:00:00Z");
    assert_eq!(audit("spdx")["creationInfo"]["created"], "1970-01-02T00:00:00Z");
}
