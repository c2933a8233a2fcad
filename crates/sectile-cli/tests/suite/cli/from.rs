//! `set --from` and `--revision-from-git`.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use super::{Run, run, run_with_input, show_json};
use sectile_testing::binary::{component, custom, module, nested, producers};

const CARGO: &str = "[package]\nname = \"adder\"\nversion = \"1.2.0\"\nauthors = [\"A <a@example.com>\", \"B\"]\n\
    license = \"MIT/Apache-2.0\"\nkeywords = [\"k\"]\n[package.metadata.sectile]\nrevision = \"r1\"\n";

/// A file of these bytes, with a manifest next to it.
fn with_manifest(bytes: &[u8], manifest: &str, text: &str) -> (TempDir, PathBuf, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let (path, manifest) = (directory.path().join("app.wasm"), directory.path().join(manifest));
    fs::write(&path, bytes).unwrap();
    fs::write(&manifest, text).unwrap();
    (directory, path, manifest)
}

fn set(path: &Path, manifest: &Path, rest: &[&str]) -> Run {
    let args = [OsStr::new("set"), path.as_os_str(), OsStr::new("--from"), manifest.as_os_str()];
    run(args.into_iter().chain(rest.iter().map(OsStr::new)))
}

#[test]
fn a_manifest_gives_fields_the_name_and_the_language() {
    for source in [module(&[]), component(&[])] {
        let (_kept, path, manifest) = with_manifest(&source, "Cargo.toml", CARGO);
        let ran = set(&path, &manifest, &[]);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        let [license, keywords] = &ran.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{}", ran.stderr) };
        let place = |line| format!("{}:{line}: package.", manifest.display());
        assert!(
            license.contains(&format!("rewritten: {}license: `MIT/Apache-2.0` is not an SPDX", place(5))),
            "{license}"
        );
        assert!(keywords.ends_with(&format!("dropped: {}keywords: no matching field", place(6))), "{keywords}");
        let (_, json) = show_json(&fs::read(&path).unwrap());
        let item = &json["item"];
        assert_eq!(item["name"], "adder");
        assert_eq!(item["producers"], json!({"language": [["Rust", ""]]}));
        let expected = json!({"authors": "A <a@example.com>, B", "licenses": "MIT OR Apache-2.0", "revision": "r1", "version": "1.2.0"});
        assert_eq!(item["annotations"], expected);

        let before = fs::metadata(&path).unwrap().modified().unwrap();
        let again = set(&path, &manifest, &[]);
        assert!(again.text().contains("already up to date"), "{}", again.text());
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    }
}

