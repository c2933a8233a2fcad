//! The packages that a binary is built from, in the format of cargo-auditable.
//!
//! `cargo metadata` lists the dependencies of packages, and Cargo's messages list the packages that
//! this build compiled: for the target, for the host, or for both. A package counts if both agree.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sectile::metadata::{Dependencies, Package};
use serde_json::Value;

use super::cargo_args::shared_options;
use super::messages::{Artifact, Unit};
use super::program;
use crate::failure::Failure;

/// The source of packages from the default registry. Source: cargo-auditable.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Lists the packages of a binary, as the data of the section `.dep-v0`.
pub fn dependencies(artifact: &Artifact, units: &[Unit], cargo: &OsStr, args: &[OsString]) -> Result<Vec<u8>, Failure> {
    let target = target(&artifact.path).unwrap_or_default();
    let graph = Graph {
        for_target: Metadata::read(artifact, cargo, args, Some(target))?,
        for_host: Metadata::read(artifact, cargo, args, None)?,
        units: units.iter().fold(BTreeSet::new(), |mut units, unit| {
            let is_for_target = |file: &PathBuf| self::target(file) == Some(target);
            units.insert((unit.package.as_str(), Place::new(unit.files.iter().any(is_for_target))));
            units
        }),
    };
    let packages = graph.packages(artifact)?;
    Dependencies::encode(&packages)
        .map_err(|error| Failure::Other(format!("cannot list the dependencies: {}", error.message())))
}

/// The platform that a package is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// That of the binary: the package is part of the binary.
    Target,
    /// That of the compiler: a build script, a procedural macro, or a dependency of them.
    Host,
}

impl Place {
    fn new(is_target: bool) -> Self {
        if is_target { Self::Target } else { Self::Host }
    }
}

/// The name of the target in the path of a file that Cargo built:
/// `TARGET-DIRECTORY/TARGET/PROFILE/…`.
fn target(path: &Path) -> Option<&OsStr> {
    let name = |directory: &Path, expected: &str| directory.file_name().is_some_and(|name| name == expected);
    let mut directory = path.parent()?;
    // `deps/artifact/NAME-HASH/bin`
    if let Some(artifacts) = directory.ancestors().nth(2).filter(|directory| name(directory, "artifact")) {
        directory = artifacts.parent()?;
    }
    if name(directory, "deps") || name(directory, "examples") {
        directory = directory.parent()?;
    }
    directory.parent()?.file_name()
}

/// The answer of `cargo metadata`.
struct Metadata(Value);

impl Metadata {
    /// Reads the dependencies for a target, or for all platforms.
    fn read(artifact: &Artifact, cargo: &OsStr, args: &[OsString], target: Option<&OsStr>) -> Result<Self, Failure> {
        let mut command = Command::new(cargo);
        command.args(["metadata", "--format-version=1", "--quiet", "--no-default-features", "--manifest-path"]);
        command.arg(&artifact.manifest).arg("--features").arg(artifact.features.join(","));
        if let Some(target) = target {
            command.arg("--filter-platform").arg(target);
        }
        command.args(shared_options(args)).stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::piped());
        let output = program::output(&mut command)?;
        let failed = |reason: &str| Failure::Other(format!("`cargo metadata` failed: {}", reason.trim()));
        if !output.status.success() {
            return Err(failed(&String::from_utf8_lossy(&output.stderr)));
        }
        serde_json::from_slice(&output.stdout).map(Self).map_err(|error| failed(&error.to_string()))
    }

    fn package(&self, id: &str) -> Option<&Value> {
        self.0["packages"].as_array()?.iter().find(|package| package["id"] == id)
    }

    /// The dependencies of a package: their ids and kinds. A normal dependency has no kind.
    fn dependencies(&self, id: &str) -> impl Iterator<Item = (&str, Vec<Option<&str>>)> {
        let nodes = self.0["resolve"]["nodes"].as_array().into_iter().flatten();
        let node = nodes.filter(move |node| node["id"] == id);
        let dependencies = node.flat_map(|node| node["deps"].as_array().into_iter().flatten());
        dependencies.filter_map(|dependency| {
            let kinds = dependency["dep_kinds"].as_array()?.iter().map(|kind| kind["kind"].as_str());
            Some((dependency["pkg"].as_str()?, kinds.collect()))
        })
    }
}

struct Graph<'a> {
    for_target: Metadata,
    for_host: Metadata,
    /// The packages that this build compiled, and for which platform.
    units: BTreeSet<(&'a str, Place)>,
}

