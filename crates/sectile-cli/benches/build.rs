//! An up-to-date build by `cargo sectile`, against Cargo alone. Whole processes, in pairs.
//!
//! `cargo bench -p sectile-cli --bench build` prints the median of the ratios of the pairs. Cargo
//! itself starts `cargo sectile`, so the row `floor` is the ratio of a subcommand that does nothing
//! but run `cargo build`.
#![allow(clippy::unwrap_used)]

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Numbers of local packages.
const SIZES: [usize; 3] = [1, 40, 300];
const ROUNDS: usize = 40;

/// The subcommands, each against `cargo build`. The last two are started without Cargo.
const ROWS: [(&str, &[&str]); 3] = [
    ("floor", &["cargo", "floor", "build"]),
    ("cargo sectile", &["cargo", "sectile", "build"]),
    ("cargo-sectile", &["cargo-sectile", "build"]),
];

fn main() {
    let is_bench = env::args().any(|arg| arg == "--bench");
    let (sizes, rounds) = if is_bench { (&SIZES[..], ROUNDS) } else { (&SIZES[..1], 1) };
    println!("packages  cargo build  {}", ROWS.map(|(name, _)| format!("{name:>14}")).join(""));
    for &size in sizes {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        workspace(root, size);
        if !run(root, &["cargo", "build"]).1 {
            println!("NOT RUN: Cargo cannot build for {TARGET} here");
            return;
        }
        let rows = ROWS.map(|(_, command)| ratios(root, command, rounds));
        let alone = median(rows.iter().flat_map(|(alone, _)| alone.iter().map(Duration::as_secs_f64)).collect());
        let ratios = rows.map(|(_, ratios)| format!("{:>14.3}", median(ratios)));
        println!("{size:>8}  {:>8.1} ms  {}", alone * 1e3, ratios.join(""));
    }
}

/// The times of Cargo alone, and the ratios of a command to it.
fn ratios(root: &Path, command: &[&str], rounds: usize) -> (Vec<Duration>, Vec<f64>) {
    let timed = |command: &[&str]| {
        let (time, is_success) = run(root, command);
        assert!(is_success, "{command:?}");
        time
    };
    timed(command); // sets the metadata
    timed(&["cargo", "build"]);
    let pairs = (0..rounds).map(|round| {
        // Neither is always the first.
        if round % 2 == 0 {
            let alone = timed(&["cargo", "build"]);
            (alone, timed(command))
        } else {
            let with = timed(command);
            (timed(&["cargo", "build"]), with)
        }
    });
    pairs.map(|(alone, with)| (alone, with.as_secs_f64() / alone.as_secs_f64())).unzip()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

const TARGET: &str = "wasm32-unknown-unknown";

fn run(root: &Path, command: &[&str]) -> (Duration, bool) {
    let programs = Path::new(env!("CARGO_BIN_EXE_cargo-sectile")).parent().unwrap();
    let others = env::var_os("PATH").unwrap_or_default();
    let path =
        env::join_paths([root, programs].map(Path::to_owned).into_iter().chain(env::split_paths(&others))).unwrap();
    let cargo = env::var_os("CARGO").unwrap();
    let program = if command[0] == "cargo" { cargo.clone() } else { programs.join(command[0]).into() };
    let mut command_line = Command::new(program);
    command_line.args(&command[1..]).args(["--offline", "--target", TARGET]).current_dir(root);
    command_line.env("PATH", path).env("CARGO", cargo).env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTFLAGS");
    command_line.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command_line.status().unwrap();
    (start.elapsed(), status.success())
}

/// A program and libraries that need no standard library, in a Git work tree.
fn workspace(root: &Path, packages: usize) {
    const HEAD: &str = "#![no_core]\n#![feature(no_core, lang_items)]\n#![allow(internal_features)]\n";
    const LANGUAGE: &str = "#[lang = \"pointee_sized\"] pub trait PointeeSized {}\n\
        #[lang = \"meta_sized\"] pub trait MetaSized: PointeeSized {}\n\
        #[lang = \"sized\"] pub trait Sized: MetaSized {}\n";
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let package = |name: &str, dependencies: &[usize]| {
        let own = "version = \"1.0.0\"\nedition = \"2024\"\nlicense = \"MIT\"\n[dependencies]\n";
        let list = dependencies.iter().map(|it| format!("lib{it} = {{ path = \"../lib{it}\" }}\n"));
        format!("[package]\nname = \"{name}\"\n{own}{}", list.collect::<Vec<_>>().concat())
    };
    write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"app\", \"lib*\"]\nresolver = \"2\"\n[profile.dev]\npanic = \"abort\"\n",
    );
    write("app/Cargo.toml", &package("app", &(0..packages).collect::<Vec<_>>()));
    let start = "#[unsafe(no_mangle)] pub extern \"C\" fn _start() {}\n";
    write("app/src/main.rs", &format!("{HEAD}#![no_main]\nextern crate lib0;\n{start}"));
    for index in 0..packages {
        let dependencies: Vec<usize> = [1, 3, 7].iter().filter_map(|distance| index.checked_sub(*distance)).collect();
        write(&format!("lib{index}/Cargo.toml"), &package(&format!("lib{index}"), &dependencies));
        write(&format!("lib{index}/src/lib.rs"), &format!("{HEAD}{}", if index == 0 { LANGUAGE } else { "" }));
    }
    write(".gitignore", "target\ncargo-floor\n");
    write("cargo-floor", "#!/bin/sh\nshift\nexec \"$CARGO\" \"$@\"\n");
    #[cfg(unix)]
    fs::set_permissions(root.join("cargo-floor"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(args).current_dir(root);
        assert!(command.stdout(Stdio::null()).status().unwrap().success());
    };
    run(root, &["cargo", "generate-lockfile"]);
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "all"]);
}
