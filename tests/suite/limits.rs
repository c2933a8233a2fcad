//! Every limit, met exactly and exceeded by one: what its documentation says happens, through every mouth.

use sectile::metadata::{Field, Metadata};
use sectile::{Code, Error, Limits};

use crate::support::binary::{chain, component, custom, module, name, nested, prefixed, producers, section};
use crate::support::found::{self, codes, found, text};
use crate::support::memory::measure;
use crate::support::mouths;

/// Reads within the limits, as far as it goes.
#[track_caller]
fn read(bytes: &[u8], limits: Limits) -> (Metadata<'_>, Result<(), Error>) {
    let (metadata, result) = mouths::read(bytes, limits);
    (metadata.unwrap(), result)
}

/// Asserts that a limit ended the reading, and where.
#[track_caller]
fn assert_limit(result: Result<(), Error>, offset: u64) {
    let error = result.unwrap_err();
    assert!(error.is_limit() && !error.is_malformed() && !error.is_io() && !error.is_not_wasm(), "{error}");
    assert_eq!(error.offset(), Some(offset), "{error}");
}

#[test]
fn the_defaults_are_what_their_documentation_says() {
    let Limits { depth, items, sections, name, data, interface, kept, inflated, findings } = Limits::default();
    assert_eq!((depth, items, sections, name), (1_000, 100_000, 100_000_000, 100_000));
    assert_eq!((data, interface), (1 << 20, 32 << 20));
    assert_eq!((kept, inflated, findings), (64 << 20, 8 << 20, 64));
}

