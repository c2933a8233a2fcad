//! Validates the output of the command. Nothing is fetched: the schemas only refer to each other.

use std::sync::LazyLock;
use std::thread;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

use super::files;

/// A kind of JSON that the command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    Show,
    Sections,
    Check,
    Digest,
    Diff,
    Edit,
    OciAnnotations,
    OciCheck,
    OciLayout,
    OciPush,
    AuditLine,
    Explain,
    PolicyCheck,
    PolicyShow,
}

impl Document {
    pub const ALL: [Self; 14] = [
        Self::Show,
        Self::Sections,
        Self::Check,
        Self::Digest,
        Self::Diff,
        Self::Edit,
        Self::OciAnnotations,
        Self::OciCheck,
        Self::OciLayout,
        Self::OciPush,
        Self::AuditLine,
        Self::Explain,
        Self::PolicyCheck,
        Self::PolicyShow,
    ];

    pub fn file(self) -> &'static str {
        match self {
            Self::Show => "show.schema.json",
            Self::Sections => "sections.schema.json",
            Self::Check => "check.schema.json",
            Self::Digest => "digest.schema.json",
            Self::Diff => "diff.schema.json",
            Self::Edit => "edit.schema.json",
            Self::OciAnnotations => "oci-annotations.schema.json",
            Self::OciCheck => "oci-check.schema.json",
            Self::OciLayout => "oci-layout.schema.json",
            Self::OciPush => "oci-push.schema.json",
            Self::AuditLine => "audit.schema.json",
            Self::Explain => "explain.schema.json",
            Self::PolicyCheck => "policy-check.schema.json",
            Self::PolicyShow => "policy-show.schema.json",
        }
    }

    /// The document of an object with a key `schema`, detected by a key that only this document
    /// has.
    fn detect(value: &Value) -> Self {
        const KEYS: [(&str, Document); 17] = [
            ("change", Document::Diff),
            ("compared", Document::Diff),
            ("consumers", Document::OciCheck),
            ("warnings", Document::PolicyCheck),
            ("limits", Document::PolicyShow),
            ("why", Document::Explain),
            ("audit", Document::AuditLine),
            ("row", Document::AuditLine),
            ("archive", Document::AuditLine),
            ("summary", Document::AuditLine),
            ("sections", Document::Sections),
            ("accepted", Document::Check),
            ("digest", Document::Digest),
            ("changes", Document::Edit),
            ("layout", Document::OciLayout),
            ("reference", Document::OciPush),
            ("item", Document::Show),
        ];
        let found = KEYS.into_iter().find(|(key, _)| value.get(key).is_some());
        found.unwrap_or_else(|| panic!("no schema describes {value}")).1
    }
}

/// The compiled schema files.
struct Compiled {
    schemas: Schemas,
    indexes: Vec<(Document, SchemaIndex)>,
}

static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let url = |name: &str| format!("https://schema.invalid/{name}");
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    for (name, schema) in files() {
        compiler.add_resource(&url(name), schema).unwrap();
    }
    let compile = |document: Document| {
        let index = compiler.compile(&url(document.file()), &mut schemas);
        (document, index.unwrap_or_else(|error| panic!("{document:?}: {error:#}")))
    };
    let indexes = Document::ALL.into_iter().map(compile).collect();
    Compiled { schemas, indexes }
});

/// Stack of a validation, which recurses as deeply as items nest.
const STACK: usize = 64 << 20;

/// Checks an object against the schema of its document.
pub fn check(document: Document, value: &Value) -> Result<(), String> {
    let validate = || {
        let (_, index) = COMPILED.indexes.iter().find(|(other, _)| *other == document).unwrap();
        COMPILED.schemas.validate(value, *index).map_err(|error| format!("{error:#}"))
    };
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(STACK);
        builder.spawn_scoped(scope, validate).unwrap().join().unwrap()
    })
}

/// Checks each line of an output that is an object with a key `schema`.
///
/// Skips lines that cannot be parsed: those truncated by a closed pipe, and those nested too
/// deeply.
#[track_caller]
pub fn check_output(text: &str) {
    for line in text.lines().filter(|line| line.starts_with("{\"schema\":")) {
        if let Ok(value) = serde_json::from_str(line) {
            let checked = check(Document::detect(&value), &value);
            checked.unwrap_or_else(|error| panic!("{error}\n{line}"));
        }
    }
}
