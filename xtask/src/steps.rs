//! The steps of CI.

use std::thread;

use crate::context::Context;
use crate::fuzz::{self, Target};
use crate::process::{cargo, program};
use crate::tools::{cargo_program, cargo_version, packages};

/// One step.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// The guarantee if it passes, for `--list`.
    pub(crate) about: &'static str,
    pub(crate) run: fn(&mut Context) -> Result<(), String>,
}

/// Lanes run side by side, the steps of a lane one after another. Steps that share a target directory are in one lane.
pub(crate) const LANES: [&[Step]; 2] = [
    &[
        Step { name: "test", about: "the tests, as the README runs them", run: test },
        Step {
            name: "toolchains",
            about: "binaries of other compilers get metadata as they are built",
            run: toolchains,
        },
        Step { name: "sboms", about: "the libraries of CycloneDX and SPDX accept the documents", run: sboms },
        Step {
            name: "python",
            about: "the Python package agrees with the command and its stubs; audits survive the kills of a cluster",
            run: python,
        },
        Step {
            name: "wasm-core",
            about: "the Wasm core is rebuilt to the committed bytes, and is small",
            run: wasm_core,
        },
        Step { name: "js", about: "the npm package agrees with the command, in Node and in a browser", run: js },
        Step {
            name: "c",
            about: "programs in C, C++, Python and Go use the C library; its interface is stable",
            run: c,
        },
        Step { name: "queries", about: "DuckDB and Polars answer the questions about rows in Parquet", run: queries },
        Step {
            name: "go",
            about: "the Go module agrees with the command, under the race detector and fuzzed",
            run: go,
        },
        Step { name: "publish", about: "a real project goes from source to a registry, twice alike", run: publish },
        Step { name: "release", about: "each package has its files, licenses and version, and builds", run: release },
        Step { name: "faults", about: "writing is atomic when any system call fails, as root", run: faults },
        Step { name: "suites", about: "8,000 binaries of the public test suites are framed and edited", run: suites },
        Step { name: "readers", about: "other programs extract nothing that an audit misses", run: readers },
        Step { name: "clippy", about: "no lint is reported", run: clippy },
        Step {
            name: "features",
            about: "each feature compiles alone, and none; the core's tests pass without",
            run: features,
        },
        Step { name: "benches", about: "benches and examples run, briefly", run: benches },
        Step {
            name: "page",
            about: "a browser and the SARIF schema accept the reports of an audit, and pre-commit the hooks",
            run: page,
        },
        Step {
            name: "site",
            about: "the page that looks into a binary works in a browser, as the command does",
            run: site,
        },
    ],
    &[
        Step { name: "fmt", about: "the format is rustfmt's", run: fmt },
        Step { name: "words", about: "docs, comments and messages are in plain words", run: words },
        Step { name: "doc", about: "rustdoc has no warning", run: doc },
        Step { name: "other-platforms", about: "32 bits, Windows and macOS", run: other_platforms },
        Step { name: "sanitizer", about: "AddressSanitizer finds nothing in the core's tests", run: sanitizer },
        Step { name: "api", about: "api/*.txt lists what is public", run: api },
        Step {
            name: "deny",
            about: "licenses and sources of the dependencies are allowed, and no advisory names one",
            run: deny,
        },
        Step { name: "fuzz", about: "each fuzz target runs, briefly", run: fuzz_targets },
    ],
];

fn test(context: &mut Context) -> Result<(), String> {
    context.run(cargo(&["test", "--workspace", "--all-features"]))
}

fn toolchains(context: &mut Context) -> Result<(), String> {
    context.run(program("bash", &[".ci/toolchains"]))?;
    let toolchains =
        ["test", "-p", "sectile-cli", "--all-features", "--test", "suite", "toolchains", "--", "--nocapture"];
    context.run(cargo(&toolchains))
}

fn sboms(context: &mut Context) -> Result<(), String> {
    context.run(program("bash", &[".ci/sbom-tools"]))?;
    let sboms = ["test", "-p", "sectile-cli", "--all-features", "--test", "oracles", "sbom::", "--", "--ignored"];
    context.run(cargo(&sboms))
}

/// Tests the wheel in an environment of its own. The tests compare it with the command.
fn python(context: &mut Context) -> Result<(), String> {
    context.run(cargo(&["test", "-p", "sectile-cli", "--all-features", "--test", "suite", "--no-run"]))?;
    context.run(program("bash", &[".ci/python"]))
}

fn wasm_core(context: &mut Context) -> Result<(), String> {
    context.run(cargo(&["test", "-p", "sectile-wasm"]))?;
    context.run(cargo(&["test", "-p", "sectile-cli", "--all-features", "--test", "suite", "--no-run"]))?;
    context.run(program("bash", &[".ci/wasm-core"]))
}

