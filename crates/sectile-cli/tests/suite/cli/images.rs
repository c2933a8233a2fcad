//! `sectile oci pull`, `copy`, `tags`, `login` and `logout`, and edits of images.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Run, command, file};
use sectile::digest::Digest;
use sectile_testing::binary::{custom, module, section};
use sectile_testing::registry::{AUTHORIZATION, Registry, error, require_login, start};
use sectile_testing::server::{Reply, Server};

/// A run in a directory that is also the home directory.
fn run_in<I: AsRef<OsStr>>(home: &Path, args: impl IntoIterator<Item = I>, input: &str) -> Run {
    run_with(home, args, input, &[])
}

fn run_with<I: AsRef<OsStr>>(
    home: &Path,
    args: impl IntoIterator<Item = I>,
    input: &str,
    variables: &[(&str, &str)],
) -> Run {
    use std::io::Write;

    let mut command = command(args);
    for variable in ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG", "SOURCE_DATE_EPOCH"] {
        command.env_remove(variable);
    }
    command.env("HOME", home).env("USERPROFILE", home).env("PATH", home).current_dir(home);
    command.envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    Run::of(child.wait_with_output().unwrap())
}

#[track_caller]
fn done(run: &Run) {
    assert_eq!((run.status, &*run.stderr), (0, ""));
}

fn app() -> Vec<u8> {
    module(&[custom("licenses", "MIT"), section(10, &vec![0; 300_000]), custom("vendor", "v")])
}

/// A registry with `app` as `team/app:1.0`, and a home directory.
fn pushed(bytes: &[u8], registry: Registry) -> (TempDir, Server, sectile_testing::registry::Shared) {
    let (server, registry) = start(registry, |_| None);
    let (home, path) = file(bytes);
    let place = format!("{}/team/app:1.0", server.address);
    done(&run_in(home.path(), ["oci", "push", path.to_str().unwrap(), &place, "--sbom", "-q"], ""));
    (home, server, registry)
}

fn manifest(registry: &sectile_testing::registry::Shared, name: &str) -> Value {
    serde_json::from_slice(&registry.lock().unwrap().manifests[name].1).unwrap()
}

