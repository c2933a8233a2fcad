//! Zips found from their end have rows, in files and in objects.

use std::fs;
use std::path::Path;

use crate::store::{Store, gzip, tar, zip};
use crate::{audit_store, codes, with_policy};
use sectile_testing::binary::{custom, module};

fn gpl() -> Vec<u8> {
    module(&[custom("licenses", "GPL-3.0-only")])
}

/// A file in `tests/inputs`.
fn input(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inputs").join(name)).unwrap()
}

const DENY: &str = "[[licenses]]\ndeny = [\"GPL-3.0-only\", \"MIT\"]\n";

#[test]
fn zips_with_a_prefix_have_rows() {
    let store = Store::new().with("k.pyz", input("k.pyz")).with("span.zip", input("span.zip"));
    let answer = crate::Answer::run(&with_policy(DENY), &store.paths());
    for file in ["k.pyz!a.wasm", "span.zip!a.wasm"] {
        let row = answer.row(file);
        assert_eq!((row["accepted"].as_bool(), codes(&row).contains(&"refused-license")), (Some(false), true), "{row}");
    }
}

#[test]
fn binary_with_a_zip_has_a_row_of_its_own() {
    let both = [module(&[custom("licenses", "MIT")]), zip(&[("b.wasm".to_owned(), gpl())])].concat();
    let packed = gzip(&tar(&[("both.wasm".to_owned(), both.clone())]));
    let store = Store::new().with("both.wasm", &both).with("packed.tgz", packed);
    let answer = audit_store(&store);
    for outer in ["/both.wasm", "packed.tgz!both.wasm"] {
        let (row, inner) = (answer.row(outer), answer.row(&format!("{outer}!b.wasm")));
        assert_eq!(row["size"], both.len(), "{row}");
        assert_eq!(inner["item"]["annotations"]["licenses"], "GPL-3.0-only", "{inner}");
    }
}

#[test]
fn checksums_of_stored_entries_are_verified() {
    let mut bytes = input("k.pyz");
    let directory = bytes.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    let header = bytes.windows(4).rposition(|bytes| bytes == b"PK\x03\x04").unwrap();
    for at in [directory + 16, header + 14] {
        bytes[at] ^= 1;
    }
    let store = Store::new().with("k.pyz", &bytes);
    for hashes in [false, true] {
        let answer = crate::Answer::run(&crate::default_audit().with_hashing(hashes), &store.paths());
        assert!(answer.rows().iter().any(|row| row["item"]["annotations"]["licenses"] == "MIT"), "{}", answer.text);
        assert!(answer.text.contains("does not have the stated checksum"), "{hashes}: {}", answer.text);
    }
}

#[test]
fn formats_that_are_not_opened_have_findings() {
    let inner: [(&str, &[u8]); 5] = [
        ("a.tar.xz", b"\xfd7zXZ\0\0\x04"),
        ("a.tar.bz2", b"BZh91AY&SY\0\0"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04"),
        ("a.deb", b"!<arch>\ndebian-binary   "),
        ("a.wasm.br", b"\x11\x0b\x80\0asm\x01\0"), // an invalid window
    ];
    let mut disk = vec![0; 40_000];
    disk[0x8001..0x8006].copy_from_slice(b"CD001");
    let image = [vec![7; 5000], b"koly".to_vec(), vec![0; 508]].concat();
    let mut entries: Vec<_> = inner.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
    entries.extend([("a.iso".to_owned(), disk), ("a.dmg".to_owned(), image)]);
    let store = Store::new().with("in.tar", tar(&entries)).with("in.tgz", gzip(&tar(&entries)));
    let store = store.with("in.zip", zip(&entries)).with("README", "a text");
    for (name, bytes) in &entries {
        store.put(name, bytes);
    }
    let answer = audit_store(&store);
    for (name, _) in &entries {
        let row = answer.row(&format!("/{name}"));
        assert_eq!((&row["row"], codes(&row)), (&"file".into(), vec!["not-opened"]), "{row}");
    }
    for archive in ["in.tar", "in.tgz", "in.zip"] {
        let row = answer.row(archive);
        for format in ["xz", "bzip2", "7z", "deb", "brotli", "iso9660", "dmg"] {
            assert_eq!((&row["not_opened"][format], codes(&row)), (&1.into(), vec!["not-opened"]), "{format} {row}");
        }
    }
    assert!(!answer.text.contains("README"), "{}", answer.text);
}

#[cfg(feature = "remote")]
#[test]
fn objects_are_searched_from_their_ends() {
    use std::sync::Arc;

    use sectile_audit::Root;
    use sectile_remote::object_store::memory::InMemory;
    use sectile_remote::object_store::path::Path as Key;
    use sectile_remote::object_store::{ObjectStore, ObjectStoreExt};

    let zipped = zip(&[("b.wasm".to_owned(), gpl())]);
    let large = module(&[custom("padding", "p".repeat(300_000))]);
    let after = |first: &[u8]| [first, &zipped].concat();
    let objects = [
        ("elf", after(&[&b"\x7fELF"[..], &vec![1; 300_000]].concat())),
        ("large.wasm", after(&large)),
        ("script", after(b"#!/bin/sh\n")),
        ("small.wasm", after(&module(&[]))),
        ("text.gz", after(&gzip(b"a text"))),
    ];
    let (store, runtime) = (Arc::new(InMemory::new()), tokio::runtime::Runtime::new().unwrap());
    let put = |name: &str, bytes: Vec<u8>| runtime.block_on(store.put(&Key::from(name), bytes.into())).unwrap();
    for (name, bytes) in &objects {
        put(name, bytes.clone());
    }
    put("image.iso", [vec![0; 0x8001], b"CD001".to_vec(), vec![0; 100_000]].concat());
    put("a.xz", b"\xfd7zXZ\0\0\x04".to_vec());
    let root = Root::objects(store.clone() as Arc<dyn ObjectStore>, "", "memory://store/").unwrap();
    let answer = crate::Answer::run(&crate::default_audit(), &[root]);
    for (name, _) in &objects {
        let row = answer.row(&format!("{name}!b.wasm"));
        assert_eq!(row["item"]["annotations"]["licenses"], "GPL-3.0-only", "{row}");
    }
    assert_eq!(answer.row("/large.wasm")["size"], objects[1].1.len());
    for name in ["image.iso", "a.xz"] {
        assert_eq!(codes(&answer.row(name)), ["not-opened"]);
    }
}
