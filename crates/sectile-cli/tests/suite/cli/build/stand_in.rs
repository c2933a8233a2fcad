//! `cargo sectile` with a stand-in for Cargo: failures, precedence of options, policies and locks.

use super::*;

/// A directory with a package, and a stand-in `cargo` that prints these messages and exits with
/// this status.
pub(super) struct FakeCargo {
    pub(super) directory: TempDir,
}

impl FakeCargo {
    pub(super) fn new(status: i32) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::write(root.join("Cargo.toml"), "[package]\nname = \"a\"\nversion = \"1.0.0\"\nlicense = \"MIT\"\n")
            .unwrap();
        fs::create_dir_all(root.join("target/deps")).unwrap();
        let message = json!({"reason": "compiler-artifact", "package_id": "path+file:///a#1.0.0",
            "manifest_path": root.join("Cargo.toml"), "target": {"crate_types": ["bin"]},
            "filenames": [root.join("target/a.wasm")]});
        let script = format!(
            "#!/bin/sh\necho \"$@\" >> '{0}/ran'\n[ \"$1\" = run ] && exit 7\ncat <<'END'\n{message}\nEND\nexit {status}\n",
            root.display()
        );
        let cargo = root.join("cargo");
        fs::write(&cargo, script).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        let fake = Self { directory };
        fake.write_artifact();
        fake
    }

    pub(super) fn write_artifact(&self) {
        fs::write(self.artifact(), module(&[])).unwrap();
    }

    pub(super) fn artifact(&self) -> PathBuf {
        self.directory.path().join("target/a.wasm")
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = cargo_sectile(self.directory.path(), args);
        command.env("CARGO", self.directory.path().join("cargo"));
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }
}

#[test]
fn a_failed_build_changes_nothing() {
    let fake = FakeCargo::new(101);
    assert_eq!(fake.run(&["build"]).status, 101);
    assert_eq!(fs::read(fake.artifact()).unwrap(), module(&[]));

    let fake = FakeCargo::new(0);
    let missing = Run::of(fake.command(&["build"]).env("CARGO", "/nowhere/cargo").output().unwrap());
    assert!(missing.status == 2 && missing.stderr.contains("cannot run `/nowhere/cargo`"), "{}", missing.stderr);

    fs::remove_file(fake.artifact()).unwrap();
    let vanished = fake.run(&["build"]);
    assert!(vanished.status == 2 && vanished.stderr.contains("Cargo reported does not exist"), "{}", vanished.stderr);

    fs::write(fake.artifact(), "no binary").unwrap();
    let malformed = fake.run(&["build"]);
    assert!(malformed.status == 2 && malformed.stderr.contains("a.wasm: not WebAssembly"), "{}", malformed.stderr);

    fake.write_artifact();
    let mut permissions = fs::metadata(fake.artifact()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(fake.artifact(), permissions).unwrap();
    let read_only = fake.run(&["build"]);
    assert!(read_only.status == 2 && read_only.stderr.contains("read-only"), "{}", read_only.stderr);
    assert_eq!(fs::read(fake.artifact()).unwrap(), module(&[]));

    fs::write(fake.directory.path().join("sectile.toml"), "lisenses = \"MIT\"\n").unwrap();
    let unknown = fake.run(&["build"]);
    assert!(
        unknown.status == 2 && unknown.stderr.contains("sectile.toml:1:1: lisenses: unknown key"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn options_win_over_variables_and_variables_over_files() {
    let fake = FakeCargo::new(0);
    let root = fake.directory.path();
    let vendor = |args: &[&str], variable: &str| {
        fake.write_artifact();
        let mut command = fake.command(args);
        let run = Run::of(command.env("SECTILE_VENDOR", variable).output().unwrap());
        assert_eq!(run.status, 0, "{}", run.stderr);
        annotations(&fake.artifact())["vendor"].clone()
    };
    let own = "[package]\nname = \"a\"\nversion = \"1.0.0\"\n[package.metadata.sectile]\nvendor = \"table\"\n";
    fs::write(root.join("Cargo.toml"), own).unwrap();
    assert_eq!(vendor(&["build"], ""), "table");
    fs::write(root.join("sectile.toml"), "vendor = \"file\"\n").unwrap();
    assert_eq!(vendor(&["build"], ""), "file");
    assert_eq!(vendor(&["build"], "variable"), "variable");
    assert_eq!(vendor(&["--vendor", "option", "build"], "variable"), "option");
    let invalid = Run::of(fake.command(&["build"]).env("SECTILE_LICENSES", "nonsense").output().unwrap());
    assert!(invalid.status == 2 && invalid.stderr.contains("SECTILE_LICENSES: "), "{}", invalid.stderr);
}

#[test]
fn a_policy_refuses_a_build() {
    let fake = FakeCargo::new(0);
    let root = fake.directory.path();
    fs::write(root.join("sectile.toml"), "policy = \"rules.toml\"\n").unwrap();
    fs::write(root.join("rules.toml"), "[[required]]\nfields = [\"vendor\"]\n").unwrap();
    let refused = fake.run(&["build"]);
    assert!(refused.status == 1 && refused.stderr.contains("[missing-field]"), "{}", refused.stderr);
    assert_eq!(fake.run(&["--vendor", "Acme", "build"]).status, 0);
}

#[test]
fn run_builds_first_and_returns_the_status() {
    let fake = FakeCargo::new(0);
    let run = fake.run(&["run", "--release", "--", "--vendor", "x"]);
    assert_eq!(run.status, 7);
    assert_eq!(annotations(&fake.artifact())["licenses"], "MIT");
    let ran = fs::read_to_string(fake.directory.path().join("ran")).unwrap();
    assert_eq!(ran, "run --message-format json --release\nrun --release -- --vendor x\n".replacen("run", "build", 1));
}

/// Two concurrent builds wait for each other, as in Cargo.
#[test]
fn two_builds_at_once() {
    let fake = FakeCargo::new(0);
    fs::write(fake.directory.path().join("target/.cargo-lock"), "").unwrap();
    let builds: Vec<_> = (0..6)
        .map(|_| fake.command(&["build"]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
        .collect();
    for build in builds {
        let run = Run::of(build.wait_with_output().unwrap());
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
    assert_eq!(annotations(&fake.artifact()), json!({"licenses": "MIT", "version": "1.0.0"}));
}
