//! Edits that other tools handle wrongly.

use std::cell::Cell;
use std::io;

use sectile::Glob;
use sectile::drive::ReadAt;
use sectile::edit::{Edit, EditError, Strip};
use sectile::metadata::Field;
use sectile::{FindingCode, Severity};
use wasm_metadata::{AddMetadata, AddMetadataField, Payload};

use super::{out_of_order, peer_edits};
use sectile_testing::all_drivers;
use sectile_testing::binary::{MODULE, component, custom, module, name, nested, padded, prefixed, producers, section};
use sectile_testing::found::{self, found, text};
use sectile_testing::sources::Sparse;

/// The bytes after an edit.
#[track_caller]
fn edited(edit: Result<Edit, EditError>, source: &[u8]) -> Vec<u8> {
    let planned = edit.unwrap().plan_slice(source).unwrap();
    planned.plan().to_vec(source).unwrap()
}

fn set(field: Field, value: &str) -> Result<Edit, EditError> {
    Edit::new().set(field, value)
}

fn strip(strip: Strip) -> Result<Edit, EditError> {
    Ok(Edit::new().strip(strip))
}

/// The number of occurrences of some bytes.
fn times(bytes: &[u8], in_bytes: &[u8]) -> usize {
    in_bytes.windows(bytes.len()).filter(|window| *window == bytes).count()
}

fn peer_sets(change: impl FnOnce(&mut AddMetadata), source: &[u8]) -> Result<Vec<u8>, String> {
    let mut edit = AddMetadata::default();
    change(&mut edit);
    edit.to_wasm(source).map_err(|error| format!("{error:#}"))
}

#[test]
fn authors_are_replaced_in_place() {
    let source = module(&[custom("authors", "old"), custom("x", "")]);
    let peer = |edit: &mut AddMetadata| edit.authors = AddMetadataField::Set(wasm_metadata::Authors::new("new"));
    assert_eq!(times(b"authors", &peer_sets(peer, &source).unwrap()), 2, "the peer adds a second section");
    assert_eq!(edited(set(Field::Authors, "new"), &source), module(&[custom("authors", "new"), custom("x", "")]));
}

#[test]
fn setting_authors_leaves_one_section() {
    let source = module(&[custom("authors", "first"), custom("x", ""), custom("authors", "second")]);
    assert_eq!(edited(set(Field::Authors, "new"), &source), module(&[custom("authors", "new"), custom("x", "")]));
}

/// A malformed section in the root or a nested item keeps its bytes, and others can be edited.
#[test]
fn malformed_sections_do_not_prevent_other_edits() {
    for bad in [
        custom("licenses", "MIT/Apache-2.0"),
        custom("authors", b"\xff"),
        custom("homepage", "example.com"),
        custom(".dep-v0", "garbage"),
        custom("producers", [producers(&[("sdk", &[("kit", "1")])]), vec![0]].concat()),
        custom("producers", producers(&[("linked-by", &[("ld", "1")])])),
    ] {
        let inner = nested(&module(std::slice::from_ref(&bad)));
        let source = component(&[bad.clone(), inner.clone()]);
        if !bad.ends_with(b"garbage") {
            assert!(peer_edits(&source).is_err(), "the peer can edit it now");
        }
        let revision = custom("revision", "r");
        assert_eq!(
            edited(set(Field::Revision, "r"), &source),
            component(&[bad.clone(), inner.clone(), revision.clone()])
        );
        let at_inner = Edit::new().at("0".parse().unwrap()).set(Field::Revision, "r");
        let changed = nested(&module(&[bad.clone(), revision]));
        assert_eq!(edited(at_inner, &source), component(&[bad, changed]));
    }
}

#[test]
fn a_malformed_license_is_replaced() {
    let source = module(&[custom("licenses", "MIT/Apache-2.0"), custom("x", "")]);
    let peer =
        |edit: &mut AddMetadata| edit.licenses = AddMetadataField::Set(wasm_metadata::Licenses::new("MIT").unwrap());
    let peer = peer_sets(peer, &source).unwrap();
    assert_eq!(
        (times(b"MIT/Apache-2.0", &peer), times(b"licenses", &peer)),
        (1, 2),
        "the peer keeps it beside the new one"
    );
    assert_eq!(edited(set(Field::Licenses, "MIT"), &source), module(&[custom("licenses", "MIT"), custom("x", "")]));
}