/// The tests compare the package with the command.
fn js(context: &mut Context) -> Result<(), String> {
    packages(context, &["chromium", "node", "npm"], &["chromium", "nodejs", "npm"])?;
    context.run(cargo(&["test", "-p", "sectile-cli", "--all-features", "--test", "suite", "--no-run"]))?;
    context.run(program("bash", &[".ci/js"]))
}

/// The tests compare the library with the command.
fn c(context: &mut Context) -> Result<(), String> {
    const PROGRAMS: [&str; 7] = ["gcc", "g++", "nm", "pkg-config", "valgrind", "python3", "go"];
    const PACKAGES: [&str; 7] = ["gcc", "g++", "binutils", "pkg-config", "valgrind", "python3", "golang-go"];
    packages(context, &PROGRAMS, &PACKAGES)?;
    cargo_version(context, "cbindgen", "0.29.4")?;
    context.run(cargo(&["test", "-p", "sectile-cli", "--all-features", "--test", "suite", "--no-run"]))?;
    context.run(cargo(&["test", "-p", "sectile-c"]))?;
    context.run(program("bash", &[".ci/c"]))
}

fn queries(context: &mut Context) -> Result<(), String> {
    context.run(cargo(&["test", "-p", "sectile-cli", "--all-features", "--test", "suite", "--no-run"]))?;
    context.run(program("bash", &[".ci/queries"]))
}

/// Go fetches the version that the module needs.
fn go(context: &mut Context) -> Result<(), String> {
    packages(context, &["go", "gcc"], &["golang-go", "gcc"])?;
    context.run(program("bash", &[".ci/go"]))
}

fn publish(context: &mut Context) -> Result<(), String> {
    context.run(program("bash", &[".ci/publish"]))
}

/// The crates are not compiled from their packages here, which takes minutes: `.ci/release --verify` does it.
fn release(context: &mut Context) -> Result<(), String> {
    packages(context, &["node", "npm", "go"], &["nodejs", "npm", "golang-go"])?;
    context.run(program("bash", &[".ci/release"]))
}

fn faults(context: &mut Context) -> Result<(), String> {
    packages(context, &["strace", "mkfs.xfs", "mkfs.ext2", "setfacl"], &["strace", "xfsprogs", "e2fsprogs", "acl"])?;
    let faults = ["test", "-p", "sectile-cli", "--all-features", "--test", "faults", "--", "--include-ignored"];
    context.run(cargo(&faults))
}

fn suites(context: &mut Context) -> Result<(), String> {
    let suites = ["test", "-p", "sectile", "--all-features", "--test", "suite", "public_suites"];
    context.run(cargo(&[&suites[..], &["--", "--ignored", "--nocapture"]].concat()))
}

/// 3,000 inconsistent archives, in about two minutes. `cargo xtask readers` runs more.
fn readers(context: &mut Context) -> Result<(), String> {
    const PROGRAMS: [&str; 12] =
        ["bsdtar", "busybox", "unzip", "zip", "7z", "zstd", "gzip", "python3", "go", "javac", "jar", "git"];
    const PACKAGES: [&str; 11] = [
        "libarchive-tools",
        "busybox",
        "unzip",
        "zip",
        "p7zip-full",
        "zstd",
        "gzip",
        "python3",
        "golang-go",
        "default-jdk-headless",
        "git",
    ];
    packages(context, &PROGRAMS, &PACKAGES)?;
    let readers = ["test", "-p", "sectile-audit", "--all-features", "--test", "readers"];
    context.run(cargo(&[&readers[..], &["--", "--include-ignored", "--nocapture", "--test-threads=1"]].concat()))
}

fn clippy(context: &mut Context) -> Result<(), String> {
    context.run(cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))
}

fn features(context: &mut Context) -> Result<(), String> {
    for feature in ["", "dependencies", "json", "interface", "inventory", "digest", "stream", "http"] {
        context.run(cargo(&["clippy", "-p", "sectile", "--lib", "--features", feature, "--", "-D", "warnings"]))?;
    }
    for krate in ["sectile-advisories", "sectile-audit", "sectile-cli", "sectile-manifest", "sectile-oci"] {
        context.run(cargo(&["clippy", "-p", krate, "--", "-D", "warnings"]))?;
    }
    for library in ["crc32fast", "zlib-rs"] {
        detects_processor(library)?;
    }
    context.run(cargo(&["test", "-p", "sectile"]))
}

