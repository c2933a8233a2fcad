//! `check --policy`.

use std::ffi::OsStr;
use std::fs;

use super::{file, keys_in_order, run, run_with_input};
use sectile_testing::binary::{component, custom, module, nested};

/// `check --policy` of these bytes with this policy text and further arguments.
fn check(bytes: &[u8], text: impl AsRef<[u8]>, args: &[&str]) -> super::Run {
    let (directory, path) = file(bytes);
    let policy = directory.path().join("policy.toml");
    fs::write(&policy, text).unwrap();
    let fixed = [OsStr::new("check"), OsStr::new("--policy"), policy.as_os_str(), path.as_os_str()];
    let mut run = run(fixed.into_iter().chain(args.iter().map(OsStr::new)));
    // The names are relative to the directory.
    let prefix = format!("{}/", directory.path().display());
    run.stdout = run.text().replace(&prefix, "").into_bytes();
    run
}

const POLICY: &str =
    "[required]\nfields = 'version'\nreason = 'say which'\n[sections]\nnames = '.debug_*'\nseverity = 'note'";

#[test]
fn violations_are_shown_like_findings() {
    let bytes = component(&[nested(&module(&[custom("version", "1")])), custom(".debug_x", "")]);
    let shown = check(&bytes, POLICY, &[]);
    let lines = lines(&shown);
    let expected = [
        "error: `version` is required, but is missing (say which) [missing-field] (at offset 0x0, section version) by policy.toml:1",
        "note: the custom section `.debug_x` is refused [refused-section] (at offset 0x1d, section .debug_x) by policy.toml:4",
        "refused, 1 error, 1 note",
    ];
    assert_eq!((shown.status, &lines[..]), (1, &expected[..]));

    let shown = check(&bytes, POLICY, &["--json"]);
    let json = shown.json();
    assert_eq!((shown.status, &json["accepted"]), (1, &false.into()));
    let expected = serde_json::json!([
        {"code": "missing-field", "severity": "error", "path": "", "offset": 0, "section": "version",
         "message": "`version` is required, but is missing (say which)", "refused": true, "rule": "policy.toml:1"},
        {"code": "refused-section", "severity": "note", "path": "", "offset": 29, "section": ".debug_x",
         "message": "the custom section `.debug_x` is refused", "refused": false, "rule": "policy.toml:4"},
    ]);
    assert_eq!(json["findings"], expected);
    let finding = &shown.text()[shown.text().find("{\"code\"").unwrap()..];
    let keys = ["code", "severity", "path", "offset", "section", "message", "refused", "rule"];
    assert_eq!(keys_in_order(finding)[..8], keys);
}

#[test]
fn exit_status_follows_the_policy() {
    let bytes = module(&[custom("version", "1"), custom("licenses", "mit")]);
    assert_eq!(check(&bytes, POLICY, &[]).status, 0);
    assert_eq!(check(&bytes, format!("refuse = 'warning'\n{POLICY}"), &[]).status, 1);
    // Command-line options take precedence.
    assert_eq!(check(&bytes, format!("refuse = 'warning'\n{POLICY}"), &["--refuse", "error"]).status, 0);
    assert_eq!(check(&bytes, POLICY, &["--refuse", "warning"]).status, 1);
    assert_eq!(check(&bytes, "severity.imprecise-license = 'ignore'", &["--refuse", "note"]).status, 0);
    // The policy's limits apply to the reading, and truncation is not a success.
    let shown = check(&bytes, "limits.sections = 1", &[]);
    assert_eq!(shown.status, 2, "{}", shown.stderr);
    assert_eq!(check(&bytes[..bytes.len() - 1], "", &[]).status, 2);
}

