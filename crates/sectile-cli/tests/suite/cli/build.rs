//! `cargo sectile`, with Cargo itself if it can link WebAssembly, and with a stand-in program.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Run, show_json};
use sectile_testing::binary::module;
use sectile_testing::registry::{Registry, start};

const TARGET: &str = "wasm32-unknown-unknown";

/// A crate that needs no standard library, so that it can be built for any target.
const LIBRARY: &str = "#![no_core]\n#![feature(no_core, lang_items)]\n#![allow(internal_features)]\n\
    #[lang = \"pointee_sized\"] pub trait PointeeSized {}\n#[lang = \"meta_sized\"] pub trait MetaSized: PointeeSized {}\n\
    #[lang = \"sized\"] pub trait Sized: MetaSized {}\n#[unsafe(no_mangle)] pub extern \"C\" fn run() {}\n";
const PROGRAM: &str = "#![no_core]\n#![no_main]\n#![feature(no_core)]\n#![allow(internal_features)]\n\
    extern crate thing;\n#[unsafe(no_mangle)] pub extern \"C\" fn _start() {}\n";
const MANIFEST: &str = "[package]\nname = \"my-app\"\nversion = \"1.2.0\"\nedition = \"2024\"\nlicense = \"MIT\"\n\
    authors = [\"Ann\"]\ndescription = \"An app\"\nrepository = \"https://example.com/r\"\n\
    homepage = \"https://example.com/\"\ndocumentation = \"https://example.com/d\"\n\
    [package.metadata.sectile]\nvendor = \"Acme\"\n\
    [lib]\nname = \"thing\"\ncrate-type = [\"cdylib\", \"rlib\"]\n\
    [profile.dev]\npanic = \"abort\"\n[profile.release]\npanic = \"abort\"\n[workspace]\n";

/// `cargo sectile` in a directory, without the environment variables of the test's own Cargo.
fn cargo_sectile<I: AsRef<OsStr>>(directory: &Path, args: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-sectile"));
    command.arg("sectile").args(args).current_dir(directory).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_", "RUST", "SECTILE_"].iter().any(|prefix| text.starts_with(prefix))
            && text != "CARGO_HOME"
            && text != "RUSTUP_HOME"
        {
            command.env_remove(&name);
        }
    }
    command.env_remove("SOURCE_DATE_EPOCH").env("RUSTC_BOOTSTRAP", "1").env("CARGO_NET_OFFLINE", "true");
    command
}

fn run<I: AsRef<OsStr>>(directory: &Path, args: impl IntoIterator<Item = I>) -> Run {
    Run::of(cargo_sectile(directory, args).output().unwrap())
}

/// A real package: a library and a program.
fn package(directory: &Path) {
    fs::create_dir_all(directory.join("src")).unwrap();
    fs::write(directory.join("Cargo.toml"), MANIFEST).unwrap();
    fs::write(directory.join("src/lib.rs"), LIBRARY).unwrap();
    fs::write(directory.join("src/main.rs"), PROGRAM).unwrap();
}

fn annotations(path: &Path) -> Value {
    show_json(&fs::read(path).unwrap()).1["item"]["annotations"].clone()
}

/// All WebAssembly files below the target directory, with their bytes and times.
fn state(directory: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
    let files =
        walk(&directory.join("target")).into_iter().filter(|path| path.extension().is_some_and(|it| it == "wasm"));
    let state = files.map(|path| {
        let bytes = fs::read(&path).unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        (path, bytes, modified)
    });
    state.collect()
}

fn walk(directory: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => paths.extend(walk(&entry.path())),
            false => paths.push(entry.path()),
        }
    }
    paths.sort();
    paths
}

