//! Migration of the retired `registry-metadata` section to one section per field.

use sectile::edit::{Edit, EditError, Migration};
use sectile::metadata::Field;

use super::apply;
use sectile_testing::all_drivers::metadata;
use sectile_testing::binary::{component, custom, module, nested};
use sectile_testing::found::text;

fn retired(json: &str) -> Vec<u8> {
    custom("registry-metadata", json)
}

fn migrate(source: &[u8]) -> (Vec<u8>, Migration) {
    let read = metadata(source);
    let (edit, migration) = Edit::new().migrate(read.root()).unwrap();
    (apply(&edit, source), migration)
}

fn refused(json: &str) -> EditError {
    let source = component(&[retired(json)]);
    let read = metadata(&source);
    Edit::new().migrate(read.root()).unwrap_err()
}

/// The format that wasm-metadata 0.200 wrote.
const WRITTEN: &str = r#"{"authors":["foo","bar"],"description":"foo bar baz","license":"MIT OR LicenseRef-FOO",
    "custom_licenses":[{"id":"FOO","name":"Foo","text":"text","reference":"https://example.com/license/foo"}],
    "links":[{"ty":"Repository","value":"https://example.com/git"},{"ty":"Homepage","value":"https://example.com/"},
    {"ty":"Documentation","value":"https://example.com/docs"},{"ty":"Funding","value":"https://example.com/money"},
    {"ty":"CustomFoo","value":"https://example.com/foo"}],"categories":["Tools"]}"#;

#[test]
fn every_field_gets_its_own_section() {
    let (edited, migration) = migrate(&component(&[retired(WRITTEN), custom("x", "")]));
    let read = metadata(&edited);
    let expected = [
        (Field::Authors, "foo, bar"),
        (Field::Description, "foo bar baz"),
        (Field::Documentation, "https://example.com/docs"),
        (Field::Homepage, "https://example.com/"),
        (Field::Licenses, "MIT OR LicenseRef-FOO"),
        (Field::Source, "https://example.com/git"),
    ];
    for (field, value) in expected {
        assert_eq!(text(read.root(), field), Some(value));
    }
    assert_eq!(migration.moved(), expected.map(|(field, _)| field));
    assert_eq!(migration.left(), []);
    assert_eq!(read.root().annotations().count(), expected.len());
    assert!(read.root().registry_metadata().is_none());
}

#[test]
fn values_without_a_field_are_reported_as_dropped() {
    let (_, migration) = migrate(&component(&[retired(WRITTEN)]));
    let begins = [
        "categories: [\"Tools\"]",
        "custom_licenses: [{\"id\":\"FOO\"",
        "links: {\"ty\":\"Funding\"",
        "links: {\"ty\":\"CustomFoo\"",
    ];
    assert_eq!(migration.dropped().len(), begins.len());
    assert!(
        migration.dropped().iter().zip(begins).all(|(dropped, begins)| dropped.starts_with(begins)),
        "{migration:?}"
    );
}

#[test]
fn existing_fields_are_kept_and_reported() {
    let source = module(&[custom("authors", b"\xff"), retired(r#"{"authors":["new"],"description":"d"}"#)]);
    let (edited, migration) = migrate(&source);
    assert_eq!(edited, module(&[custom("authors", b"\xff"), custom("description", "d")]));
    assert_eq!((migration.left(), migration.moved()), (&[Field::Authors][..], &[Field::Description][..]));
}

#[test]
fn null_and_empty_values_are_ignored() {
    let json = r#"{"authors":[],"description":null,"license":"","links":[],"categories":null}"#;
    let (edited, migration) = migrate(&component(&[retired(json)]));
    assert_eq!((edited, migration), (component(&[]), Migration::default()));
}

#[test]
fn a_single_author_may_be_a_string() {
    let (edited, _) = migrate(&component(&[retired(r#"{"authors":"me"}"#)]));
    assert_eq!(edited, component(&[custom("authors", "me")]));
}

#[test]
fn a_second_link_of_the_same_type_is_reported() {
    let json = r#"{"links":[{"type":"homepage","value":"https://a.example"},{"type":"homepage","value":"https://b.example"},7]}"#;
    let (edited, migration) = migrate(&component(&[retired(json)]));
    assert_eq!(edited, component(&[custom("homepage", "https://a.example")]));
    assert_eq!(migration.dropped(), [r#"links: {"type":"homepage","value":"https://b.example"}"#, "links: 7"]);
}

#[test]
fn without_the_section_nothing_changes() {
    let source = component(&[custom("authors", "me")]);
    assert_eq!(migrate(&source), (source, Migration::default()));
}

#[test]
fn nested_items_are_migrated_in_place() {
    let json = r#"{"description":"inner"}"#;
    let source = component(&[nested(&module(&[retired(json)])), retired(r#"{"description":"outer"}"#)]);
    let read = metadata(&source);
    let path: sectile::scan::ItemPath = "0".parse().unwrap();
    let (edit, _) = Edit::new().at(path.clone()).migrate(read.item(&path).unwrap()).unwrap();
    let (edit, _) = edit.at(sectile::scan::ItemPath::root()).migrate(read.root()).unwrap();
    let expected = component(&[nested(&module(&[custom("description", "inner")])), custom("description", "outer")]);
    assert_eq!(apply(&edit, &source), expected);
}

#[test]
fn invalid_values_are_refused_with_their_field() {
    let error = refused(r#"{"license":"MIT/Apache-2.0"}"#);
    assert!(matches!(error, EditError::Invalid { field: Field::Licenses, .. }), "{error}");
    let error = refused(r#"{"links":[{"ty":"Homepage","value":"javascript:alert(1)"}]}"#);
    assert!(matches!(error, EditError::Invalid { field: Field::Homepage, .. }), "{error}");
    for unreadable in [
        "",
        "[]",
        "{",
        r#"{"authors":"a","authors":["b"]}"#,
        r#"{"authors":[1]}"#,
        r#"{"description":1}"#,
        r#"{"links":{}}"#,
    ] {
        let error = refused(unreadable);
        assert!(matches!(error, EditError::Unreadable { section: "registry-metadata", .. }), "{unreadable}: {error}");
    }
    let source = component(&[retired("{}"), retired("{}")]);
    let read = metadata(&source);
    assert!(matches!(Edit::new().migrate(read.root()), Err(EditError::Unreadable { .. })));

    let source = component(&[retired(r#"{"license":"MIT/Apache-2.0"}"#)]);
    let read = metadata(&source);
    let (edit, migration) = Edit::new().migrate_unchecked(read.root()).unwrap();
    assert_eq!(apply(&edit, &source), component(&[custom("licenses", "MIT/Apache-2.0")]));
    assert_eq!(migration.moved(), [Field::Licenses]);
    let planned = edit.plan_slice(&source).unwrap();
    assert_eq!(planned.findings()[0].code(), sectile::FindingCode::ImpreciseLicense);
}
