//! `sectile oci push`, to a small registry.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Run, command, file, keys_in_order};
use sectile_testing::binary::{custom, module};
use sectile_testing::registry::{Registry, error, require_login, start};
use sectile_testing::server::{Reply, Server};

/// A push by a user with this home directory.
fn push(home: &Path, path: &Path, reference: &str, options: &[&str]) -> Run {
    Run::of(push_command(home, path, reference, options).stdin(Stdio::null()).output().unwrap())
}

pub fn push_command(home: &Path, path: &Path, reference: &str, options: &[&str]) -> Command {
    let args = [OsStr::new("oci"), OsStr::new("push"), path.as_os_str(), OsStr::new(reference)];
    let mut command = command(args.into_iter().chain(options.iter().map(OsStr::new)));
    for variable in ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG", "SOURCE_DATE_EPOCH"] {
        command.env_remove(variable);
    }
    // An address that tests must not reach.
    command.env("HTTP_PROXY", "http://127.0.0.1:1").env("HTTPS_PROXY", "http://127.0.0.1:1").env_remove("NO_PROXY");
    command.env("HOME", home).env("USERPROFILE", home).env("PATH", home);
    command
}

fn licensed() -> Vec<u8> {
    module(&[custom("licenses", "MIT")])
}

#[test]
fn options_of_push_change_the_image_but_not_the_file() {
    let (server, registry) = start(Registry::default(), |_| None);
    let (directory, path) = file(&licensed());
    let to = format!("{}/team/app:1.0", server.address);
    let options =
        ["--version", "1.0", "--annotation", "com.example.x=y=z", "--created", "2026-01-31T12:00:00Z", "--os", "js"];
    let run = push(directory.path(), &path, &to, &options);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    let digest = run.text().trim_end().strip_prefix(&*format!("{to}@")).unwrap().to_owned();
    assert_eq!(fs::read(&path).unwrap(), licensed());

    let registry = registry.lock().unwrap();
    let manifest: Value = serde_json::from_slice(&registry.manifests[&digest].1).unwrap();
    let annotations = &manifest["annotations"];
    let of = |key: &str| annotations[format!("org.opencontainers.image.{key}")].as_str();
    assert_eq!(
        (of("licenses"), of("version"), of("created")),
        (Some("MIT"), Some("1.0"), Some("2026-01-31T12:00:00Z"))
    );
    assert_eq!(annotations["com.example.x"], "y=z");
    let layer = &registry.blobs[manifest["layers"][0]["digest"].as_str().unwrap()];
    assert_eq!(*layer, module(&[custom("licenses", "MIT"), custom("version", "1.0")]));
    let config: Value =
        serde_json::from_slice(&registry.blobs[manifest["config"]["digest"].as_str().unwrap()]).unwrap();
    assert_eq!((&config["created"], &config["os"]), (&"2026-01-31T12:00:00Z".into(), &"js".into()));
}

#[test]
fn json_is_the_contract() {
    let (server, registry) = start(Registry::default(), |_| None);
    let (directory, path) = file(&licensed());
    let to = format!("{}/app", server.address);
    let run = push(directory.path(), &path, &to, &["--json", "--sbom"]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stderr.contains("the dependencies are unknown"), "{}", run.stderr);
    assert_eq!(
        keys_in_order(run.text()),
        [
            "schema",
            "file",
            "reference",
            "manifest",
            "config",
            "layer",
            "sent",
            "changed",
            "sbom",
            "shape",
            "previous",
            "dry_run"
        ]
    );
    let json = run.json();
    let registry = registry.lock().unwrap();
    let digest = json["manifest"]["digest"].as_str().unwrap();
    let manifest: Value = serde_json::from_slice(&registry.manifests[digest].1).unwrap();
    assert_eq!(json["reference"], format!("{to}@{digest}"));
    for (key, blob) in [("layer", &manifest["layers"][0]), ("config", &manifest["config"])] {
        assert_eq!((&json[key]["digest"], &json[key]["size"]), (&blob["digest"], &blob["size"]));
    }
    let sent = json["layer"]["size"].as_u64().unwrap() + json["config"]["size"].as_u64().unwrap();
    assert_eq!((&json["sent"], &json["changed"]), (&sent.into(), &true.into()));

    let tag = digest.replace(':', "-");
    assert_eq!(json["sbom"]["fallback_tag"], tag);
    let list: Value = serde_json::from_slice(&registry.manifests[&tag].1).unwrap();
    assert_eq!(list["manifests"][0]["digest"], json["sbom"]["digest"]);
    let artifact: Value =
        serde_json::from_slice(&registry.manifests[json["sbom"]["digest"].as_str().unwrap()].1).unwrap();
    assert_eq!(artifact["artifactType"], "application/vnd.cyclonedx+json");
    assert_eq!(artifact["layers"][0]["annotations"]["org.opencontainers.image.title"], "a.wasm.cdx.json");
    let sbom: Value =
        serde_json::from_slice(&registry.blobs[artifact["layers"][0]["digest"].as_str().unwrap()]).unwrap();
    assert_eq!(sbom["bomFormat"], "CycloneDX");
}

