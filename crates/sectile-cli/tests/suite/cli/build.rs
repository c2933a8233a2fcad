//! `cargo sectile`, with Cargo itself if it can link WebAssembly, and with a stand-in program.

#[cfg(unix)]
mod stand_in;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Run, show_json};
use sectile_testing::binary::module;
use sectile_testing::git::{commit, git};
use sectile_testing::registry::{Registry, start};
#[cfg(unix)]
use stand_in::FakeCargo;

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

/// A program with thirty dependencies from a registry.
const REAL_DEPENDENCIES: &str = "[dependencies]\nauditable-serde = { version = \"0.9\", default-features = false }\n\
    base64 = \"0.22\"\niri-string = \"0.7\"\njiff = { version = \"0.2\", default-features = false, features = [\"alloc\"] }\n\
    miniz_oxide = { version = \"0.9\", features = [\"with-alloc\"] }\nsemver = \"1\"\nserde_json = \"1\"\n\
    sha2 = { version = \"0.11\", default-features = false }\nspdx = \"0.13\"\nthiserror = \"2\"\ntoml = \"1\"\n\
    wasmparser = \"0.263\"\n";

/// From source to a registry with one command, twice, each time from nothing.
#[test]
#[ignore = "needs the source of the standard library"]
fn a_real_project_is_published_with_the_same_digest() {
    let (server, registry) = start(Registry::default(), |_| None);
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let program = "fn main() {\n    let value: toml::Value = toml::from_str(\"license = 'MIT'\").expect(\"valid\");\n    \
        println!(\"{value} {}\", spdx::Expression::parse(\"MIT\").is_ok());\n}\n";
    let package = &MANIFEST[..MANIFEST.find("[lib]").unwrap()];
    let manifest = [package, REAL_DEPENDENCIES, "[profile.release]\nopt-level = 0\n[workspace]\n"].concat();
    fs::create_dir(root.join("src")).unwrap();
    fs::write(root.join("Cargo.toml"), manifest).unwrap();
    fs::write(root.join("src/main.rs"), program).unwrap();
    fs::copy(sectile_testing::files::project().join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    let to = format!("{}/team/real:1.0", server.address);
    let publish = || {
        let build_std = ["--target", TARGET, "-Zbuild-std=std,panic_abort"];
        let mut command =
            cargo_sectile(root, [&["--audit", "--revision", "r1", "publish", &to], &build_std[..]].concat());
        command.env("SOURCE_DATE_EPOCH", "1700000000").env("REGISTRY_AUTH_FILE", root.join("none"));
        command.env_remove("CARGO_NET_OFFLINE"); // the standard library has dependencies
        if let Some(compiler) = std::env::var_os("WASM_RUSTC") {
            command.env("RUSTC", compiler);
        }
        let run = Run::of(command.output().unwrap());
        assert_eq!(run.status, 0, "{}", run.stderr);
        run.text().to_owned()
    };
    let first = publish();
    let digest = first.trim_end().strip_prefix(&*format!("{to}@")).unwrap();
    let manifest: Value = serde_json::from_slice(&registry.lock().unwrap().manifests[digest].1).unwrap();
    for field in sectile::Field::ALL {
        assert!(manifest["annotations"].get(field.oci_key()).is_some(), "{}: {manifest}", field.oci_key());
    }
    let binary = fs::read(root.join("target").join(TARGET).join("release/my-app.wasm")).unwrap();
    let metadata = sectile::read_slice(&binary).unwrap();
    let packages = metadata.root().dependencies().unwrap().packages();
    assert!(packages.len() > 30 && packages.iter().any(|package| package.build), "{packages:?}");
    fs::remove_dir_all(root.join("target")).unwrap();
    assert_eq!(publish(), first);
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

/// The early reading of a revision does not miss what the build itself changes.
#[test]
fn the_revision_is_that_of_the_sources_after_the_build() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    package(root);
    fs::write(root.join(".gitignore"), "target\n").unwrap();
    fs::write(root.join("generated"), "one").unwrap();
    let build = ["build", "--target", TARGET];
    let app = root.join("target").join(TARGET).join("debug/my-app.wasm");
    let built = || {
        let run = run(root, build);
        assert_eq!(run.status, 0, "{}", run.stderr);
        annotations(&app)["revision"].as_str().map(str::to_owned)
    };
    assert_eq!(built(), None); // and writes Cargo.lock
    if git(root, &["init", "-q"]).is_none() {
        return;
    }
    assert_eq!(built(), None, "the repository has no commit");
    commit(root).unwrap();
    let commit = git(root, &["rev-parse", "HEAD"]).unwrap();
    assert_eq!(built(), Some(commit.clone()));
    assert_eq!(built(), Some(commit.clone()));

    // A build that only writes the lock file.
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    fs::write(root.join("Cargo.lock"), "# another\n").unwrap();
    git(root, &["update-index", "--assume-unchanged", "Cargo.toml"]);
    fs::write(root.join("Cargo.toml"), manifest.replace("1.2.0", "1.2.1")).unwrap();
    assert_eq!(built(), Some(format!("{commit}+dirty")));
    git(root, &["update-index", "--no-assume-unchanged", "Cargo.toml"]);
    git(root, &["checkout", "-q", "."]);
    assert_eq!(built(), Some(commit.clone()));

    // A build script that changes a tracked file.
    fs::write(root.join("build.rs"), "fn main() { std::fs::write(\"generated\", \"two\").unwrap(); }\n").unwrap();
    assert_eq!(built(), Some(format!("{commit}+dirty")));
}

#[cfg(unix)]
#[test]
fn cargo_test_runs_tests_that_have_metadata() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    package(root);
    let test = "[[test]]\nname = \"whole\"\nharness = false\n";
    fs::write(root.join("Cargo.toml"), MANIFEST.replace("[profile.dev]", &format!("{test}[profile.dev]"))).unwrap();
    fs::create_dir(root.join("tests")).unwrap();
    fs::write(root.join("tests/whole.rs"), PROGRAM).unwrap();
    // The runner of tests keeps the binary that it is given.
    let runner = root.join("runner");
    fs::write(&runner, format!("#!/bin/sh\ncp \"$1\" '{}/ran.wasm'\nexit $CODE\n", root.display())).unwrap();
    fs::set_permissions(&runner, fs::Permissions::from_mode(0o755)).unwrap();
    let tested = |code: &str| {
        let mut command = cargo_sectile(root, ["test", "--target", TARGET, "--test", "whole"]);
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", &runner).env("CODE", code);
        Run::of(command.output().unwrap())
    };
    let passed = tested("0");
    assert_eq!(passed.status, 0, "{}", passed.stderr);
    assert_eq!(annotations(&root.join("ran.wasm"))["version"], "1.2.0");
    assert_eq!(tested("3").status, 3);
}

