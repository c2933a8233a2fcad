//! Inputs that other tools handle wrongly. If the tool is wasm-metadata, the test also shows its
//! behavior. Cases about publishing are in sectile-oci, cases about Cargo in sectile-manifest.

mod editing;

use sectile::metadata::{Field, Metadata};
use sectile::{Escaped, FindingCode};
use wasm_metadata::{AddMetadata, AddMetadataField, Payload};

use sectile_testing::all_drivers;
use sectile_testing::binary::{component, custom, module, name, nested, prefixed, producers, section};
use sectile_testing::found::{self, codes, found, text};

/// Adds a revision with wasm-metadata, as an edit of another field.
fn peer_edits(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut edit = AddMetadata::default();
    edit.revision = AddMetadataField::Set(wasm_metadata::Revision::new("edited"));
    edit.to_wasm(bytes).map_err(|error| format!("{error:#}"))
}

/// The sections are in the root of a module, the root of a component, and nested items.
/// wasm-metadata reads nothing of such a tree. Sectile reads everything else and reports the item.
#[track_caller]
fn costs_only_itself(bad: &[u8], expected: &str, look: impl Fn(sectile::metadata::Item<'_>)) {
    let good = [custom("authors", "me"), custom("version", "1.0.0")];
    let item = |make: fn(&[Vec<u8>]) -> Vec<u8>| make(&[good[0].clone(), bad.to_vec(), good[1].clone()]);
    let whole = nested(&module(&good));
    let inputs = [
        (item(module), ""),
        (item(component), ""),
        (component(&[good.concat(), whole.clone(), nested(&item(module)), whole.clone()]), "1"),
        (
            component(&[good.concat(), whole.clone(), nested(&component(&[good.concat(), nested(&item(component))]))]),
            "1/0",
        ),
    ];
    for (bytes, place) in inputs {
        assert!(Payload::from_binary(&bytes).is_err(), "the peer can read it now");
        if place.is_empty() && expected != "malformed-dependencies .dep-v0" {
            // It keeps sections that it does not decode.
            assert!(peer_edits(&bytes).is_err(), "the peer can edit it now");
        }
        let metadata = all_drivers::metadata(&bytes);
        let place = place.parse().unwrap();
        look(metadata.item(&place).unwrap());
        let suffix = if place.is_root() { String::new() } else { format!(" in {place}") };
        assert_eq!(found(&metadata), [format!("{expected}{suffix}")]);
        for item in metadata.items() {
            assert_eq!((text(item, Field::Authors), text(item, Field::Version)), (Some("me"), Some("1.0.0")));
        }
    }
}

#[test]
fn the_last_of_two_authors_is_read_with_a_finding() {
    let bytes = module(&[custom("authors", "first"), custom("authors", "second")]);
    let peer = Payload::from_binary(&bytes).unwrap();
    assert_eq!(peer.metadata().authors.as_ref().unwrap().to_string(), "second");
    let metadata = all_drivers::metadata(&bytes);
    assert_eq!(text(metadata.root(), Field::Authors), Some("second"));
    assert_eq!(found(&metadata), ["duplicate-section authors"]);
}

/// The way in which files with two sections are made.
#[test]
fn the_peer_sets_authors_by_adding_a_second_section() {
    let mut edit = AddMetadata::default();
    edit.authors = AddMetadataField::Set(wasm_metadata::Authors::new("new"));
    let bytes = edit.to_wasm(&module(&[custom("authors", "old")])).unwrap();
    let metadata = all_drivers::metadata(&bytes);
    assert_eq!(text(metadata.root(), Field::Authors), Some("new"));
    assert_eq!(found(&metadata), ["duplicate-section authors"]);
}

#[test]
fn a_license_with_a_slash_costs_only_itself() {
    costs_only_itself(&custom("licenses", "MIT/Apache-2.0"), "imprecise-license licenses", |item| {
        assert_eq!(text(item, Field::Licenses), Some("MIT/Apache-2.0"));
    });
}

#[test]
fn a_description_that_is_not_utf8_costs_only_itself() {
    costs_only_itself(&custom("description", b"caf\xe9"), "not-utf8 description", |item| {
        assert_eq!(item.annotation(Field::Description).unwrap().as_bytes(), b"caf\xe9");
    });
}

#[test]
fn authors_that_are_not_utf8_cost_only_themselves() {
    let bytes = module(&[custom("authors", b"\xff"), custom("version", "1.0.0")]);
    assert!(Payload::from_binary(&bytes).is_err() && peer_edits(&bytes).is_err());
    let metadata = all_drivers::metadata(&bytes);
    assert_eq!(metadata.root().annotation(Field::Authors).unwrap().as_bytes(), b"\xff");
    assert_eq!(text(metadata.root(), Field::Version), Some("1.0.0"));
    assert_eq!(found(&metadata), ["not-utf8 authors"]);
}

#[test]
fn a_homepage_without_a_scheme_costs_only_itself() {
    costs_only_itself(&custom("homepage", "example.com"), "not-url homepage", |item| {
        assert_eq!(text(item, Field::Homepage), Some("example.com"));
    });
}

#[cfg(feature = "dependencies")] // raw bytes are never malformed
#[test]
fn corrupt_dependencies_cost_only_themselves() {
    for corrupt in [&b"garbage"[..], b"\x78\x9c", b"\x78\x9c\x03\x00\x00\x00\x00\x01", b"\x1f\x8b\x08"] {
        costs_only_itself(&custom(".dep-v0", corrupt), "malformed-dependencies .dep-v0", |item| {
            assert_eq!(item.dependencies().unwrap().raw().as_bytes(), corrupt);
        });
    }
}

#[test]
fn trailing_bytes_in_producers_cost_only_themselves() {
    let data = [producers(&[("sdk", &[("kit", "1")])]), b"\0".to_vec()].concat();
    costs_only_itself(&custom("producers", data), "malformed-producers producers", |item| {
        assert_eq!(found::producers(item), [("sdk", vec![("kit", "1")])]);
    });
}

#[test]
fn an_unknown_field_in_producers_is_kept() {
    let fields: [(&str, &[(&str, &str)]); 3] =
        [("language", &[("C", "17")]), ("linked-by", &[("ld", "1")]), ("sdk", &[("kit", "2")])];
    costs_only_itself(&custom("producers", producers(&fields)), "unknown-producers-field producers", |item| {
        assert_eq!(found::producers(item), fields.map(|(field, values)| (field, values.to_vec())));
    });
}

#[test]
fn a_deprecated_license_is_a_warning_with_alternatives() {
    let bytes = module(&[custom("licenses", "GPL-3.0"), custom("authors", "me")]);
    assert!(wasm_metadata::Licenses::new("GPL-3.0").is_err() && Payload::from_binary(&bytes).is_err());
    let metadata = all_drivers::metadata(&bytes);
    assert_eq!(found(&metadata), ["deprecated-license licenses"]);
    let finding = metadata.findings().iter().next().unwrap();
    assert!(finding.message().contains("GPL-3.0-only") && finding.message().contains("GPL-3.0-or-later"));
    assert_eq!(finding.code().severity(), sectile::Severity::Warning);
}

#[test]
fn an_scp_like_source_is_a_warning() {
    let bytes = module(&[custom("source", "git@github.com:a/b.git")]);
    assert!(Payload::from_binary(&bytes).is_err());
    let metadata = all_drivers::metadata(&bytes);
    assert_eq!(text(metadata.root(), Field::Source), Some("git@github.com:a/b.git"));
    assert_eq!(codes(&metadata), [FindingCode::VcsUrl]);
    assert_eq!(FindingCode::VcsUrl.severity(), sectile::Severity::Warning);
}

#[test]
fn a_javascript_homepage_is_an_error() {
    let bytes = module(&[custom("homepage", "javascript:alert(1)")]);
    assert!(Payload::from_binary(&bytes).is_ok(), "the peer accepts it");
    let metadata = all_drivers::metadata(&bytes);
    assert_eq!(text(metadata.root(), Field::Homepage), Some("javascript:alert(1)"));
    assert_eq!(codes(&metadata), [FindingCode::NotHttp]);
    assert_eq!(FindingCode::NotHttp.severity(), sectile::Severity::Error);
}

#[test]
fn urls_are_not_normalized() {
    let written = "HTTPS://Example.com:443/a/../b";
    let bytes = module(&[custom("homepage", written)]);
    let peer = Payload::from_binary(&bytes).unwrap();
    assert_eq!(peer.metadata().homepage.as_ref().unwrap().to_string(), "https://example.com/b");
    let edited = peer_edits(&bytes).unwrap();
    assert!(!edited.windows(written.len()).any(|bytes| bytes == written.as_bytes()), "the peer rewrites it");

    let metadata = all_drivers::metadata(&bytes);
    assert_eq!((text(metadata.root(), Field::Homepage), found(&metadata)), (Some(written), vec![]));
}

/// The data of a name section whose function map is not sorted by index.
fn out_of_order() -> Vec<u8> {
    let map = [&b"\x02\x05"[..], &prefixed("five"), b"\x03", &prefixed("three")].concat();
    [section(0, &prefixed("the name")), section(1, &map), section(0x7b, b"unknown")].concat()
}

#[test]
fn a_name_section_out_of_order_is_read() {
    let yosys = include_bytes!("../files/adapter-yosys.wasm").to_vec();
    for bytes in [yosys, module(&[custom("name", out_of_order())])] {
        let error = peer_edits(&bytes).expect_err("the peer can edit it now");
        assert!(error.contains("out of order"), "{error}");
        let metadata = all_drivers::metadata(&bytes);
        let peer = Payload::from_binary(&bytes).unwrap();
        assert_eq!(found::name(metadata.root()), peer.metadata().name.as_deref());
        assert_eq!(found(&metadata), Vec::<String>::new());
    }
}

#[test]
fn two_name_sections_give_one_name() {
    for (make, section) in [(module as fn(&[Vec<u8>]) -> Vec<u8>, "name"), (component, "component-name")] {
        let bytes = make(&[custom(section, name("first")), custom(section, name("second"))]);
        let metadata = all_drivers::metadata(&bytes);
        assert_eq!(found::name(metadata.root()), Some("second"));
        assert_eq!(found(&metadata), [format!("duplicate-section {section}")]);

        // A section without a name does not remove the name.
        let bytes = make(&[custom(section, name("first")), custom(section, b"\x01\x01x")]);
        let metadata = all_drivers::metadata(&bytes);
        assert_eq!(found::name(metadata.root()), Some("first"));
        assert_eq!(found(&metadata), [format!("duplicate-section {section}")]);
    }
    // wasm-metadata writes the new name into both.
    let plain = |name| custom("name", section(0, &prefixed(name)));
    let mut edit = AddMetadata::default();
    edit.name = AddMetadataField::Set("third".to_owned());
    let edited = edit.to_wasm(&module(&[plain("first"), plain("second")])).unwrap();
    assert_eq!(edited.windows(5).filter(|bytes| bytes == b"third").count(), 2);
}

#[test]
fn two_producers_sections_or_fields_lose_nothing() {
    let (first, second) = (("sdk", &[("first", "1")][..]), ("sdk", &[("second", "2")][..]));
    let two_sections = module(&[custom("producers", producers(&[first])), custom("producers", producers(&[second]))]);
    let two_fields = module(&[custom("producers", producers(&[first, second]))]);
    for (bytes, finding) in
        [(two_sections, "duplicate-section producers"), (two_fields, "duplicate-producers-field producers")]
    {
        let peer = Payload::from_binary(&bytes).unwrap();
        let sdk = peer.metadata().producers.as_ref().unwrap().get("sdk").unwrap();
        assert_eq!((sdk.get("first"), sdk.iter().count()), (None, 1), "the peer drops the first");

        let metadata = all_drivers::metadata(&bytes);
        let both = [("sdk", vec![("first", "1")]), ("sdk", vec![("second", "2")])];
        assert_eq!(found::producers(metadata.root()), both);
        assert_eq!(found(&metadata), [finding]);
        let message = &metadata.findings().iter().next().unwrap().message();
        assert!(!message.contains("last counts"), "all are kept, and it says: {message}");
    }
}

#[test]
fn two_versions_of_a_producer_are_both_read() {
    let bytes = module(&[custom("producers", producers(&[("sdk", &[("kit", "1"), ("kit", "2")])]))]);
    let metadata = all_drivers::metadata(&bytes);
    assert_eq!(found::producers(metadata.root()), [("sdk", vec![("kit", "1"), ("kit", "2")])]);
    assert_eq!(found(&metadata), ["duplicate-producer producers"]);
}

/// Every link is kept: the loader decides which one wins.
#[test]
fn two_links_to_debugging_data_are_both_read() {
    let link = |url| custom("sourceMappingURL", prefixed(url));
    let bytes = module(&[link("a.map"), link("b.map")]);
    let metadata = all_drivers::metadata(&bytes);
    let links: Vec<_> = metadata.root().debug_links().map(|(_, value)| value.as_str().unwrap()).collect();
    assert_eq!(links, ["a.map", "b.map"]);
    assert_eq!(found(&metadata), ["duplicate-section sourceMappingURL"]);
    let message = &metadata.findings().iter().next().unwrap().message();
    assert!(!message.contains("last counts"), "all are kept, and it says: {message}");
}

#[test]
fn malformed_function_bodies_are_skipped() {
    let types = section(1, b"\x01\x60\0\0");
    let functions = section(3, b"\x01\0");
    for code in [&b"\x01\x7f"[..], b"\x02\x02\0\x0b", b"", b"\x01\x02\x05\x0b", b"\xff\xff\xff\xff\x0f"] {
        let bytes = module(&[types.clone(), functions.clone(), section(10, code), custom("authors", "me")]);
        let metadata = all_drivers::metadata(&bytes);
        assert_eq!((text(metadata.root(), Field::Authors), found(&metadata)), (Some("me"), vec![]));
        let tree = component(&[nested(&bytes)]);
        assert_eq!(text(all_drivers::metadata(&tree).items().nth(1).unwrap(), Field::Authors), Some("me"));
    }
    let bytes = module(&[types, functions, section(10, b"\x01\x7f"), custom("authors", "me")]);
    assert!(Payload::from_binary(&bytes).is_err(), "the peer rejects it");
}

/// Code is not parsed, so no opcode is too new.
#[test]
fn unknown_opcodes_are_skipped() {
    for body in [&b"\x01\x04\0\xfd\xff\x7f"[..], b"\x01\x03\0\xff\x0b", b"\x01\x05\0\xfb\x7f\x7f\x0b"] {
        let bytes = module(&[section(10, body), custom("authors", "me")]);
        assert_eq!(text(all_drivers::metadata(&bytes).root(), Field::Authors), Some("me"));
    }
}

#[test]
fn components_are_read() {
    let bytes = include_bytes!("../files/rust-auditable.component.wasm");
    let metadata = all_drivers::metadata(bytes);
    assert_eq!(metadata.root().kind(), sectile::scan::ItemKind::Component);
    assert_eq!(found::name(metadata.root()), Some("checksum"));
    assert_eq!(text(metadata.root(), Field::Licenses), Some("MIT OR Apache-2.0"));
    assert!(metadata.items().any(|item| item.dependencies().is_some()));
}

#[test]
fn registry_metadata_is_read() {
    let json = r#"{"authors":["me"],"license":"MIT"}"#;
    let bytes = component(&[custom("registry-metadata", json)]);
    assert!(Payload::from_binary(&bytes).is_ok(), "the peer does not report it");
    let metadata = all_drivers::metadata(&bytes);
    assert_eq!(metadata.root().registry_metadata().unwrap().as_str(), Some(json));
    assert_eq!(found(&metadata), ["retired-section registry-metadata"]);
}

#[test]
fn control_characters_are_escaped_and_found() {
    for hostile in ["\x1b]0;title\x07", "visible\rhidden", "\u{202e}txt.exe", "\u{9b}2J"] {
        let bytes = module(&[custom("description", hostile)]);
        let peer = Payload::from_binary(&bytes).unwrap();
        assert_eq!(peer.metadata().description.as_ref().unwrap().to_string(), hostile, "the peer does not escape it");
        let metadata = all_drivers::metadata(&bytes);
        assert_eq!(found(&metadata), ["control-characters description"]);
        let shown = Escaped::new(text(metadata.root(), Field::Description).unwrap()).to_string();
        assert!(shown.is_ascii() && shown.contains('\\') && !shown.contains(|char: char| char.is_control()), "{shown}");
    }
}

#[test]
fn padded_sizes_are_read() {
    use sectile_testing::binary::{MODULE, padded};
    let payload = [&prefixed("authors")[..], b"me"].concat();
    for width in 1..=5 {
        let bytes = [&MODULE[..], b"\0", &padded(payload.len() as u32, width), &payload].concat();
        let metadata: Metadata<'_> = all_drivers::metadata(&bytes);
        let value = metadata.root().annotation(Field::Authors).unwrap();
        assert_eq!(value.range(), bytes.len() as u64 - 2..bytes.len() as u64);
    }
}
