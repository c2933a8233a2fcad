//! RustSec's database is matched as the library of cargo-audit matches it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use rustsec::advisory::Informational;
use rustsec::report::{Report, Settings};
use rustsec::{Collection, Database, Lockfile};
use semver::{Prerelease, Version, VersionReq};
use serde_json::Value;

use sectile_advisories::{Ecosystem, PackageId};

/// A match: package, version, advisory, class, severity.
type Match = (String, String, String, &'static str, Option<&'static str>);

#[test]
fn a_sample_is_matched_as_by_cargo_audit() {
    let matches = compare(&super::sample());
    assert!(matches > 100, "{matches}");
}

/// Every advisory, at versions around each bound. The database is not part of the repository.
#[test]
fn the_whole_database_is_matched_as_by_cargo_audit() {
    let Some(path) = super::whole() else { return };
    let matches = compare(&path);
    println!("{matches} equal matches");
    assert!(matches > 10_000, "{matches}");
}

/// The program reports what its library matches, so that the tests above compare with the program, too.
#[test]
#[ignore = "needs cargo-audit"]
fn cargo_audit_reports_the_matches_of_its_library() {
    let path = super::whole().unwrap_or_else(super::sample);
    let database = Database::open(&path).unwrap();
    let lockfile = lockfile(&versions(&database));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("Cargo.lock");
    fs::write(&file, &lockfile).unwrap();
    let mut command = Command::new("cargo-audit");
    command.args(["audit", "--no-fetch", "--stale", "--json", "--db"]).arg(&path).arg("--file").arg(&file);
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let name = |found: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&found["package"]["name"]), text(&found["package"]["version"]), text(&found["advisory"]["id"]))
    };
    let vulnerabilities = report["vulnerabilities"]["list"].as_array().unwrap().iter();
    let warnings = report["warnings"].as_object().unwrap().values().flat_map(|list| list.as_array().unwrap());
    let warnings = warnings.filter(|warning| warning["advisory"].is_object()); // the others are about yanked versions
    let found: BTreeSet<_> = vulnerabilities.chain(warnings).map(name).collect();
    let expected = expected(&database, &lockfile.parse().unwrap(), false);
    let expected: BTreeSet<_> = expected.into_iter().map(|(name, version, id, ..)| (name, version, id)).collect();
    println!("{} equal matches", found.len());
    assert!(found == expected, "{:#?}", found.symmetric_difference(&expected).take(10).collect::<Vec<_>>());
}

/// Compares all matches at versions around each bound of each advisory, and returns their number.
fn compare(path: &Path) -> usize {
    let database = Database::open(path).unwrap();
    let versions = versions(&database);
    let lockfile = lockfile(&versions);
    let lockfile: Lockfile = lockfile.parse().unwrap();
    let advisories = super::read(path);
    assert_eq!(advisories.problems(), []);
    let matches_on = |is_wasm: bool| {
        let expected = expected(&database, &lockfile, is_wasm);
        let mut found = BTreeSet::new();
        for (name, version) in versions.iter().flat_map(|(name, versions)| versions.iter().map(move |one| (name, one)))
        {
            let version = version.to_string();
            let matches = advisories.matches(PackageId::new(Ecosystem::CratesIo, name, &version));
            assert!(matches.unjudged.is_empty());
            for affected in matches.affected.into_iter().filter(|affected| !(is_wasm && affected.scope().excludes_wasm))
            {
                let advisory = affected.advisory();
                let rating = advisory.rating.map(|rating| rating.name());
                found.insert((name.clone(), version.clone(), advisory.id.to_string(), advisory.class.name(), rating));
            }
        }
        let missing: Vec<_> = expected.difference(&found).take(10).collect();
        let extra: Vec<_> = found.difference(&expected).take(10).collect();
        assert!(missing.is_empty() && extra.is_empty(), "wasm: {is_wasm}\nmissing: {missing:#?}\nextra: {extra:#?}");
        found.len()
    };
    let (all, wasm) = (matches_on(false), matches_on(true));
    assert!(wasm < all, "{wasm} of {all}");
    all
}

