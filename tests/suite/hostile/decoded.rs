//! Decoded sections: `.dep-v0` and the retired `registry-metadata`.
#![cfg(any(feature = "dependencies", feature = "json"))]

use sectile::metadata::{Field, Metadata};
use sectile::{FindingCode, Limits, read_slice, read_slice_with};

use super::on_a_small_stack;
use sectile_testing::all_drivers;
use sectile_testing::binary::{component, custom};
#[cfg(feature = "dependencies")]
use sectile_testing::binary::{dependencies, module, nested, zlib};
use sectile_testing::found::{codes, found, text};
use sectile_testing::growth::assert_linear;
use sectile_testing::memory::measure;

#[cfg(feature = "dependencies")]
#[test]
fn inflating_dependencies_stops_at_the_limit() {
    let bomb = zlib(vec![b' '; 16 << 20]);
    assert!(bomb.len() < 200 << 10);
    let bytes = module(&[custom(".dep-v0", &bomb), custom("authors", "me")]);
    let (outcome, allocated) = measure(|| read_slice_with(&bytes, Limits::default()));
    let metadata = outcome.complete().unwrap();
    let dependencies = metadata.root().dependencies().unwrap();
    assert!(dependencies.packages().is_empty());
    assert_eq!(dependencies.raw().as_bytes(), bomb);
    assert_eq!(found(&metadata), ["too-large .dep-v0"]);
    assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
    assert!(allocated.peak <= 24 << 20, "{allocated:?}");

    // A smaller limit, through every driver.
    let limits = Limits { max_inflated: 100_000, ..Limits::default() };
    let (metadata, result) = all_drivers::read(&bytes, limits);
    result.unwrap();
    assert_eq!(found(&metadata.unwrap()), ["too-large .dep-v0"]);
}