#[test]
fn a_deprecated_license_is_written_with_a_warning() {
    let planned = set(Field::Licenses, "GPL-3.0").unwrap().plan_slice(&MODULE).unwrap();
    assert_eq!(planned.plan().to_vec(&MODULE).unwrap(), module(&[custom("licenses", "GPL-3.0")]));
    let [finding] = planned.findings() else { panic!("{planned:?}") };
    assert_eq!((finding.code(), finding.code().severity()), (FindingCode::DeprecatedLicense, Severity::Warning));
    assert!(finding.message().contains("GPL-3.0-only") && finding.message().contains("GPL-3.0-or-later"));
}

#[test]
fn an_scp_like_source_is_written_unchecked() {
    let git = "git@github.com:a/b.git";
    assert!(matches!(set(Field::Source, git), Err(EditError::Invalid { field: Field::Source, .. })));
    let allowed = Edit::new().set_unchecked(Field::Source, git).unwrap();
    let planned = allowed.plan_slice(&MODULE).unwrap();
    assert_eq!(planned.plan().to_vec(&MODULE).unwrap(), module(&[custom("source", git)]));
    assert_eq!(planned.findings()[0].code(), FindingCode::VcsUrl);
}

#[test]
fn a_javascript_homepage_is_rejected() {
    let peer = wasm_metadata::Homepage::new("javascript:alert(1)");
    assert!(peer.is_ok(), "the peer accepts it");
    assert!(matches!(set(Field::Homepage, "javascript:alert(1)"), Err(EditError::Invalid { .. })));
}

#[test]
fn an_untouched_homepage_is_untouched() {
    let written = "HTTPS://Example.com:443/a/../b";
    let source = module(&[custom("homepage", written)]);
    assert_eq!(times(written.as_bytes(), &peer_edits(&source).unwrap()), 0, "the peer rewrites it");
    let expected = module(&[custom("homepage", written), custom("revision", "r")]);
    assert_eq!(edited(set(Field::Revision, "r"), &source), expected);
}

#[test]
fn a_name_section_out_of_order_is_edited() {
    let yosys = include_bytes!("../../files/adapter-yosys.wasm").to_vec();
    for source in [yosys, module(&[custom("name", out_of_order())])] {
        assert!(peer_edits(&source).is_err(), "the peer can edit it now");
        let named = edited(Edit::new().name("new").and_then(|edit| edit.set(Field::Revision, "r")), &source);
        let metadata = all_drivers::metadata(&named);
        assert_eq!(found::name(metadata.root()), Some("new"));
        assert_eq!(text(metadata.root(), Field::Revision), Some("r"));
    }
    let data = out_of_order();
    let rest = &data[section(0, &prefixed("the name")).len()..];
    let renamed = edited(Edit::new().name("new"), &module(&[custom("name", &data)]));
    assert_eq!(renamed, module(&[custom("name", [&section(0, &prefixed("new")), rest].concat())]));
}

#[test]
fn clearing_a_name_keeps_function_names() {
    let functions = section(1, &[&b"\x01\0"[..], &prefixed("main")].concat());
    let source = module(&[custom("name", [section(0, &prefixed("mine")), functions.clone()].concat())]);
    let peer = peer_sets(|edit| edit.name = AddMetadataField::Clear, &source).unwrap();
    assert_eq!(times(b"main", &peer), 0, "the peer clears them too");
    assert_eq!(edited(Edit::new().clear_name(), &source), module(&[custom("name", functions)]));
    let alone = module(&[custom("name", section(0, &prefixed("mine")))]);
    assert_eq!(edited(Edit::new().clear_name(), &alone), MODULE);
}

#[test]
fn setting_a_name_leaves_one_name() {
    let source = module(&[custom("name", name("first")), custom("name", name("second"))]);
    assert_eq!(times(b"third", &edited(Edit::new().name("third"), &source)), 1);
}

