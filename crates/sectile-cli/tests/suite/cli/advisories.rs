//! `--advisories` and `--vex`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Run, command, run};
use sectile_testing::binary::{custom, module, module_with_data, packages, producers};
use sectile_testing::files::project;

/// A few advisories of RustSec's database.
pub fn database() -> PathBuf {
    project().join("crates/sectile-advisories/tests/advisory-db")
}

/// Two binaries: one with affected packages, one without.
fn store() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, list: &[(&str, &str)]| {
        fs::write(directory.path().join(name), module(&[packages(list)])).unwrap();
    };
    write("affected.wasm", &[("atty", "0.2.14"), ("smallvec", "1.6.0"), ("time", "0.1.43"), ("tokio", "1.40.0")]);
    write("clean.wasm", &[("smallvec", "1.13.2"), ("serde", "1.0.0")]);
    directory
}

/// Runs the command in a directory. `DB` is the database.
fn run_in(directory: &Path, arguments: &str) -> Run {
    let database = database();
    let words = arguments.split(' ').map(|word| if word == "DB" { database.to_str().unwrap() } else { word });
    Run::of(command(words).current_dir(directory).output().unwrap())
}

fn ids(json: &Value) -> Vec<&str> {
    json["advisories"]
        .as_array()
        .map_or(Vec::new(), |list| list.iter().map(|one| one["id"].as_str().unwrap()).collect())
}

fn write(directory: &TempDir, name: &str, text: &str) {
    fs::write(directory.path().join(name), text).unwrap();
}

#[test]
fn check_refuses_a_vulnerable_package_and_names_the_database() {
    let store = store();
    let affected = run_in(store.path(), "check affected.wasm --advisories DB");
    assert_eq!(affected.status, 1, "{}", affected.stderr);
    let lines: Vec<&str> = affected.text().lines().collect();
    // The worst is first.
    assert!(
        lines[0].starts_with(
            "affected.wasm: error: `smallvec` 1.6.0 has RUSTSEC-2021-0003 (critical, 9.8): Buffer overflow in \
             SmallVec::insert_many; fixed in >= 0.6.14, < 1.0.0 or >= 1.6.1; \
             affects smallvec::SmallVec::insert_many [refused-advisory]"
        ),
        "{}",
        affected.text()
    );
    assert!(lines.iter().any(|line| line.contains("warning: `atty` 0.2.14 has RUSTSEC-2024-0375 (unmaintained)")));
    // WebAssembly is not affected.
    let excused = lines.iter().find(|line| line.contains("RUSTSEC-2021-0145")).unwrap();
    assert!(excused.contains("; only on windows") && excused.contains("excepted: WebAssembly is not affected"));
    assert!(affected.stderr.starts_with("sectile: advisories: RustSec of 2026-"), "{}", affected.stderr);
    assert!(affected.stderr.contains(", digest "), "{}", affected.stderr);

    let clean = run_in(store.path(), "check clean.wasm --advisories DB");
    assert_eq!((clean.status, clean.text()), (0, "clean.wasm: accepted\n"));
}

#[test]
fn check_json_has_the_advisories_and_the_databases() {
    let store = store();
    let json = run_in(store.path(), "check --json affected.wasm --advisories DB").json();
    assert_eq!(
        ids(&json),
        ["RUSTSEC-2021-0003", "RUSTSEC-2020-0071", "RUSTSEC-2021-0145", "RUSTSEC-2024-0375"] // the worst first
    );
    let first = &json["advisories"][0];
    assert_eq!(
        (&first["package"], &first["version"], &first["severity"], &first["score"], &first["refused"]),
        (&"smallvec".into(), &"1.6.0".into(), &"critical".into(), &json!(9.8), &true.into())
    );
    assert_eq!(first["fixed"], json!([">= 0.6.14, < 1.0.0", ">= 1.6.1"]));
    assert_eq!(first["aliases"], json!(["CVE-2021-25900", "GHSA-43w2-9j62-hq99"]));
    let finding = &json["findings"][first["finding"].as_u64().unwrap() as usize];
    assert_eq!((&finding["code"], &finding["refused"]), (&"refused-advisory".into(), &true.into()));
    let database = &json["databases"][0];
    assert_eq!((&database["format"], &database["commit"]), (&"rustsec".into(), &Value::Null));
    assert!(database["digest"].as_str().unwrap().starts_with("sha256:"));
    // Without a database, there is neither.
    let without = run_in(store.path(), "check --json affected.wasm").json();
    assert_eq!((without.get("advisories"), without.get("databases")), (None, None));
}

