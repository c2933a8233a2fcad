//! Annotations of an item.

use sectile::metadata::Field;
use sectile::oci::{AnnotationError, AnnotationOptions, Annotations, Duplicates, TITLE, annotations};

use crate::support::binary::{component, custom, module, name, nested, sound};
use crate::support::mouths;

fn strict() -> AnnotationOptions {
    AnnotationOptions::new()
}

fn of(bytes: &[u8], options: &AnnotationOptions) -> Result<Annotations, AnnotationError> {
    annotations(mouths::metadata(bytes).root(), options)
}

#[test]
fn every_row_of_the_table_and_the_name() {
    let sections = Field::ALL.map(|field| custom(field.section(), sound(field)));
    let annotations = of(&module(&[&sections[..], &[custom("name", name("adder"))]].concat()), &strict()).unwrap();
    for field in Field::ALL {
        assert_eq!(annotations[field.oci_key()], sound(field), "{field}");
    }
    assert_eq!(annotations[TITLE], "adder");
    assert_eq!(annotations.len(), Field::ALL.len() + 1);
}

#[test]
fn nothing_is_invented_and_nothing_taken_from_another_item() {
    let inner = module(&[custom("vendor", "v"), custom("name", name("inner"))]);
    assert_eq!(of(&component(&[nested(&inner)]), &strict()).unwrap(), Annotations::new());
}

#[test]
fn what_is_set_counts_and_what_is_set_twice_is_an_error() {
    let file = module(&[custom("vendor", "old"), custom("name", name("old"))]);
    let vendor = Field::Vendor.oci_key();
    let options = strict().set(vendor, "new").unwrap().set(TITLE, "new").unwrap().set("com.example/a", "").unwrap();
    let annotations = of(&file, &options).unwrap();
    let expected = [("com.example/a", ""), (TITLE, "new"), (vendor, "new")];
    assert!(annotations.iter().map(|(key, value)| (&**key, &**value)).eq(expected), "{annotations:?}");
    assert_eq!(options.set(vendor, "newer"), Err(AnnotationError::Twice(vendor.to_owned())));
    for key in ["", "a b", "a\n", "a\u{202e}"] {
        assert_eq!(strict().set(key, "v"), Err(AnnotationError::Key(key.to_owned())));
    }
}

#[test]
fn of_duplicates_none_counts_unless_told() {
    let file = module(&[custom("vendor", "first"), custom("vendor", "second"), custom("vendor", "last")]);
    let error = of(&file, &strict()).unwrap_err();
    assert!(error.is_duplicate(), "{error}");
    assert_eq!(error.to_string(), "the `vendor` section stands 3 times, and readers differ on which counts");
    let vendor = |options: AnnotationOptions| of(&file, &options).unwrap()[Field::Vendor.oci_key()].clone();
    assert_eq!(vendor(strict().duplicates(Duplicates::First)), "first");
    assert_eq!(vendor(strict().duplicates(Duplicates::Last)), "last");
    assert_eq!(vendor(strict().set(Field::Vendor.oci_key(), "set").unwrap()), "set");

    let names = module(&[custom("name", name("first")), custom("name", name("last"))]);
    assert!(of(&names, &strict()).unwrap_err().is_duplicate());
    let title = |options: AnnotationOptions| of(&names, &options).unwrap()[TITLE].clone();
    assert_eq!(title(strict().duplicates(Duplicates::First)), "first");
    assert_eq!(title(strict().duplicates(Duplicates::Last)), "last");
}

/// So many that findings of them are folded, and duplicates that are the same.
#[test]
fn duplicates_are_found_however_many_there_are() {
    let items: Vec<_> = (0..200).map(|_| nested(&module(&[custom("vendor", "v"), custom("vendor", "v")]))).collect();
    let tree = component(
        &[&items[..], &[custom("source", "https://a.example")], &[custom("source", "https://a.example")]].concat(),
    );
    let metadata = mouths::metadata(&tree);
    for item in metadata.items() {
        assert!(annotations(item, &strict()).unwrap_err().is_duplicate());
    }
}

#[test]
fn a_value_that_is_no_annotation_is_refused_and_left_out_if_allowed() {
    let file = module(&[custom("vendor", b"caf\xe9"), custom("version", "1.0.0"), custom("name", [0, 2, 1, 0xff])]);
    let error = of(&file, &strict()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the value of the `vendor` section at offset 0x11 is not UTF-8, which an annotation must be"
    );
    assert!(error.is_allowable());
    let annotations = of(&file, &strict().allow_invalid()).unwrap();
    assert!(annotations.values().eq(["1.0.0"]), "{annotations:?}"); // nothing lossy, and nothing of the name

    let large = module(&[custom("vendor", vec![b'a'; 2 << 20])]);
    assert!(matches!(of(&large, &strict()), Err(AnnotationError::NotRead("vendor"))));
    assert!(of(&large, &strict().allow_invalid()).unwrap().is_empty());
}

#[test]
fn values_are_refused_as_they_are_where_they_are_written() {
    for (section, value) in [
        ("licenses", "MIT/Apache-2.0"),
        ("homepage", "javascript:alert(1)"),
        ("source", "git@example.com:a/b"),
        ("created", "yesterday"),
        ("vendor", ""),
        ("vendor", "a\x1b[31m"),
    ] {
        let file = module(&[custom(section, value)]);
        let error = of(&file, &strict()).unwrap_err();
        assert!(matches!(error, AnnotationError::Invalid { .. }), "{section}: {error}");
        let annotations = of(&file, &strict().allow_invalid()).unwrap();
        assert!(annotations.values().eq([value]), "as it stands: {annotations:?}");
        let field = Field::ALL.into_iter().find(|field| field.section() == section).unwrap();
        let set = strict().set(field.oci_key(), value).unwrap();
        assert!(of(&module(&[]), &set).is_err(), "an override is no way around it");
    }
    let deprecated = module(&[custom("licenses", "GPL-3.0"), custom("description", "two\nlines")]);
    assert_eq!(of(&deprecated, &strict()).unwrap().len(), 2);
    let named = |bytes: &str| module(&[custom("name", name(bytes))]);
    assert!(of(&named("a\u{202e}b"), &strict()).is_err());
    assert!(of(&named(""), &strict()).unwrap().is_empty());
}
