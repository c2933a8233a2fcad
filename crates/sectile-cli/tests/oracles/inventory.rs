//! Inventories, compared with what programs say about themselves, and with another finder of crates.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustsec::binary_scanning::BinaryReport;
use sectile::inventory::{Ecosystem, Inventory};
use sectile_testing::binary::module_with_data;
use sectile_testing::files::{project, real_paths};

/// A Go program that prints its own build information, with a module from the proxy, and a
/// replacement.
const GO_FILES: [(&str, &str); 4] = [
    (
        "go.mod",
        "module example.com/app\n\ngo 1.24\n\nrequire (\n\texample.com/local v1.2.3\n\tgolang.org/x/text v0.21.0\n)\n\n\
         replace example.com/local => ./local\n",
    ),
    (
        "cmd/main.go",
        "package main\n\nimport (\n\t\"fmt\"\n\t\"runtime/debug\"\n\n\t\"example.com/local\"\n\t\"golang.org/x/text/language\"\n)\n\n\
         func main() {\n\tinfo, _ := debug.ReadBuildInfo()\n\tfmt.Print(info.String())\n\t_ = local.Name + language.English.String()\n}\n",
    ),
    ("local/go.mod", "module example.com/local\n\ngo 1.24\n"),
    ("local/local.go", "package local\n\nconst Name = \"local\"\n"),
];

fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The program's output under Node, through the launcher of Go's distribution.
fn run_under_node(directory: &Path, system: &str, binary: &Path) -> String {
    let root = output_of(Command::new("go").args(["env", "GOROOT"]));
    if system == "js" {
        let launcher = Path::new(root.trim()).join("lib/wasm/wasm_exec_node.js");
        return output_of(Command::new("node").arg("--stack-size=8192").arg(launcher).arg(binary));
    }
    let launcher = directory.join("wasi.mjs");
    let script = "import { readFile } from 'node:fs/promises';\nimport { WASI } from 'node:wasi';\n\
        const wasi = new WASI({ version: 'preview1', args: ['app'] });\n\
        const module = await WebAssembly.compile(await readFile(process.argv[2]));\n\
        wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));\n";
    fs::write(&launcher, script).unwrap();
    output_of(Command::new("node").arg("--no-warnings").arg(launcher).arg(binary))
}

/// The lines of `BuildInfo.String` that an inventory repeats.
fn printed_facts(text: &str) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    let mut last: Option<Vec<&str>> = None;
    let mut add = |module: Option<Vec<&str>>| {
        facts.extend(module.map(|fields| fields.join(" ").trim_end().to_owned()));
    };
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[0] {
            "mod" | "dep" => add(last.replace(fields[1..].to_vec())),
            // A directory is not a module: the path that it replaces is named.
            "=>" if fields[1].starts_with('.') => last = last.map(|module| vec![module[0], fields[2]]),
            "=>" => last = Some(fields[1..].to_vec()),
            "build" if !fields[1].contains('/') => add(Some(vec![fields[1]])),
            "path" => add(Some(vec!["path", fields[1]])),
            _ => {}
        }
    }
    add(last);
    facts
}

fn inventory_facts(inventory: &Inventory) -> BTreeSet<String> {
    let [build] = inventory.go_builds() else { panic!("{:?}", inventory.go_builds()) };
    assert!(build.complete);
    let packages = inventory.packages().iter().filter(|package| package.ecosystem == Ecosystem::Go);
    let packages = packages.map(|package| {
        let sum = package.checksum.as_deref().unwrap_or_default();
        format!("{} {} {sum}", package.name, package.version).trim_end().to_owned()
    });
    let settings = build.settings.iter().map(|(key, value)| format!("{key}={value}"));
    packages.chain(settings).chain([format!("path {}", build.path)]).collect()
}

#[test]
#[ignore = "needs Go and Node"]
fn go_programs_print_what_the_inventory_has() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in GO_FILES {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let go = || {
        let mut go = Command::new("go");
        go.current_dir(directory.path()).env("GOFLAGS", "-mod=mod").env("GOARCH", "wasm");
        go
    };
    for system in ["wasip1", "js"] {
        for options in [&[][..], &["-trimpath"], &["-ldflags=-s -w"], &["-trimpath", "-ldflags=-s -w"]] {
            let binary = directory.path().join("app.wasm");
            output_of(go().env("GOOS", system).arg("build").args(options).arg("-o").arg(&binary).arg("./cmd"));
            let printed = run_under_node(directory.path(), system, &binary);
            let inventory = sectile::Input::open(&binary).unwrap().inventory().unwrap();
            let facts = printed_facts(&printed);
            assert!(facts.len() > 6, "{printed}");
            let quoted: BTreeSet<_> = facts.iter().map(|line| line.replace('"', "")).collect();
            let ours: BTreeSet<_> = inventory_facts(&inventory).iter().map(|line| line.replace('"', "")).collect();
            assert_eq!(ours, quoted, "{system} {options:?}");
        }
    }
}