/// A binary whose data names an affected crate, and that declares no packages.
fn with_recovered(name: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = "/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/smallvec-1.6.0/src/lib.rs\0";
    fs::write(directory.path().join(name), module_with_data(path)).unwrap();
    directory
}

#[test]
fn packages_that_the_data_names_are_matched_as_recovered() {
    let store = with_recovered("app.wasm");
    let all = run_in(store.path(), "check app.wasm --advisories DB --packages all");
    assert_eq!(all.status, 1, "{}", all.stderr);
    let message = "app.wasm: error: `smallvec` 1.6.0 (recovered) has RUSTSEC-2021-0003 (critical, 9.8)";
    assert!(all.text().starts_with(message), "{}", all.text());
    let json = run_in(store.path(), "check --json app.wasm --advisories DB --packages all").json();
    assert_eq!(json["advisories"][0]["origin"], "recovered");
    let declared = run_in(store.path(), "check app.wasm --advisories DB");
    assert_eq!((declared.status, declared.text()), (0, "app.wasm: accepted\n"));
    let sbom = run_in(store.path(), "sbom app.wasm --advisories DB").json();
    assert_eq!(sbom["vulnerabilities"][0]["id"], "RUSTSEC-2021-0003");
}

#[test]
fn a_policy_refuses_by_class_and_severity() {
    let store = store();
    let refused = |policy: &str| {
        write(&store, "policy.toml", policy);
        let json = run_in(store.path(), "check --json affected.wasm --advisories DB --policy policy.toml").json();
        let list = json["advisories"].as_array().unwrap().iter();
        list.filter(|one| one["refused"] == true).map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(refused("[[advisories]]\nat-least = 'critical'\n"), ["RUSTSEC-2021-0003"]);
    assert_eq!(refused("[[advisories]]\nclasses = 'unmaintained'\n"), ["RUSTSEC-2024-0375"]);
    assert_eq!(refused("[[advisories]]\nclasses = ['unsound', 'unmaintained']\nnames = 'atty'\n").len(), 1);
    assert_eq!(refused("[[advisories]]\nexcept = ['smallvec', 'time']\n"), [""; 0]);
    // The first rule that matches decides.
    assert_eq!(
        refused("[[advisories]]\nnames = 'smallvec'\nseverity = 'note'\n[[advisories]]\nat-least = 'critical'\n"),
        [""; 0]
    );
    write(&store, "policy.toml", "[[advisories]]\nreason = 'patch within a week'\n");
    let run = run_in(store.path(), "check affected.wasm --advisories DB --policy policy.toml");
    assert!(run.text().contains("(patch within a week) [refused-advisory]"), "{}", run.text());
    assert!(run.text().contains("by policy.toml:1") || run.text().contains("policy.toml:1"), "{}", run.text());
}

#[test]
fn a_rule_about_advisories_needs_a_database() {
    let store = store();
    write(&store, "policy.toml", "[[advisories]]\n");
    let run = run_in(store.path(), "check clean.wasm --policy policy.toml");
    assert_eq!(run.status, 1);
    assert!(run.text().contains("no database of advisories was given [not-judged]"), "{}", run.text());
}

#[test]
fn an_exception_names_an_advisory_or_its_alias() {
    let store = store();
    let check = |exception: &str| {
        let rules = "[[advisories]]\nat-least = 'critical'\n";
        write(&store, "policy.toml", &format!("{rules}[[exceptions]]\nreason = 'not reachable'\n{exception}\n"));
        run_in(store.path(), "check affected.wasm --advisories DB --policy policy.toml")
    };
    for exception in [
        "advisories = 'RUSTSEC-2021-0003'",
        "advisories = ['OTHER', 'cve-2021-25900']",
        "advisories = 'RUSTSEC-2021-0003'\nexpires = 9999-12-31",
        "advisories = 'RUSTSEC-2021-0003'\npaths = '*.wasm'",
        "advisories = 'RUSTSEC-2021-0003'\ncodes = 'refused-advisory'",
    ] {
        let run = check(exception);
        assert_eq!(run.status, 0, "{exception}: {}", run.text());
        assert!(run.text().contains("excepted") && run.text().contains("not reachable"), "{}", run.text());
    }
    for exception in [
        "advisories = 'RUSTSEC-2021-0001'",
        "advisories = 'RUSTSEC-2021-0003'\nexpires = 2020-01-01",
        "advisories = 'RUSTSEC-2021-0003'\npaths = 'other/*'",
        "advisories = 'RUSTSEC-2021-0003'\ncodes = 'advisory'",
    ] {
        assert_eq!(check(exception).status, 1, "{exception}");
    }
}

/// A VEX document with these statements.
fn vex(statements: &Value) -> String {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.com/vex/1",
        "author": "me",
        "timestamp": "2026-01-01T00:00:00Z",
        "version": 1,
        "statements": statements,
    })
    .to_string()
}

