//! `sectile audit oci://…`: registries, through their API.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Run, command};
use sectile::digest::Digest;
use sectile_testing::binary::{custom, module, module_with_data, numbered_module, section};
use sectile_testing::registry::{Registry, error, require_login, start};
use sectile_testing::server::{Reply, Server};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The content of a registry.
#[derive(Default)]
struct Content(Registry);

impl Content {
    /// Adds a blob and returns its descriptor.
    fn blob(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let digest = Digest::new(&bytes).to_string();
        let descriptor = json!({"mediaType": media_type, "digest": digest, "size": bytes.len()});
        self.0.blobs.insert(digest, bytes);
        descriptor
    }

    /// Adds a manifest under a tag and its digest. Returns its descriptor.
    fn document(&mut self, tag: &str, media_type: &str, document: &Value) -> Value {
        let bytes = document.to_string().into_bytes();
        let digest = Digest::new(&bytes).to_string();
        let entry = (media_type.to_owned(), bytes);
        if !tag.is_empty() {
            self.0.manifests.insert(tag.to_owned(), entry.clone());
        }
        let descriptor = json!({"mediaType": media_type, "digest": digest, "size": entry.1.len()});
        self.0.manifests.insert(digest, entry);
        descriptor
    }

    /// Adds an image with these layers.
    fn image(&mut self, tag: &str, layers: &[Value]) -> Value {
        let config = self.blob("application/vnd.wasm.config.v0+json", b"{}".to_vec());
        self.document(tag, MANIFEST, &json!({"schemaVersion": 2, "config": config, "layers": layers}))
    }

    fn wasm(&mut self, bytes: Vec<u8>) -> Value {
        self.blob("application/wasm", bytes)
    }
}

fn licensed(vendor: &str) -> Vec<u8> {
    module(&[custom("licenses", "MIT"), section(10, &vec![0; 200_000]), custom("vendor", vendor)])
}

/// An audit by a user without credentials.
fn audit(home: &Path, args: &[&str]) -> Run {
    audit_with(home, args, &[])
}

fn audit_with(home: &Path, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = command(["audit", "--format", "jsonl"].iter().chain(args));
    for variable in ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"] {
        command.env_remove(variable);
    }
    command.env("HOME", home).env("USERPROFILE", home).current_dir(home).envs(variables.iter().copied());
    Run::of(command.stdin(Stdio::null()).output().unwrap())
}

/// The rows of a report by their files.
fn rows(report: &str) -> BTreeMap<String, Value> {
    let lines = report.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line.get("row").is_some()).map(|row| (row["file"].as_str().unwrap().to_owned(), row)).collect()
}

fn blob_requests(server: &Server) -> Vec<String> {
    server.lines().into_iter().filter(|line| line.contains("/blobs/")).collect()
}

#[test]
fn each_blob_is_read_once_whatever_its_tags() {
    const TAGS: usize = 10_000;
    const BLOBS: usize = 500;
    let mut content = Content::default();
    for blob in 0..BLOBS {
        let layer = content.wasm(module(&[custom("licenses", "MIT"), custom("vendor", blob.to_string())]));
        content.image(&format!("t{blob:05}"), &[layer]);
        let entry = content.0.manifests[&format!("t{blob:05}")].clone();
        for tag in (blob + BLOBS..TAGS).step_by(BLOBS) {
            content.0.manifests.insert(format!("t{tag:05}"), entry.clone());
        }
    }
    content.0.page_len = 1_000;
    let home = tempfile::tempdir().unwrap();
    let (server, _) = start(content.0, |_| None);
    let repository = format!("oci://{}/team/app", server.address);
    let run = audit(home.path(), &[&repository]);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    let rows = rows(run.text());
    assert_eq!(rows.len(), BLOBS);
    let first = &rows[&format!("{repository}:t00000")];
    assert_eq!(first["item"]["annotations"]["vendor"], "0");
    assert_eq!(first["locations"].as_array().unwrap().len(), TAGS / BLOBS);
    assert_eq!(first["locations"][1], format!("{repository}:t00500"));
    assert!(first["digest"].as_str().unwrap().starts_with("sha256:") && first["verified"] == false);
    let mut requests = blob_requests(&server);
    assert_eq!(requests.len(), BLOBS);
    requests.sort();
    requests.dedup();
    assert_eq!(requests.len(), BLOBS);
    assert_eq!(server.lines().len(), BLOBS + TAGS + 10, "one request for each manifest and each page of tags");
}