/// The packages of a database, at versions around each bound.
fn versions(database: &Database) -> BTreeMap<String, BTreeSet<Version>> {
    let mut versions: BTreeMap<String, BTreeSet<Version>> = BTreeMap::new();
    for advisory in database.iter().filter(|advisory| advisory.metadata.collection == Some(Collection::Crates)) {
        let bounds = advisory.versions.patched().iter().chain(advisory.versions.unaffected());
        let around = bounds.flat_map(around).chain(["0.0.0-0", "0.0.0", "999.0.0"].map(|text| text.parse().unwrap()));
        versions.entry(advisory.metadata.package.to_string()).or_default().extend(around);
    }
    versions
}

/// The `Cargo.lock` of these packages.
fn lockfile(versions: &BTreeMap<String, BTreeSet<Version>>) -> String {
    let mut lockfile = String::from("version = 4\n");
    for (name, version) in versions.iter().flat_map(|(name, versions)| versions.iter().map(move |one| (name, one))) {
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        write!(lockfile, "\n[[package]]\nname = {name:?}\nversion = \"{version}\"\nsource = \"{source}\"\n").unwrap();
    }
    lockfile
}

/// The matches of cargo-audit, on all targets or only on those of WebAssembly.
fn expected(database: &Database, lockfile: &Lockfile, is_wasm: bool) -> BTreeSet<Match> {
    let informational_warnings = vec![Informational::Notice, Informational::Unmaintained, Informational::Unsound];
    let mut settings = Settings { informational_warnings, ..Settings::default() };
    if is_wasm {
        settings.target_arch = ["wasm32", "wasm64"].map(Into::into).to_vec();
        settings.target_os = ["wasi", "emscripten", "unknown", "none"].map(Into::into).to_vec();
    }
    let report = Report::generate(database, lockfile, &settings);
    let rating = |metadata: &rustsec::advisory::Metadata| metadata.cvss.as_ref().map(|cvss| cvss.severity().as_str());
    let mut expected: BTreeSet<Match> = BTreeSet::new();
    for found in report.vulnerabilities.list {
        let (package, advisory) = (found.package, found.advisory);
        let version = package.version.to_string();
        expected.insert((
            package.name.to_string(),
            version,
            advisory.id.to_string(),
            "vulnerability",
            rating(&advisory),
        ));
    }
    for found in report.warnings.into_values().flatten() {
        let (package, advisory) = (found.package, found.advisory.unwrap());
        let class = match advisory.informational.as_ref().unwrap() {
            Informational::Unmaintained => "unmaintained",
            Informational::Unsound => "unsound",
            _ => "notice",
        };
        let version = package.version.to_string();
        expected.insert((package.name.to_string(), version, advisory.id.to_string(), class, rating(&advisory)));
    }
    expected
}

/// The versions at, below and above the bounds of a range, pre-releases and build metadata included.
fn around(range: &VersionReq) -> Vec<Version> {
    let mut versions = Vec::new();
    for bound in &range.comparators {
        let bound = Version {
            pre: bound.pre.clone(),
            ..Version::new(bound.major, bound.minor.unwrap_or(0), bound.patch.unwrap_or(0))
        };
        let Version { major, minor, patch, .. } = bound;
        let mut numbers = vec![
            (major, minor, patch),
            (major, minor, patch + 1),
            (major, minor + 1, 0),
            (major + 1, 0, 0),
            (major, minor, patch.saturating_sub(1)),
            (major, minor.saturating_sub(1), 99),
            (major.saturating_sub(1), 99, 99),
        ];
        numbers.dedup();
        let own = bound.pre.to_string();
        let stages = ["", "0", "alpha", "alpha.1", "beta", "rc.1", "z", &own, &format!("{own}.0"), &format!("{own}-")];
        for (major, minor, patch) in numbers {
            for pre in stages.iter().filter_map(|stage| Prerelease::new(stage).ok()) {
                versions.push(Version { pre, ..Version::new(major, minor, patch) });
            }
        }
        versions.push(Version { build: "build.1".parse().unwrap(), ..bound });
    }
    versions
}