fn statement(status: &str, product: &str, more: &Value) -> Value {
    let mut statement = json!({
        "vulnerability": {"name": "CVE-2021-25900"},
        "products": [{"@id": product}],
        "status": status,
        "justification": "vulnerable_code_not_in_execute_path",
    });
    statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    statement
}

#[test]
fn vex_statements_excuse_with_a_justification() {
    let store = store();
    write(&store, "policy.toml", "[[advisories]]\nat-least = 'critical'\n");
    let check = |statements: &Value| {
        write(&store, "vex.json", &vex(statements));
        run_in(store.path(), "check affected.wasm --advisories DB --policy policy.toml --vex vex.json")
    };
    let none = json!({});
    for product in ["pkg:cargo/smallvec@1.6.0", "pkg:cargo/smallvec"] {
        let run = check(&json!([statement("not_affected", product, &json!({"impact_statement": "not called"}))]));
        assert_eq!(run.status, 0, "{}", run.text());
        let reason = "OpenVEX: not affected: vulnerable code not in execute path: not called";
        assert!(run.text().contains(reason) && run.text().contains("vex.json:1"), "{}", run.text());
    }
    for statements in [
        json!([statement("not_affected", "pkg:cargo/smallvec@1.5.0", &none)]),
        json!([statement("not_affected", "pkg:npm/smallvec@1.6.0", &none)]),
        json!([statement("not_affected", "https://example.com/app", &none)]),
        json!([statement("affected", "pkg:cargo/smallvec@1.6.0", &none)]),
        json!([statement("not_affected", "pkg:cargo/smallvec", &json!({"vulnerability": {"name": "CVE-1"}}))]),
        // A later statement takes an earlier one back.
        json!([
            statement("not_affected", "pkg:cargo/smallvec", &none),
            statement("under_investigation", "pkg:cargo/smallvec", &none),
        ]),
        json!([
            statement("affected", "pkg:cargo/smallvec", &json!({"timestamp": "2026-02-01T00:00:00Z"})),
            statement("not_affected", "pkg:cargo/smallvec", &none),
        ]),
    ] {
        assert_eq!(check(&statements).status, 1, "{statements}");
    }
}

#[test]
fn vex_statements_about_a_binary_need_its_digest() {
    let store = store();
    let bytes = fs::read(store.path().join("affected.wasm")).unwrap();
    let digest = sectile::digest::Digest::new(&bytes).to_string();
    let product = |subcomponent: &str| {
        json!([{
            "@id": "https://example.com/app",
            "hashes": {"sha-256": digest.trim_start_matches("sha256:")},
            "subcomponents": [{"@id": subcomponent}],
        }])
    };
    write(&store, "policy.toml", "[[advisories]]\nat-least = 'critical'\n");
    for (subcomponent, status) in [("pkg:cargo/smallvec@1.6.0", 0), ("pkg:cargo/atty", 1), ("unknown", 1)] {
        let products = json!({"products": product(subcomponent)});
        write(&store, "vex.json", &vex(&json!([statement("not_affected", "", &products)])));
        let options = "--advisories DB --policy policy.toml --vex vex.json --hash";
        let run = run_in(store.path(), &format!("audit affected.wasm {options}"));
        assert_eq!(run.status, status, "{subcomponent}: {} {}", run.text(), run.stderr);
    }
}