#[test]
fn a_later_audit_reads_nothing_again() {
    let mut content = Content::default();
    for tag in ["1.0", "1.1"] {
        let layer = content.wasm(licensed(tag));
        content.image(tag, &[layer]);
    }
    let home = tempfile::tempdir().unwrap();
    let (server, _) = start(content.0, |_| None);
    let repository = format!("oci://{}/team/app", server.address);
    let first = audit(home.path(), &[&repository]);
    fs::write(home.path().join("first.jsonl"), &first.stdout).unwrap();
    let before = blob_requests(&server).len();
    assert!(before >= 2);
    let second = audit(home.path(), &[&repository, "--since", "first.jsonl"]);
    assert_eq!(second.status, 0, "{}", second.stderr);
    assert_eq!(blob_requests(&server).len(), before);
    assert_eq!(rows(second.text()), rows(first.text()));
}

#[test]
fn a_catalog_is_walked_by_prefix() {
    let mut content = Content::default();
    let layer = content.wasm(licensed("v"));
    content.image("1.0", &[layer]);
    content.0.repositories = ["other", "team/a", "team/b", "teams"].map(str::to_owned).into();
    content.0.page_len = 2;
    let home = tempfile::tempdir().unwrap();
    let (server, _) = start(content.0, |_| None);
    let address = server.address;
    let locations = |root: &str| {
        let run = audit(home.path(), &[root]);
        assert_eq!((run.status, &*run.stderr), (0, ""));
        let rows = rows(run.text());
        assert_eq!(rows.len(), 1, "the repositories have the same blob");
        rows.into_values().next().unwrap()["locations"].clone()
    };
    let image = |repository: &str| format!("oci://{address}/{repository}:1.0");
    assert_eq!(locations(&format!("oci://{address}/team/")), json!([image("team/a"), image("team/b")]));
    let all = ["other", "team/a", "team/b", "teams"].map(image);
    assert_eq!(locations(&format!("oci://{address}/")), json!(all));
    assert_eq!(locations(&image("teams")), json!([image("teams")]));
    // The name of a row can be shown.
    let shown = super::run(["get", &image("team/a"), "vendor"]);
    assert_eq!(shown.text(), "v");
}

#[test]
fn indexes_archives_and_plain_layers_are_inspected() {
    let mut content = Content::default();
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let plugin = licensed("plugin");
    let mut header = tar::Header::new_gnu();
    header.set_size(plugin.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "plugin.wasm", &*plugin).unwrap();
    let layer = tar.into_inner().unwrap().finish().unwrap();
    let layer = content.blob("application/vnd.oci.image.layer.v1.tar+gzip", layer);
    content.image("compat", &[layer]);
    let text = content.blob("text/plain", b"not a binary".to_vec());
    let untyped = content.blob("application/octet-stream", licensed("untyped"));
    content.image("spin", &[text, untyped]);
    let inner = content.wasm(licensed("inner"));
    let child = content.image("", &[inner]);
    let nested = content.document("", INDEX, &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]}));
    content.document("index", INDEX, &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [nested]}));
    let home = tempfile::tempdir().unwrap();
    let (server, _) = start(content.0, |_| None);
    let repository = format!("oci://{}/team/app", server.address);
    let run = audit(home.path(), &[&repository]);
    assert_eq!((run.status, &*run.stderr), (0, ""));
    let vendors: Vec<(String, Value)> =
        rows(run.text()).into_iter().map(|(file, row)| (file, row["item"]["annotations"]["vendor"].clone())).collect();
    let expected = [
        (format!("{repository}:compat!plugin.wasm"), json!("plugin")),
        (format!("{repository}:index"), json!("inner")),
        (format!("{repository}:spin"), json!("untyped")),
    ];
    assert_eq!(vendors, expected);
    // The names of rows can be read. A compat image stands for its only binary.
    let compat = format!("{repository}:compat");
    for (name, vendor) in expected.iter().map(|(name, vendor)| (name, vendor)).chain([(&compat, &json!("plugin"))]) {
        let value = super::run(["get", name, "vendor"]);
        assert_eq!((value.status, value.text()), (0, vendor.as_str().unwrap()), "{name}: {}", value.stderr);
    }
    let entry = format!("{compat}!plugin.wasm");
    let shown: Value = serde_json::from_str(super::run(["show", "--json", &entry]).text()).unwrap();
    assert_eq!((&shown["file"], &shown["size"]), (&json!(entry), &json!(plugin.len())));
    let checked = super::run(["check", &entry]);
    assert_eq!(checked.status, 0, "{}", checked.stderr);
    assert!(super::run(["sections", &entry]).text().contains("vendor"));
    assert_eq!(super::run(["sbom", &entry]).status, 0);
    let digest = super::run(["digest", &entry]);
    assert!(digest.text().contains(&Digest::new(&plugin).to_string()), "{}", digest.text());
}

