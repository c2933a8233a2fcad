//! Remote FILEs.

use super::*;
use sectile_testing::parts::part;
use sectile_testing::registry::{Registry, start};
use sectile_testing::server::{Reply, Server};

/// A web server that serves ranges of these bytes.
fn serve(bytes: Vec<u8>) -> Server {
    Server::start(move |request| part(&bytes, request))
}

#[test]
fn remote_inputs_are_shown_like_files() {
    let large = "n".repeat(5_000);
    let bytes = module(&[custom("licenses", "MIT"), section(10, &vec![0; 200_000]), custom("note", &large)]);
    let server = serve(bytes.clone());
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("app.wasm");
    fs::write(&path, &bytes).unwrap();
    let url = format!("http://{}/app.wasm?sig=5ec12e7", server.address);
    let file_url = format!("file://{}", path.display());
    let loud_url = url.replace("http", "HTTP"); // RFC 3986, 3.1: schemes ignore case

    for args in [&["show"][..], &["show", "--interface"], &["sections"], &["check"], &["show", "--json"]] {
        let of = |file: &str| run(args.iter().copied().chain([file]));
        let here = of(path.to_str().unwrap());
        for there in [&url, &file_url, &loud_url] {
            let run = of(there);
            assert_eq!((run.status, &*run.stderr), (here.status, ""), "{args:?} {there}");
            let (name, _) = there.split_once('?').unwrap_or((there, ""));
            assert_eq!(shown(&run, name), shown(&here, path.to_str().unwrap()), "{args:?} {there}");
            assert!(!run.text().contains("5ec12e7"), "{}", run.text());
        }
    }
    let json = run(["show", "--json", &url]).json();
    assert_eq!(json["size"], bytes.len());
    assert!(json["bytes_read"].as_u64().unwrap() < 100_000);
    assert_eq!(run(["get", &url, "note"]).text(), large);
    // An object is read by ranges, so that its digest is not known.
    let mut document = run(["sbom", path.to_str().unwrap()]).json();
    assert!(document["metadata"]["component"].as_object_mut().unwrap().remove("hashes").is_some());
    for url in [&url, &loud_url] {
        assert_eq!(run(["sbom", url]).json(), document);
    }
}

/// The output for a FILE of this name, without its name and cost.
fn shown(run: &Run, name: &str) -> String {
    let text = run.text().replace(name, "FILE");
    match text.split_once(",\"bytes_read\":") {
        Some((before, _)) => before.to_owned(),
        None => text,
    }
}

#[test]
fn a_missing_object_is_reported_without_secrets() {
    let server = Server::start(|_| Reply::of(404).body("5ec12e7"));
    let run = run(["show", &format!("http://{}/app.wasm?sig=5ec12e7", server.address)]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("the object does not exist") && !run.stderr.contains("5ec12e7"), "{}", run.stderr);
}

#[test]
fn remote_inputs_are_rejected_by_edits_without_secrets() {
    for file in [
        "https://user:5ec12e7@example.com/app.wasm?a=5ec12e7",
        "s3://user:5ec12e7@bucket/app.wasm",
        "az://container/app.wasm?sig=5ec12e7",
        "s3://bucket/app.wasm?X-Amz-Signature=5ec12e7",
        "gs://bucket/app.wasm#5ec12e7",
        "HTTPS://user:5ec12e7@example.com/app.wasm",
        "S3://bucket/app.wasm?X-Amz-Signature=5ec12e7",
    ] {
        for args in [&["set", "--licenses", "MIT"][..], &["digest"], &["show", "--map"], &["show"], &["audit"]] {
            let run = run(args.iter().copied().chain([file]));
            assert_eq!(run.status, 2, "{args:?} {file}");
            assert!(!run.stderr.is_empty() && !run.stderr.contains("5ec12e7"), "{}", run.stderr);
            assert!(run.stderr.contains("app.wasm"), "{}", run.stderr);
        }
    }
}

