//! Long values, and many of them.

use sectile::drive::Push;
use sectile::metadata::{Field, Reader};
use sectile::{Code, Limits, read_slice};

use super::texts::assert_control_characters;
#[cfg(feature = "dependencies")]
use crate::support::binary::zlib;
use crate::support::binary::{custom, module, name, producers};
use crate::support::found::{self, codes, found, text};
use crate::support::growth::assert_linear;
use crate::support::memory::measure;
use crate::support::mouths;

#[test]
fn a_licence_or_url_of_half_a_megabyte_is_kept_and_not_parsed() {
    let licence = "MIT OR ".repeat(75_000) + "MIT";
    let parens = "(".repeat(250_000) + "MIT" + &")".repeat(250_000);
    let url = format!("https://example.com/{}", "a".repeat(500_000));
    for (field, value) in [(Field::Licenses, licence), (Field::Licenses, parens), (Field::Homepage, url)] {
        let bytes = module(&[custom(field.section(), &value), custom("authors", "me")]);
        let (outcome, allocated) = measure(|| read_slice(&bytes, Limits::default()).unwrap());
        let metadata = outcome.complete().unwrap();
        assert_eq!(found(&metadata), [format!("too-large {field}")]);
        assert_eq!(text(metadata.root(), field), Some(&*value));
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
        assert!(allocated.total <= 4 << 10, "{allocated:?}");
        assert_eq!(mouths::metadata(&bytes), metadata);
    }
}

#[test]
fn a_value_of_megabytes_is_not_kept() {
    for field in Field::ALL {
        let bytes = module(&[custom(field.section(), "a".repeat(3 << 20)), custom("name", name("x"))]);
        for size in [4096, 1 << 30] {
            let mut push = Push::new(Reader::copying(Limits::default()), Limits::default());
            let (metadata, allocated) = measure(|| {
                bytes.chunks(size).for_each(|chunk| push.push(chunk).unwrap());
                push.finish().0.finish().unwrap()
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
    let metadata = mouths::metadata(&bytes);
    assert_eq!(found(&metadata), ["control-characters source", "too-large source"]);
    assert_control_characters(&metadata);
}

#[test]
fn a_url_with_user_info_is_found() {
    for url in ["https://user@example.com/", "https://user:secret@example.com/", "https://:@example.com"] {
        for field in [Field::Homepage, Field::Documentation, Field::Source] {
            let bytes = module(&[custom(field.section(), url)]);
            let metadata = mouths::metadata(&bytes);
            assert_eq!(found(&metadata), [format!("url-credentials {field}")], "{url}");
            assert_eq!(text(metadata.root(), field), Some(url));
            let message = &metadata.findings().iter().next().unwrap().message;
            assert!(!message.contains("secret"), "{message}");
        }
    }
}

/// What a finding says of the input is the beginning of it, if it is long: findings are kept, beside the limit of values.
#[test]
fn a_message_does_not_quote_at_length() {
    let long = "x".repeat(500_000);
    let half = &long[..250_000];
    let inputs = [
        (Code::UnknownProducersField, custom("producers", producers(&[(&long, &[("a", "1")])]))),
        (Code::DuplicateProducersField, custom("producers", producers(&[(half, &[]), (half, &[])]))),
        (Code::DuplicateProducer, custom("producers", producers(&[("sdk", &[(half, ""), (half, "")])]))),
        (Code::ControlCharacters, custom("producers", producers(&[(&long, &[("\x1b", "1")])]))),
        (Code::NotSpdx, custom("licenses", &long[..8000])),
        (Code::DeprecatedLicense, custom("licenses", "GPL-2.0 AND GPL-3.0 AND ".repeat(300) + "MIT")),
        (Code::NotUrl, custom("homepage", &long[..8000])),
        (Code::NotRfc3339, custom("created", &long[..8000])),
    ];
    inputs.into_iter().for_each(|(code, section)| is_short(code, section));
    #[cfg(feature = "json")]
    for json in [format!("\"{long}\""), format!(r#"{{"{half}":1,"{half}":1}}"#)] {
        let code = if json.starts_with('"') { Code::MalformedRegistryMetadata } else { Code::DuplicateJsonKey };
        is_short(code, custom("registry-metadata", json));
    }
    #[cfg(feature = "dependencies")]
    for json in [
        format!("\"{long}\""),
        format!(r#"{{"packages":"{long}"}}"#),
        format!(r#"{{"packages":[{{"kind":"{long}"}}]}}"#),
        format!(r#"{{"packages":[{{"version":"{long}"}}]}}"#),
    ] {
        is_short(Code::MalformedDependencies, custom(".dep-v0", zlib(json)));
    }
}

/// A section has this finding, and it says in a few words what is wrong.
#[track_caller]
fn is_short(code: Code, section: Vec<u8>) {
    let bytes = module(&[section]);
    let metadata = read_slice(&bytes, Limits::default()).unwrap().complete().unwrap();
    assert!(codes(&metadata).contains(&code), "{code}: {:?}", codes(&metadata));
    let longest = metadata.findings().iter().map(|finding| finding.message.len()).max().unwrap();
    assert!(longest <= 1000, "{code}: {longest} bytes");
}

/// Many values, each with a flaw, beside one long text: the work must not be the product of the two.
#[test]
fn many_flaws_beside_a_long_text_take_linear_work() {
    for character in ["x", "\u{202e}"] {
        let make = |number: usize| {
            let values = vec![("", ""); number];
            module(&[custom("producers", producers(&[(&character.repeat(number), &values)]))])
        };
        let bytes = make(200_000);
        let (outcome, allocated) = measure(|| read_slice(&bytes, Limits::default()).unwrap());
        let codes = codes(&outcome.complete().unwrap());
        assert!(codes.starts_with(&[Code::UnknownProducersField]) && codes.contains(&Code::DuplicateProducer));
        assert!(allocated.total <= 2048 * 200_000, "{allocated:?} for {} bytes", bytes.len());
        assert_linear(200_000, make, |bytes| read_slice(bytes, Limits::default()).unwrap().value.into_owned());
    }
}
