//! Fuzz targets: where they are, and how they are run.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::process::{Run, cargo, is_installed, program, root};

/// The directories of fuzz targets, one for each crate.
pub(crate) const DIRECTORIES: [&str; 5] = [
    "fuzz",
    "crates/sectile-advisories/fuzz",
    "crates/sectile-audit/fuzz",
    "crates/sectile-manifest/fuzz",
    "crates/sectile-policy/fuzz",
];

/// A fuzz target.
pub(crate) struct Target {
    /// Its directory, relative to the project's root.
    pub(crate) directory: &'static str,
    pub(crate) name: String,
}

/// All targets.
pub(crate) fn targets() -> Result<Vec<Target>, String> {
    let mut targets = Vec::new();
    for directory in DIRECTORIES {
        let sources = root().join(directory).join("fuzz_targets");
        let entries = fs::read_dir(&sources).map_err(|error| format!("{}: {error}", sources.display()))?;
        for entry in entries {
            let path: PathBuf = entry.map_err(|error| format!("{}: {error}", sources.display()))?.path();
            let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
            targets.push(Target { directory, name: name.to_owned() });
        }
    }
    targets.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(targets)
}

impl Target {
    /// Runs the target for some seconds, from its seeds and the corpus of earlier runs. The first run of a directory
    /// builds all of its targets.
    pub(crate) fn command(&self, seconds: u64) -> Result<Command, String> {
        let Self { directory, name } = self;
        let [corpus, seeds] = ["corpus", "seeds"].map(|kind| format!("{directory}/{kind}/{name}"));
        fs::create_dir_all(root().join(&corpus)).map_err(|error| format!("{corpus}: {error}"))?;
        let time = format!("-max_total_time={seconds}");
        let mut command =
            cargo(&["fuzz", "run", "--fuzz-dir", directory, "--sanitizer", "none", name, &corpus, &seeds]);
        command.args(["--", &time, "-print_final_stats=1", "-verbosity=0"]);
        command.env("RUSTC_BOOTSTRAP", "1"); // coverage needs flags that stable Rust keeps behind this
        Ok(command)
    }
}

/// Runs one target.
pub(crate) fn run(name: &str, seconds: u64) -> Result<(), String> {
    let targets = targets()?;
    let Some(target) = targets.iter().find(|target| target.name == name) else {
        let names: Vec<_> = targets.iter().map(|target| &*target.name).collect();
        return Err(format!("unknown fuzz target `{name}`: the targets are {}", names.join(", ")));
    };
    if !is_installed("cargo-fuzz") {
        cargo(&["install", "cargo-fuzz", "--locked"]).run()?;
    }
    program("python3", &["fuzz/corpora.py", "unpack"]).run()?;
    target.command(seconds)?.run()
}