/// The environment describes the store.
#[test]
fn google_cloud_storage_is_configured_by_the_environment() {
    let bytes = module(&[custom("licenses", "MIT"), section(10, &vec![0; 200_000]), custom("vendor", "v")]);
    let served = bytes.clone();
    let server = Server::start(move |request| match &*request.path {
        "/bucket/team%2Fapp%2Ewasm" => {
            part(&served, request).field("etag", "\"e\"").field("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        }
        _ => Reply::of(404),
    });
    let show = |variables: &[(&str, &str)]| {
        let mut command = command(["show", "--json", "gs://bucket/team/app.wasm"]);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GOOGLE_")) {
            command.env_remove(name);
        }
        Run::of(command.envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap())
    };
    let key = format!(
        r#"{{"gcs_base_url":"http://{}","disable_oauth":true,"client_email":"","private_key":"","private_key_id":""}}"#,
        server.address
    );
    let run = show(&[("GOOGLE_SERVICE_ACCOUNT_KEY", &key), ("GOOGLE_ALLOW_HTTP", "true")]);
    assert_eq!((run.status, &*run.stderr), (0, ""), "{:?}", server.lines());
    let json = run.json();
    assert_eq!(
        (&json["item"]["annotations"]["licenses"], json["size"].as_u64()),
        (&"MIT".into(), Some(bytes.len() as u64))
    );
    assert!(server.asked().iter().all(|request| request.field("range").is_some()), "{:?}", server.asked());
    for variable in ["GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_KEY"] {
        let run = show(&[(variable, "{\"private_key\":\"5ec12e7\"}")]);
        assert_eq!(run.status, 2);
        assert!(run.stderr.contains("GOOGLE_SERVICE_ACCOUNT") && !run.stderr.contains("5ec12e7"), "{}", run.stderr);
    }
}

#[test]
fn a_missing_input_has_a_line_of_json() {
    let server = Server::start(|_| Reply::of(404));
    let (home, path) = file(&module(&[]));
    let missing = home.path().join("missing.wasm");
    let urls = [format!("http://{}/app.wasm", server.address), format!("oci://{}/app:1", server.address)];
    for command in ["show", "check", "sections"] {
        for there in [missing.to_str().unwrap(), &urls[0], &urls[1]] {
            let run = run([command, "--json", there, path.to_str().unwrap()]);
            assert_eq!(run.status, 2);
            assert!(run.stderr.starts_with(&format!("sectile: {there}: ")), "{}", run.stderr);
            let lines: Vec<Value> = run.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let [broken, whole] = &lines[..] else { panic!("{command} {there}: {}", run.text()) };
            assert_eq!((&broken["file"], &broken["size"]), (&there.into(), &Value::Null), "{command}");
            assert_eq!((&broken["outcome"], &whole["outcome"]), (&"partial".into(), &"complete".into()), "{command}");
            let told =
                |message: &str| run.stderr.contains(if there.contains("://") { message } else { "no such file" });
            assert!(broken["reason"]["message"].as_str().is_some_and(told), "{}", run.stderr);
        }
    }
}

#[test]
fn registry_images_are_shown_and_compared_remotely() {
    let (server, registry) = start(Registry::default(), |_| None);
    let bytes = module(&[custom("licenses", "MIT"), section(10, &vec![0; 200_000]), custom("vendor", "v")]);
    let (home, path) = file(&bytes);
    let place = format!("{}/team/app:1.0", server.address);
    let run = |args: &[&str]| {
        let mut command = command(args);
        for variable in ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"] {
            command.env_remove(variable);
        }
        command.env("HOME", home.path()).env("USERPROFILE", home.path());
        Run::of(command.stdin(Stdio::null()).output().unwrap())
    };
    let pushed = run(&["oci", "push", path.to_str().unwrap(), &place]);
    assert_eq!((pushed.status, &*pushed.stderr), (0, ""));
    let digest = pushed.text().trim_end().split_once('@').unwrap().1.to_owned();

    let oci = format!("oci://{place}");
    let by_digest = format!("oci://{}/team/app@{digest}", server.address);
    for name in [&oci, &by_digest, &oci.replace("oci", "OCI")] {
        let shown = run(&["show", "--json", "--image", name]);
        assert_eq!((shown.status, &*shown.stderr), (0, ""));
        let json = shown.json();
        assert_eq!((json["size"].as_u64(), &json["findings"]), (Some(bytes.len() as u64), &serde_json::json!([])));
    }
    let verified = run(&["show", "--image", "--verify", &oci]);
    assert_eq!((verified.status, &*verified.stderr), (0, ""));
    let digest_of = |name: &str| run(&["digest", name]).text().replace(name, "FILE");
    assert_eq!(digest_of(&oci), digest_of(path.to_str().unwrap()));
    let sections = |name: &str| shown(&run(&["sections", name]), name);
    assert_eq!(sections(&oci), sections(path.to_str().unwrap()));
    assert_eq!(run(&["get", &oci, "vendor"]).text(), "v");
    assert_eq!(run(&["show", &format!("oci://{oci}")]).status, 2);
    // The name of an image is not the name of its layer.
    let (here, there) = (run(&["sbom", "-"]), run(&["sbom", &oci]));
    assert!(here.status == 2 && !there.text().contains("app:1.0"), "{}", there.text());

    // The manifest of another image with the same layer has other values.
    let mut registry = registry.lock().unwrap();
    let (media_type, manifest) = registry.manifests["1.0"].clone();
    let manifest = String::from_utf8(manifest).unwrap().replace("\"MIT\"", "\"GPL-3.0-only\"").into_bytes();
    registry.manifests.insert("2.0".to_owned(), (media_type, manifest));
    drop(registry);
    let drifted = run(&["show", "--json", "--image", &oci.replace(":1.0", ":2.0")]);
    assert_eq!(drifted.json()["findings"][0]["code"], "annotation-drift", "{}", drifted.text());
    let missing = run(&["show", &oci.replace(":1.0", ":3.0")]);
    assert!(missing.status == 2 && missing.stderr.contains("404"), "{}", missing.stderr);
}