#[test]
fn names_of_rows_without_a_binary_name_others() {
    let mut content = Content::default();
    let [first, second] = ["a", "b"].map(|name| content.blob("application/octet-stream", licensed(name)));
    content.image("two", &[first, second]);
    let mut tar = tar::Builder::new(Vec::new());
    for name in ["a.wasm", "b.wasm"] {
        let binary = licensed(name);
        let mut header = tar::Header::new_gnu();
        header.set_size(binary.len() as u64);
        tar.append_data(&mut header, name, &*binary).unwrap();
    }
    let layer = content.blob("application/vnd.oci.image.layer.v1.tar", tar.into_inner().unwrap());
    content.image("tar", &[layer]);
    let (server, _) = start(content.0, |_| None);
    let repository = format!("oci://{}/team/app", server.address);
    for (name, message) in [
        ("tar!c.wasm", format!("its binaries: `{repository}:tar!a.wasm`, `{repository}:tar!b.wasm`")),
        ("absent!a.wasm", "404".to_owned()),
        ("two!a.wasm", "no binary has this name".to_owned()),
        ("two", "no WebAssembly layer".to_owned()),
        ("tar", format!("its binaries: `{repository}:tar!a.wasm`")),
        ("tar!", "tar!".to_owned()),
    ] {
        let run = super::run(["get", &format!("{repository}:{name}"), "vendor"]);
        assert_eq!(run.status, 2, "{name}");
        assert!(run.stderr.contains(&message), "{name}: {}", run.stderr);
    }
    assert_eq!(super::run(["get", &format!("{repository}:tar!b.wasm"), "vendor"]).text(), "b.wasm");
}

#[test]
fn refused_and_endless_lists_are_errors() {
    let home = tempfile::tempdir().unwrap();
    let many = |page: usize| (0..20_000).map(|number| format!("{page}-{number}")).collect::<Value>();
    for (path, body, part) in [
        ("/v2/_catalog", "repositories", "more than 100000 entries"),
        ("/v2/app/tags/list", "tags", "more than 100000 entries"),
        ("/v2/_catalog", "", "does not list its repositories"),
        ("/v2/app/tags/list", "", "404"),
    ] {
        let mut page = 0;
        let server = Server::start(move |request| {
            if request.path != path || body.is_empty() {
                return error(if path == "/v2/_catalog" { 403 } else { 404 }, "DENIED", "no");
            }
            page += 1;
            Reply::of(200)
                .field("link", format!("<{path}?page={page}>; rel=next"))
                .body(json!({body: many(page)}).to_string())
        });
        let root = if path == "/v2/_catalog" { "" } else { "app" };
        let run = audit(home.path(), &[&format!("oci://{}/{root}", server.address)]);
        assert_eq!(run.status, 2, "{path} {part}: {}", run.text());
        assert!(run.text().contains(part), "{path}: {}", run.text());
    }
}

#[test]
fn errors_about_images_are_counted_beyond_a_limit() {
    let mut content = Content::default();
    for tag in 0..1_010 {
        content.0.manifests.insert(format!("t{tag}"), (MANIFEST.to_owned(), format!("{{\"t\":{tag}}}").into_bytes()));
    }
    let home = tempfile::tempdir().unwrap();
    let (server, _) = start(content.0, |_| None);
    let repository = format!("oci://{}/team/app", server.address);
    let run = audit(home.path(), &[&repository]);
    let rows = rows(run.text());
    assert_eq!((run.status, rows.len()), (2, 1_001));
    assert!(rows[&repository]["findings"][0]["message"].as_str().unwrap().starts_with("10 more findings"));
}

#[test]
fn wrong_and_absent_blobs_have_findings() {
    let mut content = Content::default();
    let good = content.wasm(licensed("good"));
    let absent = content.wasm(licensed("absent"));
    let wrong = content.wasm(licensed("wrong"));
    let mut short = content.wasm(licensed("short"));
    short["size"] = json!(20);
    let mut foreign = content.wasm(licensed("foreign"));
    foreign["urls"] = json!(["https://example.com/layer"]);
    for (tag, layer) in
        [("good", &good), ("absent", &absent), ("wrong", &wrong), ("short", &short), ("foreign", &foreign)]
    {
        content.image(tag, std::slice::from_ref(layer));
    }
    content.0.manifests.insert("text".to_owned(), (MANIFEST.to_owned(), b"{}".to_vec()));
    content.0.blobs.remove(absent["digest"].as_str().unwrap());
    content.0.blobs.remove(foreign["digest"].as_str().unwrap());
    *content.0.blobs.get_mut(wrong["digest"].as_str().unwrap()).unwrap().last_mut().unwrap() = b'!';
    let home = tempfile::tempdir().unwrap();
    let (server, _) = start(content.0, |_| None);
    let repository = format!("oci://{}/team/app", server.address);
    let codes = |options: &[&str]| {
        let args: Vec<&str> = [&*repository].into_iter().chain(options.iter().copied()).collect();
        let run = audit(home.path(), &args);
        let codes = rows(run.text()).into_iter().map(|(file, row)| {
            let tag = file.rsplit(':').next().unwrap().to_owned();
            (tag, row["findings"].as_array().unwrap().iter().map(|finding| finding["code"].clone()).collect::<Value>())
        });
        codes.collect::<BTreeMap<String, Value>>()
    };
    let plain = codes(&[]);
    assert_eq!((&plain["absent"], &plain["foreign"]), (&json!(["absent-blob"]), &json!(["absent-blob"])));
    assert_eq!((&plain["text"], &plain["good"]), (&json!(["malformed-layout"]), &json!([])));
    assert_eq!(plain["short"], json!(["unreadable"]));
    let hashed = codes(&["--hash"]);
    assert_eq!((&hashed["wrong"], &hashed["good"]), (&json!(["digest-mismatch"]), &json!([])));
}

