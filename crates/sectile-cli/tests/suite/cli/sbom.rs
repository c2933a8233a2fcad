//! `sbom`.

use super::{Run, command, file, run, run_with_input};
use sectile_testing::binary::{custom, dependencies, module};
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
    assert_eq!((document["components"].as_array().unwrap().len(), document.get("compositions")), (4, None));
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