/// Adds an index of these images by their platforms, under a tag.
fn add_index(registry: &mut Registry, tag: &str, images: &[(&str, &str)]) {
    let manifests: Vec<Value> = images
        .iter()
        .map(|(image, platform)| {
            let (media_type, bytes) = &registry.manifests[*image];
            let digest = sectile::digest::Digest::new(bytes).to_string();
            let (os, architecture) = platform.split_once('/').unwrap();
            serde_json::json!({
                "mediaType": media_type, "digest": digest, "size": bytes.len(),
                "platform": {"os": os, "architecture": architecture},
            })
        })
        .collect();
    let media_type = "application/vnd.oci.image.index.v1+json";
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests});
    registry.manifests.insert(tag.to_owned(), (media_type.to_owned(), index.to_string().into_bytes()));
}

#[test]
fn the_platform_chooses_an_image_of_an_index() {
    let (server, registry) = start(Registry::default(), |_| None);
    let place = |tag: &str| format!("{}/team/app:{tag}", server.address);
    for (tag, vendor) in [("a", "one"), ("b", "two"), ("c", "three")] {
        let (_home, path) = file(&module(&[custom("vendor", vendor)]));
        assert_eq!(run(["oci", "push", path.to_str().unwrap(), &place(tag)]).status, 0);
    }
    {
        let mut registry = registry.lock().unwrap();
        add_index(&mut registry, "all", &[("a", "linux/amd64"), ("b", "wasi/wasm"), ("c", "js/other")]);
        add_index(&mut registry, "none", &[("a", "linux/amd64"), ("c", "js/other")]);
    }
    let get = |tag: &str, options: &[&str]| {
        let image = format!("oci://{}", place(tag));
        run(["get", &image, "vendor"].into_iter().chain(options.iter().copied()))
    };
    assert_eq!(get("all", &[]).text(), "two");
    assert_eq!(get("all", &["--platform", "linux/amd64"]).text(), "one");
    assert_eq!(get("none", &["--platform", "js/other"]).text(), "three");
    assert_eq!(get("a", &["--platform", "linux/arm64"]).text(), "one"); // not an index
    for (tag, options, part) in [
        ("none", &[][..], "several images match: "),
        ("all", &["--platform", "linux/arm64"], "no image for `linux/arm64`; available: "),
        ("all", &["--platform", "wasm"], "OS/ARCHITECTURE"),
    ] {
        let run = get(tag, options);
        assert_eq!((run.status, run.text()), (2, ""), "{options:?}");
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
    let listed = get("none", &[]).stderr;
    assert!(listed.contains("for `linux/amd64`") && listed.contains("for `js/other`"), "{listed}");
}

#[test]
fn a_registry_without_ranges_is_read_up_to_a_limit() {
    let bytes = module(&[custom("licenses", "MIT"), section(10, &vec![0; 6 << 20]), custom("vendor", "v")]);
    let large = module(&[section(10, &vec![0; 65 << 20])]);
    let (server, registry) = start(Registry::default(), |_| None);
    let addresses = server.address;
    for (tag, bytes) in [("small", &bytes), ("large", &large)] {
        let (_home, path) = file(bytes);
        assert_eq!(run(["oci", "push", path.to_str().unwrap(), &format!("{addresses}/app:{tag}")]).status, 0);
    }
    // The same registry, which ignores `Range` and counts the downloads.
    let downloads = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (count, shared) = (downloads.clone(), registry.clone());
    let plain = Server::start(move |request| {
        let mut request = request.clone();
        request.fields.retain(|(name, _)| name != "range");
        count.fetch_add(usize::from(request.is("GET", "/blobs/")), std::sync::atomic::Ordering::SeqCst);
        shared.lock().unwrap().answer(&request)
    });
    let image = |tag: &str| format!("oci://{}/app:{tag}", plain.address);
    let shown = run(["show", "--json", &image("small")]);
    assert_eq!((shown.status, &*shown.stderr), (0, ""));
    assert_eq!(shown.json()["item"]["annotations"]["vendor"], "v");
    assert_eq!(downloads.load(std::sync::atomic::Ordering::SeqCst), 1, "the layer is downloaded once");
    let refused = run(["show", &image("large")]);
    assert_eq!(refused.status, 2);
    assert!(
        refused.stderr.contains("does not support ranges") && refused.stderr.contains("sectile oci pull"),
        "{}",
        refused.stderr
    );

    // A layer with another digest is refused, although only its beginning is shown.
    for blob in registry.lock().unwrap().blobs.values_mut().filter(|blob| blob.starts_with(b"\0asm")) {
        *blob.last_mut().unwrap() ^= 1;
    }
    let wrong = run(["show", &image("small")]);
    assert!(wrong.status == 2 && wrong.stderr.contains("tampered"), "{}", wrong.stderr);
}

#[test]
fn credentials_come_from_variables() {
    let (server, _) = start(Registry::default(), sectile_testing::registry::require_login);
    let (home, path) = file(&module(&[custom("vendor", "v")]));
    let place = format!("{}/team/app:1", server.address);
    let run = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = command(args);
        for variable in ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"] {
            command.env_remove(variable);
        }
        command.env("HOME", home.path()).env("USERPROFILE", home.path()).envs(variables.iter().copied());
        Run::of(command.stdin(Stdio::null()).output().unwrap())
    };
    let (user, password) = (("SECTILE_REGISTRY_USERNAME", "me"), ("SECTILE_REGISTRY_PASSWORD", "hunter2"));
    let pushed = run(&["oci", "push", path.to_str().unwrap(), &place], &[user, password]);
    assert_eq!((pushed.status, &*pushed.stderr), (0, ""));
    let oci = format!("oci://{place}");
    assert_eq!(run(&["get", &oci, "vendor"], &[user, password]).text(), "v");
    for (variables, part) in [
        (&[][..], "sectile oci login"),
        (&[user], "SECTILE_REGISTRY_PASSWORD is not"),
        (&[password], "SECTILE_REGISTRY_USERNAME is not"),
        (&[user, ("SECTILE_REGISTRY_PASSWORD", "5ec12e7")], "rejects the credentials"),
    ] {
        let denied = run(&["show", &oci], variables);
        assert!(denied.status == 2 && denied.stderr.contains(part), "{}", denied.stderr);
        assert!(!denied.stderr.contains("5ec12e7") && !denied.stderr.contains("hunter2"), "{}", denied.stderr);
    }
}