/// The tag refers to another image right after its manifest is read.
#[test]
fn a_tag_that_changes_is_read_as_it_was_resolved() {
    let mut content = Content::default();
    let (old, new) = (content.wasm(licensed("old")), content.wasm(licensed("new")));
    content.image("1.0", std::slice::from_ref(&old));
    content.image("next", std::slice::from_ref(&new));
    let next = content.0.manifests.remove("next").unwrap();
    let registry: Arc<Mutex<Registry>> = Arc::new(Mutex::new(content.0));
    let server = Server::start(move |request| {
        let mut registry = registry.lock().unwrap();
        let reply = registry.answer(request);
        if request.path.ends_with("/manifests/1.0") {
            registry.manifests.insert("1.0".to_owned(), next.clone());
        }
        reply
    });
    let home = tempfile::tempdir().unwrap();
    let image = format!("oci://{}/team/app:1.0", server.address);
    let run = audit(home.path(), &[&image]);
    assert_eq!(rows(run.text())[&image]["digest"], old["digest"]);
    let run = audit(home.path(), &[&image]);
    assert_eq!(rows(run.text())[&image]["digest"], new["digest"]);
}

#[test]
fn a_registry_is_audited_with_credentials() {
    let mut content = Content::default();
    let layer = content.wasm(licensed("v"));
    content.image("1.0", &[layer]);
    content.0.repositories = vec!["team/app".to_owned()];
    let home = tempfile::tempdir().unwrap();
    let (server, _) = start(content.0, require_login);
    let root = format!("oci://{}/", server.address);
    let variables = [("SECTILE_REGISTRY_USERNAME", "me"), ("SECTILE_REGISTRY_PASSWORD", "hunter2")];
    let run = audit_with(home.path(), &[&root], &variables);
    assert_eq!((run.status, rows(run.text()).len()), (0, 1), "{}", run.stderr);
    let denied = audit(home.path(), &[&root]);
    assert_eq!(denied.status, 2);
    assert!(denied.text().contains("does not list its repositories"), "{}", denied.text());
}

#[test]
fn layers_are_searched_for_hidden_binaries_on_request() {
    let mut content = Content::default();
    let layer = content.wasm(module_with_data(numbered_module(0)));
    content.image("data", &[layer]);
    let numbers: Vec<_> = numbered_module(1).iter().map(u8::to_string).collect();
    let script = format!("load([{}])", numbers.join(","));
    let layer = super::row_names::gzip(&super::row_names::tar(&[(b"app.js", script.as_bytes())]));
    let layer = content.blob("application/vnd.oci.image.layer.v1.tar+gzip", layer);
    content.image("files", &[layer]);
    let home = tempfile::tempdir().unwrap();
    let (server, _) = start(content.0, |_| None);
    let repository = format!("oci://{}/team/app", server.address);
    let files = |arguments: &[&str]| {
        let run = audit(home.path(), &[&[&*repository][..], arguments].concat());
        assert_eq!((run.status, &*run.stderr), (0, ""));
        rows(run.text()).into_iter().map(|(file, row)| (file, row["encoding"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(files(&[]), [(format!("{repository}:data"), Value::Null)]);
    let found = files(&["--inside=always"]);
    let expected = [
        (format!("{repository}:data"), Value::Null),
        (format!("{repository}:data!raw@"), json!(["raw"])),
        (format!("{repository}:files!app.js!numbers@6"), json!(["gzip", "numbers"])),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((file, encoding), (prefix, expected)) in found.iter().zip(&expected) {
        assert!(file.starts_with(prefix) && encoding == expected, "{found:?}");
        let read = super::run(["show", file.as_str()]);
        assert!(read.status == 0 && read.text().contains("module"), "{file}: {}", read.stderr);
    }
}