/// Changes the manifest of a tag.
fn change_manifest(registry: &sectile_testing::registry::Shared, tag: &str, change: impl FnOnce(&mut Value)) {
    let mut json = manifest(registry, tag);
    change(&mut json);
    let mut registry = registry.lock().unwrap();
    let media_type = registry.manifests[tag].0.clone();
    registry.manifests.insert(tag.to_owned(), (media_type, json.to_string().into_bytes()));
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_pulled_file_is_the_pushed_file() {
    let (home, server, registry) = pushed(&app(), Registry::default());
    let place = format!("{}/team/app:1.0", server.address);
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let pull = |args: &[&str]| {
        let mut command = command(["oci", "pull"].iter().chain(args));
        command.env("HOME", home.path()).current_dir(directory.path());
        Run::of(command.stdin(Stdio::null()).output().unwrap())
    };
    let digest = Digest::new(&registry.lock().unwrap().manifests["1.0"].1).to_string();
    for name in [&place, &format!("oci://{place}")] {
        let run = pull(&[name]);
        done(&run);
        assert_eq!(run.text(), format!("app.wasm: {place}@{digest}\n"));
        assert_eq!(fs::read(at("app.wasm")).unwrap(), app());
    }
    done(&pull(&[&place, "-o", "other.bin", "-q"]));
    assert_eq!(fs::read(at("other.bin")).unwrap(), app());
    let by_digest = format!("{}/team/app@{digest}", server.address);
    assert_eq!(pull(&[&by_digest, "-o", "-"]).stdout, app());

    // A file with another content is replaced only if it is named.
    fs::write(at("app.wasm"), "mine").unwrap();
    let refused = pull(&[&place]);
    assert!(refused.status == 2 && refused.stderr.contains("-o app.wasm"), "{}", refused.stderr);
    assert_eq!(fs::read(at("app.wasm")).unwrap(), b"mine");
    done(&pull(&[&place, "-o", "app.wasm"]));
    assert_eq!(fs::read(at("app.wasm")).unwrap(), app());
}

#[test]
fn a_pulled_file_is_named_by_its_title_only_if_that_is_safe() {
    let (home, server, registry) = pushed(&app(), Registry::default());
    let place = format!("{}/team/app:1.0", server.address);
    for (title, name) in [
        ("tool-1.0.wasm", "tool-1.0.wasm"),
        ("../tool.wasm", "app.wasm"),
        ("/tmp/tool.wasm", "app.wasm"),
        (".bashrc", "app.wasm"),
        ("Makefile", "app.wasm"),
        ("-o.wasm", "app.wasm"),
        ("\u{1b}[31m.wasm", "app.wasm"),
        ("con.wasm", "app.wasm"),
    ] {
        change_manifest(&registry, "1.0", |json| {
            json["layers"][0]["annotations"] = json!({"org.opencontainers.image.title": title});
        });
        let directory = tempfile::tempdir().unwrap();
        let mut command = command(["oci", "pull", &place]);
        let run = Run::of(command.env("HOME", home.path()).current_dir(directory.path()).output().unwrap());
        done(&run);
        assert_eq!(names(directory.path()), [name], "{title}");
    }
}

#[test]
fn a_wrong_layer_is_not_written() {
    let (home, server, registry) = pushed(&app(), Registry::default());
    let place = format!("{}/team/app:1.0", server.address);
    for blob in registry.lock().unwrap().blobs.values_mut().filter(|blob| blob.starts_with(b"\0asm")) {
        *blob.last_mut().unwrap() ^= 1;
    }
    let before = names(home.path());
    for args in [&["oci", "pull", &place, "-o", "b.wasm"][..], &["oci", "copy", &place, "oci:layout:a"]] {
        let run = run_in(home.path(), args, "");
        assert!(run.status == 2 && run.stderr.contains("tampered"), "{args:?} {}", run.stderr);
    }
    assert_eq!(names(home.path()).iter().filter(|name| !before.contains(name)).collect::<Vec<_>>(), ["layout"]);
    assert!(!home.path().join("layout/index.json").exists());
    let piped = run_in(home.path(), ["oci", "pull", &place, "-o", "-"], "");
    assert!(piped.status == 2 && piped.stdout.len() < app().len(), "{}", piped.stderr);
    let digest = run_in(home.path(), ["digest", &format!("oci://{place}")], "");
    assert!(digest.status == 2 && digest.stderr.contains("tampered"), "{}", digest.stderr);
    let shown = run_in(home.path(), ["show", "--json", "--image", "--verify", &format!("oci://{place}")], "");
    assert!(shown.text().contains("digest-mismatch"), "{}", shown.text());
}

#[test]
fn an_interrupted_download_continues() {
    let bytes = module(&[section(10, &(0..300_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>())]);
    let (home, pushed_to, registry) = pushed(&bytes, Registry::default());
    let whole = registry.clone();
    let cuts = Arc::new(AtomicUsize::new(0));
    let count = cuts.clone();
    // Sends a part of what is requested, and closes the connection.
    let server = Server::start(move |request| {
        let reply = whole.lock().unwrap().answer(request);
        match reply {
            Reply::Answer { body, .. } if body.len() > 500_000 => {
                count.fetch_add(1, Ordering::SeqCst);
                let range = request.field("range").map(|range| range.trim_start_matches("bytes=").to_owned());
                let start: usize = range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
                let end = start + body.len();
                let head = format!("HTTP/1.1 206 X\r\ncontent-length: {}\r\n", body.len());
                let range = format!("content-range: bytes {start}-{}/{end}\r\n\r\n", end - 1);
                let head = if start == 0 { head.replace("206", "200") + "\r\n" } else { head + &range };
                Reply::Raw([head.as_bytes(), &body[..500_000]].concat())
            }
            reply => reply,
        }
    });
    let place = format!("{}/team/app:1.0", server.address);
    done(&run_in(home.path(), ["oci", "pull", &place, "-o", "b.wasm", "-q"], ""));
    assert_eq!(fs::read(home.path().join("b.wasm")).unwrap(), bytes);
    assert_eq!(cuts.load(Ordering::SeqCst), 2);
    drop(pushed_to);
}

#[test]
fn tags_are_listed_in_pages() {
    let (home, server, registry) = pushed(&app(), Registry { page_len: 3, ..Registry::default() });
    let expected: Vec<String> = (10..18).map(|number| format!("2.{number}")).collect();
    {
        let mut registry = registry.lock().unwrap();
        registry.manifests.retain(|name, _| name.contains(':'));
        let any = registry.manifests.values().next().unwrap().clone();
        registry.manifests.extend(expected.iter().map(|tag| (tag.clone(), any.clone())));
    }
    let repository = format!("{}/team/app", server.address);
    let run = run_in(home.path(), ["oci", "tags", &format!("oci://{repository}")], "");
    done(&run);
    assert_eq!(run.text().lines().collect::<Vec<_>>(), expected);
    assert_eq!(server.lines().iter().filter(|line| line.contains("/tags/list")).count(), 3);
}

#[test]
fn lists_that_do_not_end_are_refused() {
    let answer = |link: &'static str, tags: fn(usize) -> Value| {
        let mut pages = 0;
        move |request: &sectile_testing::server::Request| match &*request.path {
            "/v2/app/tags/list" => {
                pages += 1;
                let page = json!({"name": "app", "tags": tags(pages)}).to_string();
                Reply::of(200).field("link", link).body(page)
            }
            _ => error(404, "NAME_UNKNOWN", "unknown"),
        }
    };
    let many = |page: usize| (0..20_000).map(|number| format!("{page}-{number}")).collect::<Value>();
    type Page = fn(usize) -> Value;
    let cases: [(&str, Page, &str); 6] = [
        ("</v2/app/tags/list>; rel=next", |_| json!(["a", "b"]), "nothing new"),
        ("</v2/app/tags/list>; rel=next", |_| Value::Null, "nothing new"),
        ("</v2/app/tags/list>; rel=next", many, "more than 100000 entries"),
        ("<http://127.0.0.1:1/v2/app/tags/list>; rel=next", |_| json!(["a"]), "another host"),
        ("<https://example.com/>; rel=next", |_| json!(["a"]), "another host"),
        ("</v2/app/tags/list>; rel=next", |_| json!(["../../x"]), "the list has `../../x`"),
    ];
    let home = tempfile::tempdir().unwrap();
    for (link, tags, part) in cases {
        let server = Server::start(answer(link, tags));
        let run = run_in(home.path(), ["oci", "tags", &format!("{}/app", server.address)], "");
        assert!((run.status, run.text()) == (2, "") && run.stderr.contains(part), "{link}: {}", run.stderr);
    }
    let server = Server::start(answer("", |_| json!([])));
    let missing = run_in(home.path(), ["oci", "tags", &format!("{}/other", server.address)], "");
    assert!(missing.status == 2 && missing.stderr.contains("404 (NAME_UNKNOWN"), "{}", missing.stderr);
}

/// An index of two images under a tag, with an SBOM that refers to the first one.
fn with_index(registry: &sectile_testing::registry::Shared) -> String {
    let mut registry = registry.lock().unwrap();
    let (media_type, first) = registry.manifests["1.0"].clone();
    let second = String::from_utf8(first.clone()).unwrap().replace("\"MIT\"", "\"ISC\"").into_bytes();
    let descriptors = [first, second].map(|bytes| {
        let digest = Digest::new(&bytes).to_string();
        let descriptor = json!({"mediaType": media_type, "digest": digest, "size": bytes.len()});
        registry.manifests.insert(digest, (media_type.clone(), bytes));
        descriptor
    });
    let media_type = "application/vnd.oci.image.index.v1+json".to_owned();
    // Spaces must be kept.
    let index = format!(
        "{{ \"schemaVersion\": 2,  \"mediaType\":\"{media_type}\", \"manifests\":[{},{}] }}",
        descriptors[0], descriptors[1]
    );
    let digest = Digest::new(index.as_bytes()).to_string();
    registry.manifests.insert(digest.clone(), (media_type.clone(), index.clone().into_bytes()));
    registry.manifests.insert("all".to_owned(), (media_type, index.into_bytes()));
    digest
}

#[test]
fn a_copy_keeps_every_byte() {
    for has_referrers in [true, false] {
        let (home, server, registry) = pushed(&app(), Registry { has_referrers, ..Registry::default() });
        let digest = with_index(&registry);
        let (other, copied) = start(Registry { has_referrers: !has_referrers, ..Registry::default() }, |_| None);
        let source = format!("{}/team/app:all", server.address);
        let destination = format!("{}/other/name:2", other.address);
        // From a registry to a layout, from there to another registry, and back to another layout.
        for (from, to) in [(&*source, "oci:layout:a-2"), ("oci:layout:a-2", &*destination), (&*destination, "oci:back")]
        {
            let run = run_in(home.path(), ["oci", "copy", from, to, "--referrers"], "");
            done(&run);
            assert!(run.text().contains(&digest), "{}", run.text());
        }
        let (first, second) = (registry.lock().unwrap(), copied.lock().unwrap());
        assert_eq!(first.blobs, second.blobs);
        // Index, images and SBOM by their digests. Lists of referrers have the tag of the fallback.
        let digests = |registry: &Registry| {
            let is_list = |digest: &str| {
                let lists = registry.manifests.iter().filter(|(name, _)| name.starts_with("sha256-"));
                lists.map(|(_, (_, bytes))| Digest::new(bytes).to_string()).any(|list| list == digest)
            };
            let manifests = registry.manifests.iter().filter(|(name, _)| name.contains(':') && !is_list(name));
            manifests.map(|(name, (_, bytes))| (name.clone(), bytes.clone())).collect::<Vec<_>>()
        };
        assert_eq!(digests(&first), digests(&second));
        assert_eq!(second.manifests["2"].1, first.manifests["all"].1);
        assert_eq!(second.manifests.keys().any(|name| name.starts_with("sha256-")), has_referrers);
        drop((first, second));

        let blobs = |layout: &str| names(&home.path().join(layout).join("blobs/sha256"));
        assert_eq!(blobs("layout"), blobs("back"));
        let index = |layout: &str| -> Value {
            serde_json::from_slice(&fs::read(home.path().join(layout).join("index.json")).unwrap()).unwrap()
        };
        let entries = index("layout")["manifests"].as_array().unwrap().clone();
        assert_eq!(entries.len(), 2, "{entries:?}");
        assert!(entries.iter().any(|entry| entry["artifactType"] == "application/vnd.cyclonedx+json"));

        // A repeated copy sends nothing.
        let before = other.lines().len();
        done(&run_in(home.path(), ["oci", "copy", "oci:layout:a-2", &destination, "--referrers"], ""));
        let later = other.lines()[before..].to_vec();
        assert!(later.iter().all(|line| line.starts_with("HEAD ")), "{later:?}");
    }
}

#[test]
fn without_referrers_only_the_image_is_copied() {
    let (home, server, _) = pushed(&app(), Registry { has_referrers: true, ..Registry::default() });
    let place = format!("{}/team/app:1.0", server.address);
    done(&run_in(home.path(), ["oci", "copy", &place, "oci:layout"], ""));
    assert_eq!(names(&home.path().join("layout/blobs/sha256")).len(), 3);
    let shown = run_in(home.path(), ["get", "oci:layout", "vendor"], "");
    assert_eq!(shown.text(), "v");
}

#[test]
fn blobs_of_the_same_registry_are_mounted() {
    for (status, sent) in [(201, 0), (202, 2), (405, 2)] {
        let (pushed_to, registry) = start(Registry::default(), |_| None);
        let (home, path) = file(&app());
        let place = format!("{}/team/app:1.0", pushed_to.address);
        done(&run_in(home.path(), ["oci", "push", path.to_str().unwrap(), &place, "-q"], ""));
        let shared = registry.clone();
        let mut present: Vec<String> = Vec::new();
        // The repository `copy` has only what is uploaded or mounted.
        let server = Server::start(move |request| {
            if let Some(digest) =
                request.query.strip_prefix("mount=").and_then(|query| query.split_once("&from=team/app"))
            {
                if status == 201 {
                    present.push(digest.0.to_owned());
                    return Reply::of(201).field("location", "/v2/copy/blobs/x");
                }
                if status == 405 {
                    return error(405, "UNSUPPORTED", "no mounts");
                }
            }
            if request.is("PUT", "/blobs/uploads/") && request.body.is_some() {
                present.push(request.query.split_once("digest=").unwrap().1.to_owned());
            }
            if request.is("HEAD", "/copy/blobs/") && !present.iter().any(|digest| request.path.ends_with(&**digest)) {
                return error(404, "BLOB_UNKNOWN", "unknown");
            }
            if request.is("HEAD", "/copy/manifests/") {
                return error(404, "MANIFEST_UNKNOWN", "unknown");
            }
            shared.lock().unwrap().answer(request)
        });
        let (from, to) = (format!("{}/team/app:1.0", server.address), format!("{}/copy:1", server.address));
        let run = run_in(home.path(), ["oci", "copy", &from, &to], "");
        done(&run);
        let uploads = server.asked().iter().filter(|request| request.is("PUT", "/blobs/uploads/")).count();
        assert_eq!(uploads, sent, "{status}");
        assert_eq!(run.text().contains("2 mounted"), status == 201, "{}", run.text());
    }
}

#[test]
fn hostile_images_are_not_copied() {
    let (home, server, registry) = pushed(&app(), Registry::default());
    let place = format!("{}/team/app:1.0", server.address);
    let original = registry.lock().unwrap().manifests["1.0"].clone();
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 4] = [
        ("instead of", |json| json["layers"][0]["size"] = json!(1)),
        ("invalid digest", |json| json["layers"][0]["digest"] = json!("sha256:../../x")),
        ("404", |json| json["layers"][0]["digest"] = json!(format!("sha256:{}", "0".repeat(64)))),
        ("does not exist|404", |json| {
            json["manifests"] = json!([{"mediaType": "x", "digest": format!("sha256:{}", "0".repeat(64)), "size": 1}]);
        }),
    ];
    for (part, change) in cases {
        registry.lock().unwrap().manifests.insert("1.0".to_owned(), original.clone());
        change_manifest(&registry, "1.0", change);
        let run = run_in(home.path(), ["oci", "copy", &place, "oci:layout:a"], "");
        assert!(run.status == 2 && part.split('|').any(|part| run.stderr.contains(part)), "{part}: {}", run.stderr);
        assert!(!home.path().join("layout/index.json").exists());
    }
    // The digest in the reference is that of the manifest.
    let wrong = format!("{}/team/app@sha256:{}", server.address, "0".repeat(64));
    registry.lock().unwrap().manifests.insert(format!("sha256:{}", "0".repeat(64)), original);
    let run = run_in(home.path(), ["oci", "copy", &wrong, "oci:layout:a"], "");
    assert!(run.status == 2 && run.stderr.contains("tampered"), "{}", run.stderr);
}

