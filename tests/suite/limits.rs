//! Every limit, reached exactly and exceeded by one, through every driver.

use sectile::metadata::{Field, Metadata, StreamReader};
use sectile::scan::Collector;
use sectile::{Error, FindingCode, Limits};

use sectile_testing::all_drivers;
use sectile_testing::binary::{chain, component, custom, module, name, nested, prefixed, producers, section};
use sectile_testing::found::{self, codes, found, text};
use sectile_testing::memory::measure;

/// Reads within the limits and returns the possibly partial metadata.
#[track_caller]
fn read(bytes: &[u8], limits: Limits) -> (Metadata<'_>, Result<(), Error>) {
    let (metadata, result) = all_drivers::read(bytes, limits);
    (metadata.unwrap(), result)
}

/// Asserts that a limit ends the scan before the root item, without metadata.
#[track_caller]
fn none(bytes: &[u8], limits: Limits) -> Error {
    let (metadata, result) = all_drivers::read(bytes, limits);
    assert_eq!(metadata, None);
    result.unwrap_err()
}

/// Asserts that a limit ended the scan at this offset.
#[track_caller]
fn assert_limit(result: Result<(), Error>, offset: u64) {
    let error = result.unwrap_err();
    assert!(error.is_limit() && !error.is_malformed() && !error.is_io() && !error.is_not_wasm(), "{error}");
    assert_eq!(error.offset(), Some(offset), "{error}");
}

#[test]
fn the_defaults_are_as_documented() {
    // Without `..`: a new limit has to be added here.
    let Limits {
        max_depth,
        max_items,
        max_sections,
        max_name_len,
        max_section_data,
        max_interface_section,
        max_retained_bytes,
        max_inflated,
        max_findings_per_code,
    } = Limits::default();
    assert_eq!((max_depth, max_items, max_sections, max_name_len), (1_000, 100_000, 100_000_000, 100_000));
    assert_eq!((max_section_data, max_interface_section), (1 << 20, 32 << 20));
    assert_eq!((max_retained_bytes, max_inflated, max_findings_per_code), (64 << 20, 8 << 20, 64));
}

