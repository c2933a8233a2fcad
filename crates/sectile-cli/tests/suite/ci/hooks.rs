//! `.pre-commit-hooks.yaml`: the hooks run their script on the files of a commit.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::scripts::Sandbox;
use super::yaml;
use sectile_testing::binary::{custom, module};
use sectile_testing::files::project;

fn hooks() -> Vec<Value> {
    yaml::read(".pre-commit-hooks.yaml").as_array().unwrap().clone()
}

fn debugged() -> Vec<u8> {
    module(&[custom("licenses", "MIT"), custom(".debug_info", b"x")])
}

/// Runs a hook as pre-commit does, with these arguments or the hook's own.
fn run(sandbox: &Sandbox, id: &str, arguments: Option<&[&str]>, files: &[&str]) -> Output {
    let hook = hooks().into_iter().find(|hook| hook["id"] == id).unwrap();
    let own: Vec<String> =
        hook["args"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
    let arguments = arguments.map_or(own, |given| given.iter().map(|&text| text.to_owned()).collect());
    let mut entry = hook["entry"].as_str().unwrap().split(' ');
    let mut command = sandbox.command(project().join(entry.next().unwrap()));
    command.args(entry).args(arguments).args(files).env("CARGO_TARGET_DIR", sandbox.path("temp"));
    command.output().unwrap()
}

#[test]
fn hooks_are_defined_as_pre_commit_reads_them() {
    let ids: Vec<_> = hooks().iter().map(|hook| hook["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["sectile-check", "sectile-strip"]);
    for hook in hooks() {
        assert_eq!((&hook["language"], &hook["files"]), (&"script".into(), &r"\.wasm$".into()));
        let script = hook["entry"].as_str().unwrap().split(' ').next().unwrap();
        assert!(project().join(script).is_file(), "{script}");
    }
}

#[test]
fn check_hook_refuses_files() {
    let sandbox = Sandbox::new();
    sandbox.add_cargo();
    sandbox.add_binary("good.wasm", "MIT");
    sandbox.add_binary("--bad.wasm", "GPL-2.0"); // deprecated, a warning
    sandbox.write("work/policy.toml", "refuse = 'warning'\n");
    let check = |arguments, files: &[&str]| run(&sandbox, "sectile-check", arguments, files);
    assert_eq!(check(None, &["good.wasm", "--bad.wasm"]).status.code(), Some(0));
    let strict: &[&str] = &["--policy=policy.toml", "--"];
    assert_eq!(check(Some(strict), &["good.wasm"]).status.code(), Some(0));
    let refused = check(Some(strict), &["good.wasm", "--bad.wasm"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stdout).unwrap().contains("--bad.wasm: "));
    let undivided = check(Some(&["--policy=policy.toml"]), &["good.wasm"]);
    assert_eq!(undivided.status.code(), Some(2));
    assert!(String::from_utf8(undivided.stderr).unwrap().contains("missing '--'"));
    // The command is built in the checkout of the hook.
    let cargo = sandbox.read("cargo");
    assert!(Path::new(cargo.lines().next().unwrap()).ends_with(project()) && cargo.contains("--locked"), "{cargo}");
}

#[test]
fn strip_hook_edits_each_file() {
    let sandbox = Sandbox::new();
    sandbox.add_cargo();
    for name in ["a.wasm", "-o.wasm", "b c.wasm"] {
        sandbox.write(&format!("work/{name}"), debugged());
    }
    sandbox.write("work/text.wasm", "text");
    let output = run(&sandbox, "sectile-strip", None, &["a.wasm", "text.wasm", "-o.wasm", "b c.wasm"]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["a.wasm", "-o.wasm", "b c.wasm"] {
        assert_eq!(fs::read(sandbox.path("work").join(name)).unwrap(), module(&[custom("licenses", "MIT")]), "{name}");
    }
    let named = sandbox.path("work/n.wasm");
    fs::write(&named, module(&[custom("name", b"\x01\x02\x00\x00")])).unwrap();
    assert_eq!(run(&sandbox, "sectile-strip", Some(&["--names", "--"]), &["n.wasm"]).status.code(), Some(0));
    assert_eq!(fs::read(&named).unwrap(), module(&[]));
}

/// pre-commit itself, which `.ci/page-tools` installs.
#[test]
#[ignore = "needs pre-commit: `cargo xtask ci page`"]
fn pre_commit_runs_the_hooks() {
    let sandbox = Sandbox::new();
    sandbox.add_cargo();
    sandbox.write("work/a.wasm", debugged());
    sandbox.write("work/a.txt", "text");
    let git = |directory: &Path, arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(arguments).current_dir(directory);
        assert!(command.output().unwrap().status.success(), "git {arguments:?}");
    };
    let work = sandbox.path("work");
    git(&work, &["init", "--quiet"]);
    git(&work, &["add", "--all"]);
    // A repository with only the hooks, which pre-commit clones.
    let repository = sandbox.path("hooks");
    fs::create_dir_all(repository.join("hooks")).unwrap();
    for name in [".pre-commit-hooks.yaml", "hooks/pre-commit"] {
        fs::copy(project().join(name), repository.join(name)).unwrap();
    }
    git(&repository, &["init", "--quiet"]);
    git(&repository, &["add", "--all"]);
    git(&repository, &["commit", "--quiet", "--message", "hooks"]);
    let pre_commit = project().join("target/oracles/bin/pre-commit");
    let run = |hook: &str| {
        let mut command = sandbox.command(&pre_commit);
        command.args(["try-repo", repository.to_str().unwrap(), hook, "--verbose", "--all-files"]);
        let output = command.env("PRE_COMMIT_HOME", sandbox.path("temp")).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, shown) = run("sectile-check");
    assert!(status == Some(0) && shown.contains("a.wasm: ") && !shown.contains("a.txt"), "{shown}");
    let (status, shown) = run("sectile-strip");
    assert!(status == Some(1) && shown.contains("files were modified by this hook"), "{shown}");
    let (status, shown) = run("sectile-strip");
    assert_eq!(status, Some(0), "{shown}");
}
