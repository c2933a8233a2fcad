//! `audit` of buckets, over HTTP.

use std::collections::HashMap;

use serde_json::Value;

use super::row_names::{gzip, tar};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sectile_testing::binary::{large_module, module_with_data, numbered_module};
use sectile_testing::parts::part;
use sectile_testing::server::{Reply, Server};

/// A store that lists like S3 and serves ranges.
fn s3(objects: Vec<(&'static str, Vec<u8>)>) -> Server {
    Server::start(move |request| {
        if !request.query.contains("list-type=2") {
            let key = decoded(request.path.strip_prefix("/bucket/").unwrap());
            let found = objects.iter().find(|(name, _)| *name == key);
            return found.map_or(Reply::of(404), |(_, bytes)| {
                part(bytes, request).field("etag", "\"e\"").field("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
            });
        }
        let url = reqwest::Url::parse(&format!("http://x/?{}", request.query)).unwrap();
        let asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let after = asked.get("continuation-token").or(asked.get("start-after")).cloned().unwrap_or_default();
        let most = asked.get("max-keys").map_or(1000, |keys| keys.parse().unwrap());
        let prefix = asked.get("prefix").map_or("", |prefix| prefix);
        let rest: Vec<_> = objects.iter().filter(|(key, _)| *key > &*after && key.starts_with(prefix)).collect();
        let mut xml = "<ListBucketResult>".to_owned();
        for (key, bytes) in rest.iter().take(most) {
            xml += &format!(
                "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>{}</Size></Contents>",
                bytes.len()
            );
        }
        if rest.len() > most {
            xml += &format!("<NextContinuationToken>{}</NextContinuationToken>", rest[most - 1].0);
        }
        Reply::of(200).field("content-type", "application/xml").body(xml + "</ListBucketResult>")
    })
}

/// Decodes a path.
fn decoded(path: &str) -> String {
    let url = reqwest::Url::parse(&format!("http://x/?k={}", path.replace('+', "%2B"))).unwrap();
    url.query_pairs().next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn command(server: &Server, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = super::command(arguments);
    command.envs([
        ("AWS_ENDPOINT_URL", &*format!("http://{}", server.address)),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "me"),
        ("AWS_SECRET_ACCESS_KEY", "5ec12e7"),
        ("AWS_REGION", "us-east-1"),
    ]);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn keys_that_cannot_be_requested_hide_no_others() {
    let keys = ["a.wasm", "b/../c.wasm", "b//c.wasm", "c.wasm", "d.wasm", "e//", "f.wasm"];
    let server = s3(keys.map(|key| (key, numbered_module(0))).to_vec());
    let (status, out, stderr) = command(&server, &["audit", "s3://bucket/", "--format", "jsonl"]);
    let lines = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rows: Vec<_> = lines.filter(|line| line.get("file").is_some()).collect();
    let outcomes: Vec<_> =
        rows.iter().map(|row| (row["file"].as_str().unwrap(), row["outcome"].as_str().unwrap())).collect();
    assert_eq!(rows.len(), keys.len(), "{outcomes:?} {stderr}");
    for (key, (file, outcome)) in keys.iter().zip(&outcomes) {
        let is_odd = key.contains("//") || key.contains("..");
        assert_eq!(*outcome, if is_odd { "unread" } else { "complete" }, "{file}");
    }
    assert_eq!((outcomes[1].0, outcomes[2].0), ("s3://bucket/b/%2E%2E/c.wasm", "s3://bucket/b//c.wasm"));
    let expected = "sectile: 2 of 6 binaries refused, 3 not read to their end; 1 other file with findings refused\n";
    assert_eq!((status, &*stderr), (Some(2), expected));
}

/// A store that cannot be listed, and a store that repeats the same listing.
#[test]
fn a_listing_without_progress_ends() {
    let denied = Server::start(|_| Reply::of(403).body("5ec12e7"));
    let stuck = Server::start(|_| {
        let key =
            "<Contents><Key>a//b</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>";
        let xml = format!("<ListBucketResult>{key}</ListBucketResult>");
        Reply::of(200).field("content-type", "application/xml").body(xml)
    });
    for (server, rows, says) in [(&denied, 1, "403"), (&stuck, 2, "failed before its end")] {
        let (status, out, stderr) = command(server, &["audit", "s3://bucket/", "--format", "jsonl"]);
        assert_eq!((status, out.lines().count()), (Some(2), rows + 2), "{out}");
        assert!(stderr.contains("not read to") && stderr.contains("with findings refused"), "{stderr}");
        let last = out.lines().nth(rows).unwrap();
        assert!(last.contains("unreadable") && last.contains(says) && !out.contains("5ec12e7"), "{out}");
        assert!(server.asked().len() < 20);
    }
    // Nothing is listed, so the listing does not show whether the object exists.
    let neither = Server::start(|request| match request.query.contains("list-type=2") {
        true => Reply::of(200).field("content-type", "application/xml").body("<ListBucketResult></ListBucketResult>"),
        false => Reply::of(403),
    });
    let (status, out, _) = command(&neither, &["audit", "s3://bucket/app", "--format", "jsonl"]);
    assert!(status == Some(2) && out.lines().nth(1).unwrap().contains("access denied (403)"), "{out}");
}

#[test]
fn a_missing_bucket_is_named() {
    let body = "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>";
    let server = Server::start(move |_| Reply::of(404).body(body));
    for arguments in [&["audit", "s3://bucket/", "--format", "jsonl"][..], &["show", "s3://bucket/a.wasm"]] {
        let (status, out, stderr) = command(&server, arguments);
        assert!(status == Some(2) && (out + &stderr).contains("the bucket does not exist"), "{stderr}");
    }
}

#[test]
fn only_objects_below_the_prefix_are_read() {
    let server = s3(vec![
        ("app/a.wasm", numbered_module(0)),
        ("app/large.wasm", large_module(0)),
        ("apple.wasm", numbered_module(1)),
    ]);
    let (status, out, stderr) =
        command(&server, &["audit", "s3://bucket/app/", "--format", "jsonl", "--in-flight", "3"]);
    assert_eq!((status, &*stderr), (Some(0), ""));
    let files: Vec<_> = out
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).unwrap()["file"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(files, ["s3://bucket/app/a.wasm", "s3://bucket/app/large.wasm"]);
    assert_eq!(command(&server, &["show", &files[1]]).0, Some(0));
    for (refused, part) in [
        ("https://example.com/", "cannot list"),
        ("oci://example.com", "oci://example.com/"),
        ("oci://example.com/Team/", "is not a valid repository"),
        ("oci://team/app:1", "has no registry"),
    ] {
        let (status, _, stderr) = command(&server, &["audit", refused]);
        assert!(status == Some(2) && stderr.contains(part), "{stderr}");
    }
}

#[test]
fn long_modules_are_read_at_their_ends() {
    let long = large_module(0);
    let disc = [&vec![0; 0x8001], &b"CD001"[..], &vec![0; 200_000]].concat();
    let len = long.len() as u64;
    let server = s3(vec![("disc", disc), ("long.wasm", long)]);
    let ranges = |more: &[&str]| {
        let before = server.asked().len();
        let (status, out, stderr) = command(&server, &[&["audit", "s3://bucket/", "--format", "jsonl"], more].concat());
        assert!(status == Some(0) && stderr.contains("1 file not opened: iso9660"), "{stderr}");
        assert!(out.contains(r#""vendor":"v""#), "{out}");
        let requests = server.asked().into_iter().skip(before).filter(|request| request.path == "/bucket/long.wasm");
        requests.map(|request| request.field("range").unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ranges(&[]), ["bytes=0-16383", &format!("bytes={}-{}", len - 66_022, len - 1)]);
    assert_eq!(ranges(&["--request-cost", "1048576"]), [format!("bytes=0-{}", len - 1)]);
    let (status, _, stderr) = command(&server, &["audit", "s3://bucket/", "--request-cost", "16777217"]);
    assert!(status == Some(2) && stderr.contains("16777217"), "{stderr}");
}

#[test]
fn archives_in_a_bucket_are_read_by_the_names_of_their_rows() {
    let archive = gzip(&tar(&[(b"package/a.wasm", &numbered_module(1)), (b"b!.wasm", &large_module(2))]));
    let server = s3(vec![("app!.tgz", archive), ("one.wasm.gz", gzip(&numbered_module(4)))]);
    let (status, out, said) = command(&server, &["audit", "s3://bucket/", "--format", "jsonl"]);
    assert_eq!((status, &*said), (Some(0), ""));
    let rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows: Vec<_> = rows.iter().filter(|row| row["row"] == "binary").collect();
    assert_eq!(rows.len(), 3, "{out}");
    for row in rows {
        let (status, out, said) = command(&server, &["show", "--json", row["file"].as_str().unwrap()]);
        let shown: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, &shown["item"], &shown["size"]), (Some(0), &row["item"], &row["size"]), "{said}");
    }
    for (name, message) in [
        ("s3://bucket/app!!.tgz!x.wasm", "no binary has this name; its binaries: "),
        ("s3://bucket/missing.tgz!x.wasm", "does not exist"),
        ("s3://bucket/app!.tgz", "its binaries: "),
    ] {
        let (status, _, said) = command(&server, &["show", name]);
        assert!(status == Some(2) && said.contains(message), "{name}: {said}");
    }
}

/// Keys that the store's library confuses have the same content. Each has a row, and no row has the
/// content of another key.
#[test]
fn keys_are_requested_exactly_or_reported() {
    let keys = [
        " app.wasm",
        "%2Fapp.wasm",
        "+app.wasm",
        "/app.wasm",
        "a%20b.wasm",
        "app.wasm",
        "app.wasm ",
        "app.wasm/",
        "b c.wasm",
        "b//c.wasm",
        "d/./e.wasm",
        "f?g#h.wasm",
        "folder",
        "é.wasm",
    ];
    let exact = ["%2Fapp.wasm", "+app.wasm", "a%20b.wasm", "app.wasm", "b c.wasm", "f?g#h.wasm", "folder", "é.wasm"];
    let server = s3(keys.map(|key| (key, numbered_module(0))).to_vec());
    for hash in [false, true] {
        let mut arguments = vec!["audit", "s3://bucket/", "--format", "jsonl"];
        arguments.extend(hash.then_some("--hash"));
        let (status, out, stderr) = command(&server, &arguments);
        let lines = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let rows: Vec<_> = lines.filter(|line| line.get("file").is_some()).collect();
        assert_eq!(rows.len(), keys.len(), "{out}");
        let names: std::collections::HashSet<_> = rows.iter().map(|row| row["file"].as_str().unwrap()).collect();
        assert_eq!(names.len(), keys.len(), "each has a name of its own: {names:?}");
        for (key, row) in keys.iter().zip(&rows) {
            let is_exact = exact.contains(key);
            assert_eq!(row["outcome"], if is_exact { "complete" } else { "unread" }, "{key} {row}");
            assert_eq!(row["verified"], is_exact && hash, "{key} {row}");
            assert!(is_exact || row["findings"][0]["code"] == "unreadable", "{key} {row}");
        }
        let expected =
            "sectile: 4 of 12 binaries refused, 6 not read to their end; 2 other files with findings refused\n";
        assert_eq!((status, &*stderr), (Some(2), expected));
    }
    let asked: std::collections::HashSet<_> = server.asked().into_iter().map(|request| request.path).collect();
    assert!(!asked.iter().any(|path| path.ends_with('/') && path.contains("app")), "{asked:?}");
    let (status, _, stderr) = command(&server, &["show", "s3://bucket/app.wasm/"]);
    assert!(status == Some(2) && stderr.contains("ends with a slash"), "{stderr}");
}

/// Consoles mark folders with empty objects.
#[test]
fn empty_objects_that_mark_folders_are_other_files() {
    let server = s3(vec![("a/", Vec::new()), ("a/app.wasm", numbered_module(0)), ("a/x.wasm/", Vec::new())]);
    for root in ["s3://bucket/", "s3://bucket/a"] {
        let (status, out, stderr) = command(&server, &["audit", root, "--format", "jsonl"]);
        assert_eq!((status, &*stderr, out.lines().count()), (Some(0), "", 3), "{out}");
    }
}

/// The listing and the responses disagree: the read object is not the listed one.
#[test]
fn listed_length_and_tag_are_compared_with_what_is_read() {
    let text = b"plain text".repeat(10);
    let (module, tarred) = (numbered_module(0), {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(numbered_module(1).len() as u64);
        tar.append_data(&mut header, "inner.wasm", &*numbered_module(1)).unwrap();
        tar.into_inner().unwrap()
    });
    for bytes in [module, tarred, text] {
        for (size, tag) in [(bytes.len() + 1, "e"), (bytes.len(), "other"), (bytes.len(), "e")] {
            let answer = bytes.clone();
            let server = Server::start(move |request| {
                if !request.query.contains("list-type=2") {
                    return part(&answer, request)
                        .field("etag", "\"e\"")
                        .field("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT");
                }
                let xml = format!(
                    "<ListBucketResult><Contents><Key>a</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                     <ETag>&quot;{tag}&quot;</ETag><Size>{size}</Size></Contents></ListBucketResult>"
                );
                Reply::of(200).field("content-type", "application/xml").body(xml)
            });
            let (status, out, _) = command(&server, &["audit", "s3://bucket/", "--format", "jsonl", "--allow-empty"]);
            let is_changed = (size, tag) != (bytes.len(), "e");
            assert_eq!(out.contains("\"changed\""), is_changed, "{size} {tag} {out}");
            assert_eq!(status == Some(0), !is_changed, "{size} {tag} {out}");
        }
    }
}

/// Such a search reads whole objects, so it is off unless it is requested.
#[test]
fn objects_are_searched_for_hidden_binaries_on_request() {
    let script = format!("load('{}')", STANDARD.encode(numbered_module(1)));
    let server = s3(vec![
        ("a.wasm", module_with_data(numbered_module(0))),
        ("b.js", script.clone().into_bytes()),
        ("c.tgz", gzip(&tar(&[(b"d.js", script.as_bytes())]))),
    ]);
    let files = |arguments: &[&str]| {
        let (status, out, stderr) =
            command(&server, &[&["audit", "s3://bucket/", "--format", "jsonl"][..], arguments].concat());
        assert_eq!(status, Some(0), "{stderr}");
        let lines = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let rows = lines.filter(|line| line.get("file").is_some());
        rows.map(|row| (row["file"].as_str().unwrap().to_owned(), row["encoding"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(files(&[]), [("s3://bucket/a.wasm".to_owned(), Value::Null)]);
    let found = files(&["--inside=always"]);
    let expected = [
        ("s3://bucket/a.wasm", Value::Null),
        ("s3://bucket/a.wasm!raw@", serde_json::json!(["raw"])),
        ("s3://bucket/b.js!base64@6", serde_json::json!(["base64"])),
        ("s3://bucket/c.tgz!d.js!base64@6", serde_json::json!(["gzip", "base64"])),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((file, encoding), (prefix, expected)) in found.iter().zip(expected) {
        assert!(file.starts_with(prefix) && *encoding == expected, "{found:?}");
    }
    for (arguments, summary) in [
        (&["audit", "s3://bucket/"][..], "searched inside other local files"),
        (&["audit", "s3://bucket/", "--inside=always"], "searched inside other files"),
        (&["audit", "s3://bucket/", "--inside=never"], "not searched inside other files"),
    ] {
        let (_, out, stderr) = command(&server, arguments);
        assert!(out.contains(summary), "{out}{stderr}");
    }
    // The names of rows can be read.
    for (file, _) in &found {
        let (status, out, stderr) = command(&server, &["show", file.as_str()]);
        assert!(status == Some(0) && out.contains("module"), "{file}: {out}{stderr}");
    }
}
