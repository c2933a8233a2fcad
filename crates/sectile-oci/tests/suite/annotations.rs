//! Annotations of items.

use sectile::metadata::Field;
use sectile_oci::{AnnotationError, AnnotationOptions, Annotations, Duplicates, TITLE_KEY, annotations};

use sectile_testing::all_drivers;
use sectile_testing::binary::{component, custom, module, name, nested, sound};

fn strict() -> AnnotationOptions {
    AnnotationOptions::new()
}

fn annotations_of(bytes: &[u8], options: &AnnotationOptions) -> Result<Annotations, AnnotationError> {
    annotations(all_drivers::metadata(bytes).root(), options)
}

#[test]
fn every_field_and_the_name_become_annotations() {
    let sections = Field::ALL.map(|field| custom(field.section(), sound(field)));
    let annotations =
        annotations_of(&module(&[&sections[..], &[custom("name", name("adder"))]].concat()), &strict()).unwrap();
    for field in Field::ALL {
        assert_eq!(annotations[field.oci_key()], sound(field), "{field}");
    }
    assert_eq!(annotations[TITLE_KEY], "adder");
    assert_eq!(annotations.len(), Field::ALL.len() + 1);
}

/// SPDX identifiers are case-insensitive, and values are kept as written.
#[test]
fn licenses_in_another_case_are_annotations() {
    let file = module(&[custom("licenses", "MIT OR apache-2.0")]);
    let annotations = annotations_of(&file, &strict()).unwrap();
    assert_eq!(annotations[Field::Licenses.oci_key()], "MIT OR apache-2.0");
    for invalid in ["MIT/Apache-2.0", "MIT\u{a0}OR ISC"] {
        assert!(annotations_of(&module(&[custom("licenses", invalid)]), &strict()).is_err(), "{invalid}");
    }
}

#[test]
fn metadata_of_other_items_is_not_used() {
    let inner = module(&[custom("vendor", "v"), custom("name", name("inner"))]);
    assert_eq!(annotations_of(&component(&[nested(&inner)]), &strict()).unwrap(), Annotations::new());
}

#[test]
fn overrides_win_and_repeated_keys_are_errors() {
    let file = module(&[custom("vendor", "old"), custom("name", name("old"))]);
    let vendor = Field::Vendor.oci_key();
    let options = strict()
        .with_annotation(vendor, "new")
        .unwrap()
        .with_annotation(TITLE_KEY, "new")
        .unwrap()
        .with_annotation("com.example/a", "")
        .unwrap();
    let annotations = annotations_of(&file, &options).unwrap();
    let expected = [("com.example/a", ""), (TITLE_KEY, "new"), (vendor, "new")];
    assert!(annotations.iter().map(|(key, value)| (&**key, &**value)).eq(expected), "{annotations:?}");
    assert_eq!(options.with_annotation(vendor, "newer"), Err(AnnotationError::RepeatedKey(vendor.to_owned())));
    for key in ["", "a b", "a\n", "a\u{202e}"] {
        assert_eq!(strict().with_annotation(key, "v"), Err(AnnotationError::InvalidKey(key.to_owned())));
    }
}

#[test]
fn duplicates_are_refused_unless_one_is_selected() {
    let file = module(&[custom("vendor", "first"), custom("vendor", "second"), custom("vendor", "last")]);
    let error = annotations_of(&file, &strict()).unwrap_err();
    assert!(error.is_duplicate(), "{error}");
    assert_eq!(error.to_string(), "the `vendor` section occurs 3 times; readers disagree on which one wins");
    let vendor = |options: AnnotationOptions| annotations_of(&file, &options).unwrap()[Field::Vendor.oci_key()].clone();
    assert_eq!(vendor(strict().with_duplicates(Duplicates::First)), "first");
    assert_eq!(vendor(strict().with_duplicates(Duplicates::Last)), "last");
    assert_eq!(vendor(strict().with_annotation(Field::Vendor.oci_key(), "set").unwrap()), "set");

    let names = module(&[custom("name", name("first")), custom("name", name("last"))]);
    assert!(annotations_of(&names, &strict()).unwrap_err().is_duplicate());
    let title = |options: AnnotationOptions| annotations_of(&names, &options).unwrap()[TITLE_KEY].clone();
    assert_eq!(title(strict().with_duplicates(Duplicates::First)), "first");
    assert_eq!(title(strict().with_duplicates(Duplicates::Last)), "last");
}

/// Many duplicates whose findings are folded, and duplicates with equal values.
#[test]
fn every_duplicate_is_refused() {
    let items: Vec<_> = (0..200).map(|_| nested(&module(&[custom("vendor", "v"), custom("vendor", "v")]))).collect();
    let tree = component(
        &[&items[..], &[custom("source", "https://a.example")], &[custom("source", "https://a.example")]].concat(),
    );
    let metadata = all_drivers::metadata(&tree);
    for item in metadata.items() {
        assert!(annotations(item, &strict()).unwrap_err().is_duplicate());
    }
}

#[test]
fn unusable_values_are_refused_or_omitted() {
    let file = module(&[custom("vendor", b"caf\xe9"), custom("version", "1.0.0"), custom("name", [0, 2, 1, 0xff])]);
    let error = annotations_of(&file, &strict()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the value of the `vendor` section at offset 0x11 is not UTF-8, as required for annotations"
    );
    assert!(error.is_allowable());
    let annotations = annotations_of(&file, &strict().with_allow_invalid(true)).unwrap();
    assert!(annotations.values().eq(["1.0.0"]), "{annotations:?}"); // neither a lossy value nor the name

    let large = module(&[custom("vendor", vec![b'a'; 2 << 20])]);
    assert!(matches!(annotations_of(&large, &strict()), Err(AnnotationError::TooLarge("vendor"))));
    assert!(annotations_of(&large, &strict().with_allow_invalid(true)).unwrap().is_empty());
}

#[test]
fn invalid_values_are_refused_as_by_the_editor() {
    for (section, value) in [
        ("licenses", "MIT/Apache-2.0"),
        ("homepage", "javascript:alert(1)"),
        ("source", "git@example.com:a/b"),
        ("created", "yesterday"),
        ("vendor", ""),
        ("vendor", "a\x1b[31m"),
    ] {
        let file = module(&[custom(section, value)]);
        let error = annotations_of(&file, &strict()).unwrap_err();
        assert!(matches!(error, AnnotationError::Invalid { .. }), "{section}: {error}");
        let annotations = annotations_of(&file, &strict().with_allow_invalid(true)).unwrap();
        assert!(annotations.values().eq([value]), "unchanged: {annotations:?}");
        let field = Field::ALL.into_iter().find(|field| field.section() == section).unwrap();
        let set = strict().with_annotation(field.oci_key(), value).unwrap();
        assert!(annotations_of(&module(&[]), &set).is_err(), "an override is checked too");
    }
    let deprecated = module(&[custom("licenses", "GPL-3.0"), custom("description", "two\nlines")]);
    assert_eq!(annotations_of(&deprecated, &strict()).unwrap().len(), 2);
    let named = |bytes: &str| module(&[custom("name", name(bytes))]);
    assert!(annotations_of(&named("a\u{202e}b"), &strict()).is_err());
    assert!(annotations_of(&named(""), &strict()).unwrap().is_empty());
}
