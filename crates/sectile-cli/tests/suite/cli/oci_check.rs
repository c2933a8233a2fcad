//! `sectile oci check`, the shapes of `oci layout` and `oci push`, and `oci push --dry-run`.

use std::path::Path;
use std::process::Stdio;

use sectile::digest::Digest;
use serde_json::{Value, json};

use super::push::push_command;
use super::{Run, command, file, keys_in_order};
use sectile_testing::binary::{component, custom, module};
use sectile_testing::registry::{Registry, start};

fn run_in(directory: &Path, args: &[&str]) -> Run {
    Run::of(command(args).current_dir(directory).env_remove("SOURCE_DATE_EPOCH").stdin(Stdio::null()).output().unwrap())
}

fn licensed() -> Vec<u8> {
    module(&[custom("licenses", "MIT")])
}

#[test]
fn a_broken_rule_is_named_with_its_source() {
    let (directory, _) = file(&licensed());
    let run = |args: &[&str]| run_in(directory.path(), args);
    assert_eq!(run(&["oci", "layout", "a.wasm", "-o", "l", "--ref", "v1"]).status, 0);
    let loads = run(&["oci", "check", "oci:l:v1", "--for", "cncf", "--for", "spin"]);
    assert_eq!((loads.status, &*loads.stderr), (0, ""));
    assert!(loads.text().starts_with("oci:l:v1: CNCF Wasm OCI artifact v0\n"), "{}", loads.text());
    assert_eq!(loads.text().matches("loads it").count(), 2, "{}", loads.text());

    let refused = run(&["oci", "check", "oci:l:v1", "--for", "istio"]);
    assert_eq!((refused.status, &*refused.stderr), (1, ""));
    for part in ["does not load it", "two-layers: ", "Found: 1 layer.", "istio/istio:pkg/wasm/imagefetcher.go"] {
        assert!(refused.text().contains(part), "{part}: {}", refused.text());
    }
    let all = run(&["oci", "check", "oci:l:v1"]);
    assert_eq!(all.status, 1);
    for consumer in ["cncf", "envoy", "istio", "spin", "kubewarden", "runwasi"] {
        assert!(all.text().contains(consumer), "{consumer}");
    }
    let quiet = run(&["oci", "check", "oci:l:v1", "--for", "cncf", "-q"]);
    assert_eq!((quiet.status, quiet.text()), (0, ""));
}

#[test]
fn check_json_is_the_contract() {
    let (directory, _) = file(&licensed());
    let run = |args: &[&str]| run_in(directory.path(), args);
    run(&["oci", "layout", "a.wasm", "-o", "l", "--ref", "v1"]);
    let checked = run(&["oci", "check", "oci:l:v1", "--json", "--for", "spin", "--for", "kubewarden"]);
    assert_eq!((checked.status, &*checked.stderr), (1, ""));
    assert_eq!(keys_in_order(checked.text()), ["schema", "image", "digest", "shape", "consumers"]);
    let json = checked.json();
    assert_eq!((&json["image"], &json["shape"]), (&json!("oci:l:v1"), &json!("cncf")));
    let spin = json!({"consumer": "spin", "loads": true, "broken": [], "unchecked": []});
    assert_eq!(json["consumers"][0], spin);
    let broken = &json["consumers"][1]["broken"];
    assert_eq!((&broken[0]["rule"], &broken[0]["found"]), (&json!("policy-layers"), &json!("`application/wasm`")));
}

#[test]
fn an_image_in_a_registry_is_checked_by_its_name() {
    let (server, _registry) = start(Registry::default(), |_| None);
    let (directory, path) = file(&licensed());
    let to = format!("{}/team/filter:1.0", server.address);
    let home = directory.path();
    let pushed = Run::of(push_command(home, &path, &to, &["--shape", "envoy"]).output().unwrap());
    assert_eq!((pushed.status, &*pushed.stderr), (0, ""));
    let check = |image: &str, consumer: &str| {
        Run::of(command(["oci", "check", image, "--for", consumer]).env("HOME", home).output().unwrap())
    };
    for image in [to.clone(), format!("oci://{to}"), pushed.text().trim_end().to_owned()] {
        let run = check(&image, "istio");
        assert_eq!((run.status, &*run.stderr), (0, ""), "{image}");
    }
    assert_eq!(check(&to, "cncf").status, 1);
    let absent = check(&format!("{}/team/filter:2.0", server.address), "istio");
    assert!(absent.status == 2 && absent.stderr.contains("404"), "{}", absent.stderr);
    for (image, message) in [("app", "app"), ("-", "this is not an image"), ("https://example.com/a", "not an image")] {
        let run = check(image, "istio");
        assert!(run.status == 2 && run.stderr.contains(message), "{image}: {}", run.stderr);
    }
}

