//! Packages of editors, browsers, phones and languages, which are zips and tars.

use super::*;

/// Checks that a file has only the module, in a row with this name. [`walk_file`] reads it again by that name.
#[track_caller]
fn check(file: &[u8], row: &str) {
    let recorder = walk_file(file);
    let found: Vec<_> = recorder.blobs.iter().map(|blob| (&*blob.file, &*blob.bytes)).collect();
    assert_eq!(found, [(row, MODULE)]);
    assert_eq!(recorder.codes(), [""; 0], "{row}");
}

#[test]
fn packages_that_are_zips_are_opened() {
    let types: &[u8] = b"<?xml version=\"1.0\"?><Types/>";
    for (entries, row) in [
        // An extension of an editor.
        ([("[Content_Types].xml", types, true), ("extension/dist/m.wasm", MODULE, true)], "a!extension/dist/m.wasm"),
        // A library of Java, whose first entry is a directory or the manifest.
        ([("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\r\n", true), ("m.wasm", MODULE, true)], "a!m.wasm"),
        // A wheel of Python.
        ([("p/__init__.py", b"", true), ("p/_m.wasm", MODULE, true)], "a!p/_m.wasm"),
    ] {
        check(&zip(&entries), row);
    }
}

/// An Android package has a signature before its central directory.
#[test]
fn android_packages_are_opened() {
    let plain = zip(&[("AndroidManifest.xml", b"\x03\0\x08\0", true), ("assets/m.wasm", MODULE, false)]);
    check(&plain, "a!assets/m.wasm");

    let end = plain.len() - 22;
    let directory = u32::from_le_bytes(plain[end + 16..end + 20].try_into().unwrap()) as usize;
    let pair = [&12_u64.to_le_bytes()[..], &0x7109_871a_u32.to_le_bytes(), &[0; 8]].concat();
    let size = (pair.len() as u64 + 24).to_le_bytes();
    let block = [&size, &*pair, &size, b"APK Sig Block 42"].concat();
    let mut signed = [&plain[..directory], &block, &plain[directory..]].concat();
    let end = end + block.len();
    signed[end + 16..end + 20].copy_from_slice(&((directory + block.len()) as u32).to_le_bytes());
    check(&signed, "a!assets/m.wasm");
}

/// An extension of a browser has a header with keys before the zip. Sources: CRX2 and CRX3 of Chromium.
#[test]
fn extensions_of_browsers_are_opened() {
    let package = zip(&[("manifest.json", b"{}", true), ("m.wasm", MODULE, true)]);
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
    let second = [b"Cr24", &numbers(&[2, 5, 7])[..], b"a key", b"a proof", &package].concat();
    let third = [b"Cr24", &numbers(&[3, 9])[..], b"\x12\x07\x0a\x05proof", &package].concat();
    for extension in [second, third] {
        check(&extension, "a!m.wasm");
    }
}

#[test]
fn packages_that_are_tars_are_opened() {
    // A crate, and a package of npm.
    check(&gzip(&tar(&[("p-0.1.0/Cargo.toml", b"[package]"), ("p-0.1.0/m.wasm", MODULE)])), "a!p-0.1.0/m.wasm");
    check(&gzip(&tar(&[("package/package.json", b"{}"), ("package/m.wasm", MODULE)])), "a!package/m.wasm");
    // A gem is a tar of compressed tars.
    let data = gzip(&tar(&[("lib/m.wasm", MODULE)]));
    check(&tar(&[("metadata.gz", &gzip(b"name: p")), ("data.tar.gz", &data)]), "a!data.tar.gz!lib/m.wasm");
    // A package of conda is a zip of compressed tars.
    let (info, content) = (zstd(&tar(&[("info/index.json", b"{}")])), zstd(&tar(&[("lib/m.wasm", MODULE)])));
    let entries = [
        ("metadata.json", &b"{\"conda_pkg_format_version\": 2}"[..], false),
        ("pkg-p-1.0-0.tar.zst", &content, false),
        ("info-p-1.0-0.tar.zst", &info, false),
    ];
    check(&zip(&entries), "a!pkg-p-1.0-0.tar.zst!lib/m.wasm");
}

/// The archive of an image: each layer is a tar, named in the manifest.
#[test]
fn archives_of_docker_save_are_opened() {
    let layer = tar(&[("app/m.wasm", MODULE)]);
    let config = br#"{"architecture": "wasm", "os": "wasi", "rootfs": {"type": "layers", "diff_ids": []}}"#;
    let manifest = br#"[{"Config": "c.json", "RepoTags": ["app:1"], "Layers": ["l/layer.tar"]}]"#;
    let file = tar(&[("c.json", config), ("l/layer.tar", &layer), ("manifest.json", manifest)]);
    let recorder = walk_file(&file);
    let names: Vec<_> = recorder.blobs.iter().map(|blob| (&*blob.bytes, blob.path().to_owned())).collect();
    assert!(matches!(&names[..], [(MODULE, name)] if name.ends_with("a!l/layer.tar!app/m.wasm")), "{names:?}");
}