#[test]
fn an_invalid_vex_document_is_an_error() {
    let store = store();
    for (text, message) in [
        ("", "empty"),
        ("{}", "not an OpenVEX 0.2 document"),
        (&vex(&json!([{"status": "fixed"}])), "`vulnerability` is missing"),
        (&vex(&json!([{"vulnerability": {"name": "A"}, "status": "not_affected"}])), "needs a `justification`"),
        (&vex(&json!([{"vulnerability": {"name": "A"}, "status": "gone"}])), "`status` is not one of OpenVEX"),
    ] {
        write(&store, "vex.json", text);
        let run = run_in(store.path(), "check clean.wasm --vex vex.json");
        assert_eq!((run.status, run.text()), (2, ""), "{}", run.stderr);
        assert!(run.stderr.contains("--vex vex.json: ") && run.stderr.contains(message), "{message}: {}", run.stderr);
    }
}

#[test]
fn a_database_that_cannot_be_used_is_never_a_success() {
    let store = store();
    fs::create_dir(store.path().join("empty")).unwrap();
    for (path, message) in
        [("missing", "cannot read"), ("empty", "it has no advisories"), ("clean.wasm", "ZIP archive")]
    {
        for command in ["check clean.wasm", "audit clean.wasm", "sbom clean.wasm"] {
            let run = run_in(store.path(), &format!("{command} --advisories {path}"));
            assert_eq!((run.status, run.text()), (2, ""), "{command} {path} {}", run.stderr);
            assert!(run.stderr.contains(&format!("--advisories {path}: ")), "{}", run.stderr);
            assert!(run.stderr.contains(message), "{}", run.stderr);
        }
    }
    // A part that cannot be used is named, and the rest is used.
    let broken = store.path().join("broken/crates");
    fs::create_dir_all(broken.join("a")).unwrap();
    fs::create_dir_all(broken.join("smallvec")).unwrap();
    fs::write(broken.join("a/RUSTSEC-2020-0001.md"), "# \x1b[31m").unwrap();
    let smallvec = "smallvec/RUSTSEC-2021-0003.md";
    fs::copy(database().join("crates").join(smallvec), broken.join(smallvec)).unwrap();
    for (file, lines) in [("clean.wasm", 1), ("affected.wasm", 2)] {
        let run = run_in(store.path(), &format!("check {file} --advisories broken"));
        assert_eq!((run.status, run.text().lines().count()), (2, lines), "{}", run.text());
        assert!(run.stderr.contains("advisory not used: crates/a/RUSTSEC-2020-0001.md: "), "{}", run.stderr);
    }
}

#[test]
fn packages_that_cannot_be_judged_are_findings() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    write("b.wasm", &module(&[packages(&[("a", "1.0.0")]), packages(&[("b", "1.0.0")])]));
    write("c.wasm", &module(&[custom(".dep-v0", "corrupt")]));
    for (file, message) in [
        ("b.wasm", "there is more than one list of dependencies"),
        ("c.wasm", "the list of dependencies is empty, or could not be read"),
    ] {
        let run = run_in(directory.path(), &format!("check {file} --advisories DB"));
        assert_eq!(run.status, 1, "{file}");
        assert!(run.text().contains(message) && run.text().contains("[not-judged]"), "{}", run.text());
    }
    // Packages of other sources are not those of the database.
    let other = r#"{"packages":[{"name":"smallvec","version":"1.6.0","source":"git"}]}"#;
    write("d.wasm", &module(&[custom(".dep-v0", sectile_testing::binary::zlib(other))]));
    assert_eq!(run_in(directory.path(), "check d.wasm --advisories DB").status, 0);
}

/// The number of findings is bounded, whatever the list.
#[test]
fn many_matches_are_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let versions: Vec<String> = (0..3_000).map(|nth| format!("0.6.0-a.{nth}")).collect();
    let list: Vec<(&str, &str)> = versions.iter().map(|version| ("smallvec", &**version)).collect();
    fs::write(directory.path().join("a.wasm"), module(&[packages(&list)])).unwrap();
    let run = run_in(directory.path(), "check --json a.wasm --advisories DB");
    assert_eq!(run.status, 1);
    let json = run.json();
    assert_eq!(ids(&json).len(), 1_000);
    let messages = json["findings"].as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap());
    assert!(messages.into_iter().any(|message| message.contains("more than 1000 advisories affect its packages")));
}