#[test]
fn merging_producers_loses_nothing() {
    let (first, second) = (("sdk", &[("first", "1")][..]), ("sdk", &[("second", "2")][..]));
    let two_sections = module(&[custom("producers", producers(&[first])), custom("producers", producers(&[second]))]);
    let two_fields = module(&[custom("producers", producers(&[first, second]))]);
    let peer = |source| peer_sets(|edit| edit.sdk = vec![("third".to_owned(), "3".to_owned())], source).unwrap();
    assert_eq!(times(b"third", &peer(&two_sections)), 2, "the peer writes it into both");
    assert_eq!(times(b"first", &peer(&two_fields)), 0, "the peer drops it");
    for source in [two_sections, two_fields] {
        let added = edited(Ok(Edit::new().add_producer("sdk", "third", "3")), &source);
        let metadata = all_drivers::metadata(&added);
        let all: Vec<_> = found::producers(metadata.root()).into_iter().flat_map(|(_, values)| values).collect();
        assert_eq!(all, [("first", "1"), ("third", "3"), ("second", "2")]);
    }
}

#[test]
fn an_empty_edit_of_padded_sizes_is_the_identity() {
    let wide = |id: u8, payload: &[u8]| [&[id], &*padded(payload.len() as u32, 5), payload].concat();
    let named = [&*prefixed("name"), &wide(0, &prefixed("mine"))].concat();
    let source = module(&[wide(1, &[0]), wide(0, &named), wide(0, &[&*prefixed("authors"), b"me"].concat())]);
    let peer = peer_sets(|_| (), &source).unwrap();
    assert!(peer.len() < source.len(), "the peer moves everything");
    assert_eq!(edited(Ok(Edit::new()), &source), source);
    // An edit moves only the bytes after it.
    let added = edited(set(Field::Revision, "r"), &source);
    assert_eq!(added, [source, custom("revision", "r")].concat());
}

#[test]
fn a_name_in_a_padded_subsection_is_replaced() {
    let subsection = |name: &str| {
        let contents = [&*padded(name.len() as u32, 2), name.as_bytes()].concat();
        [&[0], &*padded(contents.len() as u32, 5), &contents].concat()
    };
    let source = module(&[custom("name", subsection("mine"))]);
    assert_eq!(edited(Edit::new().name("theirs"), &source), module(&[custom("name", subsection("theirs"))]));
}

#[test]
fn editing_a_signed_file_is_a_finding() {
    let source = module(&[custom("signature", "s"), section(1, &[0])]);
    assert!(peer_edits(&source).is_ok(), "the peer does not report it");
    let planned = set(Field::Revision, "r").unwrap().plan_slice(&source).unwrap();
    assert_eq!(
        planned.findings().iter().map(|finding| finding.code()).collect::<Vec<_>>(),
        [FindingCode::BrokenSignature]
    );
}

#[test]
fn files_with_malformed_bodies_are_edited() {
    for code in [&b"\x01\x7f"[..], b"\x02\x02\0\x0b", b"", b"\x01\x04\0\xfd\xff\x7f", b"\x01\x03\0\xff\x0b"] {
        let source = module(&[section(10, code)]);
        assert_eq!(edited(set(Field::Revision, "r"), &source), [source, custom("revision", "r")].concat());
    }
}

