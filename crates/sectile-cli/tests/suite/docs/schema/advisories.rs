//! Advisories about packages, and the databases that they come from.

use serde_json::{Value, json};

use super::keys::{Key, array, boolean, common, key, names, nullable, number, object, string};
use sectile_advisories::{AdvisoryClass, DatabaseFormat, Ecosystem, PackageOrigin, Rating};

/// The advisories of a file or a row.
pub fn advisories() -> Key {
    let description = "The advisories about packages, the most important first.";
    key("advisories", array(common("advisory")), description).optional()
}

/// The databases of advisories.
pub fn databases() -> Key {
    let description = "The databases of advisories that packages were judged by.";
    key("databases", array(common("advisoryDatabase")), description).optional()
}

pub fn advisory_definition() -> Value {
    let strings = || array(string());
    let score = json!({ "type": "number", "minimum": 0, "maximum": 10 });
    let rating = nullable(names(Rating::ALL.map(Rating::name)));
    object([
        key("id", string(), "The identifier."),
        key("package", string(), "The name of the affected package."),
        key("version", string(), "Its version in the binary."),
        key("ecosystem", names(Ecosystem::ALL.map(Ecosystem::name)), "The ecosystem of the package."),
        key("origin", names(PackageOrigin::ALL.map(PackageOrigin::name)), "How the package is known."),
        key("class", names(AdvisoryClass::ALL.map(AdvisoryClass::name)), "The kind of defect."),
        key("title", string(), "The summary."),
        key("url", string(), "The address of a description; may be empty."),
        key("severity", rating, "The severity, or null if the database states none."),
        key("score", nullable(score), "The CVSS score, or null without a CVSS vector."),
        key("aliases", strings(), "Identifiers of the same defect in other databases."),
        key("fixed", strings(), "Versions or ranges without the defect; empty if no fix is known."),
        key("functions", strings(), "The functions with the defect, if they are known."),
        key("targets", strings(), "Architectures and operating systems that the defect is limited to."),
        key("excludes_wasm", json!({ "const": true }), "`targets` exclude WebAssembly.").optional(),
        key("refused", boolean(), "Whether the file is refused for it."),
        key("finding", number(), "The index of the finding about it."),
    ])
}

pub fn database_definition() -> Value {
    object([
        key("path", string(), "The path of the database."),
        key("format", names(DatabaseFormat::ALL.map(DatabaseFormat::name)), "The format."),
        key("commit", nullable(string()), "The commit of a Git work tree."),
        key("digest", common("digest"), "The digest of the archive, or of all files in the directory."),
        key("date", string(), "The newest date of an advisory."),
        key("advisories", number(), "Number of advisories that may match."),
        key("problems", number(), "Number of advisories, or parts of them, that could not be used."),
    ])
}
