//! `--packages`.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Value, json};

use super::{Run, file, run};
use sectile_testing::binary::{active, custom, data_section, dependencies, module, name, zlib};

const CRATE: &str = "/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/serde-1.0.219/src/lib.rs\0";

/// A module whose data names a crate, a Go module and a library, and ends with this text.
pub fn with_packages(text: &str) -> Vec<u8> {
    let go = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6\
        path\texample.com/cmd\nmod\texample.com/app\t(devel)\t\ndep\texample.com/old\tv1.0.0\n\
        =>\texample.com/new\tv1.1.0\th1:sum=\nbuild\tGOOS=js\n\
        \xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";
    let zlib = " inflate 1.3.1 Copyright 1995-2024 Mark Adler ";
    let data = [CRATE.as_bytes(), go, zlib.as_bytes(), text.as_bytes()].concat();
    module(&[data_section(&[active(1024, data)]), custom("name", name("app"))])
}

/// A module whose data names `serde 1.0.219`, and that declares another version of it.
fn with_other_version() -> Vec<u8> {
    let list = r#"{"packages":[{"name":"serde","version":"1.0.218","source":"crates.io"}]}"#;
    module(&[data_section(&[active(0, CRATE)]), custom(".dep-v0", zlib(list))])
}

fn run_on(path: &Path, args: &[&str]) -> Run {
    run(args.iter().map(OsStr::new).chain([path.as_os_str()]))
}

/// `name version list evidence` of each package.
fn listed(json: &Value) -> Vec<String> {
    let packages = json["packages"].as_array().unwrap().iter();
    let text = |package: &Value, key: &str| package[key].as_str().unwrap().to_owned();
    packages.map(|package| ["name", "version", "list", "evidence"].map(|key| text(package, key)).join(" ")).collect()
}

const FOUND: [&str; 4] = [
    "serde 1.0.219 recovered registry-path",
    "example.com/app (devel) embedded go-modinfo",
    "example.com/new v1.1.0 embedded go-modinfo",
    "zlib 1.3.1 recovered version-text",
];

#[test]
fn all_packages_are_rows_of_show_check_and_audit() {
    let bytes = with_packages("");
    let (_directory, path) = file(&bytes);
    for command in ["show", "check"] {
        let json = run_on(&path, &[command, "--json", "--packages", "all"]).json();
        assert_eq!(listed(&json), FOUND, "{command}");
        let package = &json["packages"][2];
        let offset = package["offset"].as_u64().unwrap() as usize;
        assert!(bytes[offset..].starts_with(b"dep\texample.com/old"), "{package}");
        assert_eq!(
            *package,
            json!({"name": "example.com/new", "version": "v1.1.0", "ecosystem": "golang", "source": "",
                "list": "embedded", "evidence": "go-modinfo", "confidence": "high", "path": "", "offset": offset,
                "count": 1, "checksum": "h1:sum=", "replaces": "example.com/old@v1.0.0"})
        );
        assert_eq!(json["go_builds"][0]["settings"], json!([["GOOS", "js"]]));
        for other in [&[command, "--json"][..], &[command, "--json", "--packages", "declared"]] {
            let json = run_on(&path, other).json();
            assert_eq!((listed(&json), json.get("go_builds")), (Vec::new(), None));
        }
    }
    let audit = run_on(&path, &["audit", "--json", "--packages", "all"]);
    let row: Value = serde_json::from_str(audit.text().lines().nth(1).unwrap()).unwrap();
    assert_eq!(listed(&row), FOUND);
    let csv = run_on(&path, &["audit", "--format", "csv", "--packages", "all"]);
    let columns: Vec<_> = csv.text().lines().next().unwrap().split(',').collect();
    let packages = columns.iter().position(|column| *column == "packages").unwrap();
    let row: Vec<_> = csv.text().lines().nth(1).unwrap().split(',').collect();
    assert_eq!(row[packages], "4", "{}", csv.text());
}

#[test]
fn declared_packages_cost_no_extra_reading() {
    let (_directory, path) = file(&with_packages(&".".repeat(300_000)));
    let bytes_read = |args: &[&str]| run_on(&path, args).json()["bytes_read"].as_u64().unwrap();
    let declared = bytes_read(&["show", "--json", "--packages", "declared"]);
    assert_eq!(declared, bytes_read(&["show", "--json"]));
    assert!(declared < 10_000 && bytes_read(&["show", "--json", "--packages", "all"]) > 300_000);
}

#[test]
fn show_lists_packages_for_people() {
    let (_directory, path) = file(&with_packages(""));
    let text = run_on(&path, &["show", "--packages", "all"]);
    for line in ["2 packages\n", "2 packages found in the data", " serde 1.0.219 (cargo, registry-path)\n"] {
        assert!(text.text().contains(line), "{line}: {}", text.text());
    }
    assert!(!text.text().contains(".cargo"), "{}", text.text());
}