#[test]
fn images_of_every_shape_are_written_and_loaded() {
    let (directory, _) = file(&licensed());
    let run = |args: &[&str]| run_in(directory.path(), args);
    for (shape, consumer) in [("cncf", "runwasi"), ("envoy", "envoy"), ("compat", "istio")] {
        let written = run(&["oci", "layout", "a.wasm", "-o", "l", "--ref", shape, "--shape", shape, "--json"]);
        assert_eq!((written.status, &written.json()["shape"]), (0, &json!(shape)), "{}", written.stderr);
        let checked = run(&["oci", "check", &format!("oci:l:{shape}"), "--for", consumer]);
        assert_eq!(checked.status, 0, "{}", checked.text());
    }
    let (directory, _) = file(&component(&[]));
    let refused = run_in(directory.path(), &["oci", "layout", "a.wasm", "-o", "l", "--shape", "compat"]);
    assert!(refused.status == 2 && refused.stderr.contains("use the shape `cncf`"), "{}", refused.stderr);
    assert!(!directory.path().join("l").exists());
}

#[test]
fn a_dry_run_shows_the_push_and_sends_nothing() {
    let (server, registry) = start(Registry::default(), |_| None);
    let (directory, path) = file(&licensed());
    let to = format!("{}/app:1.0", server.address);
    let push = |options: &[&str]| Run::of(push_command(directory.path(), &path, &to, options).output().unwrap());
    let preview = push(&["--dry-run"]);
    assert_eq!((preview.status, &*preview.stderr), (0, ""));
    for part in [&*format!("would be pushed as {to}@sha256:"), "to be sent", "is new", "licenses=MIT", "\"layers\":["] {
        assert!(preview.text().contains(part), "{part}: {}", preview.text());
    }
    assert!(registry.lock().unwrap().blobs.is_empty());

    let json = push(&["--dry-run", "--json"]).json();
    let sizes: u64 = ["config", "layer"].map(|part| json[part]["size"].as_u64().unwrap()).iter().sum();
    assert_eq!((&json["dry_run"], &json["previous"], json["sent"].as_u64()), (&json!(true), &Value::Null, Some(sizes)));
    for part in ["manifest", "config"] {
        let text = json["documents"][part].as_str().unwrap();
        assert_eq!(json[part]["digest"], Digest::new(text.as_bytes()).to_string());
    }

    let pushed = push(&["--json"]).json();
    assert_eq!((&pushed["dry_run"], &pushed["manifest"]), (&json!(false), &json["manifest"]));
    assert!(push(&["--dry-run"]).text().contains("already names this image"));
    let moved = push(&["--vendor", "v", "--dry-run"]);
    let digest = pushed["manifest"]["digest"].as_str().unwrap();
    assert!(moved.text().contains(&format!("moves from {digest}")), "{}", moved.text());
}

#[test]
fn a_tag_that_moves_to_other_content_is_reported() {
    let (server, _registry) = start(Registry::default(), |_| None);
    let (directory, path) = file(&licensed());
    let to = format!("{}/app:1.2.0", server.address);
    let push = |options: &[&str]| Run::of(push_command(directory.path(), &path, &to, options).output().unwrap());
    let first = push(&["--json"]).json();
    assert_eq!((push(&[]).stderr, &first["previous"]), (String::new(), &Value::Null));
    let moved = push(&["--vendor", "v"]);
    let digest = first["manifest"]["digest"].as_str().unwrap();
    assert_eq!((moved.status, moved.stderr.trim_end()), (0, &*format!("sectile: moved 1.2.0 from {digest}")));
    let back = push(&["--json", "-q"]);
    assert_eq!(back.stderr, "");
    assert_ne!(back.json()["previous"], first["manifest"]["digest"]);
}

#[test]
fn two_images_are_checked_one_after_the_other() {
    let (directory, _) = file(&licensed());
    let run = |args: &[&str]| run_in(directory.path(), args);
    run(&["oci", "layout", "a.wasm", "-o", "l", "--ref", "v1"]);
    let checked = run(&["oci", "check", "oci:l:absent", "oci:l:v1", "--for", "cncf"]);
    assert_eq!(checked.status, 2);
    assert!(checked.stderr.contains("`absent`") && checked.text().contains("loads it"), "{}", checked.stderr);
}
