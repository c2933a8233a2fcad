//! The choice of cases: the shortest ones that together have every shape of an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sectile::FindingCode;
use sectile_testing::binary::{active, data_section, module, packages};
use sectile_testing::files::{project, real_paths};
use serde_json::{Map, Value};

use super::answer::answer;
use super::manifest::Manifest;
use super::request::requests;

/// Maximum length of a case's answer. Some real binaries have documents of hundreds of kilobytes.
const MAX_ANSWER: usize = 16 << 10;

/// The codes of files, images and audits, and of advisories, which a binding lacks.
const NOT_OF_BINARIES: [FindingCode; 17] = [
    FindingCode::AnnotationDrift,
    FindingCode::DigestMismatch,
    FindingCode::Advisory,
    FindingCode::RefusedAdvisory,
    FindingCode::NotFollowed,
    FindingCode::NotAFile,
    FindingCode::Unreadable,
    FindingCode::MalformedArchive,
    FindingCode::DisputedArchive,
    FindingCode::UncoveredBytes,
    FindingCode::NotOpened,
    FindingCode::ArchiveLimit,
    FindingCode::MalformedLayout,
    FindingCode::AbsentBlob,
    FindingCode::UnverifiedDigest,
    FindingCode::Changed,
    FindingCode::NearLimit,
];

/// The codes that a case has.
pub fn expected_codes() -> impl Iterator<Item = &'static str> {
    FindingCode::ALL.into_iter().filter(|code| !NOT_OF_BINARIES.contains(code)).map(FindingCode::name)
}

/// Keys whose texts are from a table.
const ENUMERATED: [&str; 12] = [
    "aspect",
    "change",
    "code",
    "confidence",
    "ecosystem",
    "evidence",
    "id",
    "kind",
    "list",
    "operation",
    "outcome",
    "severity",
];

/// Objects whose keys are of the input.
const OPEN: [&str; 2] = ["producers.", "registry_metadata."];

/// Selects from recorded inputs and from the binaries of the project.
pub fn manifest(recorded: Vec<Vec<u8>>) -> Manifest {
    let real = real_paths().into_iter().map(|path| {
        let file = path.strip_prefix(project()).unwrap().to_str().unwrap().replace('\\', "/");
        (fs::read(path).unwrap(), Some(file))
    });
    let inputs = recorded.into_iter().chain(made()).map(|bytes| (bytes, None)).chain(real);
    let (mut manifest, mut seen) = (Manifest::default(), BTreeMap::<String, BTreeSet<String>>::new());
    for (bytes, file) in inputs {
        for request in requests(bytes.len()) {
            let answered = answer(&request, &bytes);
            let operation = request["operation"].as_str().unwrap();
            let seen = seen.entry(operation.to_owned()).or_default();
            let shapes = shapes(&answered);
            if shapes.is_subset(seen) || Value::from(answered.clone()).to_string().len() > MAX_ANSWER {
                continue;
            }
            seen.extend(shapes);
            manifest.add(&bytes, file.as_deref(), request, answered);
        }
    }
    manifest.cases.sort_by(|one, other| one.operation().cmp(other.operation()));
    manifest
}

/// Inputs that the core's tests lack: a list of packages, and data that names another.
fn made() -> [Vec<u8>; 1] {
    let data =
        data_section(&[active(0, "/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.219/src/lib.rs")]);
    [module(&[data, packages(&[("checksum", "0.1.0")])])]
}

/// The shapes of an answer: its keys, the kinds of its values, and texts from tables.
fn shapes(answer: &Map<String, Value>) -> BTreeSet<String> {
    let mut shapes = BTreeSet::new();
    for (key, value) in answer {
        match (&**key, value) {
            ("document", Value::String(document)) => {
                add_shapes("", &serde_json::from_str(document).unwrap(), &mut shapes);
            }
            ("sha256" | "message", _) => {}
            _ => add_shapes(key, value, &mut shapes),
        }
    }
    shapes
}

fn add_shapes(path: &str, value: &Value, shapes: &mut BTreeSet<String>) {
    let key = path.rsplit('.').next().unwrap();
    let shape = match value {
        Value::String(text) if path == ".reason.message" => &message_shape(text),
        Value::Array(values) => {
            values.iter().for_each(|value| add_shapes(path, value, shapes));
            if values.is_empty() { "empty" } else { "list" }
        }
        Value::Object(object) => {
            for (key, value) in object {
                // The items of all levels have the same keys.
                add_shapes(&format!("{path}.{key}").replace(".items.items", ".items"), value, shapes);
            }
            "object"
        }
        Value::String(text) if ENUMERATED.contains(&key) => text,
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Null => "null",
    };
    match OPEN.iter().find_map(|open| path.find(open).map(|at| at + open.len())) {
        Some(end) => shapes.insert(format!("{}*", &path[..end])),
        None => shapes.insert(format!("{path}={shape}")),
    };
}

/// A message without numbers and quoted texts.
fn message_shape(message: &str) -> String {
    let unquoted: String = message.split('`').step_by(2).collect();
    unquoted.chars().filter(|character| !character.is_ascii_hexdigit()).collect()
}
