//! A small store never gives a large report.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use sectile::digest::Digest;
use sectile_audit::{Audit, WalkOptions};
use sectile_testing::binary::{MODULE, custom, module, producers};

use super::store::{Store, gzip, tar};
use super::{Answer, audit_store, codes, default_audit, with_policy};

fn audit_with(change: impl FnOnce(&mut WalkOptions)) -> Audit {
    let mut options = WalkOptions::default();
    change(&mut options);
    default_audit().with_walk(options)
}

/// A tar of modules with these names.
fn named(names: impl IntoIterator<Item = String>) -> Vec<u8> {
    tar(&names.into_iter().map(|name| (name, MODULE.to_vec())).collect::<Vec<_>>())
}

#[test]
fn rows_of_an_archive_are_limited() {
    let store = Store::new();
    store.put("many.tgz", gzip(&named((0..300).map(|nth| format!("{nth}.wasm")))));
    store.put("few.tar", named((0..3).map(|nth| format!("{nth}.wasm"))));
    let answer = Answer::run(&audit_with(|options| options.max_rows = 100), &store.paths());
    let archive = answer.row("many.tgz");
    assert_eq!((codes(&archive), archive["outcome"].as_str()), (vec!["archive-limit"], Some("partial")));
    assert_eq!(archive["accepted"], false);
    assert_eq!(answer.rows().len(), 100 + 3 + 1);
    let answer = Answer::run(&audit_with(|options| options.max_rows = 300), &store.paths());
    assert_eq!(answer.rows().len(), 303);
}

#[test]
fn text_of_the_rows_of_an_archive_is_limited() {
    let store = Store::new();
    let values = "MIT OR ".repeat(1_000) + "MIT";
    let large = module(&[custom("licenses", &values)]);
    let entries: Vec<_> = (0..300).map(|nth| (format!("{nth}.wasm"), large.clone())).collect();
    store.put("many.tgz", gzip(&tar(&entries)));
    let answer = Answer::run(&audit_with(|options| options.max_row_bytes = 100_000), &store.paths());
    assert_eq!(codes(&answer.row("many.tgz")), ["archive-limit"]);
    assert!(answer.text.len() < 4 * 100_000, "{}", answer.text.len());
}

/// Archive libraries cannot write entries with such names.
#[test]
fn long_names_are_truncated_and_reported() {
    let store = Store::new();
    store.put("a.tgz", gzip(&named((0..50).map(|nth| format!("{nth}{}.wasm", "n".repeat(100_000))))));
    let answer = audit_store(&store);
    let rows = answer.rows();
    assert_eq!(rows.len(), 51);
    assert!(rows.iter().all(|row| row["file"].as_str().unwrap().len() < 5_000));
    assert_eq!(codes(&answer.row("a.tgz")).first(), Some(&"disputed-archive"));
    assert!(answer.text.len() < 51 * 20_000, "{}", answer.text.len());
}