#[test]
fn every_format_of_an_audit_has_the_advisories() {
    let store = store();
    for format in ["table", "jsonl", "csv", "sarif", "html", "markdown", "junit", "github", "cyclonedx", "spdx"] {
        let run = run_in(store.path(), &format!("audit . --advisories DB --format {format}"));
        assert_eq!(run.status, 1, "{format}: {}", run.stderr);
        assert!(run.text().contains("RUSTSEC-2021-0003"), "{format}: {}", run.text());
        assert!(run.text().contains("1.6.1"), "{format}: {}", run.text());
    }
    let table = run_in(store.path(), "audit . --advisories DB");
    let section = table.text().split("advisories\n").nth(1).unwrap();
    assert!(section.trim_start().starts_with("critical      smallvec 1.6.0 RUSTSEC-2021-0003: "), "{}", table.text());
    assert!(table.text().contains("advisories: RustSec of 2026-"), "{}", table.text());

    let csv = run_in(store.path(), "audit . --advisories DB --format csv");
    let row =
        csv.text().lines().find(|line| line.starts_with("./affected.wasm") || line.contains("affected.wasm")).unwrap();
    assert!(row.contains("RUSTSEC-2021-0003 smallvec 1.6.0; "), "{row}");
    assert!(row.contains(",critical,"), "{row}");
}

#[test]
fn sarif_has_a_rule_for_each_advisory() {
    let store = store();
    let sarif = run_in(store.path(), "audit . --advisories DB --format sarif");
    let log: Value = serde_json::from_str(sarif.text()).unwrap();
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["id"] == "RUSTSEC-2021-0003").unwrap();
    assert_eq!(rule["helpUri"], "https://rustsec.org/advisories/RUSTSEC-2021-0003.html");
    assert_eq!(rule["properties"]["security-severity"], "9.8");
    assert!(rule["help"]["text"].as_str().unwrap().contains("Update smallvec to >= 0.6.14, < 1.0.0 or >= 1.6.1"));
    let results = run["results"].as_array().unwrap();
    let of_advisory: Vec<_> = results.iter().filter(|result| result["ruleId"] == "RUSTSEC-2021-0003").collect();
    assert_eq!(of_advisory.len(), 1);
    assert_eq!((&of_advisory[0]["level"], of_advisory[0].get("ruleIndex")), (&"error".into(), None));
    for result in results {
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{result}");
    }
    let prints: std::collections::HashSet<_> =
        results.iter().map(|one| one["partialFingerprints"].to_string()).collect();
    assert_eq!(prints.len(), results.len());
    assert!(run["properties"]["databases"][0].as_str().unwrap().starts_with("RustSec of "));
}