#[test]
fn an_edited_image_is_written_back() {
    let (home, server, registry) = pushed(&app(), Registry::default());
    let place = |tag: &str| format!("{}/team/app:{tag}", server.address);
    let source = format!("oci://{}", place("1.0"));
    let refused = run_in(home.path(), ["set", &source, "--vendor", "w"], "");
    assert!(refused.status == 2 && refused.stderr.contains("--to IMAGE"), "{}", refused.stderr);

    let dry = run_in(home.path(), ["set", &source, "--vendor", "w", "--dry-run", "--to", &place("1.1")], "");
    done(&dry);
    assert!(!registry.lock().unwrap().manifests.contains_key("1.1"));

    let run = run_in(home.path(), ["set", &source, "--vendor", "w", "--to", &place("1.1"), "--json"], "");
    done(&run);
    let digest = Digest::new(&registry.lock().unwrap().manifests["1.1"].1).to_string();
    assert_eq!(run.json()["image"], format!("{}@{digest}", place("1.1")));
    assert_eq!(manifest(&registry, "1.1")["annotations"]["org.opencontainers.image.vendor"], "w");
    assert_eq!(run_in(home.path(), ["get", &format!("oci://{}", place("1.1")), "vendor"], "").text(), "w");
    assert_eq!(run_in(home.path(), ["get", &source, "vendor"], "").text(), "v");

    // Into a layout, and from there into the registry.
    done(&run_in(home.path(), ["strip", "--all", &source, "--to", "oci:layout:stripped", "-q"], ""));
    let stripped = run_in(home.path(), ["remove", "oci:layout:stripped", "vendor", "--to", &place("1.2")], "");
    done(&stripped);
    assert!(stripped.text().contains(&place("1.2")), "{}", stripped.text());
    assert_eq!(run_in(home.path(), ["get", &format!("oci://{}", place("1.2")), "vendor"], "").status, 1);
    for options in [&["--to", "oci:layout", "-o", "x"][..], &["--to", "oci:layout", "--in-place"], &["--to", "x y"]] {
        let args = ["set", &source, "--vendor", "w"].into_iter().chain(options.iter().copied());
        assert_eq!(run_in(home.path(), args, "").status, 2, "{options:?}");
    }
    // The commands of `oci` do not need `oci://`.
    let annotations = run_in(home.path(), ["oci", "annotations", &place("1.1")], "");
    assert_eq!(annotations.json()["org.opencontainers.image.vendor"], "w");
}

