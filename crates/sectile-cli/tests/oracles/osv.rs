//! Compares the advisories that match versions of Go and npm with those of OSV's own scanner, which reads the same
//! records without a network.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use sectile_advisories::{Advisories, Ecosystem, PackageId};
use sectile_testing::files::project;
use serde_json::{Value, json};

/// A match: the ecosystem, the package, the version and the record.
type Match = (String, String, String, String);

/// Bounds of ranges, with and without a pre-release.
const BOUNDS: [&str; 7] = ["0.0.1", "0.4.0", "1.0.0-beta.2", "1.0.0", "1.9.10", "2.0.0-rc.1", "10.2.3"];

/// The forms of a range from one bound to a later one.
const FORMS: [fn(&str, &str) -> Value; 4] = [
    |_, to| json!([{"introduced": "0"}, {"fixed": to}]),
    |from, to| json!([{"introduced": from}, {"fixed": to}]),
    |from, to| json!([{"introduced": from}, {"last_affected": to}]),
    |from, to| json!([{"introduced": "0"}, {"fixed": from}, {"introduced": to}]),
];

#[test]
#[ignore = "needs osv-scanner: .ci/peers"]
fn osv_scanner_finds_the_same_advisories() {
    let directory = tempfile::tempdir().unwrap();
    let mut matches = BTreeSet::new();
    let mut components = Vec::new();
    for ecosystem in [Ecosystem::Go, Ecosystem::Npm] {
        let records = directory.path().join("osv-scanner").join(ecosystem.name());
        fs::create_dir_all(&records).unwrap();
        let names = write_records(&records, ecosystem);
        let mut advisories = Advisories::default();
        advisories.read(&records).unwrap();
        assert_eq!(advisories.problems(), []);
        for name in names {
            for version in versions(ecosystem) {
                components.push(component(ecosystem, &name, &version));
                for affected in advisories.matches(PackageId::new(ecosystem, &name, &version)).affected {
                    let id = affected.advisory().id.to_string();
                    matches.insert((ecosystem.name().to_owned(), name.clone(), version.clone(), id));
                }
            }
        }
        zip(&records);
    }
    let document = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components});
    let path = directory.path().join("all.cdx.json");
    fs::write(&path, document.to_string()).unwrap();

    let theirs = scan(directory.path(), &path);
    assert!(matches.len() > 1_000, "{}", matches.len());
    let differences: Vec<_> = matches.symmetric_difference(&theirs).collect();
    assert!(differences.is_empty(), "{} of {}: {differences:?}", differences.len(), matches.len());
}

/// Writes a record for each form of each range, about a package of its own. Returns the names of the packages.
fn write_records(directory: &Path, ecosystem: Ecosystem) -> Vec<String> {
    let mut names = Vec::new();
    for (nth, from) in BOUNDS.iter().enumerate() {
        for to in &BOUNDS[nth + 1..] {
            for form in FORMS {
                let number = names.len();
                let name = match ecosystem {
                    Ecosystem::Go => format!("example.com/p{number}"),
                    _ => format!("p{number}"),
                };
                let id = format!("X-{}-{number}", ecosystem.name().to_uppercase());
                let record = json!({
                    "schema_version": "1.7.0", "id": id, "modified": "2026-05-01T10:00:00Z",
                    "affected": [{
                        "package": {"ecosystem": ecosystem.name(), "name": name},
                        "ranges": [{"type": "SEMVER", "events": form(from, to)}],
                    }],
                });
                fs::write(directory.join(format!("{id}.json")), record.to_string()).unwrap();
                names.push(name);
            }
        }
    }
    names
}

/// Versions at, below and above each bound, with their pre-releases.
fn versions(ecosystem: Ecosystem) -> Vec<String> {
    let mut versions = BTreeSet::new();
    for bound in BOUNDS {
        let release = bound.split('-').next().unwrap();
        let (front, patch) = release.rsplit_once('.').unwrap();
        let patch: u32 = patch.parse().unwrap();
        for version in [
            bound.to_owned(),
            release.to_owned(),
            format!("{front}.{}", patch + 1),
            format!("{front}.{}", patch.saturating_sub(1)),
            format!("{release}-0"),
            format!("{release}-alpha"),
            format!("{release}-beta.2"),
            format!("{release}-beta.10"),
            format!("{release}-rc.1.1"),
        ] {
            versions.insert(version);
        }
    }
    if ecosystem == Ecosystem::Go {
        versions.extend(
            ["0.0.0-20220314234659-1baeb1ce4c0b", "2.0.0+incompatible", "1.0.1-0.20220101000000-0123456789ab"]
                .map(Into::into),
        );
        return versions.into_iter().map(|version| format!("v{version}")).collect();
    }
    versions.into_iter().collect()
}

fn component(ecosystem: Ecosystem, name: &str, version: &str) -> Value {
    let kind = if ecosystem == Ecosystem::Go { "golang" } else { "npm" };
    let purl = format!("pkg:{kind}/{name}@{}", version.replace('+', "%2B"));
    json!({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl})
}

/// Packs the records as the scanner downloads them.
fn zip(records: &Path) {
    const PROGRAM: &str = "import pathlib, sys, zipfile\n\
        with zipfile.ZipFile('all.zip', 'w') as archive:\n    \
            [archive.write(path) for path in sorted(pathlib.Path().glob('*.json'))]\n";
    let status = Command::new("python3").args(["-c", PROGRAM]).current_dir(records).status().unwrap();
    assert!(status.success());
}

/// The matches of OSV's scanner.
fn scan(databases: &Path, document: &Path) -> BTreeSet<Match> {
    let mut scanner = Command::new(project().join("target/go/bin/osv-scanner"));
    scanner.args(["scan", "source", "--offline", "--format", "json", "-L"]).arg(document);
    scanner.env("OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY", databases).current_dir(databases);
    let output = scanner.output().expect("osv-scanner");
    let errors = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"));
    let mut matches = BTreeSet::new();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for package in
        report["results"].as_array().unwrap().iter().flat_map(|result| result["packages"].as_array().unwrap())
    {
        let of = &package["package"];
        for record in package["vulnerabilities"].as_array().unwrap() {
            let version = text(&of["version"]);
            let version =
                if of["ecosystem"] == "Go" { format!("v{}", version.trim_start_matches('v')) } else { version };
            matches.insert((text(&of["ecosystem"]), text(&of["name"]), version, text(&record["id"])));
        }
    }
    matches
}
