//! `sectile wrap` with the compilers of other languages, where they are installed. `.ci/toolchains`
//! installs those that Debian, npm and PyPI have.
#![cfg(unix)]

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Run, command, show_json};
use sectile_testing::files::project;

/// A compiler, and a program for it.
struct Toolchain {
    /// The first is the program.
    command: &'static [&'static str],
    /// Its arguments that show whether it is installed.
    probe: &'static [&'static str],
    sources: &'static [(&'static str, &'static str)],
    /// Whether the same sources give the same bytes.
    is_reproducible: bool,
}

const HELLO: &str = "package local:hello;\nworld hello { export greet: func() -> string; }\n";

const TOOLCHAINS: [Toolchain; 6] = [
    Toolchain {
        command: &["clang", "--target=wasm32-wasi", "-o", "app.wasm", "main.c"],
        probe: &["--version"],
        sources: &[("main.c", "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n")],
        is_reproducible: true,
    },
    Toolchain {
        command: &[
            "python3",
            "-m",
            "ziglang",
            "build-exe",
            "-target",
            "wasm32-wasi",
            "-femit-bin=app.wasm",
            "main.zig",
        ],
        probe: &["-m", "ziglang", "version"],
        sources: &[("main.zig", "pub fn main() void {}\n")],
        is_reproducible: true,
    },
    Toolchain {
        command: &["asc", "index.ts", "--outFile", "app.wasm"],
        probe: &["--version"],
        sources: &[("index.ts", "export function add(a: i32, b: i32): i32 { return a + b; }\n")],
        is_reproducible: true,
    },
    Toolchain {
        command: &[
            "jco",
            "componentize",
            "app.js",
            "--wit",
            "wit",
            "-n",
            "hello",
            "--disable",
            "all",
            "-o",
            "app.wasm",
        ],
        probe: &["--version"],
        sources: &[("app.js", "export function greet() { return \"hello\"; }\n"), ("wit/world.wit", HELLO)],
        is_reproducible: false, // it is a snapshot of an engine's memory
    },
    Toolchain {
        command: &["componentize-py", "-d", "wit", "-w", "hello", "componentize", "app", "-o", "app.wasm"],
        probe: &["--version"],
        sources: &[
            (
                "app.py",
                "import wit_world\n\n\nclass WitWorld(wit_world.WitWorld):\n    def greet(self):\n        return \"hello\"\n",
            ),
            ("wit/world.wit", HELLO),
        ],
        is_reproducible: false, // it is a snapshot of an interpreter's memory
    },
    Toolchain {
        command: &["tinygo", "build", "-target=wasip1", "-o", "app.wasm", "main.go"],
        probe: &["version"],
        sources: &[("main.go", "package main\n\nfunc main() { println(\"hello\") }\n")],
        is_reproducible: true,
    },
];