#[test]
fn packages_that_no_list_declares_are_findings() {
    let (_directory, path) = file(&with_other_version());
    let json = run_on(&path, &["check", "--json", "--packages", "all"]).json();
    assert_eq!(listed(&json), ["serde 1.0.218 declared dep-v0", FOUND[0]]);
    let finding = &json["findings"][0];
    assert_eq!((finding["code"].as_str(), finding["severity"].as_str()), (Some("undeclared-package"), Some("warning")));
    assert_eq!(finding["message"], "`serde` 1.0.219 is not in the declared list, but the data names it");
    let refused = run_on(&path, &["check", "--packages", "all", "--refuse", "warning"]);
    assert_eq!(refused.status, 1);
    assert_eq!(run_on(&path, &["check", "--refuse", "warning"]).status, 0);
}

#[test]
fn a_declared_package_wins() {
    let list = r#"{"packages":[{"name":"serde","version":"1.0.219","source":"crates.io"}]}"#;
    let (_directory, path) = file(&module(&[data_section(&[active(0, CRATE)]), custom(".dep-v0", zlib(list))]));
    let json = run_on(&path, &["check", "--json", "--packages", "all"]).json();
    assert_eq!(
        (listed(&json).join(", "), json["findings"].as_array().unwrap().len()),
        ("serde 1.0.219 declared dep-v0".to_owned(), 0)
    );
}

#[test]
fn an_sbom_with_recovered_packages_is_incomplete() {
    let (_directory, path) = file(&with_packages(""));
    let sbom = run_on(&path, &["sbom"]);
    let json = sbom.json();
    let purls: Vec<_> =
        json["components"].as_array().unwrap().iter().map(|component| component["purl"].as_str().unwrap()).collect();
    assert_eq!(
        purls,
        [
            "pkg:cargo/serde@1.0.219",
            "pkg:golang/example.com/app",
            "pkg:golang/example.com/new@v1.1.0",
            "pkg:generic/zlib@1.3.1"
        ]
    );
    assert_eq!((sbom.status, json["compositions"][0]["aggregate"].as_str()), (0, Some("incomplete")));
    assert!(sbom.stderr.contains("2 packages recovered from the data"), "{}", sbom.stderr);
    assert!(sbom.stderr.contains("% of the file"), "{}", sbom.stderr);
    let declared = run_on(&path, &["sbom", "--packages", "declared"]).json();
    assert_eq!(declared["components"], json!([]));
    let (_directory, path) = file(&module(&[dependencies("p")]));
    let complete = run_on(&path, &["sbom"]);
    let compositions = json!([{"aggregate": "complete", "dependencies": ["item:0"]}]);
    assert_eq!((&complete.json()["compositions"], &*complete.stderr), (&compositions, ""));
}

/// The rows of another mode are not reused.
#[test]
fn an_audit_reuses_only_rows_of_the_same_packages() {
    let (directory, path) = file(&with_packages(""));
    let rows = directory.path().join("rows.jsonl");
    let audit = |args: &[&str]| {
        let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        let run = run(["audit".as_ref(), path.as_os_str()].into_iter().chain(args));
        (run.status, run.stdout)
    };
    let rows = rows.to_str().unwrap();
    assert_eq!(audit(&["-o", rows, "--packages", "all"]).0, 0);
    let reused = audit(&["--json", "--since", rows, "--packages", "all"]);
    assert_eq!(listed(&serde_json::from_slice(reused.1.split(|byte| *byte == b'\n').nth(1).unwrap()).unwrap()), FOUND);
    let other = audit(&["--json", "--since", rows]);
    let row = other.1.split(|byte| *byte == b'\n').nth(1).map(serde_json::from_slice::<Value>);
    assert!(row.is_none_or(|row| row.is_err() || listed(&row.unwrap()).is_empty()));
}

#[test]
fn the_policy_selects_the_packages_to_judge() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("app.wasm"), with_packages("")).unwrap();
    std::fs::write(at("all.toml"), "packages = 'all'\n[[dependencies]]\nnames = ['serde', 'example.com/new']\n")
        .unwrap();
    let in_directory = |arguments: &str| {
        let mut command = super::command(arguments.split(' '));
        Run::of(command.current_dir(directory.path()).output().unwrap())
    };
    for command in ["check app.wasm", "audit app.wasm --format github"] {
        let run = in_directory(&format!("{command} --policy all.toml"));
        assert_eq!(run.status, 1, "{}", run.stderr);
        for message in [
            "the recovered dependency `serde`, version `1.0.219`, is refused",
            "the embedded dependency `example.com/new`, version `v1.1.0`, is refused",
        ] {
            assert!(run.text().contains(message), "{}", run.text());
        }
        // The option overrides the policy.
        assert_eq!(in_directory(&format!("{command} --policy all.toml --packages declared")).status, 0);
    }
    // Rows of an audit that did not search the data cannot answer the rule.
    in_directory("audit app.wasm -o rows.jsonl");
    let report = in_directory("report rows.jsonl --policy all.toml --json");
    assert!(report.text().contains("cannot be judged: the data was not searched for packages"), "{}", report.text());
}
