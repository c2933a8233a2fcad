//! `show --interface`.

use serde_json::{Value, json};

use super::{file, run};
use sectile_testing::binary::{component, custom, module, nested, prefixed, section};

fn show(bytes: &[u8]) -> (super::Run, Value) {
    let (_directory, path) = file(bytes);
    let run = run(["show".as_ref(), "--interface".as_ref(), "--json".as_ref(), path.as_os_str()]);
    let json = run.json();
    (run, json)
}

/// A module that imports a function and exports it.
fn module_with_interface() -> Vec<u8> {
    let import = section(2, &[&[1][..], &prefixed("env"), &prefixed("f"), &[0, 0]].concat());
    let export = section(7, &[&[1][..], &prefixed("g"), &[0, 0]].concat());
    module(&[import, export, custom("licenses", "MIT")])
}

#[test]
fn imports_and_exports_are_keys_of_the_root_item() {
    let (run, json) = show(&module_with_interface());
    assert_eq!((run.status, &*run.stderr), (0, ""));
    assert_eq!(json["item"]["imports"], json!([{"module": "env", "name": "f", "kind": "function", "offset": 11}]));
    assert_eq!(json["item"]["exports"], json!([{"name": "g", "kind": "function", "offset": 22}]));
    assert_eq!(json["item"]["annotations"]["licenses"], "MIT");
    let keys = ["producers", "imports", "exports", "items", "findings"];
    let places = keys.map(|key| run.text().find(&format!("\"{key}\":")).unwrap());
    assert!(places.is_sorted(), "{}", run.text());

    let (_, json) = show(&component(&[nested(&module_with_interface())]));
    assert_eq!((&json["item"]["imports"], &json["item"]["exports"]), (&json!([]), &json!([])));
    assert_eq!(json["item"]["items"][0].get("imports"), None);
}

#[test]
fn interfaces_are_shown_only_on_request() {
    let (_, json) = super::show_json(&module_with_interface());
    assert_eq!((json["item"].get("imports"), json["item"].get("exports")), (None, None));
}

#[test]
fn a_wit_package_is_named() {
    let path = "tests/files/wit-package.component.wasm";
    let shown = run(["show", "--interface", path]);
    for line in [
        "WIT package          wasi:http@0.2.0",
        "wasi:http/types@0.2.0",
        "worlds               wasi:http/imports@0.2.0",
    ] {
        assert!(shown.text().contains(line), "{}", shown.text());
    }
    let json = run(["show", "--interface", "--json", path]).json();
    let package = &json["item"]["wit_package"];
    assert_eq!(package["name"], "wasi:http@0.2.0");
    assert_eq!(package["worlds"], json!(["wasi:http/imports@0.2.0", "wasi:http/proxy@0.2.0"]));
    assert_eq!(
        (package["interfaces"].as_array().unwrap().len(), json["item"]["exports"].as_array().unwrap().len()),
        (3, 5)
    );
}

/// An instance under a plain name has the name of its interface.
#[test]
fn implemented_interfaces_are_shown() {
    let text =
        r#"(component (import "store" (implements "my:keys/values@1.2.0") (instance)) (import "plain" (instance)))"#;
    let bytes = wat::parse_str(text).unwrap();
    let (run, json) = show(&bytes);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    let imports = json!([
        {"name": "store", "kind": "instance", "implements": "my:keys/values@1.2.0", "offset": 16},
        {"name": "plain", "kind": "instance", "offset": 56},
    ]);
    assert_eq!(json["item"]["imports"], imports);
    let (_directory, path) = file(&bytes);
    let shown = super::run(["show".as_ref(), "--interface".as_ref(), path.as_os_str()]);
    assert!(shown.text().contains("store implements my:keys/values@1.2.0"), "{}", shown.text());
    assert!(shown.text().lines().any(|line| line.ends_with("plain")), "{}", shown.text());
}

#[test]
fn names_are_escaped_for_people_and_exact_in_json() {
    let name = "\u{1b}[2J\u{202e}\n";
    let import = section(2, &[&[1][..], &prefixed(name), &prefixed(name), &[0, 0]].concat());
    let bytes = module(&[import]);
    let (_directory, path) = file(&bytes);
    let shown = run(["show".as_ref(), "--interface".as_ref(), path.as_os_str()]);
    assert!(!shown.text().contains(['\u{1b}', '\u{202e}']), "{:?}", shown.text());
    assert_eq!(show(&bytes).1["item"]["imports"][0]["name"], name);
}

#[test]
fn an_undecodable_interface_is_a_finding() {
    let (run, json) = show(&module(&[section(2, &[9]), custom("licenses", "MIT")]));
    assert_eq!((run.status, json["findings"][0]["code"].as_str()), (0, Some("malformed-interface")));
    assert_eq!(json["item"]["annotations"]["licenses"], "MIT");
    let bytes = module_with_interface();
    let (run, json) = show(&bytes[..bytes.len() - 1]);
    assert_eq!((run.status, json["outcome"].as_str()), (2, Some("partial")));
    assert_eq!(json["item"]["imports"][0]["name"], "f");
}