/// Writes a layout of one image of these layers, under many tags.
fn write_layout(directory: &Path, tags: usize, layers: usize) {
    fs::create_dir_all(directory.join("blobs/sha256")).unwrap();
    fs::write(directory.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let blob = |bytes: &[u8]| {
        let digest = Digest::new(bytes);
        fs::write(directory.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        format!("\"digest\":\"{digest}\",\"size\":{}", bytes.len())
    };
    let mut manifest = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json",DIGEST},"layers":["#
        .replace("DIGEST", &blob(b"{}"));
    for nth in 0..layers {
        let layer = blob(&module(&[custom("n", nth.to_string())]));
        let comma = if nth == 0 { "" } else { "," };
        write!(manifest, "{comma}{{\"mediaType\":\"application/wasm\",{layer}}}").unwrap();
    }
    manifest.push_str("]}");
    let image = blob(manifest.as_bytes());
    let mut index = r#"{"schemaVersion":2,"manifests":["#.to_owned();
    for nth in 0..tags {
        let comma = if nth == 0 { "" } else { "," };
        write!(index, "{comma}{{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",{image},\"annotations\":{{\"org.opencontainers.image.ref.name\":\"t{nth}\"}}}}").unwrap();
    }
    index.push_str("]}");
    fs::write(directory.join("index.json"), index).unwrap();
}

#[test]
fn names_of_layers_are_limited() {
    let store = Store::new();
    let deep = "d".repeat(200) + "/" + &"e".repeat(200);
    write_layout(&store.path(&deep), 15_000, 100);
    let answer = audit_store(&store);
    let rows = answer.rows();
    let of_layers: Vec<_> = rows.iter().filter(|row| row["locations"].as_array().unwrap().len() > 1).collect();
    assert_eq!(of_layers.len(), 100);
    for row in of_layers {
        assert_eq!(row["omits_locations"], true);
        assert!(row["locations"].to_string().len() < 6_000);
    }
    assert!(answer.text.len() < 2_000_000, "{}", answer.text.len());
}

/// An exception by paths applies if all names match. Omitted names may not match.
#[test]
fn exceptions_by_path_do_not_apply_to_omitted_names() {
    let policy = "[[required]]\nfields = [\"licenses\"]\n[[exceptions]]\npaths = [\"**\"]\nreason = \"all\"\n";
    let store = Store::new();
    write_layout(&store.path("few"), 3, 1);
    write_layout(&store.path("many"), 5_000, 1);
    let answer = Answer::run(&with_policy(policy), &store.paths());
    let accepted = |part: &str| {
        let rows = answer.rows();
        let is_layer = |row: &&serde_json::Value| {
            row["file"].as_str().unwrap().contains(part) && row["locations"].as_array().unwrap().len() > 1
        };
        rows.iter().find(is_layer).unwrap()["accepted"].as_bool().unwrap()
    };
    assert!(accepted("/few:") && !accepted("/many:"));
}

/// Documents that refer to missing blobs.
#[test]
fn findings_on_images_are_limited() {
    let store = Store::new();
    let layout = store.path("l");
    write_layout(&layout, 1, 3_000);
    let blobs = fs::read_dir(layout.join("blobs/sha256")).unwrap().map(|blob| blob.unwrap().path());
    blobs.filter(|blob| fs::read(blob).unwrap().starts_with(b"\0asm")).for_each(|blob| fs::remove_file(blob).unwrap());
    let answer = audit_store(&store);
    assert_eq!(answer.rows().len(), 1_001);
    assert!(answer.text.contains("2000 more findings on its images are left out"));
    assert_eq!(answer.outcome.summary.refused, 0);
}

/// Tries to produce more output than input. The shape with the most output decides.
#[test]
fn rows_of_an_archive_have_bounded_text() {
    const ROW_BYTES: u64 = 200_000;
    const ROWS: u64 = 500;
    let wide: Vec<(String, String)> = (0..400).map(|nth| (format!("tool-{nth}"), "\u{1}".repeat(50))).collect();
    let wide: Vec<(&str, &str)> = wide.iter().map(|(name, version)| (&**name, &**version)).collect();
    let shapes: [(&str, Vec<u8>); 4] = [
        ("empty", MODULE.to_vec()),
        ("long values", module(&[custom("description", "\u{1}".repeat(4_000))])),
        ("many producers", module(&[custom("producers", producers(&[("processed-by", &wide)]))])),
        (
            "bad values",
            module(&["licenses", "source", "created", "homepage"].map(|name| custom(name, "\u{1}\u{202e}"))),
        ),
    ];
    for (what, module) in shapes {
        for name_len in [1, 200, 5_000] {
            let store = Store::new();
            let entries: Vec<_> =
                (0..1_000).map(|nth| (format!("{nth}{}.wasm", "\u{1}".repeat(name_len)), module.clone())).collect();
            store.put("a.tgz", gzip(&tar(&entries)));
            let answer = Answer::run(
                &audit_with(|options| (options.max_rows, options.max_row_bytes) = (ROWS, ROW_BYTES)),
                &store.paths(),
            );
            // A control character has six bytes in JSON, and names and findings appear twice.
            let most = 12 * ROW_BYTES + ROWS * 3_000 + 100_000;
            assert!((answer.text.len() as u64) < most, "{what}, {name_len}: {}", answer.text.len());
        }
    }
}
