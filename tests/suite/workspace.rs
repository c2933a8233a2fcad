//! The crates of the workspace depend on each other only as `docs/architecture.md` says, and the
//! default library stays small.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use sectile_testing::files::project;

/// The workspace members that each member may depend on, for its library and its build. Tests may
/// add `sectile-testing`.
const MAY_DEPEND_ON: [(&str, &[&str]); 16] = [
    ("sectile", &[]),
    ("sectile-benches", &["sectile"]),
    ("sectile-document", &["sectile"]),
    ("sectile-sbom", &["sectile"]),
    ("sectile-advisories", &["sectile", "sectile-document"]),
    ("sectile-policy", &["sectile", "sectile-document", "sectile-advisories"]),
    ("sectile-manifest", &["sectile", "sectile-document"]),
    ("sectile-oci", &["sectile"]),
    ("sectile-remote", &["sectile"]),
    (
        "sectile-audit",
        &["sectile", "sectile-sbom", "sectile-advisories", "sectile-policy", "sectile-oci", "sectile-remote"],
    ),
    (
        "sectile-cli",
        &[
            "sectile",
            "sectile-document",
            "sectile-sbom",
            "sectile-advisories",
            "sectile-policy",
            "sectile-manifest",
            "sectile-oci",
            "sectile-remote",
            "sectile-audit",
        ],
    ),
    ("sectile-c", &["sectile", "sectile-policy", "sectile-sbom"]),
    (
        "sectile-python",
        &[
            "sectile",
            "sectile-sbom",
            "sectile-advisories",
            "sectile-policy",
            "sectile-remote",
            "sectile-audit",
            "sectile-cli",
        ],
    ),
    ("sectile-testing", &["sectile"]),
    ("sectile-wasm", &["sectile", "sectile-policy"]),
    ("xtask", &[]),
];

/// Runs cargo on the workspace, without the network.
fn cargo(arguments: &[&str]) -> String {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program).args(arguments).arg("--offline").current_dir(project()).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The packages of the workspace, by name.
fn members() -> BTreeMap<String, Value> {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.map(|package| (package["name"].as_str().unwrap().to_owned(), package.clone())).collect()
}

/// An edge from a member to another that the table does not have.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: String,
    to: String,
    /// `normal`, `build` or `dev`.
    kind: String,
}

fn forbidden(members: &BTreeMap<String, Value>) -> BTreeSet<Edge> {
    let table = BTreeMap::from(MAY_DEPEND_ON);
    let edges = members.iter().flat_map(|(from, package)| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        dependencies.map(move |dependency| Edge {
            from: from.clone(),
            to: dependency["name"].as_str().unwrap().to_owned(),
            kind: dependency["kind"].as_str().unwrap_or("normal").to_owned(),
        })
    });
    let is_allowed = |edge: &Edge| {
        let listed = table.get(&*edge.from).is_some_and(|allowed| allowed.contains(&&*edge.to));
        listed || edge.kind == "dev" && edge.to == "sectile-testing"
    };
    edges.filter(|edge| members.contains_key(&edge.to) && !is_allowed(edge)).collect()
}

#[test]
fn members_depend_on_each_other_as_documented() {
    let members = members();
    let known: BTreeSet<_> = MAY_DEPEND_ON.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(members.keys().cloned().collect::<BTreeSet<_>>(), known, "add the member to the table");
    assert_eq!(forbidden(&members), BTreeSet::new());
}

/// The table has no cycle, apart from the test support: each row names only rows above it.
#[test]
fn each_row_depends_only_on_rows_above() {
    for (row, (name, allowed)) in MAY_DEPEND_ON.iter().enumerate() {
        let above: Vec<_> = MAY_DEPEND_ON[..row].iter().map(|(name, _)| name).collect();
        assert!(allowed.iter().all(|allowed| above.contains(&allowed)), "{name}");
    }
}

#[test]
fn a_forbidden_edge_is_found() {
    let package = |name: &str, dependencies: &[(&str, Value)]| {
        let dependencies: Vec<_> =
            dependencies.iter().map(|(name, kind)| serde_json::json!({ "name": name, "kind": kind })).collect();
        (name.to_owned(), serde_json::json!({ "name": name, "dependencies": dependencies }))
    };
    let members = BTreeMap::from([
        package("sectile", &[("sectile-testing", "dev".into()), ("serde", Value::Null), ("sectile-sbom", Value::Null)]),
        package("sectile-sbom", &[("sectile", Value::Null), ("sectile-testing", Value::Null)]),
        package("sectile-testing", &[("sectile", Value::Null)]),
        package("sectile-oci", &[("sectile", "build".into()), ("sectile-sbom", "dev".into())]),
        package("xtask", &[("sectile", "build".into())]),
    ]);
    let edge = |from: &str, to: &str, kind: &str| Edge { from: from.into(), to: to.into(), kind: kind.into() };
    let expected = [
        edge("sectile", "sectile-sbom", "normal"),
        edge("sectile-oci", "sectile-sbom", "dev"),
        edge("sectile-sbom", "sectile-testing", "normal"),
        edge("xtask", "sectile", "build"),
    ];
    assert_eq!(forbidden(&members), BTreeSet::from(expected));
}

#[test]
fn the_core_has_few_features() {
    let features = members()["sectile"]["features"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(features.len() <= 8, "{features:?}");
}

#[test]
fn the_default_library_has_few_dependencies() {
    let tree = cargo(&["tree", "--package", "sectile", "--edges", "normal", "--prefix", "none"]);
    let mut names: BTreeSet<_> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.remove("sectile") && names.contains("bytes"), "{tree}");
    assert!(names.len() <= 20, "{} crates: {names:?}", names.len());
}