#[test]
fn a_password_is_checked_and_stored() {
    let (server, _) = start(Registry::default(), require_login);
    let (home, path) = file(&app());
    let host = server.address.to_string();
    let login =
        |password: &str| run_in(home.path(), ["oci", "login", &host, "--username", "me", "--password-stdin"], password);
    let config = home.path().join(".docker/config.json");
    for wrong in ["5ec12e7\n", "", "\n"] {
        let refused = login(wrong);
        assert!(refused.status == 2 && !refused.stderr.contains("5ec12e7"), "{}", refused.stderr);
        assert!(!config.exists(), "{wrong:?}");
    }
    fs::create_dir(home.path().join(".docker")).unwrap();
    fs::write(&config, r#"{"HttpHeaders": {"X": "y"}}"#).unwrap();
    let run = login("hunter2\n");
    done(&run);
    assert!(run.text().starts_with(&format!("logged in to {host}; ")), "{}", run.text());
    let written: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    let auth = AUTHORIZATION.strip_prefix("Basic ").unwrap();
    assert_eq!(written, json!({"HttpHeaders": {"X": "y"}, "auths": {&*host: {"auth": auth}}}));
    let place = format!("{host}/app:1");
    done(&run_in(home.path(), ["oci", "push", path.to_str().unwrap(), &place, "-q"], ""));
    done(&run_in(home.path(), ["show", &format!("oci://{place}"), "-q"], ""));

    for state in ["logged out of", "not logged in to"] {
        assert_eq!(run_in(home.path(), ["oci", "logout", &host], "").text(), format!("{state} {host}\n"));
    }
    assert_eq!(run_in(home.path(), ["show", &format!("oci://{place}"), "-q"], "").status, 2);

    // The file of Podman is read first.
    let podman = home.path().join(".config/containers");
    fs::create_dir_all(&podman).unwrap();
    fs::write(podman.join("auth.json"), format!(r#"{{"auths":{{"{host}":{{"auth":"eDp5"}}}}}}"#)).unwrap();
    assert!(login("hunter2").stderr.contains("is read first"));
    // Another file is used if the environment names it.
    let named = home.path().join("named.json");
    let variables = [("REGISTRY_AUTH_FILE", named.to_str().unwrap())];
    let args = ["oci", "login", &host, "--username", "me", "--password-stdin"];
    done(&run_with(home.path(), args, "hunter2", &variables));
    assert!(fs::read_to_string(&named).unwrap().contains(auth));
}

#[cfg(unix)]
#[test]
fn a_helper_stores_the_password() {
    use std::os::unix::fs::PermissionsExt;

    let (server, _) = start(Registry::default(), require_login);
    let home = tempfile::tempdir().unwrap();
    let host = server.address.to_string();
    let helper = home.path().join("docker-credential-kept");
    let script = "#!/bin/sh\nread -r input\nprintf '%s %s\\n' \"$1\" \"$input\" >> \"$HOME/calls\"\n";
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o700)).unwrap();
    fs::create_dir(home.path().join(".docker")).unwrap();
    let config = home.path().join(".docker/config.json");
    fs::write(&config, r#"{"credsStore":"kept"}"#).unwrap();
    let args = ["oci", "login", &host, "--username", "me", "--password-stdin"];
    let run = run_in(home.path(), args, "hunter2");
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.text().contains("docker-credential-kept"), "{}", run.text());
    let written = fs::read_to_string(&config).unwrap();
    assert!(written.contains("{}") && !written.contains("bWU6"), "{written}");
    assert_eq!(run_in(home.path(), ["oci", "logout", &host], "").text(), format!("logged out of {host}\n"));
    let calls = fs::read_to_string(home.path().join("calls")).unwrap();
    let stored = format!("store {{\"ServerURL\":\"{host}\",\"Username\":\"me\",\"Secret\":\"hunter2\"}}");
    assert!(calls.contains(&stored) && calls.contains(&format!("erase {host}")), "{calls}");
}

#[test]
fn variables_are_credentials_for_the_destination_of_a_copy() {
    let (source, registry) = start(Registry::default(), |request| {
        assert_eq!(request.field("authorization"), None, "the source gets no credentials");
        None
    });
    let (home, path) = file(&app());
    let from = format!("{}/team/app:1.0", source.address);
    done(&run_in(home.path(), ["oci", "push", path.to_str().unwrap(), &from, "-q"], ""));
    // The source asks for credentials, which it does not get.
    let shared = registry.clone();
    let asking = Server::start(move |request| {
        assert_eq!(request.field("authorization"), None, "the source gets no credentials");
        match request.is("GET", "/manifests/") {
            true => error(401, "UNAUTHORIZED", "who is there?").field("www-authenticate", "Basic realm=\"x\""),
            false => shared.lock().unwrap().answer(request),
        }
    });
    let (destination, _) = start(Registry::default(), require_login);
    let to = format!("{}/team/app:1.0", destination.address);
    let variables = [("SECTILE_REGISTRY_USERNAME", "me"), ("SECTILE_REGISTRY_PASSWORD", "hunter2")];
    done(&run_with(home.path(), ["oci", "copy", &from, &to, "-q"], "", &variables));
    let asked = format!("{}/team/app:1.0", asking.address);
    let refused = run_with(home.path(), ["oci", "copy", &asked, &to, "-q"], "", &variables);
    assert!(refused.status == 2 && refused.stderr.contains("oci login"), "{}", refused.stderr);
}