/// The search path, with the directories of `.ci/toolchains`.
fn search_path() -> OsString {
    let installed = project().join("target/toolchains");
    let mut path = OsString::from(installed.join("bin"));
    path.push(":");
    path.push(installed.join("node_modules/.bin"));
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

/// Prints why a test is not run. The test harness does not capture this output.
fn not_run(tool: &str) {
    _ = writeln!(io::stderr(), "NOT RUN: {tool} is not installed");
}

fn is_installed(program: &str, probe: &[&str]) -> bool {
    let mut probing = Command::new("env");
    probing.arg(program).args(probe).env("PATH", search_path());
    probing.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probing.status().is_ok_and(|status| status.success())
}

fn annotations(path: &Path) -> serde_json::Value {
    show_json(&fs::read(path).unwrap()).1["item"]["annotations"].clone()
}

#[test]
fn binaries_of_other_compilers_get_metadata() {
    for Toolchain { command: compile, probe, sources, is_reproducible } in &TOOLCHAINS {
        if !is_installed(compile[0], probe) {
            not_run(&format!("{} {}", compile[0], probe.join(" ")));
            continue;
        }
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::write(root.join("package.json"), "{\"name\": \"a\", \"version\": \"1.0.0\", \"license\": \"MIT\"}")
            .unwrap();
        for (name, text) in *sources {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let build = || {
            let mut wrap = command([&["wrap", "--"], *compile].concat());
            wrap.current_dir(root).stdin(Stdio::null()).env("PATH", search_path());
            wrap.env("ZIG_GLOBAL_CACHE_DIR", root.join("zig-cache"));
            let run = Run::of(wrap.output().unwrap());
            assert_eq!(run.status, 0, "{compile:?}: {}", run.stderr);
            fs::read(root.join("app.wasm")).unwrap()
        };
        let first = build();
        let expected = serde_json::json!({"licenses": "MIT", "version": "1.0.0"});
        assert_eq!(annotations(&root.join("app.wasm")), expected, "{compile:?}");
        assert!(!is_reproducible || build() == first, "{compile:?}: another build gives other bytes");
    }
}

/// The build hooks of docs/build.md, as they are written there, with programs that stand in for the
/// compilers.
#[test]
fn hooks_of_the_documentation_run() {
    use std::os::unix::fs::PermissionsExt;
    let text = fs::read_to_string(project().join("docs/build.md")).unwrap();
    let hook = |language: &str| {
        let (_, hooks) = text.split_once("\n## Build hooks\n").expect("docs/build.md has hooks");
        let (_, block) =
            hooks.split_once(&format!("\n```{language}\n")).unwrap_or_else(|| panic!("no {language} hook"));
        block.split_once("\n```").unwrap().0.to_owned() + "\n"
    };
    for (tool, file, content, args, output) in [
        (
            "npm",
            "package.json",
            format!("{{\"version\": \"1.0.0\", {}}}", hook("json")),
            &["run", "build", "--offline"][..],
            "build/app.wasm",
        ),
        ("make", "Makefile", hook("make"), &["app.wasm"], "app.wasm"),
        ("just", "justfile", hook("just"), &["build"], "app.wasm"),
    ] {
        if !is_installed(tool, &["--version"]) {
            not_run(tool);
            continue;
        }
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::write(root.join("in.wasm"), sectile_testing::binary::module(&[])).unwrap();
        fs::write(root.join("main.go"), "").unwrap();
        fs::create_dir_all(root.join("build")).unwrap();
        fs::create_dir(root.join("programs")).unwrap();
        fs::write(root.join("package.json"), "{\"version\": \"1.0.0\"}").unwrap();
        fs::write(root.join(file), content).unwrap();
        let compiler = format!("#!/bin/sh\ncp '{0}/in.wasm' '{0}/{output}'\n", root.display());
        for compiler_name in ["asc", "tinygo", "zig"] {
            let path = root.join("programs").join(compiler_name);
            fs::write(&path, &compiler).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let programs = Path::new(env!("CARGO_BIN_EXE_sectile")).parent().unwrap();
        let mut path = OsString::from(format!("{}:{}:", root.join("programs").display(), programs.display()));
        path.push(search_path());
        let mut hook = Command::new("env");
        hook.arg(tool).args(args).current_dir(root).stdin(Stdio::null()).env("SECTILE_CONFIG", "").env("PATH", path);
        let run = Run::of(hook.output().unwrap());
        assert_eq!(run.status, 0, "{tool}: {}", run.stderr);
        assert_eq!(annotations(&root.join(output))["version"], "1.0.0", "{tool}");
    }
}

#[test]
fn names_of_outputs_need_not_be_utf_8() {
    use std::os::unix::ffi::OsStringExt;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::write(root.join("package.json"), "{\"version\": \"1.0.0\"}").unwrap();
    fs::write(root.join("in.wasm"), sectile_testing::binary::module(&[])).unwrap();
    let name = OsString::from_vec(b"a \xff.wasm".to_vec());
    let script = ["wrap", "--", "sh", "-c", "cp in.wasm \"$2\"", "sh", "-o"].map(OsString::from);
    let run = Run::of(command(script.into_iter().chain([name.clone()])).current_dir(root).output().unwrap());
    if cfg!(target_os = "macos") {
        return; // its file systems refuse such names
    }
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(annotations(&root.join(name))["version"], "1.0.0");
}
