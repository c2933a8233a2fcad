//! Real servers on loopback: an S3 server (moto), an Azure server (azurite), nginx, and Debian's
//! docker-registry.
//!
//! Google Cloud Storage is missing. `gcp-storage-emulator` sends neither `ETag` nor
//! `Last-Modified`, which `object_store` requires, and does not support HEAD.

use std::fs;
use std::path::Path;
use std::process::Command;

use sectile_testing::files::project;
use serde_json::Value;

use crate::registry::{Registry, Setup, certificate};
use crate::server::Server;

fn sample() -> std::path::PathBuf {
    project().join("tests/files/rust-auditable.component.wasm")
}

/// The output of the command for a FILE, without its name and cost.
fn shown(file: &str, environment: &[(&str, &str)]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sectile"));
    command.args(["show", "--json", "--interface", file]).envs(environment.iter().copied());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{file}: {said}");
    let mut shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let shown_by = shown.as_object_mut().unwrap();
    shown_by.remove("file");
    shown_by.remove("bytes_read");
    shown
}

/// Uploads a file to a server with PUT.
fn put(url: &str, path: Option<&Path>) {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--fail", "--output", "/dev/null", "--request", "PUT"]);
    command.args(["--max-time", "20", "--header", "Expect:", "--header", "Content-Type: application/wasm"]);
    if let Some(path) = path {
        command.arg("--data-binary").arg(format!("@{}", path.display()));
    }
    assert!(command.arg(url).status().unwrap().success(), "{url}");
}

/// An S3 server with an empty bucket, and its address.
fn s3() -> (Server, String) {
    let server = Server::start(|_, address| {
        let (_, port) = address.split_once(':').unwrap();
        let mut command = Command::new(project().join("target/oracles/bin/moto_server"));
        command.args(["-H", "127.0.0.1", "-p", port]);
        command
    });
    let endpoint = format!("http://{}", server.address);
    put(&format!("{endpoint}/bucket"), None);
    (server, endpoint)
}

/// The environment variables for this server.
fn environment(endpoint: &str) -> [(&str, &str); 5] {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "me"),
        ("AWS_SECRET_ACCESS_KEY", "5ec12e7"),
        ("AWS_REGION", "us-east-1"),
    ]
}

#[test]
#[ignore = "needs moto and curl"]
fn an_s3_server() {
    let (_server, endpoint) = s3();
    let environment = environment(&endpoint);
    put(&format!("{endpoint}/bucket/a/app.wasm"), Some(&sample()));
    assert_eq!(shown("s3://bucket/a/app.wasm", &environment), shown(sample().to_str().unwrap(), &[]));

    let mut command = Command::new(env!("CARGO_BIN_EXE_sectile"));
    let output = command.args(["show", "s3://bucket/none.wasm"]).envs(environment).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the object does not exist") && !said.contains("5ec12e7"), "{said}");
}

/// The rows of an audit, its status, and the bytes read.
fn audited(arguments: &[&str], environment: &[(&str, &str)]) -> (Vec<Value>, Option<i32>, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sectile"));
    command.args(["audit", "--format", "jsonl"]).args(arguments).envs(environment.iter().copied());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.is_empty(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("5ec12e7"));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = lines.last().map(|last| last["summary"].clone()).unwrap_or_default();
    (lines.into_iter().filter(|line| line.get("file").is_some()).collect(), output.status.code(), summary)
}