#[test]
fn cargo_builds_and_metadata_is_set_once() {
    let directory = tempfile::Builder::new().prefix("with space ü").tempdir().unwrap();
    let root = directory.path();
    package(root);
    let build = ["build", "--target", TARGET];
    let first = run(root, build);
    assert_eq!(first.status, 0, "{}", first.stderr);
    assert_eq!(first.text(), "");
    let debug = root.join("target").join(TARGET).join("debug");
    for name in ["my-app.wasm", "thing.wasm"] {
        assert_eq!(
            annotations(&debug.join(name)),
            json!({"authors": "Ann", "description": "An app", "documentation": "https://example.com/d",
                "homepage": "https://example.com/", "licenses": "MIT", "source": "https://example.com/r",
                "vendor": "Acme", "version": "1.2.0"}),
            "{name}"
        );
    }

    // Neither Sectile nor Cargo writes files that are up to date.
    let before = state(root);
    let again = run(root, build);
    assert!(again.status == 0 && !again.stderr.contains("Compiling"), "{}", again.stderr);
    assert!(state(root) == before, "an up-to-date build wrote a file");

    // A removed setting disappears from the binary, which equals a newly built one.
    fs::write(root.join("sectile.toml"), "vendor = \"Other\"\nrevision = \"r1\"\n[sections]\nnote = \"x\"\n").unwrap();
    assert_eq!(run(root, build).status, 0);
    let app = debug.join("my-app.wasm");
    assert_eq!((&annotations(&app)["vendor"], &annotations(&app)["revision"]), (&"Other".into(), &"r1".into()));
    fs::remove_file(root.join("sectile.toml")).unwrap();
    assert_eq!(run(root, build).status, 0);
    let contents =
        |state: &[(PathBuf, Vec<u8>, _)]| state.iter().map(|(_, bytes, _)| bytes.clone()).collect::<Vec<_>>();
    assert!(contents(&state(root)) == contents(&before));

    // The same sources elsewhere give the same metadata sections. A clean build gives the same
    // bytes.
    fs::remove_dir_all(root.join("target")).unwrap();
    assert_eq!(run(root, build).status, 0);
    assert!(contents(&state(root)) == contents(&before));

    // Cargo's own messages are passed on.
    let json = run(root, ["build", "--target", TARGET, "--message-format=json"]);
    assert!(json.text().lines().all(|line| line.starts_with("{\"reason\":")), "{}", json.text());
    assert!(json.text().contains("build-finished"), "{}", json.text());

    // A failed build changes no files, except that Cargo removes the old output of compiled
    // targets.
    let before = state(root);
    fs::write(root.join("src/main.rs"), "fn main( {}").unwrap();
    let failed = run(root, build);
    assert_eq!(failed.status, 101);
    assert!(failed.stderr.contains("unclosed delimiter"), "{}", failed.stderr);
    assert!(state(root).iter().all(|file| before.contains(file)));
}

#[test]
fn publish_goes_from_source_to_registry_with_all_fields() {
    let (server, registry) = start(Registry::default(), |_| None);
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    package(root);
    // One binary.
    fs::write(root.join("Cargo.toml"), MANIFEST.replace("[\"cdylib\", \"rlib\"]", "[\"rlib\"]")).unwrap();
    let to = format!("{}/team/app:1.0", server.address);
    let publish = || {
        let mut command = cargo_sectile(root, ["--revision", "r1", "publish", &to, "--target", TARGET]);
        command.env("SOURCE_DATE_EPOCH", "1700000000").env("REGISTRY_AUTH_FILE", root.join("none"));
        Run::of(command.output().unwrap())
    };
    let first = publish();
    assert_eq!(first.status, 0, "{}", first.stderr);
    let digest = first.text().trim_end().strip_prefix(&*format!("{to}@")).unwrap().to_owned();
    let manifest: Value = serde_json::from_slice(&registry.lock().unwrap().manifests[&digest].1).unwrap();
    let count = |key: &str| manifest["annotations"].get(format!("org.opencontainers.image.{key}")).is_some();
    for field in sectile::Field::ALL {
        let key = field.oci_key().rsplit('.').next().unwrap();
        assert!(count(key), "{key}: {manifest}");
    }
    fs::remove_dir_all(root.join("target")).unwrap();
    let second = publish();
    assert_eq!(second.text(), first.text(), "{}", second.stderr);

    package(root);
    let several = publish();
    assert!(several.status == 2 && several.stderr.contains("several binaries"), "{}", several.stderr);
}