#[test]
fn depth() {
    let bytes = chain(10, &component(&[custom("authors", "innermost")]));
    let (metadata, result) = read(&bytes, Limits { depth: 10, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.items().len(), 10);
    let (metadata, result) = read(&bytes, Limits { depth: 9, ..Limits::default() });
    assert_limit(result, 9 * 14);
    assert_eq!(metadata.items().len(), 9);
    let (metadata, result) = read(&bytes, Limits { depth: 1, ..Limits::default() });
    assert_limit(result, 14);
    assert_eq!(metadata.items().len(), 1);
    let error = sectile::read_slice(&bytes, Limits { depth: 0, ..Limits::default() }).unwrap_err();
    assert_eq!((error.is_limit(), error.offset()), (true, Some(0)));
}

#[test]
fn depth_counts_what_is_open_and_not_what_was_left() {
    let child = nested(&component(&[nested(&module(&[]))]));
    let bytes = component(&vec![child; 20]);
    let (metadata, result) = read(&bytes, Limits { depth: 3, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.items().len(), 41);
}

/// The default is the reference validator's own bound: what it accepts is read.
#[test]
fn depth_by_default_is_no_less_than_what_a_validator_accepts() {
    let is_valid = |depth| {
        let features = wasmparser::WasmFeatures::all();
        wasmparser::Validator::new_with_features(features).validate_all(&chain(depth, &component(&[]))).is_ok()
    };
    let deepest = (1..1_100).rev().find(|&depth| is_valid(depth)).unwrap();
    let bytes = chain(deepest, &component(&[]));
    assert!(deepest > 900);
    read(&bytes, Limits::default()).1.unwrap();
}

#[test]
fn items() {
    let bytes = component(&vec![nested(&module(&[])); 9]);
    let (metadata, result) = read(&bytes, Limits { items: 10, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.items().len(), 10);
    let (metadata, result) = read(&bytes, Limits { items: 9, ..Limits::default() });
    assert_limit(result, bytes.len() as u64 - 8);
    assert_eq!((metadata.items().len(), metadata.root().children()), (9, 8));
    let error = sectile::read_slice(&bytes, Limits { items: 0, ..Limits::default() }).unwrap_err();
    assert!(error.is_limit());
}

#[test]
fn sections() {
    let inner = nested(&module(&[custom("authors", "inner"), section(1, &[0])]));
    let bytes = component(&[custom("authors", "outer"), inner, custom("vendor", "last")]);
    let last = bytes.len() as u64 - custom("vendor", "last").len() as u64;
    let (metadata, result) = read(&bytes, Limits { sections: 5, ..Limits::default() });
    result.unwrap();
    assert_eq!(text(metadata.root(), Field::Vendor), Some("last"));
    let (metadata, result) = read(&bytes, Limits { sections: 4, ..Limits::default() });
    assert_limit(result, last);
    assert_eq!(metadata.root().annotation(Field::Vendor), None);
    assert_eq!(text(metadata.root(), Field::Authors), Some("outer"));
    let (metadata, result) = read(&bytes, Limits { sections: 0, ..Limits::default() });
    assert_limit(result, 8);
    assert_eq!(metadata.items().len(), 1);
}

#[test]
fn name_of_a_custom_section() {
    for len in [7, 127, 128, 300] {
        let bytes = module(&[custom("authors", "me"), custom(&"n".repeat(len), "data")]);
        read(&bytes, Limits { name: len as u32, ..Limits::default() }).1.unwrap();
        if len > 7 {
            let (metadata, result) = read(&bytes, Limits { name: len as u32 - 1, ..Limits::default() });
            assert!(result.unwrap_err().is_limit());
            assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
        }
    }
    let (_, result) = read(&module(&[custom("", "")]), Limits { name: 0, ..Limits::default() });
    result.unwrap();
}

#[test]
fn name_by_default_is_what_wasmparser_reads() {
    for (len, accepted) in [(100_000, true), (100_001, false)] {
        let bytes = module(&[custom(&"n".repeat(len), "")]);
        let reference = wasmparser::Parser::new(0).parse_all(&bytes).all(|payload| payload.is_ok());
        assert_eq!((reference, read(&bytes, Limits::default()).1.is_ok()), (accepted, accepted));
    }
}

#[test]
fn data_of_an_annotation() {
    let bytes = module(&[custom("authors", "0123456789"), custom("version", "1")]);
    let (metadata, result) = read(&bytes, Limits { data: 10, ..Limits::default() });
    result.unwrap();
    assert_eq!((text(metadata.root(), Field::Authors), found(&metadata)), (Some("0123456789"), vec![]));
    let (metadata, result) = read(&bytes, Limits { data: 9, ..Limits::default() });
    result.unwrap();
    assert_eq!((text(metadata.root(), Field::Authors), codes(&metadata)), (None, vec![Code::TooLarge]));
    assert_eq!(text(metadata.root(), Field::Version), Some("1"));
}

#[test]
fn data_of_every_other_section_that_is_decoded() {
    let sections = [
        custom("producers", producers(&[("sdk", &[("kit", "1")])])),
        custom("registry-metadata", "{}"),
        custom(".dep-v0", "no zlib"),
        custom("build_id", prefixed("0123")),
        custom("sourceMappingURL", prefixed("a.map")),
        custom("external_debug_info", prefixed("a.wasm")),
    ];
    for section in sections {
        let bytes = module(&[section, custom("authors", "")]);
        let (metadata, result) = read(&bytes, Limits { data: 1, ..Limits::default() });
        result.unwrap();
        let root = metadata.root();
        assert!(root.producers().is_empty() && root.debug_links().next().is_none());
        assert_eq!((root.registry_metadata(), root.dependencies()), (None, None));
        assert_eq!(codes(&metadata), [Code::TooLarge, Code::EmptyValue]);
        assert_eq!(text(root, Field::Authors), Some(""));
    }
}

/// A name section is as long as it likes: only the name in it is kept.
#[test]
fn data_of_a_name_section_is_its_name_alone() {
    let long = [section(1, &[7; 5000]), section(0, &prefixed("short")), section(2, &[7; 5000])].concat();
    let bytes = module(&[custom("name", long)]);
    let (metadata, result) = read(&bytes, Limits { data: 6, ..Limits::default() });
    result.unwrap();
    assert_eq!((found::name(metadata.root()), found(&metadata)), (Some("short"), vec![]));
    let (metadata, result) = read(&bytes, Limits { data: 5, ..Limits::default() });
    result.unwrap();
    assert_eq!((metadata.root().name(), found(&metadata)), (None, vec!["too-large name".to_owned()]));
}

#[test]
fn kept() {
    let bytes =
        module(&[custom("authors", "a".repeat(1000)), custom("vendor", "b".repeat(1000)), custom("version", "1")]);
    let (metadata, result) = read(&bytes, Limits { kept: 3000, ..Limits::default() });
    result.unwrap();
    assert_eq!((metadata.root().annotations().count(), found(&metadata)), (3, vec![]));
    let (metadata, result) = read(&bytes, Limits { kept: 2000, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.root().annotation(Field::Vendor), None);
    assert_eq!(text(metadata.root(), Field::Version), Some("1"), "what is small enough has room yet");
    assert_eq!(found(&metadata), ["too-large vendor"]);
    let (metadata, result) = read(&bytes, Limits { kept: 0, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.root().annotations().count(), 0);
    assert_eq!(found(&metadata), ["too-large authors", "too-large vendor", "too-large version"]);
}

/// What a duplicate displaces is not held against those that come after.
#[test]
fn kept_counts_what_is_kept_and_not_what_was() {
    let long = "a".repeat(1000);
    let limits = Limits { kept: 2500, ..Limits::default() };
    let cases = [
        custom("authors", &long),
        custom("name", section(0, &prefixed(&long))),
        custom("registry-metadata", format!("{{\"a\":\"{long}\"}}")),
        custom(".dep-v0", &long),
    ];
    for again in cases {
        let bytes = module(&[again.repeat(50)]);
        let (metadata, result) = read(&bytes, limits);
        result.unwrap();
        assert!(!codes(&metadata).contains(&Code::TooLarge), "{:?}", metadata.findings());
    }
}

#[test]
fn kept_gives_back_what_a_replaced_value_took_and_no_more() {
    let (large, replaced) = (vec![b'x'; 500], vec![b'y'; 400]);
    let again = |times| vec![custom("vendor", &replaced); times];
    for (last, affordable) in [(300, true), (900, false)] {
        let last = custom("revision", vec![b'z'; last]);
        let bytes = module(&[vec![custom("authors", &large)], again(20), vec![last]].concat());
        // The first of several is kept as well as the last.
        let (metadata, result) = read(&bytes, Limits { kept: 2_000, ..Limits::default() });
        result.unwrap();
        assert_eq!(text(metadata.root(), Field::Revision).is_some(), affordable, "{:?}", found(&metadata));
        assert!(text(metadata.root(), Field::Vendor).is_some());
    }
}

#[test]
fn kept_bounds_what_is_held_in_memory() {
    let kept = 256 << 10;
    let limits = Limits { kept, ..Limits::default() };
    let value = "a".repeat(4000);
    let inner = [
        module(&[custom("authors", &value), custom("name", name(&value)), custom("description", &value)]),
        module(&[custom("producers", producers(&[("sdk", &[(&value, &value)])]))]),
        module(&[custom("build_id", prefixed(&value)), custom("sourceMappingURL", prefixed(&value))]),
        module(&[custom("build_id", prefixed("")).repeat(200)]),
        module(&[custom("producers", b"\0").repeat(200)]),
        module(&[Field::ALL.map(|field| custom(field.section(), "")).concat()]),
        component(&[custom("registry-metadata", format!("{{\"a\":\"{value}\"}}")), custom(".dep-v0", &value)]),
    ];
    for inner in inner {
        let bytes = component(&vec![nested(&inner); 500]);
        let (_, items) = measure(|| mouths::push(&empties(500), &[4096], reader(limits), limits).0.finish());
        let (_, allocated) = measure(|| mouths::push(&bytes, &[4096], reader(limits), limits).0.finish());
        let values = allocated.peak.saturating_sub(items.peak);
        assert!(values <= 4 * kept, "{values} bytes for values of {kept}; {:x?}", &inner[8..30]);
    }
}

fn reader(limits: Limits) -> sectile::metadata::Reader<'static, sectile::metadata::Copied> {
    sectile::metadata::Reader::copying(limits)
}

/// So many items that say nothing.
fn empties(items: usize) -> Vec<u8> {
    component(&vec![nested(&module(&[])); items])
}

#[cfg(feature = "dependencies")]
#[test]
fn inflated() {
    use crate::support::binary::zlib;

    let json = r#"{"packages":[{"name":"a","version":"1.0.0","source":"git"}]}"#;
    let bytes = module(&[custom(".dep-v0", zlib(json)), custom("authors", "me")]);
    let (metadata, result) = read(&bytes, Limits { inflated: json.len() as u32, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.root().dependencies().unwrap().packages.len(), 1);
    assert!(metadata.findings().is_empty());
    for inflated in [json.len() as u32 - 1, 1, 0] {
        let (metadata, result) = read(&bytes, Limits { inflated, ..Limits::default() });
        result.unwrap();
        assert!(metadata.root().dependencies().unwrap().packages.is_empty());
        assert_eq!(found(&metadata), ["too-large .dep-v0"]);
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
    }
}

#[test]
fn findings_of_each_code() {
    let inner = nested(&module(&[custom("homepage", "nowhere"), custom("created", "never")]));
    let bytes = component(&vec![inner; 10]);
    for limit in [0, 1, 3, 9] {
        let (metadata, result) = read(&bytes, Limits { findings: limit, ..Limits::default() });
        result.unwrap();
        for code in [Code::NotUrl, Code::NotRfc3339] {
            let found: Vec<_> = metadata.findings().iter().filter(|finding| finding.code == code).collect();
            assert_eq!(found.len(), limit as usize + 1);
            assert_eq!(found.iter().map(|finding| finding.count).sum::<u64>(), 10);
            let (last, single) = found.split_last().unwrap();
            assert!(single.iter().all(|finding| finding.count == 1));
            assert!(last.message.contains("further findings"), "{}", last.message);
        }
    }
    let (metadata, result) = read(&bytes, Limits { findings: 10, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.findings().iter().count(), 20);
}
