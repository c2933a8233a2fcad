//! Long values, and many of them.

use sectile::drive::PushDriver;
use sectile::metadata::{Field, StreamReader};
use sectile::{FindingCode, Limits, read_slice, read_slice_with};

use super::texts::assert_control_characters;
use sectile_testing::all_drivers;
#[cfg(feature = "dependencies")]
use sectile_testing::binary::zlib;
use sectile_testing::binary::{custom, module, name, producers};
use sectile_testing::found::{self, codes, found, text};
use sectile_testing::growth::assert_linear;
use sectile_testing::memory::measure;

#[test]
fn half_a_megabyte_of_license_or_url_is_kept_unparsed() {
    let license = "MIT OR ".repeat(75_000) + "MIT";
    let parens = "(".repeat(250_000) + "MIT" + &")".repeat(250_000);
    let url = format!("https://example.com/{}", "a".repeat(500_000));
    for (field, value) in [(Field::Licenses, license), (Field::Licenses, parens), (Field::Homepage, url)] {
        let bytes = module(&[custom(field.section(), &value), custom("authors", "me")]);
        let (outcome, allocated) = measure(|| read_slice_with(&bytes, Limits::default()));
        let metadata = outcome.complete().unwrap();
        assert_eq!(found(&metadata), [format!("too-large {field}")]);
        assert_eq!(text(metadata.root(), field), Some(&*value));
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
        assert!(allocated.total <= 4 << 10, "{allocated:?}");
        assert_eq!(all_drivers::metadata(&bytes), metadata);
    }
}

#[test]
fn values_of_megabytes_are_not_kept() {
    for field in Field::ALL {
        let bytes = module(&[custom(field.section(), "a".repeat(3 << 20)), custom("name", name("x"))]);
        for size in [4096, 1 << 30] {
            let mut push = PushDriver::new(StreamReader::new());
            let (metadata, allocated) = measure(|| {
                bytes.chunks(size).for_each(|chunk| push.push(chunk).unwrap());
                push.finish().complete().unwrap()
            });
            assert_eq!(found(&metadata), [format!("too-large {field}")]);
            assert_eq!(metadata.root().annotation(field), None);
            assert_eq!(found::name(metadata.root()), Some("x"));
            assert!(allocated.peak <= 4 << 10, "{allocated:?}");
        }
    }
}

#[test]
fn a_long_url_with_control_characters_has_both_findings() {
    let url = format!("https://example.com/{}\x1b[2J", "a".repeat(500_000));
    let bytes = module(&[custom("source", &url)]);
    let metadata = all_drivers::metadata(&bytes);
    assert_eq!(found(&metadata), ["control-characters source", "too-large source"]);
    assert_control_characters(&metadata);
}

#[test]
fn urls_with_credentials_are_findings() {
    for url in ["https://user@example.com/", "https://user:secret@example.com/", "https://:@example.com"] {
        for field in [Field::Homepage, Field::Documentation, Field::Source] {
            let bytes = module(&[custom(field.section(), url)]);
            let metadata = all_drivers::metadata(&bytes);
            assert_eq!(found(&metadata), [format!("url-credentials {field}")], "{url}");
            assert_eq!(text(metadata.root(), field), Some(url));
            let message = &metadata.findings().iter().next().unwrap().message();
            assert!(!message.contains("secret"), "{message}");
        }
    }
}

/// Findings quote only the beginning of a long value: the limit on retained bytes does not cover
/// findings.
#[test]
fn messages_quote_only_a_prefix() {
    let long = "x".repeat(500_000);
    let half = &long[..250_000];
    let inputs = [
        (FindingCode::UnknownProducersField, custom("producers", producers(&[(&long, &[("a", "1")])]))),
        (FindingCode::DuplicateProducersField, custom("producers", producers(&[(half, &[]), (half, &[])]))),
        (FindingCode::DuplicateProducer, custom("producers", producers(&[("sdk", &[(half, ""), (half, "")])]))),
        (FindingCode::ControlCharacters, custom("producers", producers(&[(&long, &[("\x1b", "1")])]))),
        (FindingCode::NotSpdx, custom("licenses", &long[..8000])),
        (FindingCode::DeprecatedLicense, custom("licenses", "GPL-2.0 AND GPL-3.0 AND ".repeat(300) + "MIT")),
        (FindingCode::NotUrl, custom("homepage", &long[..8000])),
        (FindingCode::NotRfc3339, custom("created", &long[..8000])),
    ];
    inputs.into_iter().for_each(|(code, section)| is_short(code, section));
    #[cfg(feature = "json")]
    for json in [format!("\"{long}\""), format!(r#"{{"{half}":1,"{half}":1}}"#)] {
        let code =
            if json.starts_with('"') { FindingCode::MalformedRegistryMetadata } else { FindingCode::DuplicateJsonKey };
        is_short(code, custom("registry-metadata", json));
    }
    #[cfg(feature = "dependencies")]
    for json in [
        format!("\"{long}\""),
        format!(r#"{{"packages":"{long}"}}"#),
        format!(r#"{{"packages":[{{"kind":"{long}"}}]}}"#),
        format!(r#"{{"packages":[{{"version":"{long}"}}]}}"#),
    ] {
        is_short(FindingCode::MalformedDependencies, custom(".dep-v0", zlib(json)));
    }
}

/// Asserts that a section has this finding and that all messages are short.
#[track_caller]
fn is_short(code: FindingCode, section: Vec<u8>) {
    let bytes = module(&[section]);
    let metadata = read_slice(&bytes).unwrap();
    assert!(codes(&metadata).contains(&code), "{code}: {:?}", codes(&metadata));
    let longest = metadata.findings().iter().map(|finding| finding.message().len()).max().unwrap();
    assert!(longest <= 1000, "{code}: {longest} bytes");
}

/// The time must not be the product of the number of malformed values and the length of a text.
#[test]
fn many_findings_and_a_long_text_take_linear_time() {
    for character in ["x", "\u{202e}"] {
        let make = |number: usize| {
            let values = vec![("", ""); number];
            module(&[custom("producers", producers(&[(&character.repeat(number), &values)]))])
        };
        let bytes = make(200_000);
        let (outcome, allocated) = measure(|| read_slice_with(&bytes, Limits::default()));
        let codes = codes(&outcome.complete().unwrap());
        assert!(
            codes.starts_with(&[FindingCode::UnknownProducersField]) && codes.contains(&FindingCode::DuplicateProducer)
        );
        assert!(allocated.total <= 2048 * 200_000, "{allocated:?} for {} bytes", bytes.len());
        assert_linear(200_000, make, |bytes| read_slice(bytes).unwrap().into_owned());
    }
}
