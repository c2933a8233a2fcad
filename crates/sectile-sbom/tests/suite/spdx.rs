//! The SPDX document: its content, its references, and hostile values. The oracles of the command check it with
//! the libraries of SPDX.

use std::collections::HashSet;

use sectile::Limits;
use sectile_sbom::{Sbom, SbomFormat, Vulnerability};
use serde_json::{Value, json};

use sectile_testing::all_drivers;
use sectile_testing::binary::{component, custom, module, name, nested, zlib};

const TWO: &str = r#"{"packages":[{"name":"adler","version":"1.0.2","source":"crates.io","kind":"build"},
    {"name":"app","version":"0.1.0","source":"local","dependencies":[0],"root":true}]}"#;

fn list() -> Vec<u8> {
    custom(".dep-v0", zlib(TWO))
}

/// The document of a binary. Its identifiers are unique, and its references resolve.
#[track_caller]
fn document(bytes: &[u8]) -> Value {
    let (metadata, result) = all_drivers::read(bytes, Limits::default());
    let metadata = metadata.unwrap();
    let sbom = Sbom::from_metadata(&metadata).with_name("file.wasm").with_digest(sectile::digest::Digest::new(bytes));
    let sbom = if result.is_ok() { sbom } else { sbom.incomplete() };
    let document = written(&sbom);
    assert_eq!(document, written(&sbom));
    let packages = document["packages"].as_array().unwrap();
    let ids: HashSet<&str> = packages.iter().map(|package| package["SPDXID"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), packages.len());
    for relationship in document["relationships"].as_array().unwrap() {
        for side in ["spdxElementId", "relatedSpdxElement"] {
            let id = relationship[side].as_str().unwrap();
            assert!(ids.contains(id) || ["SPDXRef-DOCUMENT", "NOASSERTION"].contains(&id), "{id}");
        }
    }
    document
}

fn written(sbom: &Sbom<'_>) -> Value {
    let mut text = Vec::new();
    sbom.write(SbomFormat::Spdx23, &mut text).unwrap();
    assert!(text.ends_with(b"}\n"));
    serde_json::from_slice(&text).unwrap()
}

fn relationships(document: &Value) -> Vec<[&str; 3]> {
    let sides = ["spdxElementId", "relationshipType", "relatedSpdxElement"];
    let list = document["relationships"].as_array().unwrap().iter();
    list.map(|relationship| sides.map(|side| relationship[side].as_str().unwrap())).collect()
}

#[test]
fn items_and_packages_are_related() {
    let bytes = component(&[nested(&module(&[list()]))]);
    let document = document(&bytes);
    assert_eq!(document["spdxVersion"], "SPDX-2.3");
    let names: Vec<_> = document["packages"].as_array().unwrap().iter().map(|package| &package["name"]).collect();
    assert_eq!(names, ["file.wasm", "module 0", "adler", "app"]);
    let expected = [
        ["SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-item-0"],
        ["SPDXRef-item-0", "CONTAINS", "SPDXRef-item-1"],
        ["SPDXRef-item-0", "CONTAINS", "NOASSERTION"],
        ["SPDXRef-item-1-0", "BUILD_DEPENDENCY_OF", "SPDXRef-item-1"],
        ["SPDXRef-item-1", "CONTAINS", "SPDXRef-item-1-1"],
        ["SPDXRef-item-1-1", "DEPENDS_ON", "SPDXRef-item-1-0"],
    ];
    assert_eq!(relationships(&document), expected);
    let checksum = &document["packages"][0]["checksums"][0];
    assert_eq!(checksum["checksumValue"], sectile::digest::Digest::new(&bytes).hex());
    let external = json!([{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
        "referenceLocator": "pkg:cargo/adler@1.0.2"}]);
    assert_eq!(document["packages"][2]["externalRefs"], external);
    let comment = &document["packages"][3]["annotations"][0]["comment"];
    assert_eq!(comment, "sectile: declared by dep-v0 in item 0");
}

#[test]
fn annotations_describe_the_binary() {
    let document = document(&module(&[
        custom("name", name("app")),
        custom("version", "1.0.0"),
        custom("vendor", "Example (Ltd)"),
        custom("authors", "A <a@b>"),
        custom("licenses", "MIT"),
        custom("homepage", "https://example.org/a"),
        custom("created", "2026-01-31T12:00:00+01:00"),
    ]));
    let root = &document["packages"][0];
    for (key, value) in [
        ("name", "app"),
        ("versionInfo", "1.0.0"),
        ("supplier", "Organization: Example Ltd"),
        ("originator", "Person: A <a@b>"),
        ("licenseDeclared", "MIT"),
        ("licenseConcluded", "NOASSERTION"),
        ("homepage", "https://example.org/a"),
        ("downloadLocation", "NOASSERTION"),
    ] {
        assert_eq!(root[key], value, "{key}");
    }
    assert_eq!(document["creationInfo"]["created"], "2026-01-31T11:00:00Z");
    assert_eq!(document.get("hasExtractedLicensingInfos"), None);
}

#[test]
fn other_licenses_have_their_text() {
    let document = document(&module(&[custom("licenses", "our \u{202e} own")]));
    let id = &document["packages"][0]["licenseDeclared"];
    assert!(id.as_str().unwrap().starts_with("LicenseRef-sectile-"), "{id}");
    let texts = json!([{"licenseId": id, "extractedText": "our \u{202e} own"}]);
    assert_eq!(document["hasExtractedLicensingInfos"], texts);
}

#[test]
fn namespace_follows_from_the_content() {
    let namespace = |bytes: &[u8]| document(bytes)["documentNamespace"].clone();
    let [one, other] = [module(&[]), module(&[custom("version", "1")])];
    assert_eq!(namespace(&one), namespace(&one));
    assert_ne!(namespace(&one), namespace(&other));
    assert!(namespace(&one).as_str().unwrap().starts_with("https://spdx.org/spdxdocs/sectile-"));
    assert_eq!(document(&one)["creationInfo"]["created"], "1970-01-01T00:00:00Z");
}

#[test]
fn advisories_are_external_references() {
    let bytes = module(&[list()]);
    let metadata = all_drivers::metadata(&bytes);
    let mut vulnerability = Vulnerability::new("RUSTSEC-2021-0003");
    vulnerability.url = "https://rustsec.org/advisories/RUSTSEC-2021-0003".into();
    vulnerability.affects = vec![(0, 0), (0, 9), (7, 0)];
    vulnerability.affects_items = vec![0, 7];
    let document = written(&Sbom::from_metadata(&metadata).with_vulnerabilities([vulnerability]));
    let reference = &document["packages"][1]["externalRefs"][1];
    assert_eq!(
        (&reference["referenceCategory"], &reference["referenceType"]),
        (&json!("SECURITY"), &json!("advisory"))
    );
    assert_eq!(&document["packages"][0]["externalRefs"][0], reference);
}

#[test]
fn truncated_binary_is_marked() {
    let bytes = module(&[list(), custom("vendor", "v")]);
    let incomplete = ["SPDXRef-item-0", "CONTAINS", "NOASSERTION"];
    assert!(!relationships(&document(&bytes)).contains(&incomplete));
    assert!(relationships(&document(&bytes[..bytes.len() - 1])).contains(&incomplete));
}