#[cfg(feature = "json")]
#[test]
fn registry_metadata_is_migrated() {
    let source = component(&[custom("registry-metadata", r#"{"authors":["me"],"license":"MIT"}"#), custom("x", "")]);
    let metadata = all_drivers::metadata(&source);
    let (edit, _) = Edit::new().migrate(metadata.root()).unwrap();
    let expected = component(&[custom("x", ""), custom("authors", "me"), custom("licenses", "MIT")]);
    assert_eq!(edited(Ok(edit), &source), expected);
}

/// Two modules that no longer load after another tool stripped them, and a component with all kinds
/// of metadata.
#[test]
fn stripped_files_load_and_keep_their_metadata() {
    for (source, needed) in [
        (&include_bytes!("../../files/tree-sitter-json.dylink.wasm")[..], "dylink"),
        (include_bytes!("../../files/tree-sitter-json.dylink0.wasm"), "dylink.0"),
    ] {
        let stripped = edited(strip(Strip::new().all().names()), source);
        assert_eq!(stripped[..8 + 3 + needed.len()], source[..8 + 3 + needed.len()]);
        assert_eq!(times(needed.as_bytes(), &stripped), times(needed.as_bytes(), source));
    }
    let source = include_bytes!("../../files/rust-auditable.component.wasm");
    let stripped = edited(strip(Strip::new().all().names()), source);
    let (before, after) = (all_drivers::metadata(source), all_drivers::metadata(&stripped));
    for (old, new) in before.items().zip(after.items()) {
        assert_eq!(found::name(old), found::name(new));
        assert_eq!(found::producers(old), found::producers(new));
        assert!(Field::ALL.iter().all(|field| text(old, *field) == text(new, *field)));
        assert_eq!(old.dependencies().is_some(), new.dependencies().is_some());
    }
}

#[test]
fn an_exact_name_removes_only_itself() {
    let source = component(&[custom("name", ""), custom("component-name", name("mine")), custom("names", "")]);
    let removed = edited(Ok(Edit::new().remove_matching(Glob::new("name").unwrap())), &source);
    assert_eq!(removed, component(&[custom("component-name", name("mine")), custom("names", "")]));
    assert_eq!(edited(Edit::new().remove("name"), &source), removed);
}

/// The same for modules and components, and no size field gets wider.
#[test]
fn replacing_a_section_does_not_pad_sizes() {
    let (old, new) = (custom("x", "old"), custom("x", "new"));
    for make in [module as fn(&[Vec<u8>]) -> Vec<u8>, component] {
        let source = make(&[custom("a", ""), old.clone(), custom("b", "")]);
        let expected = make(&[custom("a", ""), new.clone(), custom("b", "")]);
        assert_eq!(edited(Edit::new().put("x", "new"), &source), expected);
    }
}

/// Counts the bytes that are read.
struct Counted<'a>(&'a Sparse, Cell<u64>);

impl ReadAt for Counted<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.0.read_at(buffer, offset)?;
        self.1.set(self.1.get() + read as u64);
        Ok(read)
    }
}

#[test]
fn editing_a_large_module_reads_kilobytes() {
    let rest = [custom(".debug_info", "info"), custom("name", name("mine")), custom("producers", producers(&[]))];
    let head = [&MODULE[..], &[10], &padded(69 << 20, 5)].concat();
    let source = Sparse::default().bytes(head).zeros(69 << 20).bytes(rest.concat());
    let counted = Counted(&source, Cell::new(0));
    let edit = set(Field::Revision, "r").unwrap().name("new").unwrap();
    let planned = edit.plan_at(&counted, source.len()).unwrap();
    assert!(counted.1.get() <= 64 << 10, "{} bytes", counted.1.get());
    assert!(
        planned.plan().inserted() <= 64
            && planned.plan().dropped().map(|range| range.end - range.start).sum::<u64>() <= 16
    );
    let changed: Vec<_> = planned.changes().iter().map(|change| change.section()).collect();
    assert_eq!(changed, ["name", "revision"]);
}

/// wasm-metadata reads the written values.
#[test]
fn wasm_metadata_reads_written_fields() {
    let edit = set(Field::Authors, "me")
        .and_then(|edit| edit.set(Field::Licenses, "MIT"))
        .and_then(|edit| edit.set(Field::Source, "https://example.com/a"))
        .and_then(|edit| edit.set(Field::Version, "1.0.0"))
        .and_then(|edit| edit.name("named"))
        .map(|edit| edit.add_producer("sdk", "kit", "1").add_producer("language", "Rust", ""))
        .unwrap();
    for source in [module(&[section(1, &[0])]), component(&[nested(&module(&[]))])] {
        let bytes = edited(Ok(edit.clone()), &source);
        let payload = Payload::from_binary(&bytes).unwrap();
        let read = payload.metadata();
        assert_eq!(read.name.as_deref(), Some("named"));
        assert_eq!(read.authors.as_ref().unwrap().to_string(), "me");
        assert_eq!(read.licenses.as_ref().unwrap().to_string(), "MIT");
        assert_eq!(read.source.as_ref().unwrap().to_string(), "https://example.com/a");
        assert_eq!(read.version.as_ref().unwrap().to_string(), "1.0.0");
        let producers = read.producers.as_ref().unwrap();
        assert_eq!(producers.get("sdk").unwrap().get("kit").map(String::as_str), Some("1"));
        assert_eq!(producers.get("language").unwrap().get("Rust").map(String::as_str), Some(""));
        assert_eq!(found(&all_drivers::metadata(&bytes)), Vec::<String>::new());
    }
}
