//! Tools that CI installs, and the public interfaces that it lists with one of them.

use std::fs;
use std::process::Command;

use crate::context::Context;
use crate::process::{Run, cargo, is_installed, program, root};

/// The crates whose public interface is listed in `api/`.
const LISTED: [&str; 8] = [
    "sectile",
    "sectile-advisories",
    "sectile-audit",
    "sectile-manifest",
    "sectile-oci",
    "sectile-policy",
    "sectile-remote",
    "sectile-sbom",
];

/// Version of cargo-public-api. Other versions may give other lists.
const PUBLIC_API: &str = "0.52.0";

/// Installs Debian's packages, unless these programs are there.
pub(crate) fn packages(context: &mut Context, programs: &[&str], packages: &[&str]) -> Result<(), String> {
    if programs.iter().all(|program| is_installed(program)) {
        return Ok(());
    }
    context.run(program("apt-get", &["update", "-qq"]))?;
    let install = [&["install", "-qq", "-y", "--no-install-recommends"], packages].concat();
    let mut command = program("apt-get", &install);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    context.run(command)
}

/// Installs a program by cargo, unless it is there.
pub(crate) fn cargo_program(context: &mut Context, name: &str) -> Result<(), String> {
    if is_installed(name) {
        return Ok(());
    }
    context.run(cargo(&["install", name, "--locked", "--quiet", "--debug"]))
}

/// Installs this version of a program by cargo, unless it is there: other versions give other output.
pub(crate) fn cargo_version(context: &mut Context, name: &str, version: &str) -> Result<(), String> {
    if has_version(program(name, &["--version"]), version) {
        return Ok(());
    }
    context.run(cargo(&["install", name, "--locked", "--quiet", "--debug", "--version", version]))
}

fn has_version(mut command: Command, version: &str) -> bool {
    command.output().is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim().ends_with(version))
}

/// Writes the public interface of each crate.
pub(crate) fn write_api() -> Result<(), String> {
    if !has_version(cargo(&["public-api", "--version"]), PUBLIC_API) {
        cargo(&["install", "cargo-public-api", "--locked", "--quiet", "--debug", "--version", PUBLIC_API]).run()?;
    }
    for krate in LISTED {
        let output = public_api(krate).output().map_err(|error| format!("cargo public-api: {error}"))?;
        if !output.status.success() {
            return Err(format!("cargo public-api -p {krate}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let path = root().join("api").join(format!("{krate}.txt"));
        fs::write(&path, output.stdout).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Lists the public items, without derived, blanket and auto implementations (`-sss`).
fn public_api(krate: &str) -> Command {
    let mut command = cargo(&["public-api", "-p", krate, "--all-features", "--color", "never", "-sss"]);
    // A stable compiler writes rustdoc's JSON with this variable alone.
    command.env("RUSTC_BOOTSTRAP", "1").env("RUSTDOCFLAGS", "").env("CARGO_TARGET_DIR", "target/api");
    command
}