#[test]
fn options_win_over_the_manifest() {
    let text = CARGO.replace("MIT/Apache-2.0", "refused by itself");
    let source = module(&[custom("producers", producers(&[("language", &[("Rust", "1.88")])]))]);
    let (_kept, path, manifest) = with_manifest(&source, "Cargo.toml", &text);
    let by_hand = ["--licenses", "ISC", "--name", "mine", "--version", "2", "--language", "C=11"];
    let ran = set(&path, &manifest, &by_hand);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let (_, json) = show_json(&fs::read(&path).unwrap());
    let item = &json["item"];
    assert_eq!(item["name"], "mine");
    assert_eq!(
        item["producers"],
        json!({"language": [["Rust", "1.88"], ["C", "11"]]}),
        "what is there keeps its version"
    );
    let expected = json!({"authors": "A <a@example.com>, B", "licenses": "ISC", "revision": "r1", "version": "2"});
    assert_eq!(item["annotations"], expected);
    let ran =
        set(&path, &manifest, &["--licenses", "ISC", "--drop-producer", "language:Rust", "--language", "Rust=1.90"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let (_, json) = show_json(&fs::read(&path).unwrap());
    assert_eq!(json["item"]["producers"], json!({"language": [["Rust", "1.90"], ["C", "11"]]}));
    let ran = set(&path, &manifest, &["--licenses", "ISC", "--drop-producer", "language:Rust"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let (_, json) = show_json(&fs::read(&path).unwrap());
    assert_eq!(json["item"]["producers"], json!({"language": [["C", "11"]]}));
}

#[test]
fn an_invalid_value_is_named_by_file_line_and_key() {
    let (_kept, path, manifest) =
        with_manifest(&module(&[]), "wkg.toml", "[metadata]\nlicense = \"Foo\"\nhomepage = \"x\x7f\"\n");
    let (malformed, expected) =
        (set(&path, &manifest, &[]), format!("sectile: {}: {}:3: ", path.display(), manifest.display()));
    assert_eq!((malformed.status, malformed.stderr.starts_with(&expected)), (2, true), "{}", malformed.stderr);
    fs::write(&manifest, "[metadata]\nlicense = \"Foo\"\nhomepage = \"javascript:x\"\n").unwrap();
    let ran = set(&path, &manifest, &[]);
    let expected = format!(
        "sectile: {}: {}:3: metadata.homepage: invalid value for homepage: `javascript:x` is not an \
        http or https URL; give another value by an option, or use --allow-invalid to write it anyway\n",
        path.display(),
        manifest.display()
    );
    assert_eq!((ran.status, &*ran.stderr), (2, &*expected));
    assert_eq!(fs::read(&path).unwrap(), module(&[]));
    let ran = set(&path, &manifest, &["--allow-invalid"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(fs::read(&path).unwrap(), module(&[custom("homepage", b"javascript:x"), custom("licenses", b"Foo")]));
}

#[test]
fn notices_stay_off_standard_output_and_are_escaped() {
    let text = r#"{"name": "a", "license": "SEE LICENSE IN \u001b[31m\u202ex"}"#;
    let (_kept, path, manifest) = with_manifest(&module(&[]), "package.json", text);
    let ran = set(&path, &manifest, &["--json", "-o", "-"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with(b"\0asm") && ran.stderr.contains(r"\x1b[31m\u{202e}x"), "{}", ran.stderr);
    let ran = set(&path, &manifest, &["--json", "-n"]);
    assert_eq!(ran.json()["written"], false);
    let ran = set(&path, &manifest.with_file_name("x.toml"), &[]);
    assert!(
        ran.status == 2 && ran.stderr.contains("expected one of Cargo.toml, wkg.toml, package.json, pyproject.toml")
    );
}

#[test]
fn a_manifest_applies_to_the_selected_item() {
    let source = component(&[nested(&module(&[]))]);
    let (_kept, path, manifest) = with_manifest(&source, "pyproject.toml", "[project]\nversion = \"1\"\n");
    assert_eq!(set(&path, &manifest, &["--at", "0"]).status, 0);
    assert_eq!(fs::read(&path).unwrap(), component(&[nested(&module(&[custom("version", b"1")]))]));
}

/// (The library's tests compare the revision with `git`.)
#[test]
fn precedence_is_option_then_git_then_manifest() {
    let (kept, path, manifest) = with_manifest(&module(&[]), "Cargo.toml", CARGO);
    let ran = set(&path, &manifest, &["--revision-from-git"]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr.ends_with("Cargo.toml is not in a Git work tree; use --revision to give one\n"),
        "{}",
        ran.stderr
    );
    let ran = set(&path, &manifest, &["--revision-from-git", "--revision", "x"]);
    assert!(ran.status == 2 && ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
    assert_eq!(fs::read(&path).unwrap(), module(&[]));

    let git = |args: &[&str]| {
        let user = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
        let output = std::process::Command::new("git").current_dir(kept.path()).args(user).args(args).output().ok()?;
        assert!(output.status.success());
        Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    if git(&["init", "-q"]).is_none() {
        // Not printed with a macro, because the test harness captures the output of a passing test.
        _ = writeln!(io::stderr(), "SKIPPED: there is no `git` to make a repository with");
        return;
    }
    git(&["add", "Cargo.toml"]);
    git(&["commit", "-q", "-m", "x"]);
    let commit = git(&["rev-parse", "HEAD"]).unwrap();
    assert_eq!(set(&path, &manifest, &["--revision-from-git"]).status, 0);
    let revision = |path: &Path| show_json(&fs::read(path).unwrap()).1["item"]["annotations"]["revision"].clone();
    assert_eq!(revision(&path), commit);
    fs::write(&manifest, format!("{CARGO}\n")).unwrap();
    let args = [OsStr::new("set"), path.as_os_str(), OsStr::new("--revision-from-git")];
    assert_eq!(run(args).status, 0, "of the file's own work tree");
    assert_eq!(revision(&path), format!("{commit}+dirty"));
    let args = [OsStr::new("set"), "-".as_ref(), "--revision-from-git".as_ref(), "-o".as_ref(), "-".as_ref()];
    let args = args.into_iter().chain(["--from".as_ref(), manifest.as_os_str()]);
    let ran = run_with_input(args, &module(&[]));
    assert!(String::from_utf8_lossy(&ran.stdout).contains(&format!("{commit}+dirty")), "{}", ran.stderr);
}