#[test]
fn an_invalid_policy_judges_no_file() {
    let bytes = module(&[]);
    let shown = check(&bytes, "refuse = 'error'\n[licenses]\nallow = 'MITT'", &[]);
    assert_eq!((shown.status, shown.text()), (2, ""));
    let message = "policy.toml:3:9: licenses.allow: `MITT` is not an SPDX expression: unknown term, at `MITT`; ";
    assert!(shown.stderr.starts_with("sectile: ") && shown.stderr.contains(message), "{}", shown.stderr);
    assert_eq!(check(&bytes, b"\xff", &["--json"]).text(), "");
    assert_eq!(check(&bytes, "\u{1b}[2J\u{202e}", &[]).stderr.find(['\u{1b}', '\u{202e}']), None);
    let (_directory, path) = file(&bytes);
    for wrong in ["no-such-file", "."] {
        let shown = run([OsStr::new("check"), OsStr::new("--policy"), OsStr::new(wrong), path.as_os_str()]);
        assert_eq!((shown.status, shown.text()), (2, ""), "{wrong}");
    }
    // Only one policy is allowed.
    assert_eq!(check(&bytes, "", &["--policy", "x.toml"]).status, 2);
}

/// The lines of a verdict, without the name of the file.
fn lines(shown: &super::Run) -> Vec<&str> {
    shown.text().lines().map(|line| line.split_once("a.wasm: ").unwrap().1).collect()
}

/// Only a broken rule or an expired exception has a location in the policy.
#[test]
fn findings_name_the_violated_rule() {
    let bytes = module(&[custom("licenses", "mit")]);
    let policy =
        "# ours\n\n[[licenses]]\nallow = 'ISC'\n\n[[exceptions]]\npaths = '*'\nreason = 'r'\nexpires = 2020-01-01\n";
    let json = check(&bytes, policy, &["--json"]).json();
    let rules: Vec<_> =
        json["findings"].as_array().unwrap().iter().map(|found| (&found["code"], &found["rule"])).collect();
    let expected = [
        ("imprecise-license".into(), serde_json::Value::Null),
        ("refused-license".into(), "policy.toml:3".into()),
        ("expired-exception".into(), "policy.toml:6".into()),
    ];
    assert_eq!(rules, expected.iter().map(|(code, rule)| (code, rule)).collect::<Vec<_>>());
}

/// An exception applies to the file name as given, on the given day.
#[test]
fn excepted_findings_are_shown_but_do_not_refuse() {
    let bytes = module(&[custom("licenses", "GPL-3.0-only")]);
    let exception = "licenses.allow = 'MIT'\n[exceptions]\npaths = '*/a.wasm'\nreason = \"asked \\u202e\"\n";
    let policy = |expires: &str| format!("{exception}{expires}");
    let shown = check(&bytes, policy(""), &[]);
    let lines = lines(&shown);
    assert!(
        lines[0].ends_with("section licenses) by policy.toml:1, excepted by policy.toml:2: asked \\u{202e}"),
        "{lines:?}"
    );
    assert_eq!((shown.status, lines[1]), (0, "accepted, 1 excepted"));
    let json = check(&bytes, policy("expires = 9999-12-30"), &["--json"]).json();
    assert_eq!(json["accepted"], true);
    let expected = serde_json::json!({"reason": "asked \u{202e}", "expires": "9999-12-30", "rule": "policy.toml:2"});
    assert_eq!((&json["findings"][0]["excepted"], &json["findings"][0]["refused"]), (&expected, &false.into()));
    // By the clock, the exception has expired.
    let shown = check(&bytes, policy("expires = 2020-01-01"), &["--json"]);
    let json = shown.json();
    assert_eq!((shown.status, &json["findings"][1]["code"]), (1, &"expired-exception".into()));
    assert_eq!(json["findings"][0].get("excepted"), None);
    // By the variable, it has not.
    let (directory, path) = file(&bytes);
    let policy_file = directory.path().join("policy.toml");
    fs::write(&policy_file, policy("expires = 2020-01-01")).unwrap();
    let at = |epoch: &str| {
        let mut command =
            super::command([OsStr::new("check"), OsStr::new("--policy"), policy_file.as_os_str(), path.as_os_str()]);
        command.env("SOURCE_DATE_EPOCH", epoch).output().unwrap().status.code()
    };
    assert_eq!(["1577923199", "1577923200", "soon"].map(at), [Some(0), Some(1), Some(2)]);
}

