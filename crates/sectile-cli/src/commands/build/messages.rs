//! Cargo's JSON messages. Source: the Cargo book, "External tools".

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use serde_json::Value;

/// A binary that Cargo reports.
#[derive(Clone, Debug)]
pub struct Artifact {
    pub path: PathBuf,
    /// The manifest of its package.
    pub manifest: PathBuf,
    /// Whether the package is local, not from a registry or another repository.
    pub is_local: bool,
    /// Whether other targets may depend on the same target. Cargo then compares modification times.
    pub is_linkable: bool,
    /// The id of its package.
    pub package: String,
    /// The enabled features of its package.
    pub features: Vec<String>,
    /// Whether it is a test, an example or a benchmark, which has development dependencies.
    pub is_development: bool,
}

/// A compiled target of a package.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The id of the package.
    pub package: String,
    pub files: Vec<PathBuf>,
}

impl Artifact {
    /// Whether the binary is built for another package to embed:
    /// `deps/artifact/NAME-HASH/bin/NAME.wasm`. Source: Cargo's layout of artifact dependencies.
    pub fn is_dependency(&self) -> bool {
        let mut names = self.path.ancestors().skip(3).map(|directory| directory.file_name().unwrap_or_default());
        names.next().is_some_and(|name| name == "artifact") && names.next().is_some_and(|name| name == "deps")
    }
}

/// One line of Cargo's standard output.
pub enum Line {
    /// The files of a target.
    Target {
        unit: Unit,
        binaries: Vec<Artifact>,
        /// Whether the target was up to date.
        is_fresh: bool,
    },
    /// All targets are built.
    Finished,
    /// A diagnostic of the compiler, as text.
    Diagnostic(String),
    /// Another message.
    Other,
    /// Not a message: the output of another program, or Cargo's help.
    Text,
    /// A message that is not valid JSON or not UTF-8.
    Malformed,
}

/// Reads lines and passes on each with its text, including the line ending.
pub fn read<E>(
    stream: impl Read,
    mut on_line: impl FnMut(&[u8], Line) -> Result<(), E>,
) -> Result<std::io::Result<()>, E> {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match stream.read_until(b'\n', &mut line) {
            Ok(0) => return Ok(Ok(())),
            Ok(_) => on_line(&line, parse(&line))?,
            Err(error) => return Ok(Err(error)),
        }
    }
}

fn parse(line: &[u8]) -> Line {
    if !line.starts_with(b"{") {
        return Line::Text;
    }
    let Ok(message) = serde_json::from_slice::<Value>(line) else {
        return if line.starts_with(b"{\"reason\":") { Line::Malformed } else { Line::Text };
    };
    match message["reason"].as_str() {
        Some("compiler-artifact") => {
            let unit = unit(&message);
            Line::Target { binaries: binaries(&message, &unit), unit, is_fresh: message["fresh"] == true }
        }
        Some("build-finished") if message["success"] == true => Line::Finished,
        Some("compiler-message") => match message["message"]["rendered"].as_str() {
            Some(text) => Line::Diagnostic(text.to_owned()),
            None => Line::Other,
        },
        Some(_) => Line::Other,
        None => Line::Text,
    }
}

fn unit(message: &Value) -> Unit {
    let package = message["package_id"].as_str().unwrap_or_default().to_owned();
    Unit { package, files: texts(&message["filenames"]).map(PathBuf::from).collect() }
}

/// The WebAssembly files of a message.
fn binaries(message: &Value, unit: &Unit) -> Vec<Artifact> {
    let Some(manifest) = message["manifest_path"].as_str().map(PathBuf::from) else { return Vec::new() };
    let target = &message["target"];
    let has = |key: &str, names: &[&str]| texts(&target[key]).any(|text| names.contains(&text));
    let is_wasm = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
    let artifact = |path: &PathBuf| Artifact {
        path: path.clone(),
        manifest: manifest.clone(),
        // Before Cargo 1.77: `NAME VERSION (path+file:///…)`.
        is_local: unit.package.starts_with("path+") || unit.package.contains("(path+"),
        is_linkable: has("crate_types", &["lib", "rlib", "dylib"]),
        package: unit.package.clone(),
        features: texts(&message["features"]).map(str::to_owned).collect(),
        is_development: has("kind", &["test", "example", "bench"]) || message["profile"]["test"] == true,
    };
    unit.files.iter().filter(is_wasm).map(artifact).collect()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}
