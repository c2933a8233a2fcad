//! Consumers load the images that `oci check` says they load.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use sectile_testing::files::project;
use sectile_testing::images::{TestImage, loaded, refused};
use sectile_testing::registry::{Registry, start};
use sectile_testing::server::Reply;
use serde_json::Value;

use crate::oci::{oci_wasm_command, printed};

/// All images of tests, with a name for messages.
fn images() -> Vec<(String, TestImage)> {
    let cases = loaded().into_iter().chain(refused());
    // The layers of other images are in the same registry.
    let cases = cases.filter(|(_, _, image)| image.has_layers);
    cases.map(|(case, consumer, image)| (format!("{case} ({consumer})"), image)).collect()
}

/// Whether a consumer would load each image, by `oci check` of layouts.
fn checked(consumer: &str, images: &[(String, TestImage)]) -> Vec<Option<bool>> {
    let directory = tempfile::tempdir().unwrap();
    let locators = images.iter().enumerate().map(|(nth, (_, image))| {
        let layout = directory.path().join(nth.to_string());
        let digest = image.write_layout(&layout);
        format!("oci:{}@{digest}", layout.display())
    });
    let output = Command::new(env!("CARGO_BIN_EXE_sectile"))
        .args(["oci", "check", "--json", "--for", consumer])
        .args(locators)
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), images.len(), "{}", String::from_utf8_lossy(&output.stderr));
    let verdict = |line: &str| serde_json::from_str::<Value>(line).unwrap()["consumers"][0]["loads"].as_bool();
    lines.lines().map(verdict).collect()
}

/// Starts a registry with all images of tests, and compares what a program prints for them with
/// `oci check`. The program does not check some of the rules.
fn compare(consumer: &str, unchecked_rules: &[&str], fetch: impl FnOnce(&[String]) -> String) {
    let images = images();
    let mut registry = Registry::default();
    for (nth, (_, image)) in images.iter().enumerate() {
        image.put_into(&mut registry, &format!("case{nth}"));
    }
    let (server, _registry) = start(registry, |request| (request.path == "/v2/").then(|| Reply::of(200)));
    let references: Vec<_> = (0..images.len()).map(|nth| format!("{}/app:case{nth}", server.address)).collect();
    let printed = fetch(&references);
    let fetched: Vec<_> = printed.lines().filter_map(|line| line.strip_prefix("result: ")).collect(); // others are a log
    assert_eq!(fetched.len(), images.len(), "{printed}");
    for ((name, _), (fetched, checked)) in images.iter().zip(fetched.into_iter().zip(checked(consumer, &images))) {
        let is_unchecked = unchecked_rules.iter().any(|rule| *name == format!("{rule} ({consumer})"));
        let expected = if is_unchecked { (true, Some(false)) } else { (checked == Some(true), checked) };
        assert_eq!((fetched == "loaded", checked), expected, "{name}: {fetched}");
    }
}

#[test]
#[ignore = "needs Go 1.26, and builds the image fetcher of Istio"]
fn istio_agrees_with_its_rules() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/istio");
    let program = project().join("target/istio-fetcher");
    printed("go", [OsStr::new("build"), "-C".as_ref(), source.as_ref(), "-o".as_ref(), program.as_ref(), ".".as_ref()]);
    compare("istio", &[], |references| printed(program.to_str().unwrap(), references));
}

#[test]
#[ignore = "builds oci-wasm and the 158 crates that it needs"]
fn oci_wasm_agrees_with_its_rules() {
    let of_the_layout = ["wasm-architecture", "layer-digests", "component-config"];
    compare("cncf", &of_the_layout, |references| by_oci_wasm("cncf", references));
}

#[test]
#[ignore = "builds oci-wasm and the 158 crates that it needs"]
fn kubewarden_agrees_with_its_rules() {
    compare("kubewarden", &["one-policy"], |references| by_oci_wasm("kubewarden", references));
}

fn by_oci_wasm(consumer: &str, references: &[String]) -> String {
    let arguments = std::iter::once(consumer.to_owned()).chain(references.iter().cloned());
    printed(env!("CARGO"), oci_wasm_command().into_iter().chain(arguments.map(OsString::from)))
}
