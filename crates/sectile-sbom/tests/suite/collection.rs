//! Documents of several binaries.

use sectile_sbom::{Sbom, SbomCollection, SbomFormat};
use serde_json::{Value, json};

use sectile_testing::all_drivers;
use sectile_testing::binary::{custom, module, zlib};

const ONE: &str = r#"{"packages":[{"name":"adler","version":"1.0.2","source":"crates.io"}]}"#;

/// The document of these binaries, whose parts are added in runs of this length.
fn document(format: SbomFormat, binaries: &[Vec<u8>], run: usize, is_complete: bool) -> Value {
    let mut document = Vec::new();
    let mut collection = SbomCollection::new(format, "store\u{1}", Some("2026-01-31T12:00:00Z"));
    collection.begin(&mut document).unwrap();
    for run in binaries.chunks(run) {
        let mut parts = Vec::new();
        for bytes in run {
            let metadata = all_drivers::metadata(bytes);
            Sbom::from_metadata(&metadata).with_name("a\u{1}\u{2}\n").write_part(format, &mut parts);
        }
        collection.add(&parts, &mut document).unwrap();
    }
    collection.finish(is_complete, &mut document).unwrap();
    serde_json::from_slice(&document).unwrap()
}

fn binaries() -> Vec<Vec<u8>> {
    let one = module(&[custom(".dep-v0", zlib(ONE)), custom("licenses", "our own")]);
    vec![one.clone(), module(&[]), one]
}

#[test]
fn cyclonedx_lists_every_binary_of_the_store() {
    for format in [SbomFormat::CycloneDx16, SbomFormat::CycloneDx17] {
        let document = document(format, &binaries(), 2, true);
        assert_eq!(
            document["metadata"]["component"],
            json!({"type": "file", "bom-ref": "store", "name": "store\u{1}"})
        );
        let components = document["components"].as_array().unwrap().iter();
        let references: Vec<_> = components.map(|component| component["bom-ref"].as_str().unwrap()).collect();
        assert_eq!(references, ["1/item:0", "1/item:0#0", "2/item:0", "3/item:0", "3/item:0#0"]);
        assert_eq!(document["components"][0]["name"], "a\u{1}\u{2}\n");
        let dependencies = &document["dependencies"];
        assert_eq!(dependencies[0], json!({"ref": "store", "dependsOn": ["1/item:0", "2/item:0", "3/item:0"]}));
        assert_eq!(dependencies.as_array().unwrap().len(), 6);
        assert_eq!(document["compositions"][0], json!({"aggregate": "complete", "assemblies": ["store"]}));
    }
}

#[test]
fn spdx_has_each_license_text_once() {
    let document = document(SbomFormat::Spdx23, &binaries(), 1, false);
    assert_eq!(document["packages"].as_array().unwrap().len(), 6);
    assert_eq!(document["hasExtractedLicensingInfos"].as_array().unwrap().len(), 1);
    assert_eq!(document["packages"][1]["annotations"][0]["annotationDate"], "2026-01-31T12:00:00Z");
    let relationships = document["relationships"].as_array().unwrap();
    assert_eq!(relationships[0]["relatedSpdxElement"], "SPDXRef-store");
    assert_eq!(relationships[4]["relatedSpdxElement"], "NOASSERTION"); // the store is incomplete
}

#[test]
fn parts_may_be_added_in_any_runs() {
    for format in SbomFormat::ALL {
        assert_eq!(document(format, &binaries(), 1, true), document(format, &binaries(), 3, true));
    }
}

#[test]
fn store_without_binaries_is_a_document() {
    for format in SbomFormat::ALL {
        document(format, &[], 1, true);
    }
}

/// Arrays that do not fit in memory come from temporary files.
#[test]
fn large_stores_are_written_in_the_same_form() {
    let bytes = module(&[custom(".dep-v0", zlib(ONE))]);
    let metadata = all_drivers::metadata(&bytes);
    let (mut part, mut document) = (Vec::new(), Vec::new());
    Sbom::from_metadata(&metadata).write_part(SbomFormat::Spdx23, &mut part);
    let mut collection = SbomCollection::new(SbomFormat::Spdx23, "store", None);
    collection.begin(&mut document).unwrap();
    for _ in 0..20_000 {
        collection.add(&part, &mut document).unwrap();
    }
    collection.finish(true, &mut document).unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(document["packages"].as_array().unwrap().len(), 40_001);
    assert_eq!(document["relationships"].as_array().unwrap().len(), 1 + 20_000 + 20_000);
}
