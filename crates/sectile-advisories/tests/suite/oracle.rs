//! RustSec's database is matched as the library of cargo-audit matches it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use rustsec::advisory::Informational;
use rustsec::report::{Report, Settings};
use rustsec::{Collection, Database, Lockfile};
use semver::{Prerelease, Version, VersionReq};

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

/// Compares all matches at versions around each bound of each advisory, and returns their number.
fn compare(path: &Path) -> usize {
    let database = Database::open(path).unwrap();
    let mut versions: BTreeMap<String, BTreeSet<Version>> = BTreeMap::new();
    for advisory in database.iter().filter(|advisory| advisory.metadata.collection == Some(Collection::Crates)) {
        let bounds = advisory.versions.patched().iter().chain(advisory.versions.unaffected());
        let around = bounds.flat_map(around).chain(["0.0.0-0", "0.0.0", "999.0.0"].map(|text| text.parse().unwrap()));
        versions.entry(advisory.metadata.package.to_string()).or_default().extend(around);
    }

    let mut lockfile = String::from("version = 4\n");
    for (name, version) in versions.iter().flat_map(|(name, versions)| versions.iter().map(move |one| (name, one))) {
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        write!(lockfile, "\n[[package]]\nname = {name:?}\nversion = \"{version}\"\nsource = \"{source}\"\n").unwrap();
    }
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