#[cfg(target_os = "linux")]
#[test]
fn paths_that_are_not_utf_8() {
    use std::os::unix::ffi::OsStrExt;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join(OsStr::from_bytes(b"bad\xff"));
    package(&root);
    // The compiler refuses such directories. Its status is passed on.
    let failed = run(&root, ["build", "--target", TARGET]);
    assert_eq!(failed.status, 101, "{}", failed.stderr);

    let fake = FakeCargo::new(0);
    let script = "#!/bin/sh\nprintf '{\"reason\":\"compiler-artifact\",\"filenames\":[\"bad\\377.wasm\"]}\\n'\n";
    fs::write(fake.directory.path().join("cargo"), script).unwrap();
    let malformed = fake.run(&["build"]);
    assert!(malformed.status == 2 && malformed.stderr.contains("not JSON in UTF-8"), "{}", malformed.stderr);
}

/// Cargo lets one build at a time use the target directory. So does setting metadata.
#[test]
fn real_builds_at_once_give_the_same_binary() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    package(root);
    let start = |vendor: &str| {
        let mut command = cargo_sectile(root, ["--vendor", vendor, "build", "--target", TARGET]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let builds: Vec<_> = ["Acme", "Other", "Acme", "Other"].map(start).into();
    for build in builds {
        let run = Run::of(build.wait_with_output().unwrap());
        assert_eq!(run.status, 0, "{}", run.stderr);
    }
    let app = root.join("target").join(TARGET).join("debug/my-app.wasm");
    let vendor = annotations(&app)["vendor"].clone();
    assert!(vendor == "Acme" || vendor == "Other", "{vendor}");
    assert_eq!(run(root, ["--vendor", "Third", "build", "--target", TARGET]).status, 0);
    let third = fs::read(&app).unwrap();
    fs::remove_dir_all(root.join("target")).unwrap();
    assert_eq!(run(root, ["--vendor", "Third", "build", "--target", TARGET]).status, 0);
    assert!(fs::read(&app).unwrap() == third, "an earlier build left something in the binary");
}

/// Packages for each way to depend on one. `helper` is compiled for the host and, for the test, for
/// the target.
fn dependent_package(root: &Path) {
    let package = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n{rest}")
    };
    let path = |name: &str| format!("{name} = {{ path = \"../{name}\" }}\n");
    let app = [
        "[features]\nextra = [\"dep:optional\"]\n[dependencies]\noptional = { path = \"../optional\", optional = true }\n",
        &path("linked"),
        &path("derive"),
        "[target.'cfg(unix)'.dependencies]\n",
        &path("elsewhere"),
        "[build-dependencies]\n",
        &path("helper"),
        "[dev-dependencies]\n",
        &path("tested"),
    ]
    .concat();
    let empty = "#![no_core]\n#![feature(no_core)]\n#![allow(internal_features)]\n";
    let program = PROGRAM.replace("thing", "linked");
    for (file, text) in [
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"*\"]\nexclude = [\"target\"]\nresolver = \"2\"\n\
            [profile.dev]\npanic = \"abort\"\n",
        ),
        ("app/Cargo.toml", &package("app", &app)),
        ("app/build.rs", "fn main() { helper::run(); println!(\"cargo::rerun-if-changed=build.rs\"); }\n"),
        ("app/src/main.rs", &program),
        ("app/examples/shown.rs", &program),
        ("linked/Cargo.toml", &package("linked", "")),
        ("linked/src/lib.rs", LIBRARY),
        (
            "derive/Cargo.toml",
            &package("derive", &format!("[lib]\nproc-macro = true\n[dependencies]\n{}", path("elsewhere"))),
        ),
        ("derive/src/lib.rs", ""),
        ("helper/Cargo.toml", &package("helper", "")),
        ("helper/src/lib.rs", "pub fn run() {}\n"),
        ("elsewhere/Cargo.toml", &package("elsewhere", "")),
        ("elsewhere/src/lib.rs", ""),
        ("optional/Cargo.toml", &package("optional", "")),
        ("optional/src/lib.rs", empty),
        ("tested/Cargo.toml", &package("tested", "")),
        ("tested/src/lib.rs", empty),
    ] {
        let file = root.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

/// The packages in `.dep-v0`, read by cargo-auditable's own library: name, whether it is a build
/// dependency, and the names of the dependencies.
fn listed(path: &Path) -> Vec<(String, bool, Vec<String>)> {
    let bytes = fs::read(path).unwrap();
    let metadata = sectile::read_slice(&bytes).unwrap();
    let data = metadata.root().dependencies().expect("a list of dependencies").raw().as_bytes().to_owned();
    let json = miniz_oxide::inflate::decompress_to_vec_zlib(&data).unwrap();
    let list: auditable_serde::VersionInfo = std::str::from_utf8(&json).unwrap().parse().unwrap();
    let name = |index: &usize| list.packages[*index].name.clone();
    let packages = list.packages.iter().map(|package| {
        assert_eq!(package.root, package.name == "app");
        assert_eq!((package.version.to_string().as_str(), &package.source), ("1.0.0", &auditable_serde::Source::Local));
        let is_build = package.kind == auditable_serde::DependencyKind::Build;
        (package.name.clone(), is_build, package.dependencies.iter().map(name).collect())
    });
    packages.collect()
}

#[test]
fn audit_lists_the_packages_in_the_build() {
    let directory = tempfile::Builder::new().prefix("with space").tempdir().unwrap();
    let root = directory.path();
    dependent_package(root);
    let entry = |name: &str, is_build, dependencies: &[&str]| {
        (name.to_owned(), is_build, dependencies.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    };
    let app = root.join("target").join(TARGET).join("debug/app.wasm");
    let build = ["--audit", "build", "-p", "app", "--target", TARGET, "--bins", "--examples"];
    let first = run(root, build);
    assert_eq!(first.status, 0, "{}", first.stderr);
    let mut expected = vec![
        entry("app", false, &["derive", "helper", "linked"]),
        entry("derive", true, &["elsewhere"]),
        entry("elsewhere", true, &[]),
        entry("helper", true, &[]),
        entry("linked", false, &[]),
    ];
    assert_eq!(listed(&app), expected);

    // An up-to-date build writes nothing, and does not need to list the packages again.
    let before = state(root);
    let again = run(root, build);
    assert!(again.status == 0 && state(root) == before, "{}", again.stderr);

    // An example has development dependencies.
    expected[0].2.push("tested".to_owned());
    expected.push(entry("tested", false, &[]));
    assert_eq!(listed(&app.with_file_name("examples").join("shown.wasm")), expected);

    let with_feature = run(root, [&build[..], &["--features", "extra"]].concat());
    assert_eq!(with_feature.status, 0, "{}", with_feature.stderr);
    assert!(listed(&app).iter().any(|(name, is_build, _)| name == "optional" && !is_build));

    // Without the option, the list is removed.
    assert_eq!(run(root, &build[1..]).status, 0);
    assert!(sectile::read_slice(&fs::read(&app).unwrap()).unwrap().root().dependencies().is_none());
}
