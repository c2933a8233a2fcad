//! Deceptive texts, and bytes that are not text.

use sectile::metadata::{Field, Metadata};
use sectile::{Escaped, FindingCode};

use sectile_testing::all_drivers;
#[cfg(feature = "dependencies")]
use sectile_testing::binary::zlib;
use sectile_testing::binary::{component, custom, module, name, nested, prefixed, producers, section};
use sectile_testing::found::{self, codes, found, text};

/// Texts that move the cursor, overwrite, recolor, reorder, hide or end the line.
const DECEPTIVE: [&str; 10] = [
    "\x1b[2J",
    "good\rbad",
    "\u{9b}31m",
    "\u{202e}gnp.exe",
    "\u{2066}isolated\u{2069}",
    "\u{61c}mark",
    "nul\0",
    "\x08\x7f",
    "\u{85}",
    "a\u{200f}b",
];

/// An independent copy of the definition: C0, DEL, C1, and the Unicode property `Bidi_Control`.
fn is_control_or_bidi(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
fn assert_escaped(bytes: &[u8]) {
    let shown = Escaped::bytes(bytes).to_string();
    assert!(!shown.contains(is_control_or_bidi), "{shown:?}");
}

/// Asserts that the input has a finding for control characters, and that all findings are escaped
/// for a terminal.
#[track_caller]
pub(super) fn assert_control_characters(metadata: &Metadata<'_>) {
    assert!(codes(metadata).contains(&FindingCode::ControlCharacters), "{:?}", metadata.findings());
    for finding in metadata.findings() {
        assert_escaped(finding.message().as_bytes());
        assert_escaped(finding.section().unwrap_or_default().as_bytes());
    }
}

#[test]
fn control_characters_in_annotations() {
    for field in Field::ALL {
        for deceptive in DECEPTIVE {
            let bytes = module(&[custom(field.section(), deceptive)]);
            let metadata = all_drivers::metadata(&bytes);
            assert_control_characters(&metadata);
            assert_eq!(text(metadata.root(), field), Some(deceptive));
            assert_escaped(metadata.root().annotation(field).unwrap().as_bytes());
        }
        let bytes = module(&[custom(field.section(), "two\nlines")]);
        let is_text = field.expects() == sectile::metadata::Expects::Text;
        assert_eq!(
            codes(&all_drivers::metadata(&bytes)).contains(&FindingCode::ControlCharacters),
            !is_text,
            "{field}"
        );
    }
}

#[test]
fn control_characters_in_names() {
    for deceptive in DECEPTIVE.into_iter().chain(["two\nlines"]) {
        for (bytes, item) in [
            (module(&[custom("name", name(deceptive))]), 0),
            (component(&[custom("component-name", name(deceptive))]), 0),
            (component(&[nested(&module(&[custom("name", name(deceptive))]))]), 1),
        ] {
            let metadata = all_drivers::metadata(&bytes);
            assert_control_characters(&metadata);
            assert_eq!(found::name(metadata.items().nth(item).unwrap()), Some(deceptive));
        }
    }
}

#[test]
fn control_characters_in_names_of_custom_sections() {
    for deceptive in DECEPTIVE.into_iter().chain(["two\nlines"]) {
        assert_control_characters(&all_drivers::metadata(&module(&[custom(deceptive, "")])));
    }
}

/// The rest of a name after a known prefix is untrusted, too.
#[test]
fn control_characters_after_the_prefix_of_a_known_name() {
    for prefix in [".debug_", "reloc.", "metadata.code.", "component-type:", "icp:public ", "icp:private "] {
        let bytes = module(&[custom(&format!("{prefix}\x1b[2J"), "")]);
        assert_control_characters(&all_drivers::metadata(&bytes));
    }
}

#[test]
fn control_characters_in_producers() {
    for deceptive in DECEPTIVE.into_iter().chain(["two\nlines"]) {
        for fields in [
            [("sdk", &[(deceptive, "1")][..])],
            [("sdk", &[("kit", deceptive)])],
            [(deceptive, &[("kit", "1")])], // the field itself
            [(deceptive, &[])],
        ] {
            let bytes = module(&[custom("producers", producers(&fields))]);
            let metadata = all_drivers::metadata(&bytes);
            assert_eq!(found::producers(metadata.root()), fields.map(|(field, values)| (field, values.to_vec())));
            assert_control_characters(&metadata);
        }
    }
}

#[test]
fn control_characters_in_links_to_debugging_data() {
    for section in ["sourceMappingURL", "external_debug_info"] {
        for deceptive in DECEPTIVE {
            let bytes = module(&[custom(section, prefixed(deceptive))]);
            let metadata = all_drivers::metadata(&bytes);
            assert_control_characters(&metadata);
            assert_eq!(metadata.root().debug_links().next().unwrap().1.as_str(), Some(deceptive));
        }
    }
}

#[test]
fn control_characters_in_registry_metadata() {
    // JSON itself refuses characters below U+0020.
    for deceptive in DECEPTIVE.into_iter().filter(|text| !text.contains(|character| character < ' ')) {
        let json = format!(r#"{{"description":"{deceptive}"}}"#);
        let bytes = component(&[custom("registry-metadata", &json)]);
        let metadata = all_drivers::metadata(&bytes);
        assert_eq!(metadata.root().registry_metadata().unwrap().as_str(), Some(&*json));
        assert_control_characters(&metadata);
    }
}

#[cfg(feature = "dependencies")]
#[test]
fn control_characters_in_dependencies() {
    for package in [
        r#"{"name":"\u001b[2J","version":"1.0.0","source":"git"}"#,
        "{\"name\":\"a\",\"version\":\"1.0.0\",\"source\":\"\u{202e}\"}",
    ] {
        let bytes = module(&[custom(".dep-v0", zlib(format!(r#"{{"packages":[{package}]}}"#)))]);
        let metadata = all_drivers::metadata(&bytes);
        assert_eq!(metadata.root().dependencies().unwrap().packages().len(), 1, "{:?}", metadata.findings());
        assert_control_characters(&metadata);
    }
}

#[test]
fn a_value_that_is_not_utf8_is_kept_as_bytes() {
    const LATIN_1: &[u8] = b"caf\xe9";
    for field in Field::ALL {
        let bytes = module(&[custom(field.section(), LATIN_1), custom("x", "")]);
        let metadata = all_drivers::metadata(&bytes);
        let value = metadata.root().annotation(field).unwrap();
        assert_eq!((value.as_bytes(), value.as_str()), (LATIN_1, None));
        assert_eq!(found(&metadata), [format!("not-utf8 {field}")]);
        assert_eq!(metadata.findings().iter().next().unwrap().offset(), value.range().start + 3);
    }
    for (bytes, section) in [
        (module(&[custom("name", section(0, &prefixed(LATIN_1)))]), "name"),
        (component(&[custom("component-name", section(0, &prefixed(LATIN_1)))]), "component-name"),
    ] {
        let metadata = all_drivers::metadata(&bytes);
        let value = metadata.root().name().unwrap();
        assert_eq!((value.as_bytes(), value.as_str()), (LATIN_1, None));
        assert_eq!(found(&metadata), [format!("not-utf8 {section}")]);
    }
    for section in ["sourceMappingURL", "external_debug_info"] {
        let bytes = module(&[custom(section, prefixed(LATIN_1))]);
        let metadata = all_drivers::metadata(&bytes);
        let (_, value) = metadata.root().debug_links().next().unwrap();
        assert_eq!((value.as_bytes(), value.as_str()), (LATIN_1, None));
        assert_eq!(found(&metadata), [format!("not-utf8 {section}")]);
    }
    let bytes = module(&[custom("registry-metadata", LATIN_1)]);
    let metadata = all_drivers::metadata(&bytes);
    assert_eq!(metadata.root().registry_metadata().unwrap().as_bytes(), LATIN_1);
    assert_eq!(codes(&metadata), [FindingCode::RetiredSection, FindingCode::NotUtf8]);
}

#[test]
fn producers_that_are_not_utf8_keep_earlier_values() {
    let mut data = producers(&[("language", &[("C", "17")]), ("sdk", &[("kit", "1"), ("caf_", "2")])]);
    let place = data.iter().position(|&byte| byte == b'_').unwrap();
    data[place] = 0xe9;
    let bytes = module(&[custom("producers", data), custom("authors", "me")]);
    let metadata = all_drivers::metadata(&bytes);
    assert_eq!(found::producers(metadata.root()), [("language", vec![("C", "17")]), ("sdk", vec![("kit", "1")])]);
    assert_eq!(found(&metadata), ["malformed-producers producers"]);
    assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
}
