//! Databases of RustSec: their identity, and the data of their advisories.

use std::fs;

use super::{ids, read, sample};
use sectile_advisories::{AdvisoryClass, DatabaseFormat, Ecosystem, PackageId, Rating};

#[test]
fn a_database_is_named_by_digest_and_date() {
    let advisories = read(sample());
    let [database] = advisories.databases() else { panic!() };
    assert_eq!((database.format, &*database.date), (DatabaseFormat::RustSec, "2026-03-17"));
    assert_eq!((database.advisories, database.withdrawn, database.unrelated, database.problems), (14, 1, 0, 0));
    assert_eq!(database.digest.len(), 64);
    assert_eq!(database.commit, None);
    assert_eq!(read(sample()).databases()[0].digest, database.digest);
}

#[test]
fn a_work_tree_is_named_by_its_commit() {
    let directory = tempfile::tempdir().unwrap();
    let package = directory.path().join("crates/atty");
    fs::create_dir_all(&package).unwrap();
    fs::copy(sample().join("crates/atty/RUSTSEC-2021-0145.md"), package.join("RUSTSEC-2021-0145.md")).unwrap();
    let git = directory.path().join(".git");
    fs::create_dir_all(git.join("refs/heads")).unwrap();
    let commit = || read(directory.path()).databases()[0].commit.as_deref().map(str::to_owned);
    let hash = |digit: &str| digit.repeat(40);
    fs::write(git.join("HEAD"), hash("a") + "\n").unwrap();
    assert_eq!(commit(), Some(hash("a")));
    fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    assert_eq!(commit(), None);
    fs::write(git.join("packed-refs"), format!("# pack-refs\n{} refs/heads/main\n", hash("b"))).unwrap();
    assert_eq!(commit(), Some(hash("b")));
    fs::write(git.join("refs/heads/main"), hash("c") + "\n").unwrap();
    assert_eq!(commit(), Some(hash("c")));
    fs::write(git.join("HEAD"), "ref: ../../../etc/passwd\n").unwrap();
    assert_eq!(commit(), None);
}

#[test]
fn an_advisory_has_its_class_severity_aliases_and_scope() {
    let advisories = read(sample());
    let find = |name, version| {
        let matches = advisories.matches(PackageId::new(Ecosystem::CratesIo, name, version));
        matches.affected.into_iter().next().unwrap()
    };
    let smallvec = find("smallvec", "1.6.0");
    assert_eq!(&*smallvec.advisory().id, "RUSTSEC-2021-0003");
    assert_eq!(smallvec.advisory().class, AdvisoryClass::Vulnerability);
    assert_eq!(smallvec.advisory().rating, Some(Rating::Critical));
    assert_eq!(smallvec.advisory().score.unwrap().to_string(), "9.8");
    assert!(smallvec.advisory().is_named("cve-2021-25900"));
    assert_eq!(&*smallvec.advisory().url, "https://rustsec.org/advisories/RUSTSEC-2021-0003.html");
    assert_eq!(smallvec.fixed(), [">= 0.6.14, < 1.0.0".into(), ">= 1.6.1".into()]);
    assert_eq!(*smallvec.scope().functions, ["smallvec::SmallVec::insert_many".into()]);
    assert!(smallvec.scope().targets.is_empty() && !smallvec.scope().excludes_wasm);

    let atty = find("atty", "0.2.14");
    assert_eq!((atty.advisory().class, atty.advisory().rating), (AdvisoryClass::Unsound, None));
    assert_eq!(*atty.scope().targets, ["windows".into()]);
    assert!(atty.scope().excludes_wasm && find("simd-json", "0.1.14").scope().excludes_wasm);
    assert_eq!(*find("simd-json", "0.1.14").scope().targets, ["x86".into(), "x86_64".into()]);
    assert_eq!(find("plutonium", "1.0.0").advisory().class, AdvisoryClass::Notice);
}

#[test]
fn withdrawn_advisories_never_match() {
    let advisories = read(sample());
    assert_eq!(ids(&advisories, Ecosystem::CratesIo, "tower-http", "0.1.0"), [""; 0]);
}

/// The standard library is not a package of crates.io.
#[test]
fn advisories_about_the_standard_library_have_releases_of_rust() {
    let advisories = read(sample());
    assert_eq!(ids(&advisories, Ecosystem::CratesIo, "std", "1.0.0"), [""; 0]);
    assert_eq!(ids(&advisories, Ecosystem::Rust, "std", "1.0.0"), ["CVE-2015-20001"]);
    assert_eq!(ids(&advisories, Ecosystem::Rust, "std", "1.2.0"), [""; 0]);
    let compiler = PackageId::from_compiler("rustc", "1.1.0 (35ceea399 2015-06-19)").unwrap();
    assert_eq!(advisories.matches(compiler).affected.len(), 1);
    let found = |name, version| PackageId::from_found("generic", name, version, "");
    assert_eq!(found("rust", "1.1.0"), Some(PackageId::new(Ecosystem::Rust, "std", "1.1.0")));
    assert_eq!((found("rust", "35ceea3990000000000000000000000000000000"), found("zlib", "1.2.0")), (None, None));
}

#[test]
fn names_of_other_ecosystems_do_not_match() {
    let advisories = read(sample());
    assert_eq!(ids(&advisories, Ecosystem::CratesIo, "atty", "0.2.14"), ["RUSTSEC-2021-0145", "RUSTSEC-2024-0375"]);
    assert_eq!(ids(&advisories, Ecosystem::Npm, "atty", "0.2.14"), [""; 0]);
    assert_eq!(ids(&advisories, Ecosystem::CratesIo, "Atty", "0.2.14"), [""; 0]);
}

#[test]
fn a_version_that_cannot_be_compared_is_unjudged() {
    let advisories = read(sample());
    for version in ["", "1", "latest", "1.2.3.4", "99999999999999999999.0.0"] {
        let matches = advisories.matches(PackageId::new(Ecosystem::CratesIo, "smallvec", version));
        assert_eq!((matches.affected.len(), matches.unjudged.len()), (0, 5), "{version}");
    }
}