/// A workspace of a package with two programs, and a package that embeds one of them.
#[test]
fn artifact_dependencies_are_embedded_with_metadata() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let own = "edition = \"2024\"\n[lib]\nname = \"thing\"\n";
    let embedding = "[package]\nname = \"b\"\nversion = \"2.0.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n\
        [dependencies]\nthing = { package = \"a\", path = \"../a\" }\n[build-dependencies]\n\
        thing = { package = \"a\", path = \"../a\", artifact = \"bin:one\", target = \"wasm32-unknown-unknown\" }\n";
    let script = "fn main() {\n let from = std::env::var(\"CARGO_BIN_FILE_THING_one\").unwrap();\n\
        println!(\"cargo::rerun-if-changed={from}\");\n std::fs::copy(from, \"embedded.wasm\").unwrap();\n}\n";
    let library = "#![no_core]\n#![feature(no_core)]\n#![allow(internal_features)]\nextern crate thing;\n";
    for (path, text) in [
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\nresolver = \"2\"\n[profile.dev]\npanic = \"abort\"\n"),
        ("a/Cargo.toml", &format!("[package]\nname = \"a\"\nversion = \"1.0.0\"\n{own}")),
        ("a/src/lib.rs", LIBRARY),
        ("a/src/bin/one.rs", PROGRAM),
        ("a/src/bin/two-x.rs", PROGRAM),
        ("b/Cargo.toml", embedding),
        ("b/build.rs", script),
        ("b/src/lib.rs", library),
        ("b/examples/shown.rs", PROGRAM),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let args = ["build", "--target", TARGET, "-Zbindeps", "--lib", "--bins", "--examples", "--target-dir", "o t"];
    let first = run(root, args);
    assert_eq!(first.status, 0, "{}", first.stderr);
    let version = |path: &str| annotations(&root.join(path))["version"].clone();
    assert_eq!(version("b/embedded.wasm"), "1.0.0");
    for (name, expected) in [("one", "1.0.0"), ("two-x", "1.0.0"), ("b", "2.0.0"), ("examples/shown", "2.0.0")] {
        assert_eq!(version(&format!("o t/{TARGET}/debug/{name}.wasm")), expected, "{name}");
    }
    let again = run(root, args);
    assert!(again.status == 0 && !again.stderr.contains("Compiling"), "{}", again.stderr);
    assert!(!again.stderr.contains("metadata set"), "{}", again.stderr);
}

/// A directory with a package, and a stand-in `cargo` that prints these messages and exits with
/// this status.
#[cfg(unix)]
struct FakeCargo {
    directory: TempDir,
}

#[cfg(unix)]
impl FakeCargo {
    fn new(status: i32) -> Self {
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

    fn write_artifact(&self) {
        fs::write(self.artifact(), module(&[])).unwrap();
    }

    fn artifact(&self) -> PathBuf {
        self.directory.path().join("target/a.wasm")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = cargo_sectile(self.directory.path(), args);
        command.env("CARGO", self.directory.path().join("cargo"));
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }
}

#[cfg(unix)]
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

#[cfg(unix)]
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

#[cfg(unix)]
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

#[cfg(unix)]
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
#[cfg(unix)]
#[test]
fn two_builds_at_once() {
    let fake = FakeCargo::new(0);
    let builds: Vec<_> = (0..6)
        .map(|_| fake.command(&["build"]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
        .collect();
    fs::write(fake.directory.path().join("target/.cargo-lock"), "").unwrap();
    for build in builds {
        let run = Run::of(build.wait_with_output().unwrap());
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
    assert_eq!(annotations(&fake.artifact()), json!({"licenses": "MIT", "version": "1.0.0"}));
}