#[test]
#[ignore = "needs moto and curl"]
fn a_bucket_is_audited_like_a_directory() {
    let (_server, endpoint) = s3();
    let environment = environment(&endpoint);
    let directory = tempfile::tempdir().unwrap();
    let files = project().join("tests/files");
    let mut names: Vec<_> = fs::read_dir(files).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.is_file());
    for path in &names {
        let name = path.file_name().unwrap().to_str().unwrap();
        fs::copy(path, directory.path().join(name)).unwrap();
        put(&format!("{endpoint}/bucket/a%20b/{name}"), Some(path));
    }
    let archive = directory.path().join("z.tar.gz");
    let mut tar = Command::new("tar");
    tar.arg("-czf").arg(&archive).arg("-C").arg(directory.path()).args(["zig-zig_fmt.wasm", "tinygo-gofmt.wasm"]);
    assert!(tar.status().unwrap().success());
    put(&format!("{endpoint}/bucket/a%20b/z.tar.gz"), Some(&archive));
    put(&format!("{endpoint}/bucket/a%20c/other.wasm"), Some(&sample()));

    let local = directory.path().to_str().unwrap();
    for more in [&[][..], &["--hash"]] {
        let arguments = |of| [&[of], more].concat();
        let (of_files, status, _) = audited(&arguments(local), &[]);
        let (of_objects, status_of_objects, summary) = audited(&arguments("s3://bucket/a%20b"), &environment);
        assert_eq!((of_objects.len(), status_of_objects), (of_files.len(), status));
        assert!(of_files.len() > 15 && summary["stopped"] == false, "{summary}");
        for (object, file) in of_objects.iter().zip(&of_files) {
            let path = file["file"].as_str().unwrap().strip_prefix(local).unwrap();
            assert_eq!(object["file"], format!("s3://bucket/a%20b{path}"));
            for key in
                ["size", "digest", "verified", "item", "section_totals", "largest", "findings", "accepted", "outcome"]
            {
                assert_eq!(object[key], file[key], "{path} {key}");
            }
        }
    }
    let (rows, _, _) = audited(&["s3://bucket/a%20b"], &environment);
    let first = rows[0]["file"].as_str().unwrap();
    assert_eq!(shown(first, &environment)["item"]["name"], rows[0]["item"]["name"]);

    // With an earlier report, only the listing is requested. A key that is not a path does not hide
    // others.
    let report = directory.path().join("report.jsonl");
    let since = ["s3://bucket/a%20b", "--since", report.to_str().unwrap()];
    audited(&["s3://bucket/a%20b", "-o", report.to_str().unwrap()], &environment);
    let (again, _, summary) = audited(&since, &environment);
    assert_eq!(again, rows);
    assert_eq!(summary["bytes_read"], 0, "{summary}");
    put(&format!("{endpoint}/bucket/a%20b//odd.wasm"), Some(&sample()));
    let (with_odd, status, _) = audited(&since, &environment);
    assert_eq!((with_odd.len(), status), (rows.len() + 1, Some(2)));
    assert!(with_odd.iter().any(|row| row["file"] == "s3://bucket/a%20b//odd.wasm" && row["outcome"] == "unread"));
}

#[test]
#[ignore = "needs azurite and azure-storage-blob"]
fn an_azure_server() {
    let root = project();
    let server = Server::start(|_, address| {
        let (_, port) = address.split_once(':').unwrap();
        let mut command = Command::new(root.join("target/azurite/node_modules/.bin/azurite-blob"));
        command.args(["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence"]);
        command.args(["--blobHost", "127.0.0.1", "--blobPort", port]);
        command
    });
    let endpoint = format!("http://{}", server.address);
    let put = Command::new(root.join("target/oracles/bin/python3"))
        .args(["-c", PUT_IN_AZURE, &endpoint])
        .arg(sample())
        .output()
        .unwrap();
    assert!(put.status.success(), "{}", String::from_utf8_lossy(&put.stderr));
    let environment = [("AZURE_STORAGE_USE_EMULATOR", "true"), ("AZURITE_BLOB_STORAGE_URL", &*endpoint)];
    assert_eq!(shown("az://bucket/a/app.wasm", &environment), shown(sample().to_str().unwrap(), &[]));

    let mut command = Command::new(env!("CARGO_BIN_EXE_sectile"));
    let output = command.args(["show", "az://bucket/none.wasm"]).envs(environment).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the object does not exist"), "{said}");

    // The listing formats an `ETag` differently than the responses, but it is the same version.
    let report = server.directory.path().join("report.jsonl");
    let report = report.to_str().unwrap();
    audited(&["az://bucket/a/", "-o", report], &environment);
    let (rows, status, summary) = audited(&["az://bucket/a/", "--since", report], &environment);
    assert_eq!((rows.len(), &rows[0]["file"], status), (1, &"az://bucket/a/app.wasm".into(), Some(0)));
    assert_eq!((&rows[0]["outcome"], &summary["bytes_read"]), (&"complete".into(), &0.into()));
}

