//! Strict JSON. The oracle is serde_json.

use sectile::metadata::Field;
use sectile_manifest::{ManifestFormat, NoticeKind};

use super::{error_text, manifest, notices, parse};
use sectile_testing::seeded::Seeded;

#[test]
fn json_agrees_with_serde() {
    let texts = [
        "{}",
        "{} ",
        "\n{\r\n}\t",
        "{}{}",
        "{} x",
        "",
        " ",
        "{",
        "}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        "{,}",
        r#"{"a":[1,]}"#,
        r#"{"a":[,1]}"#,
        r#"{"a" "b"}"#,
        r#"{"a":1 "b":2}"#,
        r#"{'a':1}"#,
        "{a:1}",
        "{1:1}",
        "// x\n{}",
        "/* x */{}",
        "{/**/}",
        r#"{"a":01}"#,
        r#"{"a":-}"#,
        r#"{"a":-0}"#,
        r#"{"a":1.}"#,
        r#"{"a":.5}"#,
        r#"{"a":+1}"#,
        r#"{"a":1e5}"#,
        r#"{"a":1e}"#,
        r#"{"a":1E+5}"#,
        r#"{"a":0x1}"#,
        r#"{"a":NaN}"#,
        r#"{"a":Infinity}"#,
        r#"{"a":-Infinity}"#,
        r#"{"a":truE}"#,
        r#"{"a":nul}"#,
        r#"{"a":undefined}"#,
        "{\"a\":\"\t\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\u{0}\"}",
        "{\"a\":\"\u{1f}\"}",
        "{\"a\":\"\u{7f}\"}",
        r#"{"a":"\x41"}"#,
        r#"{"a":"\v"}"#,
        r#"{"a":"\'"}"#,
        r#"{"a":"\u12"}"#,
        r#"{"a":"\u12zz"}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\ud83d\ude00"}"#,
        r#"{"a":"\udc00\ud800"}"#,
        r#"{"a":"\/\b\f\n\r\t\\\""}"#,
        r#"{"a":"b}"#,
        "{\"a\":\u{a0}1}",
        "{\"a\":\u{feff}1}",
        "\u{b}{}",
        "\u{c}{}",
        "{\"a\\\nb\":1}",
        "{\u{2028}}",
        r#"{"a":--1}"#,
        r#"{"a":1_000}"#,
        r#"{"a":"b"'c'}"#,
        "{\"a\":1;}",
    ];
    for text in texts {
        assert_eq!(
            parse(ManifestFormat::Npm, text).is_ok(),
            serde_json::from_str::<serde_json::Value>(text).is_ok(),
            "{text:?}"
        );
    }
    // Valid texts with a few changed bytes.
    let mut seeded = Seeded::new(4);
    let sound = r#"{"name":"a","version":"1.0e5","x":[-1.5e+3,true,null,{"b":"\u0041\n"}]}"#;
    for _ in 0..20_000 {
        let mut bytes = sound.as_bytes().to_vec();
        for _ in 0..=seeded.below(2) {
            let place = seeded.below(bytes.len());
            bytes[place] = b"{}[]\",:\\u0aeE+-.1 \t/*'xtn"[seeded.below(25)];
        }
        let text = String::from_utf8(bytes).unwrap();
        let serde = serde_json::from_str::<serde_json::Value>(&text);
        match parse(ManifestFormat::Npm, &text) {
            Ok(_) => assert!(serde.is_ok(), "{text}"),
            Err(error) => assert!(serde.is_err() || error_text(&error).contains("expected"), "{text}: {error}"),
        }
    }
}

#[test]
fn last_duplicate_key_wins_with_a_notice() {
    let text = "{\"version\": \"1\",\n\"bugs\": {\"a\": 1,\n\"a\": 2},\n\"version\": \"2\"}";
    let manifest = manifest(ManifestFormat::Npm, text);
    assert_eq!(manifest.value(Field::Version).as_deref(), Some("2"));
    let said = notices(&manifest);
    let twice: Vec<_> =
        said.iter().filter(|(kind, _)| *kind == NoticeKind::Duplicate).map(|(_, said)| &**said).collect();
    assert_eq!(
        twice,
        ["3 a: duplicate key; the last value is used", "4 version: duplicate key; the last value is used"]
    );
    assert_eq!(format!("{:<10}|", NoticeKind::Duplicate), "duplicate |");
}

/// A megabyte of repeated keys becomes a few notices, quickly.
#[test]
fn notices_are_limited() {
    let keys = "\"a\":1,".repeat(160_000);
    let manifest = manifest(ManifestFormat::Npm, &format!("{{{keys}\"name\": \"n\"}}"));
    assert_eq!(manifest.notices().len(), 64);
    let last = manifest.notices().last().unwrap().to_string();
    assert!(last.ends_with("; and 159935 more notices"), "{last}");
    assert_eq!(manifest.name().as_deref(), Some("n"));

    let urls: String = (0..40_000).map(|number| format!("l{number} = \"x\"\n")).collect();
    let manifest = super::manifest(ManifestFormat::Python, &format!("[project]\nname = \"n\"\n[project.urls]\n{urls}"));
    assert_eq!(manifest.notices().len(), 64);
    assert!(manifest.notices().last().unwrap().to_string().ends_with("; and 39936 more notices"));

    let people = (0..60_000).map(|number| format!("\"p{number}\"")).collect::<Vec<_>>().join(",");
    let text = format!("{{\"author\": \"a\", \"contributors\": [{people}]}}");
    let manifest = super::manifest(ManifestFormat::Npm, &text);
    assert!(manifest.value(sectile::Field::Authors).unwrap().starts_with("a, p0, p1, "));
}