#[test]
fn depth() {
    let bytes = chain(10, &component(&[custom("authors", "innermost")]));
    let (metadata, result) = read(&bytes, Limits { max_depth: 10, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.items().len(), 10);
    let (metadata, result) = read(&bytes, Limits { max_depth: 9, ..Limits::default() });
    assert_limit(result, 9 * 14);
    assert_eq!(metadata.items().len(), 9);
    let (metadata, result) = read(&bytes, Limits { max_depth: 1, ..Limits::default() });
    assert_limit(result, 14);
    assert_eq!(metadata.items().len(), 1);
    let error = none(&bytes, Limits { max_depth: 0, ..Limits::default() });
    assert_eq!((error.is_limit(), error.offset()), (true, Some(0)));
}

#[test]
fn depth_counts_only_open_items() {
    let child = nested(&component(&[nested(&module(&[]))]));
    let bytes = component(&vec![child; 20]);
    let (metadata, result) = read(&bytes, Limits { max_depth: 3, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.items().len(), 41);
}

/// The default is the limit of the reference validator: everything that it accepts is read.
#[test]
fn the_default_depth_accepts_everything_valid() {
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
    let (metadata, result) = read(&bytes, Limits { max_items: 10, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.items().len(), 10);
    let (metadata, result) = read(&bytes, Limits { max_items: 9, ..Limits::default() });
    assert_limit(result, bytes.len() as u64 - 8);
    assert_eq!((metadata.items().len(), metadata.root().children()), (9, 8));
    let error = none(&bytes, Limits { max_items: 0, ..Limits::default() });
    assert!(error.is_limit());
}

#[test]
fn sections() {
    let inner = nested(&module(&[custom("authors", "inner"), section(1, &[0])]));
    let bytes = component(&[custom("authors", "outer"), inner, custom("vendor", "last")]);
    let last = bytes.len() as u64 - custom("vendor", "last").len() as u64;
    let (metadata, result) = read(&bytes, Limits { max_sections: 5, ..Limits::default() });
    result.unwrap();
    assert_eq!(text(metadata.root(), Field::Vendor), Some("last"));
    let (metadata, result) = read(&bytes, Limits { max_sections: 4, ..Limits::default() });
    assert_limit(result, last);
    assert_eq!(metadata.root().annotation(Field::Vendor), None);
    assert_eq!(text(metadata.root(), Field::Authors), Some("outer"));
    let (metadata, result) = read(&bytes, Limits { max_sections: 0, ..Limits::default() });
    assert_limit(result, 8);
    assert_eq!(metadata.items().len(), 1);
}

#[test]
fn name_length() {
    for len in [7, 127, 128, 300] {
        let bytes = module(&[custom("authors", "me"), custom(&"n".repeat(len), "data")]);
        read(&bytes, Limits { max_name_len: len as u32, ..Limits::default() }).1.unwrap();
        if len > 7 {
            let (metadata, result) = read(&bytes, Limits { max_name_len: len as u32 - 1, ..Limits::default() });
            assert!(result.unwrap_err().is_limit());
            assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
        }
    }
    let (_, result) = read(&module(&[custom("", "")]), Limits { max_name_len: 0, ..Limits::default() });
    result.unwrap();
}

#[test]
fn the_default_name_length_is_that_of_wasmparser() {
    for (len, accepted) in [(100_000, true), (100_001, false)] {
        let bytes = module(&[custom(&"n".repeat(len), "")]);
        let reference = wasmparser::Parser::new(0).parse_all(&bytes).all(|payload| payload.is_ok());
        assert_eq!((reference, read(&bytes, Limits::default()).1.is_ok()), (accepted, accepted));
    }
}

#[test]
fn section_data_of_an_annotation() {
    let bytes = module(&[custom("authors", "0123456789"), custom("version", "1")]);
    let (metadata, result) = read(&bytes, Limits { max_section_data: 10, ..Limits::default() });
    result.unwrap();
    assert_eq!((text(metadata.root(), Field::Authors), found(&metadata)), (Some("0123456789"), vec![]));
    let (metadata, result) = read(&bytes, Limits { max_section_data: 9, ..Limits::default() });
    result.unwrap();
    assert_eq!((text(metadata.root(), Field::Authors), codes(&metadata)), (None, vec![FindingCode::TooLarge]));
    assert_eq!(text(metadata.root(), Field::Version), Some("1"));
}

#[test]
fn section_data_of_every_other_decoded_section() {
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
        let (metadata, result) = read(&bytes, Limits { max_section_data: 1, ..Limits::default() });
        result.unwrap();
        let root = metadata.root();
        assert!(root.producers().is_empty() && root.debug_links().next().is_none());
        assert_eq!((root.registry_metadata(), root.dependencies()), (None, None));
        assert_eq!(codes(&metadata), [FindingCode::TooLarge, FindingCode::EmptyValue]);
        assert_eq!(text(root, Field::Authors), Some(""));
    }
}

/// The limit applies to the name, not to the whole name section.
#[test]
fn section_data_of_a_name_section_is_only_its_name() {
    let long = [section(1, &[7; 5000]), section(0, &prefixed("short")), section(2, &[7; 5000])].concat();
    let bytes = module(&[custom("name", long)]);
    let (metadata, result) = read(&bytes, Limits { max_section_data: 6, ..Limits::default() });
    result.unwrap();
    assert_eq!((found::name(metadata.root()), found(&metadata)), (Some("short"), vec![]));
    let (metadata, result) = read(&bytes, Limits { max_section_data: 5, ..Limits::default() });
    result.unwrap();
    assert_eq!((metadata.root().name(), found(&metadata)), (None, vec!["too-large name".to_owned()]));
}

#[test]
fn retained_bytes() {
    let bytes =
        module(&[custom("authors", "a".repeat(1000)), custom("vendor", "b".repeat(1000)), custom("version", "1")]);
    let (metadata, result) = read(&bytes, Limits { max_retained_bytes: 3000, ..Limits::default() });
    result.unwrap();
    assert_eq!((metadata.root().annotations().count(), found(&metadata)), (3, vec![]));
    let (metadata, result) = read(&bytes, Limits { max_retained_bytes: 2000, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.root().annotation(Field::Vendor), None);
    assert_eq!(text(metadata.root(), Field::Version), Some("1"), "a value that fits is still kept");
    assert_eq!(found(&metadata), ["too-large vendor"]);
    let (metadata, result) = read(&bytes, Limits { max_retained_bytes: 0, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.root().annotations().count(), 0);
    assert_eq!(found(&metadata), ["too-large authors", "too-large vendor", "too-large version"]);
}

/// A value that a duplicate replaces no longer counts.
#[test]
fn retained_bytes_exclude_replaced_duplicates() {
    let long = "a".repeat(1000);
    let limits = Limits { max_retained_bytes: 2500, ..Limits::default() };
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
        assert!(!codes(&metadata).contains(&FindingCode::TooLarge), "{:?}", metadata.findings());
    }
}

#[test]
fn retained_bytes_are_released_exactly() {
    let (large, replaced) = (vec![b'x'; 500], vec![b'y'; 400]);
    let again = |times| vec![custom("vendor", &replaced); times];
    for (last, affordable) in [(300, true), (900, false)] {
        let last = custom("revision", vec![b'z'; last]);
        let bytes = module(&[vec![custom("authors", &large)], again(20), vec![last]].concat());
        // Both the first and the last of several are kept.
        let (metadata, result) = read(&bytes, Limits { max_retained_bytes: 2_000, ..Limits::default() });
        result.unwrap();
        assert_eq!(text(metadata.root(), Field::Revision).is_some(), affordable, "{:?}", found(&metadata));
        assert!(text(metadata.root(), Field::Vendor).is_some());
    }
}

#[test]
fn retained_bytes_bound_memory() {
    let kept = 256 << 10;
    let limits = Limits { max_retained_bytes: kept, ..Limits::default() };
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
        let (_, items) =
            measure(|| all_drivers::push(&empties(500), &[4096], StreamReader::with_limits(limits), limits).0.finish());
        let (_, allocated) =
            measure(|| all_drivers::push(&bytes, &[4096], StreamReader::with_limits(limits), limits).0.finish());
        let values = allocated.peak.saturating_sub(items.peak);
        assert!(values <= 4 * kept, "{values} bytes for values of {kept}; {:x?}", &inner[8..30]);
    }
}

/// This many empty items.
fn empties(items: usize) -> Vec<u8> {
    component(&vec![nested(&module(&[])); items])
}

#[cfg(feature = "dependencies")]
#[test]
fn inflated_bytes() {
    use sectile_testing::binary::zlib;

    let json = r#"{"packages":[{"name":"a","version":"1.0.0","source":"git"}]}"#;
    let bytes = module(&[custom(".dep-v0", zlib(json)), custom("authors", "me")]);
    let (metadata, result) = read(&bytes, Limits { max_inflated: json.len() as u32, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.root().dependencies().unwrap().packages().len(), 1);
    assert!(metadata.findings().is_empty());
    for max_inflated in [json.len() as u32 - 1, 1, 0] {
        let (metadata, result) = read(&bytes, Limits { max_inflated, ..Limits::default() });
        result.unwrap();
        assert!(metadata.root().dependencies().unwrap().packages().is_empty());
        assert_eq!(found(&metadata), ["too-large .dep-v0"]);
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
    }
}

#[test]
fn findings_per_code() {
    let inner = nested(&module(&[custom("homepage", "nowhere"), custom("created", "never")]));
    let bytes = component(&vec![inner; 10]);
    for limit in [0, 1, 3, 9] {
        let (metadata, result) = read(&bytes, Limits { max_findings_per_code: limit, ..Limits::default() });
        result.unwrap();
        for code in [FindingCode::NotUrl, FindingCode::NotRfc3339] {
            let found: Vec<_> = metadata.findings().iter().filter(|finding| finding.code() == code).collect();
            assert_eq!(found.len(), limit as usize + 1);
            assert_eq!(found.iter().map(|finding| finding.count()).sum::<u64>(), 10);
            let (last, single) = found.split_last().unwrap();
            assert!(single.iter().all(|finding| finding.count() == 1));
            assert!(last.message().contains("further findings"), "{}", last.message());
        }
    }
    let (metadata, result) = read(&bytes, Limits { max_findings_per_code: 10, ..Limits::default() });
    result.unwrap();
    assert_eq!(metadata.findings().iter().count(), 20);
}
