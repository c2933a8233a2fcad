//! FILEs that lie elsewhere.

use super::*;
use crate::support::server::{Reply, Server};

/// A web server that gives parts of this.
fn serve(bytes: Vec<u8>) -> Server {
    Server::start(move |request| {
        let Some((start, last)) = request
            .field("range")
            .and_then(|range| range.strip_prefix("bytes=")?.split_once('-'))
            .and_then(|(start, last)| Some((start.parse::<usize>().ok()?, last.parse::<usize>().ok()?)))
        else {
            return Reply::of(200).body(bytes.clone());
        };
        let end = (last + 1).min(bytes.len());
        let content = format!("bytes {start}-{}/{}", end - 1, bytes.len());
        Reply::of(206).field("content-range", content).body(&bytes[start..end])
    })
}

#[test]
fn what_lies_elsewhere_is_shown_as_a_file_is() {
    let large = "n".repeat(5_000);
    let bytes = module(&[custom("licenses", "MIT"), section(10, &vec![0; 200_000]), custom("note", &large)]);
    let server = serve(bytes.clone());
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("app.wasm");
    fs::write(&path, &bytes).unwrap();
    let url = format!("http://{}/app.wasm?sig=5ec12e7", server.address);
    let file_url = format!("file://{}", path.display());

    for args in [&["show"][..], &["show", "--interface"], &["sections"], &["check"], &["show", "--json"]] {
        let of = |file: &str| run(args.iter().copied().chain([file]));
        let here = of(path.to_str().unwrap());
        for there in [&url, &file_url] {
            let run = of(there);
            assert_eq!((run.status, &*run.stderr), (here.status, ""), "{args:?} {there}");
            let shown = |run: &Run, name: &str| run.text().replace(name, "FILE").lines().count();
            assert_eq!(shown(&run, there), shown(&here, path.to_str().unwrap()), "{args:?} {there}: {}", run.text());
            assert!(!run.text().contains("5ec12e7"), "{}", run.text());
        }
    }
    let json = run(["show", "--json", &url]).json();
    assert_eq!(
        json["item"]["annotations"]["licenses"],
        run(["show", "--json", path.to_str().unwrap()]).json()["item"]["annotations"]["licenses"]
    );
    assert_eq!(json["size"], bytes.len());
    assert!(json["bytes_read"].as_u64().unwrap() < 100_000);
    assert_eq!(run(["get", &url, "note"]).text(), large);
    assert_eq!(run(["sbom", &url]).status, run(["sbom", path.to_str().unwrap()]).status);
}

#[test]
fn what_is_not_there_is_said_without_secrets() {
    let server = Server::start(|_| Reply::of(404).body("5ec12e7"));
    let run = run(["show", &format!("http://{}/app.wasm?sig=5ec12e7", server.address)]);
    assert_eq!(run.status, 2);
    assert!(run.stderr.contains("there is no such object") && !run.stderr.contains("5ec12e7"), "{}", run.stderr);
}

#[test]
fn what_lies_elsewhere_is_only_read() {
    let file = "https://user:5ec12e7@example.com/app.wasm?a=5ec12e7";
    for args in
        [vec!["set", file, "--licenses", "MIT"], vec!["digest", file], vec!["show", "--map", file], vec!["show", file]]
    {
        let run = run(args);
        assert_eq!(run.status, 2);
        assert!(!run.stderr.is_empty() && !run.stderr.contains("5ec12e7"), "{}", run.stderr);
    }
}