#[test]
fn rows_are_judged_again_by_a_newer_database_or_policy() {
    let store = store();
    let audit = |options: &str| run_in(store.path(), &format!("audit affected.wasm clean.wasm {options}"));
    let report = |options: &str| run_in(store.path(), &format!("report rows.jsonl {options}"));
    assert_eq!(audit("-o rows.jsonl").status, 0);
    // The rows of an audit without a database are judged like the binaries.
    for format in ["table", "csv", "sarif", "html", "markdown"] {
        let (again, fresh) = (
            report(&format!("--advisories DB --format {format}")),
            audit(&format!("--advisories DB --format {format}")),
        );
        assert_eq!(again.status, 1, "{}", again.stderr);
        if format == "csv" {
            assert_eq!(without_bytes_read(again.text()), without_bytes_read(fresh.text()));
        }
        assert!(again.text().contains("RUSTSEC-2021-0003"), "{format}");
    }
    // Rows do not hold the offsets of sections.
    let without_offsets = |mut findings: Value| {
        for finding in findings.as_array_mut().unwrap() {
            finding.as_object_mut().unwrap().remove("offset");
        }
        findings
    };
    let rows = |run: &Run| {
        let rows = run.text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.filter(|row| row.get("row").is_some())
            .map(|row| (row["advisories"].clone(), without_offsets(row["findings"].clone())))
            .collect::<Vec<_>>()
    };
    let again = report("--advisories DB --json");
    assert_eq!(rows(&again), rows(&audit("--advisories DB --json")));
    assert!(again.text().lines().next().unwrap().contains("\"databases\":[{"), "{}", again.text());

    // A version in a row that cannot be compared is not judged.
    let text = fs::read_to_string(store.path().join("rows.jsonl")).unwrap();
    write(&store, "odd.jsonl", &text.replace("\"version\":\"1.6.0\"", "\"version\":\"one\""));
    let odd = run_in(store.path(), "report odd.jsonl --advisories DB --json");
    assert!(
        odd.text().contains("version `one` of `smallvec` cannot be compared with the versions of RUSTSEC-"),
        "{}",
        odd.text()
    );

    // Another policy judges the advisories in the rows, without a database.
    assert_eq!(audit("--advisories DB -o rows.jsonl").status, 1);
    write(&store, "policy.toml", "[[advisories]]\nclasses = 'unmaintained'\n");
    let again = report("--policy policy.toml --json");
    let refused: Vec<Value> =
        rows(&again).into_iter().flat_map(|(list, _)| list.as_array().cloned().unwrap_or_default()).collect();
    let refused: Vec<&str> =
        refused.iter().filter(|one| one["refused"] == true).map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(refused, ["RUSTSEC-2024-0375"]);
    assert!(!again.text().contains("not-judged"), "{}", again.text());
    // Without a policy, the rows keep their verdicts.
    let kept = report("--json");
    assert_eq!((kept.status, kept.text()), (1, &*fs::read_to_string(store.path().join("rows.jsonl")).unwrap()));
    let kept = report("--format sarif");
    assert!(kept.text().contains("\"ruleId\":\"RUSTSEC-2021-0003\""));
}

/// The lines of a CSV file without their last column.
fn without_bytes_read(csv: &str) -> Vec<&str> {
    csv.lines().map(|line| line.rsplit_once(',').unwrap().0).collect()
}

/// A different database invalidates the rows of an earlier audit.
#[test]
fn an_earlier_report_is_reused_only_with_the_same_database() {
    let store = store();
    let audit = |options: &str| run_in(store.path(), &format!("audit affected.wasm clean.wasm {options}"));
    assert_eq!(audit("-o rows.jsonl").status, 0);
    let other = audit("--advisories DB --since rows.jsonl --json");
    assert_eq!(other.status, 2);
    assert!(other.stderr.contains("policy"), "{}", other.stderr);
    assert_eq!(audit("--advisories DB -o rows.jsonl").status, 1);
    let same = audit("--advisories DB --since rows.jsonl --format sarif");
    assert_eq!(same.status, 1, "{}", same.stderr);
    assert!(same.text().contains("\"ruleId\":\"RUSTSEC-2021-0003\""), "{}", same.text());
}

#[test]
fn an_output_is_never_a_database_or_a_vex_document() {
    let store = store();
    write(&store, "vex.json", &vex(&json!([])));
    let osv = store.path().join("osv");
    fs::create_dir(&osv).unwrap();
    let record = r#"{"id":"A-1","modified":"2026-05-01T10:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"p"},"versions":["1"]}]}"#;
    fs::write(osv.join("a.json"), record).unwrap();
    for output in ["vex.json", "osv/a.json"] {
        let before = fs::read(store.path().join(output)).unwrap();
        let options = format!("--advisories osv --vex vex.json -o jsonl={output}");
        let run = run_in(store.path(), &format!("audit clean.wasm {options}"));
        assert_eq!(run.status, 2, "{output} {}", run.stderr);
        assert_eq!(fs::read(store.path().join(output)).unwrap(), before);
    }
}

