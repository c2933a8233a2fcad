//! `docs/schema/*.json`: JSON Schemas of the JSON that the command prints, generated from the
//! tables in the source.
//!
//! A new key of the JSON is one line in the function that describes its object.

mod advisories;
mod audit;
mod diff;
mod edit;
mod explain;
mod item;
mod keys;
mod oci;
mod policy;
mod report;
mod validation;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

pub use self::validation::{Document, check, check_output};

use sectile_testing::files::project;

/// The dialect of all schemas.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The file of the definitions that the others refer to.
const COMMON: &str = "common.schema.json";

/// Each file, by name.
fn files() -> Vec<(&'static str, Value)> {
    let documents = Document::ALL.into_iter().map(|document| (document.file(), document.schema()));
    documents.chain([(COMMON, common())]).collect()
}

impl Document {
    fn schema(self) -> Value {
        match self {
            Self::Show => report::show(),
            Self::Sections => report::sections(),
            Self::Check => report::check(),
            Self::Digest => report::digest(),
            Self::Diff => diff::line(),
            Self::Edit => edit::edit(),
            Self::OciAnnotations => oci::annotations(),
            Self::OciCheck => oci::check(),
            Self::OciLayout => oci::layout(),
            Self::OciPush => oci::push(),
            Self::AuditLine => audit::line(),
            Self::Explain => explain::explain(),
            Self::PolicyCheck => policy::check(),
            Self::PolicyShow => policy::show(),
        }
    }
}

/// A schema file: its description, then the schema.
fn document(title: &str, description: &str, schema: Value) -> Value {
    let mut document = Map::new();
    document.insert("$schema".to_owned(), DIALECT.into());
    document.insert("title".to_owned(), title.into());
    document.insert("description".to_owned(), description.into());
    let Value::Object(schema) = schema else { panic!("a schema is an object") };
    document.extend(schema);
    document.into()
}

fn common() -> Value {
    let definitions: Map<String, Value> = [
        ("text", keys::text_definition()),
        ("fileName", keys::file_name_definition()),
        ("digest", keys::digest_definition()),
        ("itemPath", keys::item_path_definition()),
        ("range", keys::range_definition()),
        ("severity", keys::severity_definition()),
        ("policySeverity", keys::policy_severity_definition()),
        ("findingCode", keys::finding_code_definition()),
        ("sectionKind", keys::section_kind_definition()),
        ("reason", report::reason_definition()),
        ("finding", report::finding_definition()),
        ("judgedFinding", report::judged_finding_definition()),
        ("advisory", advisories::advisory_definition()),
        ("advisoryDatabase", advisories::database_definition()),
        ("blob", oci::blob_definition()),
        ("item", item::item_definition()),
    ]
    .into_iter()
    .map(|(name, definition)| (name.to_owned(), definition))
    .collect();
    let description = "Parts that the schemas of the documents share.";
    document("Parts of Sectile's JSON", description, json!({ "$defs": definitions }))
}

fn directory() -> PathBuf {
    project().join("docs/schema")
}

#[test]
fn schemas_are_generated() {
    let files = files();
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(directory()).unwrap();
        for (name, schema) in &files {
            fs::write(directory().join(name), serde_json::to_string_pretty(schema).unwrap() + "\n").unwrap();
        }
    }
    for (name, schema) in &files {
        let text = fs::read_to_string(directory().join(name)).unwrap_or_default();
        let found: Value = serde_json::from_str(&text).unwrap_or_default();
        assert!(found == *schema, "docs/schema/{name}: run `BLESS=1 cargo test --workspace --all-features docs`");
    }
    let mut found: Vec<_> =
        fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let mut expected: Vec<_> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "docs/schema has files that are not generated");
}

#[test]
fn schemas_are_named_in_the_docs() {
    let page = fs::read_to_string(Path::new(project()).join("docs/command.md")).unwrap();
    for (name, _) in files() {
        assert!(page.contains(&format!("(schema/{name})")), "docs/command.md does not name {name}");
    }
}
