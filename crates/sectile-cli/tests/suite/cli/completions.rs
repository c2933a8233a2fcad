//! Completions, as the shells compute them.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::run;

/// A directory with the script of a shell, and files to complete.
fn home(shell: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let script = run(["completions", shell]);
    assert_eq!((script.status, &*script.stderr), (0, ""));
    fs::write(directory.path().join("script"), script.stdout).unwrap();
    fs::create_dir(directory.path().join("files")).unwrap();
    fs::create_dir(directory.path().join("files/pages")).unwrap();
    for name in ["app.wasm", "policy.toml"] {
        fs::write(directory.path().join("files").join(name), "").unwrap();
    }
    directory
}

/// Standard output of a shell; `None` if it is not installed.
fn output(shell: &str, args: &[&str], directory: &Path) -> Option<String> {
    let output = Command::new(shell).args(args).current_dir(directory.join("files")).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Bash's completions for the last of these words. The words are split as bash splits a line.
fn bash(directory: &Path, words: &[&str]) -> Option<Vec<String>> {
    const CALL: &str = "source ../script; COMP_WORDS=(sectile \"$@\"); COMP_CWORD=$#; _sectile; \
        for each in \"${COMPREPLY[@]}\"; do echo \"$each\"; done | sort";
    let args = [&["--norc", "-c", CALL, "bash"], words].concat();
    output("bash", &args, directory).map(|text| text.lines().map(str::to_owned).collect())
}

#[cfg(unix)]
#[test]
fn bash_completes_commands_options_values_and_files() {
    let home = home("bash");
    let files = ["app.wasm", "pages", "policy.toml"];
    for (words, expected) in [
        (&["sh"][..], &["show"][..]),
        (&["oci", "pus"], &["push"]),
        (&["oci", "la"], &["layout"]),
        (&["help", "oci", "pus"], &["push"]),
        (&["show", ""], &files),
        (&["show", "app.wasm", "p"], &files[1..]),
        (&["show", "--inter"], &["--interface"]),
        (&["oci", "push", "a"], &["app.wasm"]),
        (&["oci", "push", "--sb"], &["--sbom"]),
        (&["oci", "push", "app.wasm", ""], &[]),
        (&["check", "--policy", "po"], &["policy.toml"]),
        (&["check", "--refuse", ""], &["error", "note", "warning"]),
        (&["check", "--refuse", "=", "w"], &["warning"]),
        (&["check", "--refuse", "="], &["error", "note", "warning"]),
        (&["check", "--refuse", "error", "app"], &["app.wasm"]),
        (&["set", "--licenses", ""], &[]),
        (&["unset", ""], &files),
        (&["unset", "app.wasm", "ver"], &["version"]),
        (&["unset", "--field", "ver"], &["version"]),
        (&["unset", "--field", "version", "a.wasm", "app"], &["app.wasm"]),
        (&["get", "oci", ":", "app", ":", "v1", "a"], &[]),
        (&["show", "--", "-"], &[]),
        (&["man", ""], &["pages"]),
        (&["completions", "z"], &["zsh"]),
        (&["explain", "missing-fi"], &["missing-field"]),
        (&["policy", "ch"], &["check"]),
        (&["policy", "check", "po"], &["policy.toml"]),
        (&["report", "app"], &["app.wasm"]),
        (&["nosuch", "nosuch"], &[]),
    ] {
        let Some(found) = bash(home.path(), words) else { return };
        assert_eq!(found, expected, "{words:?}");
    }
}

#[cfg(unix)]
#[test]
fn fish_completes_commands_options_values_and_files() {
    let home = home("fish");
    for (line, expected) in [
        ("oci pus", "push"),
        ("check --refuse w", "warning"),
        ("show po", "policy.toml"),
        ("unset app.wasm ver", "version"),
        ("unset ap", "app.wasm"),
        ("completions z", "zsh"),
        ("explain missing-fi", "missing-field"),
    ] {
        let call = format!("source ../script; complete -C 'sectile {line}'");
        let Some(text) = output("fish", &["--no-config", "-c", &call], home.path()) else { return };
        let first: Vec<&str> = text.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(first, [expected], "{line}");
    }
}

#[test]
fn shells_complete_nested_commands_values_and_paths() {
    for (shell, parts) in [
        ("zsh", &["policy=", "(note warning error)", "_files", "oci push"][..]),
        ("elvish", &["--refuse", "sectile;oci;push"]),
        ("powershell", &["--refuse", "sectile;oci;push"]),
    ] {
        let script = run(["completions", shell]);
        for part in parts {
            assert!(script.text().contains(part), "{shell}: {part}");
        }
    }
}