#[test]
fn policies_may_come_from_standard_input() {
    let (_directory, path) = file(&module(&[]));
    let shown = run_with_input(
        [OsStr::new("check"), OsStr::new("--policy"), OsStr::new("-"), path.as_os_str()],
        b"\nrequired.fields = 'name'",
    );
    assert_eq!(shown.status, 1);
    assert!(shown.text().lines().next().unwrap().ends_with(" by standard input:2"), "{}", shown.text());
    let directory = path.parent().unwrap().as_os_str();
    let audit = [OsStr::new("audit"), OsStr::new("--format=jsonl"), OsStr::new("--policy=-"), directory];
    let shown = run_with_input(audit, b"required.fields = 'name'");
    assert!(
        shown.text().contains("\"policy\":\"standard input\"")
            && shown.text().contains("\"rule\":\"standard input:1\"")
    );
    // Standard input cannot be used twice.
    let shown = run_with_input(["check", "-", "--policy", "-"], b"");
    assert!(shown.status == 2 && shown.stderr.contains("both FILE and the policy"), "{}", shown.stderr);
    let shown = run_with_input([OsStr::new("check"), OsStr::new("--policy=-"), path.as_os_str()], b"refuse = 'fatal'");
    assert!(shown.status == 2 && shown.stderr.starts_with("sectile: standard input:1:10: refuse:"), "{}", shown.stderr);
}

#[test]
fn starter_policies_are_written_and_checked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    let policy = |args: &[&OsStr]| run([OsStr::new("policy")].into_iter().chain(args.iter().copied()));
    let init = [OsStr::new("init"), OsStr::new("-o"), path.as_os_str()];
    let written = policy(&init);
    assert_eq!((written.status, written.text(), &*written.stderr), (0, "", ""));
    assert_eq!(fs::read_to_string(&path).unwrap(), policy(&[OsStr::new("init")]).text());
    let checked = policy(&[OsStr::new("check"), path.as_os_str()]);
    assert!(
        checked.status == 0 && checked.text().ends_with("policy.toml: ok, 3 rules, 0 exceptions\n"),
        "{}",
        checked.text()
    );
    // An existing file stays.
    fs::write(&path, "refuse = 'note'\n").unwrap();
    let again = policy(&init);
    assert!(again.status == 2 && again.stderr.contains("use --force to replace it"), "{}", again.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), "refuse = 'note'\n");
    assert_eq!(policy(&[init[0], init[1], init[2], OsStr::new("--force")]).status, 0);
    assert!(fs::read_to_string(&path).unwrap().len() > 1_000);
}

#[test]
fn policies_are_checked_and_shown() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let old = write("old.toml", "[[exceptions]]\npaths = 'a'\nreason = 'r'\nexpires = 2020-01-01\n");
    let wrong = write("wrong.toml", "severity.missing-feild = 'note'");
    let checked = run([OsStr::new("policy"), OsStr::new("check"), wrong.as_os_str(), old.as_os_str()]);
    assert_eq!(checked.status, 2);
    let message = "wrong.toml:1:10: severity.missing-feild: unknown code of a finding; did you mean `missing-field`? `sectile explain --list` lists all codes\n";
    assert!(checked.stderr.ends_with(message), "{}", checked.stderr);
    let lines: Vec<&str> = checked.text().lines().collect();
    assert!(lines[0].contains("old.toml:1: warning: the exception `r` has expired"), "{lines:?}");
    assert!(lines[1].ends_with("old.toml: ok, 0 rules, 1 exception, 1 warning"), "{lines:?}");
    let json = run([OsStr::new("policy"), OsStr::new("check"), OsStr::new("--json"), old.as_os_str()]).json();
    assert_eq!(
        (&json["rules"], &json["exceptions"], json["warnings"].as_array().unwrap().len()),
        (&0.into(), &1.into(), 1)
    );

    let shown = run([OsStr::new("policy"), OsStr::new("show"), old.as_os_str()]);
    assert!(
        shown.text().starts_with("refuse = \"error\"\npackages = \"declared\"\n\n[limits]\ndepth = 1000\n"),
        "{}",
        shown.text()
    );
    let again = run_with_input(["policy", "show", "-"], &shown.stdout);
    assert_eq!(again.status, 0, "{}", again.stderr);
    let json = run([OsStr::new("policy"), OsStr::new("show"), OsStr::new("--json"), old.as_os_str()]).json();
    assert_eq!(json["exceptions"][0]["expires"], "2020-01-01");
    assert_eq!(run([OsStr::new("policy"), OsStr::new("show"), wrong.as_os_str()]).status, 2);
}