#[test]
fn errors_of_push_are_reported() {
    let (server, _) = start(Registry::default(), |request| {
        request.is("POST", "denied/").then(|| error(403, "DENIED", "not you \u{1b}[31m"))
    });
    let (directory, path) = file(&licensed());
    let to = |rest: &str| format!("{}/{rest}", server.address);
    for (reference, options, part) in [
        ("app:1.0", &[][..], "write HOST/app:1.0"),
        (&to("denied/app"), &[], r"403 (DENIED `not you \x1b[31m`)"),
        (&to("app"), &["--annotation", "x"], "KEY=VALUE"),
        (&to("app"), &["--licenses", "MIT/Apache-2.0"], "--allow-invalid"),
        (&to("app"), &["--https"], "HEAD https://"),
        ("registry.invalid/app", &["--plain-http"], "HEAD http://registry.invalid/"),
        ("registry.invalid/app", &[], "HEAD https://registry.invalid/"),
    ] {
        let run = push(directory.path(), &path, reference, options);
        assert_eq!((run.status, run.text()), (2, ""), "{reference} {options:?}");
        assert!(run.stderr.contains(part), "{reference} {options:?}: {}", run.stderr);
    }
    let missing = push(directory.path(), &directory.path().join("b.wasm"), &to("app"), &[]);
    assert_eq!(missing.status, 2);
    // The image was pushed, but its SBOM was not.
    let (server, _) =
        start(Registry::default(), |request| request.is("GET", "manifests/sha256-").then(|| Reply::of(500)));
    let run = push(directory.path(), &path, &format!("{}/app:1", server.address), &["--sbom"]);
    assert!(
        run.status == 2 && run.stderr.contains(&format!("is pushed as {}/app:1@sha256:", server.address)),
        "{}",
        run.stderr
    );
}

/// A registry that lists referrers needs no tag. Without a requested SBOM, the report has none.
#[test]
fn json_of_push_has_nulls_for_absent_parts() {
    let (server, _) = start(Registry { has_referrers: true, ..Registry::default() }, |_| None);
    let (directory, path) = file(&licensed());
    let to = format!("{}/app:1", server.address);
    let sbom = |options: &[&str]| {
        let run = push(directory.path(), &path, &to, options);
        assert_eq!(run.status, 0, "{}", run.stderr);
        run.json()["sbom"].clone()
    };
    assert_eq!(sbom(&["--json"]), Value::Null);
    let attached = sbom(&["--json", "--sbom"]);
    assert!(attached["digest"].is_string() && attached["fallback_tag"] == Value::Null, "{attached}");
}

#[test]
fn errors_distinguish_the_proxy_from_the_registry() {
    let proxy = Server::start(|_| Reply::of(403));
    let (directory, path) = file(&licensed());
    let mut command = push_command(directory.path(), &path, "registry.invalid/app", &[]);
    let run = Run::of(command.env("HTTPS_PROXY", format!("http://{}", proxy.address)).output().unwrap());
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("the proxy rejects the connection"), "{}", run.stderr);
    assert!(proxy.asked().iter().all(|request| request.method == "CONNECT"), "{:?}", proxy.asked());
}

#[test]
fn credentials_are_those_of_docker_and_podman() {
    let (server, _) = start(Registry::default(), require_login);
    let (directory, path) = file(&licensed());
    let (home, address) = (directory.path(), server.address);
    let to = format!("{address}/team/app:1");
    let run = push(home, &path, &to, &[]);
    assert!(run.status == 2 && run.stderr.contains(&format!("log in with `docker login {address}`")), "{}", run.stderr);
    let entry = r#"{"auth":"bWU6aHVudGVyMg=="}"#;
    for (place, text) in [
        (".docker/config.json", format!(r#"{{"auths":{{"{address}":{entry}}}}}"#)),
        (
            ".config/containers/auth.json",
            format!(r#"{{"auths":{{"{address}/team":{entry},"{address}":{{"auth":"eDp5"}}}}}}"#),
        ),
    ] {
        let place = home.join(place);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, text).unwrap();
        let run = push(home, &path, &to, &[]);
        assert_eq!((run.status, &*run.stderr), (0, ""));
        fs::remove_file(place).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn credentials_come_from_a_credential_helper() {
    use std::os::unix::fs::PermissionsExt;

    let (server, _) = start(Registry::default(), require_login);
    let (directory, path) = file(&licensed());
    let (home, address) = (directory.path(), server.address);
    let helper = home.join("docker-credential-kept");
    let script = format!(
        "#!/bin/sh\nread -r server\ntest \"$1 $server\" = \"get {address}\" || exit 1\n\
         echo '{{\"Username\":\"me\",\"Secret\":\"hunter2\"}}'\n"
    );
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o700)).unwrap();
    fs::create_dir(home.join(".docker")).unwrap();
    for text in [r#"{"credsStore":"kept"}"#.to_owned(), format!(r#"{{"credHelpers":{{"{address}":"kept"}}}}"#)] {
        fs::write(home.join(".docker/config.json"), text).unwrap();
        let run = push(home, &path, &format!("{address}/app:1"), &[]);
        assert_eq!((run.status, &*run.stderr), (0, ""));
    }
    fs::write(home.join(".docker/config.json"), r#"{"credsStore":"gone"}"#).unwrap();
    let run = push(home, &path, &format!("{address}/app:1"), &[]);
    assert!(run.status == 2 && run.stderr.contains("docker-credential-gone"), "{}", run.stderr);
}
