//! Archives of Electron's apps, sound and hostile.

use super::*;

/// An archive with this header, before this data.
fn asar(header: &str, data: &[u8]) -> Vec<u8> {
    let padding = header.len().next_multiple_of(4) - header.len();
    let payload = 4 + header.len() + padding;
    let numbers = [4, payload + 4, payload, header.len()].map(|number| (number as u32).to_le_bytes());
    [&numbers.concat(), header.as_bytes(), &vec![0; padding], data].concat()
}

/// The entry of a file.
fn file(name: &str, offset: usize, size: usize) -> String {
    format!(r#""{name}":{{"size":{size},"offset":"{offset}","executable":false,"integrity":{{"blocks":["x"]}}}}"#)
}

fn root(entries: &[String]) -> String {
    format!(r#"{{"files":{{{}}}}}"#, entries.join(","))
}

#[test]
fn asar_archives_are_opened() {
    let script = b"load('AGFzbQEAAAAADAhsaWNlbnNlc01JVA==')";
    let directory = format!(r#""dist":{}"#, root(&[file("m.wasm", script.len(), MODULE.len())]));
    let entries = [
        directory,
        file("main.js", 0, script.len()),
        file("empty", 0, 0),
        r#""native.node":{"size":9,"unpacked":true},"other.wasm":{"link":"dist/m.wasm"}"#.to_owned(),
    ];
    let app = asar(&root(&entries), &[script, MODULE].concat());
    let recorder = walk_file(&app);
    assert_eq!(recorder.files(), ["a!main.js!base64@6", "a!dist/m.wasm"]);
    assert!(recorder.blobs.iter().all(|blob| blob.bytes == MODULE));
    assert_eq!(recorder.codes(), [""; 0]);
    // Also as a stream, and with numbers instead of strings.
    assert_eq!(walk_file(&gzip(&app)).files(), ["a!main.js!base64@6", "a!dist/m.wasm"]);
    let numbers = r#"{ "files": {"m": {"offset": 3, "size": 22}}}"#;
    assert_eq!(walk_file(&asar(numbers, &[b"...", MODULE].concat())).files(), ["a!m"]);
    assert_eq!(
        walk_file(&tar(&[("app.asar", &app)])).files(),
        ["a!app.asar!main.js!base64@6", "a!app.asar!dist/m.wasm"]
    );
}

#[test]
fn hostile_asar_archives_have_findings() {
    let len = MODULE.len();
    let data = [MODULE, OTHER].concat();
    let entry = |name: &str, offset: &str, size: &str| format!(r#""{name}":{{"size":{size},"offset":{offset}}}"#);
    for (entries, files, codes) in [
        // The data of two entries overlaps: a reader extracts both.
        (vec![file("m", 0, len), file("n", 1, 5)], vec!["a!m"], vec!["disputed-archive a!n"]),
        (vec![file("m", 0, len), file("m", 0, len)], vec!["a!m"], vec!["disputed-archive a!m"]),
        (vec![file("m", 0, len), file("n", 99, 5)], vec!["a!m"], vec!["disputed-archive a!n"]),
        (vec![file("n", usize::MAX - 9, 50)], vec![], vec!["malformed-archive a"]),
        (vec![file("m", 0, len), file("n", len, 500)], vec!["a!m", "a!n"], vec!["disputed-archive a!n"]),
        (vec![entry("n", "\"-1\"", "5"), file("m", 0, len)], vec!["a!m"], vec!["disputed-archive a"]),
        (vec![entry("n", "\"0x1\"", "5")], vec![], vec!["malformed-archive a"]),
        (vec![entry("n", "[[]]", "{}")], vec![], vec!["malformed-archive a"]),
        (vec![entry("n", "0", "1.5")], vec![], vec!["malformed-archive a"]),
        // Both of two entries with one name are read.
        (vec![file("m", 0, len), file("m", len, 8)], vec!["a!m", "a!m"], vec![]),
    ] {
        let recorder = walk_file(&asar(&root(&entries), &data));
        assert_eq!(
            (recorder.files(), recorder.codes()),
            (files, codes.into_iter().map(str::to_owned).collect()),
            "{entries:?}"
        );
    }
    let deep = r#"{"files":{"a":"#.repeat(10_000);
    assert_eq!(walk_file(&asar(&deep, b"")).codes(), ["malformed-archive a"]);
    let whole = asar(&root(&[file("m", 0, len)]), MODULE);
    for cut in 17..whole.len() {
        let recorder = walk_file(&whole[..cut]);
        assert!(recorder.has_fault(), "{cut}: {:?}", recorder.codes());
    }
    let wide = (0..2_000).map(|nth| file(&nth.to_string(), nth, 1)).collect::<Vec<_>>();
    let options = WalkOptions { max_entries: 1_000, ..WalkOptions::default() };
    let recorder = walk_file_with(&asar(&root(&wide), &[b'x'; 2_000]), &options, Recorder::default());
    assert_eq!(recorder.codes(), ["archive-limit a"]);
    let options = WalkOptions { max_held_bytes: 1_000, ..WalkOptions::default() };
    let recorder = walk_file_with(&asar(&root(&wide), &[b'x'; 2_000]), &options, Recorder::default());
    assert_eq!(recorder.codes(), ["archive-limit a"]);
}