const EXCEPTIONS: &str = "[[required]]\nfields = ['name', 'version']\n\
    [[exceptions]]\npaths = '*/a*.wasm'\ncodes = 'missing-field'\nreason = 'vendored'\nexpires = 9999-12-30\n\
    [[exceptions]]\npaths = 'gone/*'\nreason = 'gone \\u202e'\n\
    [[exceptions]]\npaths = '*/b.wasm'\nreason = 'old'\nexpires = 2020-01-01\n";

#[test]
fn unused_exceptions_are_warned_about() {
    let bytes = module(&[]);
    let exceptions = EXCEPTIONS.replace('\'', "\"");
    let shown = check(&bytes, &exceptions, &["--json"]);
    assert_eq!((shown.status, &shown.json()["excepted"]), (0, &2.into()));
    let warning = "sectile: warning: 2 exceptions of the policy excused nothing: ";
    assert!(shown.stderr.starts_with(warning) && shown.stderr.lines().count() == 1, "{}", shown.stderr);
    assert!(shown.stderr.contains("policy.toml:8 (gone \\u{202e})") && shown.stderr.contains("policy.toml:11 (old)"));
    let used = check(&bytes, "required.fields = 'name'\nexceptions = { paths = '*', reason = 'r' }", &[]);
    assert_eq!((used.status, &*used.stderr), (0, ""));
}

/// Sums exclude excused findings, whether they are new or from an earlier report.
#[test]
fn audits_count_excepted_findings_separately() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    fs::create_dir(&store).unwrap();
    for nth in 0..40 {
        fs::write(store.join(format!("a{nth}.wasm")), module(&[])).unwrap();
    }
    fs::write(store.join("b.wasm"), module(&[])).unwrap();
    let policy = directory.path().join("policy.toml");
    fs::write(&policy, EXCEPTIONS.replace('\'', "\"")).unwrap();
    let report = directory.path().join("report.jsonl");
    let audit = |args: &[&OsStr]| {
        let fixed = [OsStr::new("audit"), store.as_os_str(), OsStr::new("--policy"), policy.as_os_str()];
        run(fixed.into_iter().chain(args.iter().copied()))
    };
    let jsonl = [OsStr::new("--format=jsonl"), OsStr::new("-o"), report.as_os_str()];
    let summary = || {
        let text = fs::read_to_string(&report).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        last["summary"].clone()
    };
    // The files are older than a tick of the clock.
    std::thread::sleep(std::time::Duration::from_millis(60));
    for since in [false, true] {
        for threads in ["--threads=1", "--threads=4"] {
            let reused = [OsStr::new("--since"), report.as_os_str()];
            let args = [&jsonl[..], &[OsStr::new(threads)], if since { &reused } else { &[] }].concat();
            let shown = audit(&args);
            assert_eq!(shown.status, 1, "{}", shown.stderr);
            assert!(shown.stderr.contains("warning: 1 exception of the policy excused nothing: "), "{}", shown.stderr);
            let summary = summary();
            assert_eq!((&summary["excepted"], &summary["refused"]), (&80.into(), &1.into()));
            let unused = &summary["unused_exceptions"];
            assert_eq!((unused.as_array().unwrap().len(), &unused[0]["reason"]), (1, &"gone \u{202e}".into()));
            assert!(unused[0]["rule"].as_str().unwrap().ends_with("policy.toml:8"));
            assert!(!since || summary["bytes_read"] == 0, "{summary}");
        }
    }
    let table = audit(&[]);
    let line = |beginning: &str| table.text().lines().find(|line| line.trim_start().starts_with(beginning)).unwrap();
    assert!(line("80 findings").contains("excepted by the policy"));
    assert!(line("error    missing-field").ends_with("1 refused, 40 excepted"), "{}", table.text());
    let csv = audit(&[OsStr::new("--format=csv")]);
    let head: Vec<&str> = csv.text().lines().next().unwrap().split(',').collect();
    let row: Vec<&str> = csv.text().lines().nth(1).unwrap().split(',').collect();
    let value = |name: &str| row[head.iter().position(|column| *column == name).unwrap()];
    assert_eq!((value("errors"), value("excepted"), value("refused")), ("0", "2", "0"));
}
