//! Policies according to Python's `tomllib` and `jsonschema`. The schema is valid, and so is the
//! example of the docs. The policy reader refuses everything that the schema refuses.

use std::path::PathBuf;
use std::process::Command;

use sectile_policy::Policy;
use sectile_testing::files::project;

/// Reports for each file whether it is valid by the schema.
const VALIDATOR: &str = r#"
import json, sys, tomllib
from jsonschema import Draft202012Validator

schema = json.load(open(sys.argv[1], encoding="utf-8"))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
for path in sys.argv[2:]:
    policy = json.loads(json.dumps(tomllib.load(open(path, "rb")), default=str))
    print("valid" if validator.is_valid(policy) else "wrong")
"#;

/// The path where `.ci/run` installs it.
fn python() -> PathBuf {
    project().join("target/oracles/bin/python3")
}

fn docs(name: &str) -> PathBuf {
    project().join("docs").join(name)
}

#[track_caller]
fn validated(policies: &[String]) -> Vec<bool> {
    let directory = tempfile::tempdir().unwrap();
    let write = |(nth, text): (usize, &String)| {
        let path = directory.path().join(format!("{nth}.toml"));
        std::fs::write(&path, text).unwrap();
        path
    };
    let paths: Vec<PathBuf> = policies.iter().enumerate().map(write).collect();
    let mut python = Command::new(python());
    let output = python.args(["-c", VALIDATOR]).arg(docs("policy.schema.json")).args(paths).output().expect("python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line == "valid").collect()
}

#[test]
#[ignore = "needs jsonschema"]
fn the_schema_accepts_and_rejects_like_the_parser() {
    let text = std::fs::read_to_string(docs("policy.md")).unwrap().replace("\r\n", "\n");
    let (_, example) = text.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let right = [
        example,
        "",
        "licenses.allow = 'MIT'",
        "[[producers]]\nrequired = true\nitems = ['0', '3/0', 'root']",
        "exceptions = { paths = 'a', reason = 'r', expires = '2026-01-01' }",
        "sources = { allow = ['*', '*://a.example'], fields = 'homepage' }",
    ];
    let wrong = [
        "refuse = 'fatal'",
        "refus = 'error'",
        "limits.depth = 0",
        "limits.depth = '3'",
        "severity.not-spdy = 'note'",
        "severity.not-spdx = 'none'",
        "licenses = 3",
        "licenses.items = 'all'",
        "licenses.allow = []",
        "licenses.allow = ['MIT', 'MIT']",
        "licenses = { allow = 'MIT', severity = 'ignore' }",
        "required = { fields = 'license' }",
        "required = { fields = 'name', items = '3/x' }",
        "sources.allow = 'github.com/*'",
        "sources = { allow = '*', fields = 'vendor' }",
        "producers.fields = 'tool'",
        "producers = { names = 'a', required = 'yes' }",
        "dependencies.items = 'all'",
        "sections.kinds = 'cod'",
        "imports.except = 'a'",
        "exceptions.paths = 'a'",
        "exceptions.reason = 'r'",
        "exceptions = { paths = 'a', reason = 'r', expires = 2026-01-01T00:00:00Z }",
        "exceptions = { paths = 'a', reason = 'r', expires = '2026-02-30' }",
        "exceptions = { digests = 'sha256:12', reason = 'r' }",
        "exceptions = { paths = 'a', reason = 'r', codes = 'all' }",
    ];
    let policies: Vec<String> = right.into_iter().chain(wrong).map(ToOwned::to_owned).collect();
    let found = validated(&policies);
    assert_eq!(found.len(), policies.len());
    for (place, (text, valid)) in policies.iter().zip(found).enumerate() {
        assert_eq!(valid, place < right.len(), "by the schema: {text}");
        assert_eq!(Policy::parse("p", text).is_ok(), valid, "by the reader: {text}");
    }
}
