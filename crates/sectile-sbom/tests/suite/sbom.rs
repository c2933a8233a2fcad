//! The CycloneDX document: its content, its references, and hostile lists. `tests/oracles` checks
//! it against the schema.

use std::collections::HashSet;

use sectile::Limits;
use sectile::metadata::Field;
use sectile::scan::ItemKind;
use sectile_sbom::{ItemPackages, Package, Sbom, SbomError, SbomFormat, Vulnerability};
use serde_json::{Value, json};

use sectile_testing::binary::{component, custom, module, name, nested, zlib};
use sectile_testing::{all_drivers, files};

/// A `.dep-v0` section of these packages, in JSON.
fn list(packages: &str) -> Vec<u8> {
    custom(".dep-v0", zlib(format!(r#"{{"packages":[{packages}]}}"#)))
}

const TWO: &str = r#"{"name":"adler","version":"1.0.2","source":"crates.io"},
    {"name":"app","version":"0.1.0","source":"local","dependencies":[0],"root":true}"#;

/// The document of a binary, read by every driver. It must be consistent, and identical every time.
#[track_caller]
fn document(bytes: &[u8]) -> Value {
    let (metadata, result) = all_drivers::read(bytes, Limits::default());
    let metadata = metadata.unwrap();
    let sbom = Sbom::from_metadata(&metadata).with_name("file.wasm");
    let sbom = if result.is_ok() { sbom } else { sbom.incomplete() };
    let [first, second] = [(), ()].map(|()| {
        let mut text = Vec::new();
        sbom.write(SbomFormat::CycloneDx16, &mut text).unwrap();
        text
    });
    assert_eq!(first, second);
    assert!(first.ends_with(b"}\n"));
    let document: Value = serde_json::from_slice(&first).unwrap();
    assert_eq!(document["components"].as_array().unwrap().len(), sbom.packages().count());
    check_references(&document);
    document
}

/// Every `bom-ref` is unique, every reference resolves, and `dependsOn` has no duplicates.
#[track_caller]
fn check_references(document: &Value) {
    let root = &document["metadata"]["component"];
    let nested = root.get("components").and_then(Value::as_array).into_iter().flatten();
    let components = [root].into_iter().chain(nested).chain(document["components"].as_array().unwrap());
    let mut references = HashSet::new();
    for component in components {
        assert!(references.insert(component["bom-ref"].as_str().unwrap()), "{component}");
    }
    let mut declared = HashSet::new();
    for dependency in document["dependencies"].as_array().unwrap() {
        assert!(declared.insert(dependency["ref"].as_str().unwrap()), "{dependency}");
        let on: Vec<_> = dependency["dependsOn"].as_array().unwrap().iter().map(|on| on.as_str().unwrap()).collect();
        assert!(on.iter().all(|on| references.contains(on)), "{dependency}");
        assert_eq!(on.iter().collect::<HashSet<_>>().len(), on.len(), "{dependency}");
    }
    assert_eq!(declared, references);
}

fn property<'a>(component: &'a Value, name: &str) -> &'a str {
    let mut properties = component["properties"].as_array().unwrap().iter();
    properties.find(|property| property["name"] == name).unwrap()["value"].as_str().unwrap()
}

#[test]
fn a_real_component() {
    let (_, bytes) = files::real_files().into_iter().find(|(name, _)| name == "rust-auditable.component.wasm").unwrap();
    let document = document(&bytes);
    let root = &document["metadata"]["component"];
    assert_eq!((root["name"].as_str(), root["version"].as_str()), (Some("checksum"), Some("0.1.0")));
    let purls: Vec<_> = document["components"].as_array().unwrap().iter().map(|found| &found["purl"]).collect();
    assert_eq!(purls, ["pkg:cargo/adler@1.0.2", "pkg:generic/checksum@0.1.0", "pkg:cargo/itoa@1.0.5"]);
    assert!(document["components"].as_array().unwrap().iter().all(|found| property(found, "sectile:item") == "0"));
    let graph = json!([
        {"ref": "item:0", "dependsOn": ["item:1", "item:2", "item:3", "item:4", "item:5"]},
        {"ref": "item:1", "dependsOn": ["item:1#1"]},
        {"ref": "item:1#0", "dependsOn": []},
        {"ref": "item:1#1", "dependsOn": ["item:1#0", "item:1#2"]},
        {"ref": "item:1#2", "dependsOn": []},
        {"ref": "item:2", "dependsOn": []},
        {"ref": "item:3", "dependsOn": []},
        {"ref": "item:4", "dependsOn": []},
        {"ref": "item:5", "dependsOn": []},
    ]);
    assert_eq!(document["dependencies"], graph);
    let compositions = json!([
        {"aggregate": "unknown", "dependencies": ["item:0", "item:2", "item:3", "item:4", "item:5"]},
        {"aggregate": "complete", "dependencies": ["item:1"]},
    ]);
    assert_eq!(document["compositions"], compositions);
}

#[test]
fn identity_has_evidence() {
    let found = &document(&module(&[list(TWO)]))["components"][0];
    let evidence = json!({"identity": [{"field": "purl", "confidence": 1, "concludedValue": "pkg:cargo/adler@1.0.2",
        "methods": [{"technique": "manifest-analysis", "confidence": 1, "value": "dep-v0"}]}]});
    assert_eq!(found["evidence"], evidence);
}

#[test]
fn annotations_describe_items() {
    let bytes = module(&[
        custom("vendor", "Example"),
        custom("authors", "A <a@b>"),
        custom("licenses", "mit"),
        custom("source", "https://example.org/a"),
        custom("homepage", "not an address"),
        custom("version", vec![b'1'; 2_000]),
    ]);
    let root = &document(&bytes)["metadata"]["component"];
    assert_eq!(root["supplier"], json!({"name": "Example"}));
    assert_eq!(root["authors"], json!([{"name": "A <a@b>"}]));
    assert_eq!(root["licenses"], json!([{"expression": "MIT"}]));
    assert_eq!(root["externalReferences"], json!([{"type": "vcs", "url": "https://example.org/a"}]));
    assert_eq!(root.get("version"), None); // longer than the schema allows
    let other = document(&module(&[custom("licenses", "our own")]));
    assert_eq!(other["metadata"]["component"]["licenses"], json!([{"license": {"name": "our own"}}]));
}

#[test]
fn versions_of_cyclonedx_differ_in_their_names() {
    let bytes = module(&[list(TWO)]);
    let metadata = all_drivers::metadata(&bytes);
    let [first, second] = [SbomFormat::CycloneDx16, SbomFormat::CycloneDx17].map(|format| {
        let mut text = Vec::new();
        Sbom::from_metadata(&metadata).write(format, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    });
    assert!(first.contains("\"specVersion\":\"1.6\"") && second.contains("\"specVersion\":\"1.7\""));
    assert_eq!(first.replace("1.6", "1.7"), second);
}

#[test]
fn vulnerabilities_affect_packages_and_items() {
    let bytes = module(&[list(TWO)]);
    let metadata = all_drivers::metadata(&bytes);
    let mut vulnerability = Vulnerability::new("CVE-2024-1");
    vulnerability.affects = vec![(0, 0), (0, 9), (7, 0)];
    vulnerability.affects_items = vec![0, 7];
    let mut text = Vec::new();
    let sbom = Sbom::from_metadata(&metadata).with_vulnerabilities([vulnerability]);
    assert_eq!(sbom.item_number(&sectile::scan::ItemPath::root()), Some(0));
    sbom.write(SbomFormat::CycloneDx17, &mut text).unwrap();
    let document: Value = serde_json::from_slice(&text).unwrap();
    let affects = json!([
        {"ref": "item:0#0", "versions": [{"version": "1.0.2", "status": "affected"}]},
        {"ref": "item:0"},
    ]);
    assert_eq!(document["vulnerabilities"][0]["affects"], affects);
}

#[test]
fn document_has_no_invented_data() {
    let text = document(&module(&[list(TWO)])).to_string();
    for absent in ["licenses", "serialNumber", "timestamp", "hashes", "supplier"] {
        assert!(!text.contains(absent), "{absent}");
    }
}

#[test]
fn timestamp_is_optional() {
    let bytes = module(&[list(TWO)]);
    let metadata = all_drivers::metadata(&bytes);
    let sbom = Sbom::from_metadata(&metadata);
    let mut text = Vec::new();
    sbom.clone().with_created("2026-01-31T12:00:00+01:00").unwrap().write(SbomFormat::CycloneDx16, &mut text).unwrap();
    let document: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(document["metadata"]["timestamp"], "2026-01-31T12:00:00+01:00");
    for wrong in ["", "now", "2026-01-31", "2026-01-31 12:00:00Z", "2026-01-31T12:00:00z", "2026-02-30T12:00:00Z"] {
        assert!(sbom.clone().with_created(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn purl_names_a_registry_only_if_the_section_does() {
    let sources = ["crates.io", "git", "local", "registry", "ipfs"];
    let packages = sources.map(|source| format!(r#"{{"name":"a_b","version":"1.0.0-rc.1+x.y","source":"{source}"}}"#));
    let document = document(&module(&[list(&packages.join(","))]));
    for (found, source) in document["components"].as_array().unwrap().iter().zip(sources) {
        let kind = if source == "crates.io" { "cargo" } else { "generic" };
        assert_eq!(found["purl"], format!("pkg:{kind}/a_b@1.0.0-rc.1%2Bx.y"));
        assert_eq!(property(found, "sectile:source"), source);
    }
}

#[test]
fn build_dependencies_are_excluded() {
    let packages = r#"{"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
        {"name":"app","version":"1.0.0","source":"local","dependencies":[0,0],"root":true}"#;
    let document = document(&module(&[list(packages)]));
    let said: Vec<_> =
        document["components"].as_array().unwrap().iter().map(|found| (&found["scope"], &found["type"])).collect();
    assert_eq!(said, [(&json!("excluded"), &json!("library")), (&json!("required"), &json!("application"))]);
}

#[test]
fn packages_of_different_items_are_not_merged() {
    let inner = module(&[list(TWO)]);
    let named = module(&[list(TWO), custom("name", name("inner")), custom("version", "2.0")]);
    let bytes = component(&[nested(&inner), nested(&component(&[nested(&named)])), list(TWO)]);
    let document = document(&bytes);
    let packages = document["components"].as_array().unwrap();
    let found: Vec<_> = packages.iter().map(|found| (&found["purl"], property(found, "sectile:item"))).collect();
    let [adler, app] = [json!("pkg:cargo/adler@1.0.2"), json!("pkg:generic/app@0.1.0")];
    let expected = ["", "0", "1/0"].map(|item| [(&adler, item), (&app, item)]).concat();
    assert_eq!(found, expected);
    let root = &document["metadata"]["component"];
    let items: Vec<_> =
        root["components"].as_array().unwrap().iter().map(|item| (&item["name"], &item["version"])).collect();
    assert_eq!(
        items,
        [(&json!("module 0"), &Value::Null), (&json!("component 1"), &Value::Null), (&json!("inner"), &json!("2.0")),]
    );
    assert_eq!(document["dependencies"][0]["dependsOn"], json!(["item:1", "item:2", "item:0#1"]));
    let of_component = document["dependencies"].as_array().unwrap().iter().find(|one| one["ref"] == "item:2").unwrap();
    assert_eq!(of_component["dependsOn"], json!(["item:3"]));
}

#[test]
fn own_name_precedes_given_name() {
    let own = module(&[custom("name", name("own"))]);
    assert_eq!(document(&own)["metadata"]["component"]["name"], "own");
    assert_eq!(document(&module(&[custom("name", name(""))]))["metadata"]["component"]["name"], "file.wasm");
    let bytes = module(&[]);
    let metadata = all_drivers::metadata(&bytes);
    let mut text = Vec::new();
    Sbom::from_metadata(&metadata).write(SbomFormat::CycloneDx16, &mut text).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&text).unwrap()["metadata"]["component"]["name"], "module");
}

#[test]
fn a_list_without_a_root_package() {
    let packages = r#"{"name":"a","version":"1.0.0","source":"git","dependencies":[1]},
        {"name":"b","version":"1.0.0","source":"git"},{"name":"c","version":"1.0.0","source":"git"}"#;
    let found = document(&module(&[list(packages)]));
    assert_eq!(found["dependencies"][0]["dependsOn"], json!(["item:0#0", "item:0#2"]));
}

#[test]
fn unknown_and_incomplete_lists_are_marked() {
    let aggregate = |bytes: &[u8]| document(bytes).get("compositions").map(|found| found[0]["aggregate"].clone());
    assert_eq!(aggregate(&module(&[])), Some(json!("unknown")));
    assert_eq!(aggregate(&module(&[list("")])), Some(json!("complete")));
    let corrupt = custom(".dep-v0", "no zlib");
    assert_eq!(aggregate(&module(std::slice::from_ref(&corrupt))), Some(json!("incomplete")));
    assert_eq!(aggregate(&component(&[nested(&module(&[corrupt])), list(TWO)])), Some(json!("incomplete")));
    assert_eq!(aggregate(&module(&[list(TWO), list(TWO)])), Some(json!("incomplete"))); // the last counts
    let whole = module(&[list(TWO), custom("vendor", "v")]);
    assert_eq!(aggregate(&whole), Some(json!("complete")));
    assert_eq!(aggregate(&whole[..whole.len() - 1]), Some(json!("incomplete")));
    let bomb = custom(".dep-v0", zlib(vec![b' '; 64 << 20]));
    assert_eq!(aggregate(&module(&[bomb])), Some(json!("incomplete")));
}

#[test]
fn hostile_names_are_escaped() {
    let packages = r#"{"name":"","version":"1.0.0","source":"crates.io"},
        {"name":"../x?y=z#w@1/%41","version":"1.0.0","source":"crates.io"},
        {"name":"\u001b[2J\u202e\"}],","version":"1.0.0","source":"o<d;d"},
        {"name":"a\",\"b","version":"1.0.0","source":"crates.io"}"#;
    let document = document(&module(&[list(packages)]));
    let purls: Vec<_> = document["components"].as_array().unwrap().iter().map(|found| &found["purl"]).collect();
    assert_eq!(purls[0], &Value::Null); // none can be made
    assert_eq!(purls[1], "pkg:cargo/..%2Fx%3Fy%3Dz%23w%401%2F%2541@1.0.0");
    assert_eq!(purls[2].as_str().unwrap().split_once('@').unwrap().0, "pkg:generic/%1B%5B2J%E2%80%AE%22%7D%5D,");
    assert_eq!(document["components"][3]["name"], "a\",\"b");
}

#[test]
fn deep_tree_does_not_inflate_the_document() {
    let packages = vec![r#"{"name":"a","version":"1.0.0","source":"git"}"#; 1_000].join(",");
    let bytes = sectile_testing::binary::chain(900, &component(&[list(&packages)]));
    let metadata = sectile::read_slice(&bytes).unwrap();
    let mut text = Vec::new();
    Sbom::from_metadata(&metadata).write(SbomFormat::CycloneDx16, &mut text).unwrap();
    assert!(text.len() < 800_000, "{}", text.len());
    check_references(&serde_json::from_slice(&text).unwrap());
}

/// Plain data makes the same document as the equivalent metadata.
#[test]
fn plain_data_makes_the_same_document() {
    let inner = module(&[list(TWO), custom("name", name("inner"))]);
    let bytes = component(&[nested(&inner), nested(&module(&[])), custom("version", "2.0")]);
    let adler = || {
        let mut package = Package::new("adler", "1.0.2");
        (package.source, package.purl) = ("crates.io".into(), Some("pkg:cargo/adler@1.0.2".into()));
        package
    };
    let app = || {
        let mut package = Package::new("app", "0.1.0");
        (package.source, package.purl) = ("local".into(), Some("pkg:generic/app@0.1.0".into()));
        (package.root, package.dependencies) = (true, vec![0].into());
        package
    };
    let mut root = ItemPackages::new(0, "", ItemKind::Component);
    root.annotations = vec![(Field::Version, "2.0".into())];
    let mut item = ItemPackages::new(1, "0", ItemKind::Module);
    (item.name, item.packages) = (Some("inner".into()), Some(vec![adler(), app()]));
    let without_list = ItemPackages::new(2, "1", ItemKind::Module);
    let sbom = Sbom::new(root, [item, without_list]).unwrap().with_name("file.wasm");
    let mut text = Vec::new();
    sbom.write(SbomFormat::CycloneDx16, &mut text).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), document(&bytes));
}

#[test]
fn contradictory_data_is_refused() {
    let item = |number| ItemPackages::new(number, "", ItemKind::Module);
    let with = |number, packages| {
        let mut item = item(number);
        item.packages = Some(packages);
        item
    };
    let depending = |on: usize| {
        let mut package = Package::new("a", "");
        package.dependencies = vec![0, on].into();
        package
    };
    let refused = |root, nested: Vec<_>| Sbom::new(root, nested).unwrap_err();
    assert_eq!(refused(item(0), vec![with(1, vec![]), with(1, vec![])]), SbomError::DuplicateItem(1));
    assert_eq!(refused(item(1), vec![with(1, vec![])]), SbomError::DuplicateItem(1));
    let mut inner = item(2);
    inner.parent = Some(3);
    assert_eq!(refused(item(0), vec![inner, item(3)]), SbomError::MissingParent { item: 2, parent: 3 });
    let missing = SbomError::MissingPackage { item: 3, package: 0, dependency: 1 };
    assert_eq!(refused(item(0), vec![with(3, vec![depending(1)])]), missing);
    assert_eq!(refused(with(3, vec![depending(1)]), vec![]), missing);
    assert!(Sbom::new(with(0, vec![depending(0)]), vec![]).is_ok());
}

/// Paths are shortened, so a deep tree with a list in every item stays small.
#[test]
fn lists_in_every_item_of_a_deep_tree() {
    let deepest = component(&[list("")]);
    let bytes = (0..900).fold(deepest, |inner, _| component(&[nested(&inner), list("")]));
    let metadata = sectile::read_slice(&bytes).unwrap();
    let mut text = Vec::new();
    Sbom::from_metadata(&metadata).write(SbomFormat::CycloneDx16, &mut text).unwrap();
    assert!(text.len() < 20 * bytes.len(), "{} of {}", text.len(), bytes.len());
    check_references(&serde_json::from_slice(&text).unwrap());
}
