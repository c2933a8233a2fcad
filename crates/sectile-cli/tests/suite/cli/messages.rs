//! Amount of output besides the answer: `--quiet`, `--verbose` and `--no-progress`.

use std::fs;
use std::path::Path;

use super::{Run, file, run};
use sectile_testing::binary::{custom, module};

fn run_on(args: &[&str], path: &Path) -> Run {
    run(args.iter().map(|arg| arg.as_ref()).chain([path.as_os_str()]))
}

#[test]
fn quiet_leaves_out_success_and_warnings() {
    let bytes = module(&[custom("licenses", "mit")]);
    for args in [
        &["check", "-q"][..],
        &["set", "-q", "--licenses", "GPL-3.0"],
        &["set", "--quiet", "--vendor", "v"],
        &["strip", "-q"],
        &["unset", "-q", "--field", "version"],
    ] {
        let (_directory, path) = file(&bytes);
        let ran = run_on(args, &path);
        assert_eq!((ran.status, ran.text(), &*ran.stderr), (0, "", ""), "{args:?}");
        let loud: Vec<&str> = args.iter().copied().filter(|arg| !["-q", "--quiet"].contains(arg)).collect();
        fs::write(&path, &bytes).unwrap();
        assert_ne!(run_on(&loud, &path).text(), "", "{loud:?}");
    }
}

#[test]
fn quiet_keeps_errors_and_refusals() {
    let (_directory, path) = file(&module(&[custom("licenses", "no license")]));
    let refused = run_on(&["check", "-q"], &path);
    assert!(refused.status == 1 && refused.text().ends_with("refused, 1 error\n"), "{}", refused.text());
    let failed = run_on(&["set", "-q", "--source", "nowhere"], &path);
    assert!(failed.status == 2 && failed.stderr.contains("--allow-invalid"), "{}", failed.stderr);
    let missing = run_on(&["show", "-q"], Path::new("nowhere"));
    assert_eq!((missing.status, &*missing.stderr), (2, "sectile: nowhere: no such file\n"));
}

#[test]
fn quiet_policy_check_prints_errors_only() {
    let directory = tempfile::tempdir().unwrap();
    let policy = directory.path().join("policy.toml");
    fs::write(&policy, "refuse = \"error\"\n").unwrap();
    let quiet = run_on(&["policy", "check", "-q"], &policy);
    assert_eq!((quiet.status, quiet.text(), &*quiet.stderr), (0, "", ""));
    assert!(run_on(&["policy", "check"], &policy).text().contains("ok"));
    fs::write(&policy, "refuse = 1\n").unwrap();
    let wrong = run_on(&["policy", "check", "-q"], &policy);
    assert!(wrong.status == 2 && wrong.stderr.contains("policy.toml:1:"), "{}", wrong.stderr);
}

#[test]
fn quiet_sbom_omits_the_notice_of_missing_lists() {
    let (_directory, path) = file(&module(&[]));
    assert!(run_on(&["sbom"], &path).stderr.contains("cargo-auditable"));
    let quiet = run_on(&["sbom", "-q"], &path);
    assert_eq!((quiet.status, &*quiet.stderr), (0, ""));
    assert_eq!(quiet.text(), run_on(&["sbom"], &path).text());
}

#[test]
fn verbose_reports_bytes_read_and_time() {
    let bytes = module(&[custom("licenses", "MIT"), custom("note", "x")]);
    for args in
        [&["show"][..], &["sections"], &["check"], &["digest"], &["sbom"], &["show", "--json"], &["sections", "--json"]]
    {
        let (_directory, path) = file(&bytes);
        let ran = run_on(&[args, &["-v"]].concat(), &path);
        let size = bytes.len();
        assert!(ran.stderr.contains(&format!(" of {size} bytes\n")), "{args:?} {}", ran.stderr);
        assert!(ran.stderr.contains(": took "), "{args:?} {}", ran.stderr);
        assert_eq!(ran.stdout, run_on(args, &path).stdout, "{args:?}");
    }
    let (directory, path) = file(&bytes);
    let set = run_on(&["set", "-v", "--vendor", "v"], &path);
    assert!(set.stderr.contains(&format!("wrote {}\n", path.display())), "{}", set.stderr);
    let audit = run_on(&["audit", "-v"], directory.path());
    assert!(audit.stderr.contains(" of 1 files in "), "{}", audit.stderr);
    assert_eq!(run_on(&["show", "-q", "-v"], &path).status, 2);
}