impl Graph<'_> {
    /// The packages of a binary, ordered by name and version.
    fn packages(&self, artifact: &Artifact) -> Result<Vec<Package>, Failure> {
        let unknown = |id: &str| Failure::Other(format!("`cargo metadata` does not list the package {id}"));
        let edges = self.edges(artifact);
        let mut places: BTreeMap<&str, Place> = BTreeMap::new();
        for &(id, place) in edges.keys() {
            let strongest = places.entry(id).or_insert(place);
            *strongest = place.min(*strongest);
        }
        let mut packages = Vec::new();
        for (&id, &place) in &places {
            let package = self.for_host.package(id).ok_or_else(|| unknown(id))?;
            let text = |key: &str| package[key].as_str().unwrap_or_default();
            let mut listed = Package::new(text("name"), text("version"), source(package["source"].as_str()));
            listed.build = place == Place::Host;
            listed.root = id == artifact.package;
            packages.push((id, listed));
        }
        packages.sort_by(|(id, one), (other_id, other)| {
            (&one.name, &one.version, id).cmp(&(&other.name, &other.version, other_id))
        });
        let indexes: BTreeMap<&str, usize> = packages.iter().enumerate().map(|(index, (id, _))| (*id, index)).collect();
        let mut listed: Vec<Package> = packages.into_iter().map(|(_, package)| package).collect();
        for ((id, _), dependencies) in &edges {
            let of_package = &mut listed[indexes[id]].dependencies;
            of_package.extend(dependencies.iter().map(|(dependency, _)| indexes[dependency]));
            of_package.sort_unstable();
            of_package.dedup();
        }
        Ok(listed)
    }

    /// Each package that the binary needs, for each platform, and its dependencies.
    fn edges<'a>(&'a self, artifact: &'a Artifact) -> BTreeMap<(&'a str, Place), Vec<(&'a str, Place)>> {
        let mut edges = BTreeMap::new();
        let mut open = vec![(artifact.package.as_str(), Place::Target)];
        while let Some(node) = open.pop() {
            if let Entry::Vacant(entry) = edges.entry(node) {
                open.extend(entry.insert(self.dependencies(artifact, node)).iter());
            }
        }
        edges
    }

    /// The dependencies of a package that this build compiled. Dependencies on the root package are
    /// left out: only development dependencies have them, and they would be circular.
    fn dependencies<'a>(&'a self, artifact: &Artifact, (id, place): (&str, Place)) -> Vec<(&'a str, Place)> {
        let is_root = id == artifact.package;
        let metadata = if place == Place::Target { &self.for_target } else { &self.for_host };
        let of_place = metadata.dependencies(id).filter_map(|(id, kinds)| {
            let is_linked = |kind: Option<&str>| match kind {
                None => true,
                Some(kind) => kind == "dev" && is_root && artifact.is_development,
            };
            let is_linked = kinds.into_iter().any(is_linked);
            let place = if self.is_proc_macro(id) { Place::Host } else { place };
            is_linked.then_some((id, place))
        });
        let of_scripts = self.for_host.dependencies(id);
        let of_scripts =
            of_scripts.filter(|(_, kinds)| kinds.contains(&Some("build"))).map(|(id, _)| (id, Place::Host));
        let mut dependencies: Vec<_> = of_place.chain(of_scripts).collect();
        dependencies.retain(|dependency| dependency.0 != artifact.package && self.units.contains(dependency));
        dependencies
    }

    fn is_proc_macro(&self, id: &str) -> bool {
        let targets = self.for_host.package(id).and_then(|package| package["targets"].as_array());
        let mut kinds = targets.into_iter().flatten().filter_map(|target| target["kind"].as_array()).flatten();
        kinds.any(|kind| kind == "proc-macro")
    }
}

/// The source of a package, in the words of cargo-auditable.
fn source(source: Option<&str>) -> &str {
    match source {
        None => "local",
        Some(CRATES_IO) => "crates.io",
        Some(source) => source.split('+').next().unwrap_or(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_in_the_path() {
        for (path, expected) in [
            ("/t/wasm32-wasip2/debug/app.wasm", "wasm32-wasip2"),
            ("/t/wasm32-wasip2/debug/deps/liba.rlib", "wasm32-wasip2"),
            ("/t/wasm32-wasip2/debug/examples/shown.wasm", "wasm32-wasip2"),
            ("/t/wasm32-wasip2/debug/deps/artifact/a-0123456789abcdef/bin/a.wasm", "wasm32-wasip2"),
            ("/t/debug/deps/liba.rlib", "t"),
        ] {
            assert_eq!(target(Path::new(path)), Some(OsStr::new(expected)), "{path}");
        }
    }
}