/// Uses the well-known account and key of such emulators.
const PUT_IN_AZURE: &str = r#"
import sys
from azure.storage.blob import BlobServiceClient
key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
account = f"AccountName=devstoreaccount1;AccountKey={key};BlobEndpoint={sys.argv[1]}/devstoreaccount1;"
service = BlobServiceClient.from_connection_string("DefaultEndpointsProtocol=http;" + account)
service.create_container("bucket").upload_blob("a/app.wasm", open(sys.argv[2], "rb"))
"#;

/// nginx, which serves `/app.wasm`; with TLS, by its own certificate.
fn nginx(tls: bool) -> Server {
    Server::start(|directory, address| {
        fs::create_dir(directory.join("www")).unwrap();
        fs::copy(sample(), directory.join("www/app.wasm")).unwrap();
        let at = directory.display();
        let listen = if tls {
            certificate(&format!("{at}/key.pem"), &format!("{at}/cert.pem"));
            format!("listen {address} ssl; ssl_certificate {at}/cert.pem; ssl_certificate_key {at}/key.pem;")
        } else {
            format!("listen {address};")
        };
        let config = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log; user root; events {{}}\n\
             http {{ access_log {at}/access.log; client_body_temp_path {at}/b; proxy_temp_path {at}/p;\n\
             fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;\n\
             server {{ {listen} root {at}/www; }} }}\n"
        );
        fs::write(directory.join("nginx.conf"), config).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(directory).arg("-c").arg(directory.join("nginx.conf"));
        command
    })
}

/// Asserts that nginx served a few ranges.
#[track_caller]
fn assert_few_ranges(nginx: &Server) {
    let log = fs::read_to_string(nginx.directory.path().join("access.log")).unwrap();
    assert!((1..=3).contains(&log.lines().count()) && log.lines().all(|line| line.contains("\" 206 ")), "{log}");
}

#[test]
#[ignore = "needs nginx"]
fn a_web_server_with_ranges() {
    let server = nginx(false);
    let url = format!("http://{}/app.wasm", server.address);
    assert_eq!(shown(&url, &[]), shown(sample().to_str().unwrap(), &[]));
    assert_few_ranges(&server);
}

/// A server with an unknown certificate gets no requests.
#[test]
#[ignore = "needs nginx and openssl"]
fn a_web_server_with_a_certificate() {
    let server = nginx(true);
    let url = format!("https://{}/app.wasm", server.address);
    let output = Command::new(env!("CARGO_BIN_EXE_sectile")).args(["show", &url]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("cannot connect to the server"), "{said}");

    let known = server.directory.path().join("cert.pem");
    let environment = [("SSL_CERT_FILE", known.to_str().unwrap())];
    assert_eq!(shown(&url, &environment), shown(sample().to_str().unwrap(), &[]));
    assert_few_ranges(&server);
}

#[test]
#[ignore = "needs docker-registry"]
fn a_registry_serves_blob_ranges() {
    let registry = Registry::start(Setup::default());
    let place = format!("{}/team/app:1.0", registry.address);
    let push = Command::new(env!("CARGO_BIN_EXE_sectile")).args(["oci", "push"]).arg(sample()).arg(&place).output();
    assert!(push.unwrap().status.success());
    assert_eq!(shown(&format!("oci://{place}"), &[]), shown(sample().to_str().unwrap(), &[]));
    let log = registry.log();
    let blobs = || log.lines().filter(|line| line.contains("GET") && line.contains("/blobs/"));
    assert!((1..=3).contains(&blobs().count()) && blobs().all(|line| line.contains("\" 206 ")), "{log}");
}
