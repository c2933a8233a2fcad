//! Databases that are missing, empty, mixed or damaged.

use std::fs;
use std::path::Path;

use super::{ids, read, sample};
use sectile_advisories::{Advisories, Ecosystem};

fn error(path: &Path) -> String {
    Advisories::default().read(path).unwrap_err().to_string()
}

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn advisory(name: &str) -> String {
    fs::read_to_string(sample().join("crates").join(name)).unwrap()
}

const OSV: &str = r#"{"id":"X-1","modified":"2026-05-01T10:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"p"},
    "ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}"#;

#[test]
fn a_missing_or_empty_database_is_an_error() {
    assert!(error("no-such-directory".as_ref()).starts_with("cannot read `no-such-directory`"));
    for files in [&[][..], &[("README.md", "x")], &[("crates/a/notes.txt", "x")], &[("crates/README.md", "x")]] {
        assert!(error(directory(files).path()).starts_with("it has no advisories"), "{files:?}");
    }
    let template = [("crates/a/RUSTSEC-0000-0000.md", "x")];
    assert!(error(directory(&template).path()).starts_with("it has no advisories"));
    let python = [("a.json", &*OSV.replace("npm", "PyPI"))];
    assert!(error(directory(&python).path()).starts_with("none of its 1 OSV records"));
}

#[test]
fn a_mixed_database_is_an_error() {
    let atty = advisory("atty/RUSTSEC-2021-0145.md");
    let mixed = directory(&[("crates/atty/RUSTSEC-2021-0145.md", &atty), ("npm/X-1.json", OSV)]);
    let message = error(mixed.path());
    assert!(message.contains("`crates/atty/RUSTSEC-2021-0145.md`") && message.contains("`npm/X-1.json`"), "{message}");
    // Both may be read one after the other.
    let mut advisories = read(mixed.path().join("npm"));
    advisories.read(sample()).unwrap();
    assert_eq!(ids(&advisories, Ecosystem::Npm, "p", "1.0.0"), ["X-1"]);
    assert_eq!(ids(&advisories, Ecosystem::CratesIo, "atty", "0.2.14"), ["RUSTSEC-2021-0145", "RUSTSEC-2024-0375"]);
}

#[test]
fn a_database_without_any_readable_advisory_is_an_error() {
    let broken = directory(&[("crates/a/RUSTSEC-2020-0001.md", "# no TOML")]);
    let message = error(broken.path());
    assert!(message.contains("crates/a/RUSTSEC-2020-0001.md: it does not begin with TOML"), "{message}");
}

#[test]
fn an_advisory_that_does_not_parse_is_a_problem() {
    let atty = advisory("atty/RUSTSEC-2021-0145.md");
    let (head, _) = atty.split_once("\n```").unwrap();
    let without_version_table = atty.replace("[versions]", "[other]");
    let invalid_range = atty.replace("patched = []", "patched = [\"1.*\"]");
    let of_other_package = atty.replace("package = \"atty\"", "package = \"other\"");
    for (text, message) in [
        ("", "it does not begin with TOML between fences"),
        ("```toml", "the end of its TOML is missing"),
        (head, "the end of its TOML is missing"),
        (&format!("{head}\n```\n"), "the heading after its TOML is missing"),
        (&format!("{head}\n```\n# T"), "the text after its heading is missing"),
        ("```toml\na = \n```\n# T\n", "invalid TOML in line 2"),
        (&format!("```toml\na = {}\n```\n# T\n", "[".repeat(100_000)), "invalid TOML"),
        (&without_version_table, "`[versions]` is missing"),
        (&invalid_range, "`1.*` is not a supported range"),
        (&atty.replace("patched = []", "patched = [\">= x\"]"), "`>= x` is not a range of versions"),
        (&atty.replace("patched = []", "patched = \"1\""), "`patched` is a string, not a list"),
        (&atty.replace("patched = []", ""), "`versions.patched` is missing"),
        (&atty.replace("date = \"2021", "date = \"x"), "`date` is not a date"),
        (&of_other_package, "it is about `other`"),
        (&atty.replace("RUSTSEC-2021-0145", "RUSTSEC-2021-0146"), "its identifier is `RUSTSEC-2021-0146`"),
        (&atty.replace("[advisory]", "[advisory]\nsource = \"registry+https://example.com\""), "`source`"),
    ] {
        let time = advisory("time/RUSTSEC-2020-0071.md");
        let files = [("crates/atty/RUSTSEC-2021-0145.md", text), ("crates/time/RUSTSEC-2020-0071.md", &time)];
        let advisories = read(directory(&files).path());
        let [problem] = advisories.problems() else { panic!("{message}: {:?}", advisories.problems()) };
        assert_eq!(&*problem.file, "crates/atty/RUSTSEC-2021-0145.md");
        assert!(problem.message.contains(message), "{message}: {problem}");
        assert_eq!((advisories.databases()[0].advisories, advisories.databases()[0].problems), (1, 1));
    }
}

