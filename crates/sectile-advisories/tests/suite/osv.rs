//! OSV records of crates.io, Go and npm, written by hand after the schema.

use std::fs;
use std::path::Path;

use super::{ids, read};
use sectile_advisories::{AdvisoryClass, DatabaseFormat, Ecosystem, PackageId, Rating};

/// A record with these members, beside the required ones.
fn record(id: &str, members: &str) -> String {
    format!(r#"{{"schema_version":"1.7.0","id":"{id}","modified":"2026-05-01T10:00:00Z",{members}}}"#)
}

/// An affected package with a range of this type and these events.
fn affects(ecosystem: &str, name: &str, range: &str, events: &str) -> String {
    format!(
        r#"{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"ranges":[{{"type":"{range}","events":[{events}]}}]}}"#
    )
}

fn write(directory: &Path, records: &[(&str, String)]) {
    for (name, record) in records {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, record).unwrap();
    }
}

fn database(records: &[(&str, String)]) -> sectile_advisories::Advisories {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), records);
    read(directory.path())
}

/// Asserts which versions a range with these events affects.
fn assert_affected(ecosystem: Ecosystem, events: &str, inside: &[&str], outside: &[&str]) {
    for range in ["SEMVER", "ECOSYSTEM"] {
        let affected = affects(ecosystem.name(), "p", range, events);
        let advisories = database(&[("X-1.json", record("X-1", &format!(r#""affected":[{affected}]"#)))]);
        assert_eq!(advisories.problems(), []);
        for version in inside {
            assert_eq!(ids(&advisories, ecosystem, "p", version), ["X-1"], "{events} {version}");
        }
        for version in outside {
            assert_eq!(ids(&advisories, ecosystem, "p", version), [""; 0], "{events} {version}");
        }
    }
}

#[test]
fn ranges_of_npm_are_compared_by_semantic_versioning() {
    let npm = |events, inside: &[&str], outside: &[&str]| assert_affected(Ecosystem::Npm, events, inside, outside);
    npm(
        r#"{"introduced":"0"},{"fixed":"4.17.21"}"#,
        &["0.0.0-0", "4.17.20", "v4.17.20", "4.17.21-rc.1"],
        &["4.17.21", "=4.17.21", "4.17.21+build", "5.0.0-0"],
    );
    npm(
        r#"{"introduced":"1.0.0"},{"last_affected":"1.2.0"},{"introduced":"2.0.0-beta.1"}"#,
        &["1.0.0", "1.2.0-x", "1.2.0", "2.0.0-beta.1", "2.0.0-beta.11", "9.0.0"],
        &["1.0.0-rc.1", "1.2.1-0", "1.2.1", "2.0.0-beta.0", "2.0.0-alpha"],
    );
    // The order of the events does not matter.
    npm(
        r#"{"fixed":"2.0.1"},{"introduced":"1.0.0"},{"fixed":"1.0.5"},{"introduced":"2.0.0"}"#,
        &["1.0.0", "1.0.4", "2.0.0"],
        &["0.9.9", "1.0.5", "1.9.0", "2.0.1"],
    );
    npm(r#"{"introduced":"1.0.0"},{"last_affected":"1.0.0"}"#, &["1.0.0"], &["0.9.9", "1.0.1-0"]);
    npm(r#"{"introduced":"0"},{"fixed":"1.0.0"},{"introduced":"1.0.0"}"#, &["0.9.0", "1.0.0", "2.0.0"], &[]);
    npm(r#"{"introduced":"0"},{"limit":"2.0.0"}"#, &["1.9.9"], &["2.0.0", "3.0.0"]);
    npm(r#"{"introduced":"0"},{"limit":"2.0.0"},{"limit":"*"}"#, &["1.9.9", "2.0.0"], &[]);
    npm(r#"{"introduced":"0"},{"fixed":"3.0.0"},{"limit":"2.0.0"}"#, &["1.9.9"], &["2.0.0", "3.0.0"]);
}

#[test]
fn ranges_of_go_know_pseudo_versions_and_incompatible() {
    let go = |events, inside: &[&str], outside: &[&str]| assert_affected(Ecosystem::Go, events, inside, outside);
    go(
        r#"{"introduced":"0"},{"fixed":"0.0.0-20220314234659-1baeb1ce4c0b"}"#,
        &["v0.0.0-20220314234658-0123456789ab", "v0.0.0-20150429233717-4aaf1d29ebbe"],
        &["v0.0.0-20220314234659-1baeb1ce4c0b", "v0.0.0-20230101000000-0123456789ab", "v0.1.0"],
    );
    go(
        r#"{"introduced":"0"},{"fixed":"2.8.2"}"#,
        &["v2.8.1+incompatible", "v2.8.2-beta.1+incompatible", "v2.8.2-0.20220101000000-0123456789ab+incompatible"],
        &["v2.8.2+incompatible", "v2.8.3-0.20220101000000-0123456789ab+incompatible", "v3.0.0"],
    );
    go(
        r#"{"introduced":"1.21.0-0"},{"fixed":"1.21.4"}"#,
        &["go1.21rc2", "go1.21.0", "go1.21", "v1.21.3", "1.21.3", "go1.21.3 X:boringcrypto"],
        &["go1.20.12", "go1.21.4", "go1.22rc1"],
    );
}

#[test]
fn ranges_of_crates_are_compared_by_semantic_versioning() {
    let events = r#"{"introduced":"0.0.0-0"},{"fixed":"0.6.14"},{"introduced":"1.0.0"},{"fixed":"1.6.1"}"#;
    assert_affected(
        Ecosystem::CratesIo,
        events,
        &["0.0.0-0", "0.6.13", "1.6.0", "1.6.1-rc.1"],
        &["0.6.14", "0.9.0", "1.0.0-rc.1", "1.6.1"],
    );
}

#[test]
fn listed_versions_are_affected() {
    let affected = r#"{"package":{"ecosystem":"npm","name":"p"},"versions":["1.0.0","not-semver"]}"#;
    let advisories = database(&[("X-1.json", record("X-1", &format!(r#""affected":[{affected}]"#)))]);
    assert_eq!(ids(&advisories, Ecosystem::Npm, "p", "1.0.0"), ["X-1"]);
    assert_eq!(ids(&advisories, Ecosystem::Npm, "p", "not-semver"), ["X-1"]);
    assert_eq!(ids(&advisories, Ecosystem::Npm, "p", "1.0.1"), [""; 0]);
    assert_eq!(ids(&advisories, Ecosystem::Npm, "p", "other"), [""; 0]);
}

#[test]
fn a_record_has_its_severity_class_fixes_and_scope() {
    let events = r#"{"introduced":"0"},{"fixed":"1.10.0"},{"introduced":"2.0.0"},{"fixed":"1.9.0"}"#;
    let plain = affects("npm", "p", "SEMVER", events);
    let vectors = r#"[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
        {"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N"}]"#;
    let go = r#"{"package":{"ecosystem":"Go","name":"golang.org/x/text"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
        "ecosystem_specific":{"imports":[{"path":"golang.org/x/text/language","symbols":["Parse","MatchStrings"],"goos":["js"]}]}}"#;
    let rust = r#"{"package":{"ecosystem":"crates.io","name":"atty"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"}]}],
        "ecosystem_specific":{"affects":{"arch":[],"os":["windows"],"functions":["atty::is"]}},
        "database_specific":{"informational":"unsound","cvss":"CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:N/I:L/A:N"}}"#;
    let advisories = database(&[
        (
            "GHSA-1.json",
            record(
                "GHSA-1",
                &format!(
                    r#""severity":{vectors},"summary":"Prototype pollution","aliases":["CVE-1"],"affected":[{plain}]"#
                ),
            ),
        ),
        ("GO-1.json", record("GO-1", &format!(r#""details":"Panic in Parse.\nMore.","affected":[{go}]"#))),
        (
            "MAL-1.json",
            record("MAL-1", &format!(r#""affected":[{}]"#, affects("npm", "evil", "SEMVER", r#"{"introduced":"0"}"#))),
        ),
        ("RUSTSEC-1.json", record("RUSTSEC-1", &format!(r#""affected":[{rust}]"#))),
        (
            "GHSA-2.json",
            record(
                "GHSA-2",
                &format!(
                    r#""affected":[{}],"database_specific":{{"severity":"MODERATE"}}"#,
                    affects("npm", "q", "SEMVER", r#"{"introduced":"0"}"#)
                ),
            ),
        ),
    ]);
    assert_eq!(advisories.problems(), []);
    let find = |ecosystem, name, version| {
        let matches = advisories.matches(PackageId::new(ecosystem, name, version));
        matches.affected.into_iter().next().unwrap()
    };
    let found = find(Ecosystem::Npm, "p", "1.0.0");
    // The score of the newest CVSS version counts.
    assert_eq!((found.advisory().rating, &*found.advisory().score.unwrap().to_string()), (Some(Rating::High), "8.7"));
    assert_eq!(
        (&*found.advisory().title, found.advisory().class),
        ("Prototype pollution", AdvisoryClass::Vulnerability)
    );
    assert_eq!(&*found.advisory().url, "https://osv.dev/vulnerability/GHSA-1");
    assert_eq!(found.fixed(), ["1.9.0".into(), "1.10.0".into()]);
    assert!(found.advisory().is_named("CVE-1"));

    let found = find(Ecosystem::Go, "golang.org/x/text", "v0.3.0");
    assert_eq!((&*found.advisory().title, found.advisory().rating), ("Panic in Parse.", None));
    let functions = ["golang.org/x/text/language.Parse".into(), "golang.org/x/text/language.MatchStrings".into()];
    assert_eq!((&*found.scope().functions, &*found.scope().targets), (&functions[..], &["js".into()][..]));

    assert_eq!(find(Ecosystem::Npm, "evil", "1.0.0").advisory().class, AdvisoryClass::Malware);
    assert_eq!(find(Ecosystem::Npm, "q", "1.0.0").advisory().rating, Some(Rating::Medium));
    let found = find(Ecosystem::CratesIo, "atty", "0.2.14");
    assert_eq!((found.advisory().class, found.advisory().rating), (AdvisoryClass::Unsound, Some(Rating::Low)));
    assert_eq!(
        (&*found.scope().functions, &*found.scope().targets),
        (&["atty::is".into()][..], &["windows".into()][..])
    );
}

#[test]
fn withdrawn_records_and_other_ecosystems_are_counted() {
    let npm = affects("npm", "p", "SEMVER", r#"{"introduced":"0"}"#);
    let advisories = database(&[
        ("npm/X-1.json", record("X-1", &format!(r#""affected":[{npm}]"#))),
        ("npm/X-2.json", record("X-2", &format!(r#""withdrawn":"2026-06-01T00:00:00Z","affected":[{npm}]"#))),
        (
            "PyPI/X-3.json",
            record("X-3", &format!(r#""affected":[{}]"#, affects("PyPI", "p", "ECOSYSTEM", r#"{"introduced":"0"}"#))),
        ),
        ("none/X-4.json", record("X-4", r#""affected":null"#)),
        (".hidden/X-5.json", "no record".to_owned()),
    ]);
    let [database] = advisories.databases() else { panic!() };
    assert_eq!((database.advisories, database.withdrawn, database.unrelated, database.problems), (1, 1, 2, 0));
    assert_eq!((database.format, &*database.date), (DatabaseFormat::Osv, "2026-05-01"));
    assert_eq!(ids(&advisories, Ecosystem::Npm, "p", "1.0.0"), ["X-1"]);
}

#[test]
fn one_defect_is_reported_once() {
    let npm = affects("npm", "p", "SEMVER", r#"{"introduced":"0"}"#);
    let low = r#""severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:N/I:L/A:N"}]"#;
    let advisories = database(&[
        ("A-1.json", record("A-1", &format!(r#"{low},"affected":[{npm}]"#))),
        ("B-1.json", record("B-1", &format!(r#""aliases":["a-1"],"affected":[{npm}]"#))),
        ("copy/B-1.json", record("B-1", &format!(r#""aliases":["a-1"],"affected":[{npm}]"#))),
        ("C-1.json", record("C-1", &format!(r#""affected":[{npm}]"#))),
    ]);
    // An unknown severity counts as a high one.
    assert_eq!(ids(&advisories, Ecosystem::Npm, "p", "1.0.0"), ["B-1", "C-1"]);
}

#[test]
#[cfg(feature = "zip")]
fn a_zip_archive_is_read_like_a_directory() {
    use std::io::Write;
    let npm = affects("npm", "p", "SEMVER", r#"{"introduced":"0"}"#);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("all.zip");
    let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    for id in ["X-2", "X-1"] {
        archive.start_file(format!("{id}.json"), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(record(id, &format!(r#""affected":[{npm}]"#)).as_bytes()).unwrap();
    }
    archive.finish().unwrap();
    let advisories = read(&path);
    assert_eq!(ids(&advisories, Ecosystem::Npm, "p", "1.0.0"), ["X-1", "X-2"]);

    // A truncated archive is an error.
    let bytes = fs::read(&path).unwrap();
    for length in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = sectile_advisories::Advisories::default().read(&path).unwrap_err();
        assert!(error.to_string().contains("not a complete ZIP archive"), "{length}: {error}");
    }
}