/// The crates that `quitters` finds.
fn found_by_quitters(bytes: &[u8]) -> BTreeSet<String> {
    quitters::versions(bytes).into_iter().map(|(name, version)| format!("{name} {version}")).collect()
}

fn crates_in(inventory: &Inventory) -> BTreeSet<String> {
    let crates = inventory.packages().iter().filter(|package| package.ecosystem == Ecosystem::Cargo);
    crates.map(|package| format!("{} {}", package.name, package.version)).collect()
}

/// The binaries of the repository, and those that `cargo xtask inventory` has fetched.
fn binaries() -> Vec<PathBuf> {
    let fetched = fs::read_dir(project().join("benches/inventory/files")).into_iter().flatten();
    let fetched = fetched.map(|entry| entry.unwrap().path()).filter(|path| path.extension() == Some("wasm".as_ref()));
    real_paths().into_iter().chain(fetched).collect()
}

/// A binary without the sections that strip removes: debug sections are not searched. `None` if it
/// is malformed.
fn stripped(path: &Path, strip: sectile::edit::Strip) -> Option<Vec<u8>> {
    let input = sectile::Input::open(path).unwrap();
    let planned = sectile::Edit::new().strip(strip).plan_input(&input).ok()?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut planned.plan().reader(&input), &mut bytes).unwrap();
    Some(bytes)
}

/// The crates that `cargo audit bin` finds, and whether they are a declared list.
fn found_by_cargo_audit(bytes: &[u8]) -> (BTreeSet<String>, bool) {
    let (lockfile, is_declared) = match rustsec::binary_scanning::load_deps_from_binary(bytes, None) {
        Ok((_, BinaryReport::Complete(lockfile))) => (lockfile, true),
        Ok((_, BinaryReport::Incomplete(lockfile))) => (lockfile, false),
        _ => return (BTreeSet::new(), false),
    };
    let packages = lockfile.packages.iter();
    (packages.map(|package| format!("{} {}", package.name, package.version)).collect(), is_declared)
}

#[test]
fn every_crate_that_cargo_audit_finds_is_found() {
    let (mut declared, mut recovered) = (0, 0);
    for path in binaries() {
        let Some(bytes) = stripped(&path, sectile::edit::Strip::new()) else { continue };
        let (theirs, is_declared) = found_by_cargo_audit(&bytes);
        let ours: BTreeSet<String> = if is_declared {
            let metadata = sectile::read_slice(&bytes).unwrap();
            let packages = sectile::inventory::declared_packages(&metadata);
            packages.map(|package| format!("{} {}", package.name, package.version)).collect()
        } else {
            crates_in(&sectile::inventory::read_slice(&bytes).unwrap())
        };
        assert!(ours.is_superset(&theirs), "{}: {:?}", path.display(), theirs.difference(&ours));
        *(if is_declared { &mut declared } else { &mut recovered }) += theirs.len();
    }
    assert!(declared > 0 && recovered > 0, "{declared} {recovered}");
}

#[test]
fn every_crate_that_quitters_finds_is_found() {
    let mut number = 0;
    for path in binaries() {
        let bytes = fs::read(&path).unwrap();
        let Some(data) = stripped(&path, sectile::edit::Strip::new().all()) else { continue };
        let theirs = found_by_quitters(&data);
        let ours = crates_in(&sectile::inventory::read_slice(&bytes).unwrap());
        assert!(ours.is_superset(&theirs), "{}: {:?}", path.display(), theirs.difference(&ours));
        number += theirs.len();
    }
    assert!(number > 0);
}

/// The strings of this program, which are those of a native binary, as the data of a module.
#[test]
fn crates_of_a_native_program_are_found() {
    let bytes = fs::read(std::env::current_exe().unwrap()).unwrap();
    // Only paths that panic messages have: debugging data also lists directories.
    let paths: Vec<&[u8]> = bytes
        .split(|byte| !(byte.is_ascii_graphic() || *byte == b' '))
        .filter(|text| text.windows(4).any(|window| window == b".rs/" || window == b"/src") && text.ends_with(b".rs"))
        .collect();
    let module = module_with_data(paths.join(&0));
    let ours = crates_in(&sectile::inventory::read_slice(&module).unwrap());
    for theirs in [found_by_quitters(&module), found_by_cargo_audit(&module).0] {
        assert!(theirs.len() > 20, "{theirs:?}");
        assert!(ours.is_superset(&theirs), "{:?}", theirs.difference(&ours));
    }
}