/// Checks that a library of `sectile-audit` may use vector instructions. In the workspace, other crates enable it.
fn detects_processor(library: &str) -> Result<(), String> {
    let tree = ["tree", "--locked", "-p", "sectile-audit", "-e", "normal", "-i", library, "--depth", "0", "-f", "{f}"];
    let output = cargo(&tree).output().map_err(|error| format!("cargo tree: {error}"))?;
    let features = String::from_utf8_lossy(&output.stdout);
    let has_std = features.trim().split(',').any(|feature| feature == "std");
    has_std.then_some(()).ok_or_else(|| format!("{library} lacks its feature `std`, and is slow without it"))
}

fn benches(context: &mut Context) -> Result<(), String> {
    context.run(cargo(&["test", "--workspace", "--all-features", "--benches", "--examples"]))
}

fn page(context: &mut Context) -> Result<(), String> {
    browser(context)?;
    let page = ["test", "-p", "sectile-audit", "--all-features", "--lib", "format::oracles", "--", "--ignored"];
    context.run(cargo(&page))?;
    let hooks = ["test", "-p", "sectile-cli", "--all-features", "--test", "suite", "ci::hooks", "--", "--ignored"];
    context.run(cargo(&hooks))
}

/// The tests compare the page with the command.
fn site(context: &mut Context) -> Result<(), String> {
    browser(context)?;
    context.run(cargo(&["test", "-p", "sectile-cli", "--all-features", "--test", "suite", "--no-run"]))?;
    context.run(program("bash", &[".ci/site"]))
}

/// Installs Chromium and Playwright.
fn browser(context: &mut Context) -> Result<(), String> {
    packages(context, &["chromium"], &["chromium", "fonts-dejavu-core", "fonts-noto-core"])?;
    context.run(program("bash", &[".ci/page-tools"]))
}

fn fmt(context: &mut Context) -> Result<(), String> {
    context.run(cargo(&["fmt", "--all", "--check"]))
}

fn words(_: &mut Context) -> Result<(), String> {
    crate::words::check(&[])
}

fn doc(context: &mut Context) -> Result<(), String> {
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--all-features", "--target-dir", "target/side"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    context.run(doc)
}

fn other_platforms(context: &mut Context) -> Result<(), String> {
    context.run(program("bash", &[".ci/other-platforms"]))
}

/// The core maps files, and depends on crates with unsafe code.
fn sanitizer(context: &mut Context) -> Result<(), String> {
    const TARGET: &str = "x86_64-unknown-linux-gnu";
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        context.note(&format!("NOT RUN: AddressSanitizer is run on {TARGET}"));
        return Ok(());
    }
    let sanitized = |rest: &[&str]| {
        let test = ["test", "-p", "sectile", "--target", TARGET, "--target-dir", "target/sanitized"];
        let mut command = cargo(&[&test[..], rest].concat());
        command.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address").env("CARGO_PROFILE_DEV_DEBUG", "0");
        command
    };
    context.run(sanitized(&["--lib"]))?;
    let modules = ["framing::rules", "framing::large", "limits", "push::", "allocation", "splice"];
    context.run(sanitized(&[&["--test", "suite", "--"], &modules[..]].concat()))
}

fn api(context: &mut Context) -> Result<(), String> {
    let this = std::env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
    context.run(program(&this.to_string_lossy(), &["api"]))?;
    context.run(program("git", &["diff", "--exit-code", "--", "api"]))
}

fn deny(context: &mut Context) -> Result<(), String> {
    cargo_program(context, "cargo-deny")?;
    context.run(cargo(&["fetch", "--locked", "--quiet"]))?; // also the dependencies for other systems
    context.run(cargo(&["deny", "--offline", "check", "licenses", "bans", "sources"]))?;
    if context.run(cargo(&["deny", "fetch", "db"])).is_err() {
        context.note("NOT RUN: the database of advisories cannot be fetched here");
        return Ok(());
    }
    context.run(cargo(&["deny", "--offline", "check", "advisories"]))
}

/// Two targets at a time: each runs on one thread.
fn fuzz_targets(context: &mut Context) -> Result<(), String> {
    const SECONDS: u64 = 20;
    cargo_program(context, "cargo-fuzz")?;
    context.run(program("python3", &["fuzz/corpora.py", "unpack"]))?;
    let targets: Vec<Target> = fuzz::targets()?;
    let (one, other) = targets.split_at(targets.len() / 2);
    let mut side = context.side()?;
    let run = |context: &mut Context, targets: &[Target]| {
        targets.iter().try_for_each(|target| context.run(target.command(SECONDS)?))
    };
    thread::scope(|scope| {
        let beside = scope.spawn(|| run(&mut side, other));
        let result = run(context, one);
        beside.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())).and(result)
    })
}