#[test]
fn two_databases_are_used_together() {
    let store = store();
    let osv = store.path().join("osv");
    fs::create_dir(&osv).unwrap();
    let record = json!({
        "schema_version": "1.7.0", "id": "GHSA-0", "modified": "2026-05-01T10:00:00Z", "summary": "Another",
        "affected": [{"package": {"ecosystem": "crates.io", "name": "tokio"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.40.1"}]}]}],
    });
    fs::write(osv.join("GHSA-0.json"), record.to_string()).unwrap();
    let json = run_in(store.path(), "check --json affected.wasm --advisories DB --advisories osv").json();
    assert!(ids(&json).contains(&"GHSA-0") && ids(&json).contains(&"RUSTSEC-2021-0003"));
    assert_eq!(json["databases"].as_array().unwrap().len(), 2);
}

#[test]
fn an_sbom_has_the_vulnerabilities_of_its_packages() {
    let store = store();
    let run = run_in(store.path(), "sbom affected.wasm --advisories DB");
    assert_eq!(run.status, 0, "{}", run.stderr);
    let document = run.json();
    let list = document["vulnerabilities"].as_array().unwrap();
    assert_eq!(list.len(), 4);
    assert_eq!((&list[0]["id"], &list[0]["ratings"][0]["severity"]), (&"RUSTSEC-2021-0003".into(), &"critical".into()));
    assert_eq!(list[0]["ratings"][0]["score"], json!(9.8));
    assert_eq!(list[0]["references"][0]["id"], "CVE-2021-25900");
    let reference = &list[0]["affects"][0]["ref"];
    let component = document["components"].as_array().unwrap().iter().find(|one| one["bom-ref"] == *reference).unwrap();
    assert_eq!((&component["name"], &component["version"]), (&"smallvec".into(), &"1.6.0".into()));
    assert_eq!(list[3].get("ratings"), None);
    // A defect of other targets does not affect WebAssembly.
    let atty = list.iter().find(|one| one["id"] == "RUSTSEC-2021-0145").unwrap();
    assert_eq!(atty["analysis"]["state"], "not_affected");
    assert_eq!(list[0]["affects"][0]["versions"], json!([{"version": "1.6.0", "status": "affected"}]));
    let spdx = run_in(store.path(), "sbom affected.wasm --advisories DB --format spdx").json();
    let package = spdx["packages"].as_array().unwrap().iter().find(|one| one["name"] == "smallvec").unwrap();
    let reference = &package["externalRefs"][1];
    assert_eq!(reference["referenceCategory"], "SECURITY");
    assert!(reference["comment"].as_str().unwrap().starts_with("RUSTSEC-2021-0003: "), "{reference}");
    // The standard library of a compiler is not a package of the document: the item is affected.
    let tools = producers(&[("processed-by", &[("rustc", "1.1.0")])]);
    fs::write(store.path().join("old.wasm"), module(&[custom("producers", tools)])).unwrap();
    assert_eq!(run_in(store.path(), "check old.wasm --advisories DB").status, 1);
    let document = run_in(store.path(), "sbom old.wasm --advisories DB").json();
    let item = &document["metadata"]["component"]["bom-ref"];
    assert_eq!(document["vulnerabilities"][0]["affects"], json!([{"ref": item}]));
}

#[test]
fn an_audit_and_an_sbom_have_the_same_vulnerabilities() {
    let store = store();
    let statement = r#"{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "a", "author": "a", "version": 1,
        "timestamp": "2026-01-01T00:00:00Z", "statements": [{"vulnerability": {"name": "RUSTSEC-2021-0003"},
        "products": [{"@id": "pkg:cargo/smallvec@1.6.0"}], "status": "not_affected",
        "justification": "vulnerable_code_not_present"}]}"#;
    write(&store, "vex.json", statement);
    let sbom = run_in(store.path(), "sbom affected.wasm --advisories DB --vex vex.json");
    assert_eq!(sbom.status, 0, "{}", sbom.stderr);
    let sbom = sbom.json();
    let analysis = json!({"state": "not_affected", "detail": "OpenVEX: not affected: vulnerable code not present"});
    let list = sbom["vulnerabilities"].as_array().unwrap();
    let excused = list.iter().find(|one| one["id"] == "RUSTSEC-2021-0003").unwrap();
    assert_eq!(excused["analysis"], analysis);
    // Two other defects are limited to other targets.
    assert_eq!(list.iter().filter(|one| one.get("analysis").is_some()).count(), 3);
    let audit = run_in(store.path(), "audit affected.wasm --advisories DB --vex vex.json --format cyclonedx");
    let text = audit.text().replace("1/item:", "item:");
    let audit: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(audit["vulnerabilities"], sbom["vulnerabilities"]);
}

#[test]
fn help_names_the_options() {
    for command in ["check", "audit", "report", "sbom"] {
        let help = run([command, "--help"]);
        assert!(help.text().contains("--advisories"), "{command}");
    }
}