/// Eight kilobytes that inflate to eight megabytes take as long as eight megabytes, kept or not.
#[cfg(feature = "dependencies")]
#[test]
fn inflating_is_limited_for_the_whole_input() {
    let nothing = custom(".dep-v0", zlib(vec![b' '; 1 << 20]));
    let app = custom(".dep-v0", zlib(r#"{"packages":[{"name":"a","version":"1.0.0","source":"git"}]}"#));
    let limits = Limits { max_retained_bytes: 4 << 20, ..Limits::default() };
    let wrong = |metadata: &Metadata<'_>, code| -> u64 {
        metadata.findings().iter().filter(|finding| finding.code() == code).map(|finding| finding.count()).sum()
    };
    // In one item, where the last one wins, and in many.
    let in_one = module(&[vec![nothing.clone(); 20], vec![app.clone()]].concat());
    let in_many =
        component(&[vec![nested(&module(&[nothing])); 20], vec![nested(&module(std::slice::from_ref(&app)))]].concat());
    for bytes in [in_one, in_many] {
        let (metadata, result) = all_drivers::read(&bytes, limits);
        result.unwrap();
        let metadata = metadata.unwrap();
        let last = metadata.items().next_back().unwrap().dependencies().unwrap();
        // Four fit into the limit, and the fifth exceeds it.
        assert_eq!(
            (wrong(&metadata, FindingCode::MalformedDependencies), wrong(&metadata, FindingCode::TooLarge)),
            (5, 16)
        );
        assert!(last.packages().is_empty() && app.ends_with(last.raw().as_bytes()));
        let whole = read_slice_with(&bytes, Limits { max_retained_bytes: 20 << 20, ..limits }).complete().unwrap();
        assert_eq!((wrong(&whole, FindingCode::MalformedDependencies), wrong(&whole, FindingCode::TooLarge)), (20, 0));
        assert_eq!(whole.items().next_back().unwrap().dependencies().unwrap().packages().len(), 1);
    }
}

/// Twelve kilobytes that contain a key a million times.
#[cfg(feature = "dependencies")]
#[test]
fn a_million_duplicate_keys_take_bounded_memory() {
    let json = format!(r#"{{{}"packages":[]}}"#, r#""a":0,"#.repeat(1_000_000));
    let bytes = module(&[custom(".dep-v0", zlib(json))]);
    let (outcome, allocated) = measure(|| read_slice_with(&bytes, Limits::default()));
    let metadata = outcome.complete().unwrap();
    assert_eq!(found(&metadata), ["duplicate-json-key .dep-v0 ×999999"]);
    assert!(allocated.peak <= 24 << 20, "{allocated:?}");
}

/// The limit on retained bytes covers packages, which inflate from kilobytes to megabytes.
#[cfg(feature = "dependencies")]
#[test]
fn retained_packages_are_limited() {
    let packages = vec![r#"{"name":"a","version":"1.0.0","source":"git"}"#; 4000].join(",");
    let section = custom(".dep-v0", zlib(format!(r#"{{"packages":[{packages}]}}"#)));
    assert!(section.len() < 2000);
    let bytes = component(&vec![nested(&module(&[section])); 40]);
    let limits = Limits { max_retained_bytes: 1 << 20, ..Limits::default() };
    let (outcome, allocated) = measure(|| read_slice_with(&bytes, limits));
    let metadata = outcome.complete().unwrap();
    let kept = metadata.items().filter_map(|item| item.dependencies()).map(|found| found.packages().len());
    let kept = kept.sum::<usize>() * size_of::<sectile::metadata::Package>();
    assert!((1..=1 << 20).contains(&kept), "{kept}");
    assert!(codes(&metadata).contains(&FindingCode::TooLarge));
    assert!(allocated.peak <= 8 << 20, "{allocated:?}");
}

#[cfg(feature = "dependencies")]
#[test]
fn bytes_after_the_zlib_stream_are_findings() {
    let json = r#"{"packages":[{"name":"a","version":"1.0.0","source":"git"}]}"#;
    for after in [b"\0".to_vec(), b"garbage".to_vec(), zlib(json), zlib("")] {
        let bytes = module(&[custom(".dep-v0", [zlib(json), after].concat())]);
        let metadata = all_drivers::metadata(&bytes);
        assert_eq!(metadata.root().dependencies().unwrap().packages().len(), 1);
        assert_eq!(found(&metadata), ["malformed-dependencies .dep-v0"]);
    }
}

#[cfg(feature = "dependencies")]
#[test]
fn dependencies_of_nested_items_are_read() {
    let audited = |name| nested(&module(&[dependencies(name)]));
    let bytes = component(&[
        nested(&module(&[])), // cargo-auditable's own reader stops at its end
        audited("first"),
        nested(&component(&[nested(&module(&[])), audited("second")])),
        dependencies("root"),
    ]);
    let metadata = all_drivers::metadata(&bytes);
    assert!(metadata.findings().is_empty());
    let packages: Vec<(String, &str)> = metadata
        .items()
        .filter_map(|item| Some((item.path().to_string(), &*item.dependencies()?.packages()[0].name)))
        .collect();
    assert_eq!(packages, [(String::new(), "root"), ("1".into(), "first"), ("2/1".into(), "second")]);
}

#[cfg(feature = "dependencies")]
#[test]
fn deeply_nested_dependencies_do_not_overflow_the_stack() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + "1" + &close.repeat(100_000);
    for nested in [deep("[", "]"), deep(r#"{"a":"#, "}")] {
        // It is refused everywhere except in unknown keys of a package, which are skipped.
        for (json, refused) in [
            (nested.clone(), true),
            (format!(r#"{{"packages":{nested}}}"#), true),
            (format!(r#"{{"packages":[{{"name":{nested}}}]}}"#), true),
            (format!(r#"{{"packages":[],"new":{nested}}}"#), true),
            (format!(r#"{{"packages":[{{"name":"a","version":"1.0.0","source":"git","new":{nested}}}]}}"#), false),
        ] {
            let bytes = module(&[custom(".dep-v0", zlib(&json))]);
            on_a_small_stack(|| {
                let metadata = read_slice(&bytes).unwrap();
                let expected = if refused { vec![FindingCode::MalformedDependencies] } else { vec![] };
                assert_eq!(codes(&metadata), expected, "{}", &json[..json.len().min(80)]);
            });
        }
    }
}

#[cfg(feature = "dependencies")]
#[test]
fn duplicate_keys_in_dependencies_are_findings() {
    let package = r#"{"name":"a","version":"1.0.0","source":"git"}"#;
    let twice = r#"{"name":"a","version":"1.0.0","source":"git","source":"local"}"#;
    for (json, code) in [
        (format!(r#"{{"packages":[{package}],"packages":[]}}"#), FindingCode::MalformedDependencies),
        (format!(r#"{{"packages":[{twice}]}}"#), FindingCode::MalformedDependencies),
        (format!(r#"{{"packages":[{package}],"format":1,"format":2}}"#), FindingCode::DuplicateJsonKey),
    ] {
        let bytes = module(&[custom(".dep-v0", zlib(&json))]);
        assert_eq!(codes(&all_drivers::metadata(&bytes)), [code], "{json}");
    }
}

#[cfg(feature = "json")]
#[test]
fn deeply_nested_registry_metadata_is_refused() {
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let bytes = component(&[custom("registry-metadata", &deep), custom("authors", "me")]);
    on_a_small_stack(|| {
        let metadata = all_drivers::metadata(&bytes);
        assert_eq!(codes(&metadata), [FindingCode::RetiredSection, FindingCode::MalformedRegistryMetadata]);
        assert_eq!(metadata.root().registry_metadata().unwrap().as_str(), Some(&*deep));
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
    });
}

#[cfg(feature = "json")]
#[test]
fn duplicate_keys_in_registry_metadata_are_findings() {
    for json in [r#"{"a":1,"a":2}"#, r#"{"a":{"b":1,"\u0062":2}}"#, r#"{"a":[{"b":1,"b":1}]}"#] {
        let bytes = component(&[custom("registry-metadata", json)]);
        let metadata = all_drivers::metadata(&bytes);
        assert_eq!(codes(&metadata), [FindingCode::RetiredSection, FindingCode::DuplicateJsonKey], "{json}");
    }
    let many = format!("{{{}}}", vec![r#""a":1"#; 100_000].join(","));
    let bytes = component(&[custom("registry-metadata", many)]);
    let (outcome, allocated) = measure(|| read_slice_with(&bytes, Limits::default()));
    let found = found(&outcome.complete().unwrap());
    assert_eq!(found, ["retired-section registry-metadata", "duplicate-json-key registry-metadata ×99999"]);
    assert!(allocated.peak <= 32 << 20, "{allocated:?}");
}

/// Decoding is linear in the length of lists and objects.
#[test]
fn decoding_time_is_linear() {
    let read = |bytes: &Vec<u8>| read_slice(bytes).unwrap().into_owned();
    #[cfg(feature = "json")]
    for key in [|_| "a".to_owned(), |nth| format!("key {nth}")] as [fn(usize) -> String; 2] {
        let json = |number| (0..number).map(|nth| format!(r#""{}":1"#, key(nth))).collect::<Vec<_>>().join(",");
        let make = |number| component(&[custom("registry-metadata", format!("{{{}}}", json(number)))]);
        assert_linear(60_000, make, read);
    }
    #[cfg(feature = "dependencies")]
    for rest in ["", r#","new":1,"new":2"#, r#","dependencies":[0,1,2,3,4,5,6,7]"#] {
        let package = |nth| format!(r#"{{"name":"p{nth}","version":"1.0.0","source":"git"{rest}}}"#);
        let json = |number| (0..number).map(package).collect::<Vec<_>>().join(",");
        let make = |number| module(&[custom(".dep-v0", zlib(format!(r#"{{"packages":[{}]}}"#, json(number))))]);
        assert_linear(20_000, make, read);
    }
}