#[test]
fn a_record_that_does_not_parse_is_a_problem() {
    let valid = OSV.replace("X-1", "X-2");
    for (text, message) in [
        ("", "not an OSV record"),
        (&OSV[..OSV.len() / 2], "not an OSV record"),
        ("[]", "not an OSV record"),
        (&"[".repeat(1_000_000), "not an OSV record"),
        ("{}", "missing field `id`"),
        (r#"{"id":"","modified":"2026-05-01T10:00:00Z"}"#, "`id` is not an identifier"),
        (&OSV.replace("2026-05-01T10:00:00Z", "May"), "`modified` is not a date-time"),
        (&OSV.replace(r#"{"id""#, r#"{"schema_version":"2.0.0","id""#), "schema version `2.0.0`"),
        (&OSV.replace(r#"{"introduced":"0"}"#, r#"{"introduced":"1.x"}"#), "`1.x` is not a version of npm"),
        (&OSV.replace(r#"{"introduced":"0"}"#, r#"{"unknown":"1.0.0"}"#), "unknown variant `unknown`"),
    ] {
        let advisories = read(directory(&[("X-1.json", text), ("X-2.json", &valid)]).path());
        let [problem] = advisories.problems() else { panic!("{message}: {:?}", advisories.problems()) };
        assert!(problem.message.contains(message), "{message}: {problem}");
        assert_eq!(ids(&advisories, Ecosystem::Npm, "p", "1.0.0"), ["X-2"]);
    }
}

/// The rest of the advisory still counts.
#[test]
fn a_bad_severity_costs_only_itself() {
    let bad = OSV.replace(r#"{"id""#, r#"{"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:X"}],"id""#);
    let smallvec = advisory("smallvec/RUSTSEC-2021-0003.md").replace("CVSS:3.1/AV:N", "CVSS:3.1/AV:X");
    let osv = directory(&[("X-1.json", &bad)]);
    let rustsec = directory(&[("crates/smallvec/RUSTSEC-2021-0003.md", &smallvec)]);
    let mut advisories = read(osv.path());
    advisories.read(rustsec.path()).unwrap();
    assert_eq!(advisories.problems().len(), 2);
    assert!(advisories.problems().iter().all(|problem| problem.message.contains("invalid CVSS vector")));
    assert_eq!(ids(&advisories, Ecosystem::Npm, "p", "1.0.0"), ["X-1"]);
    assert_eq!(ids(&advisories, Ecosystem::CratesIo, "smallvec", "1.6.0"), ["RUSTSEC-2021-0003"]);
}

#[test]
fn a_record_without_versions_is_a_problem() {
    let text = OSV.replace("SEMVER", "GIT");
    let advisories = read(directory(&[("X-1.json", &text)]).path());
    assert!(advisories.problems()[0].message.contains("it states no versions of `p`"));
    assert_eq!(ids(&advisories, Ecosystem::Npm, "p", "1.0.0"), [""; 0]);
}

#[test]
fn problems_beyond_the_limit_are_counted() {
    let names: Vec<String> = (0..100).map(|nth| format!("{nth}.json")).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "x")).collect();
    files.push(("X-1.json", OSV));
    let advisories = read(directory(&files).path());
    assert_eq!((advisories.problems().len(), advisories.databases()[0].problems), (64, 100));
}

#[test]
#[cfg(unix)]
fn links_to_directories_are_problems() {
    let directory = directory(&[("X-1.json", OSV), ("npm/X-2.json", &OSV.replace("X-1", "X-2"))]);
    std::os::unix::fs::symlink("npm", directory.path().join("loop.json")).unwrap();
    let advisories = read(directory.path());
    assert_eq!(&*advisories.problems()[0].file, "loop.json");
    assert_eq!(advisories.databases()[0].advisories, 2);
}
