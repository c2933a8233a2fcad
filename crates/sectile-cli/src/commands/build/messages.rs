//! Cargo's JSON messages. Source: the Cargo book, "External tools".

use std::ffi::OsString;
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
}

impl Artifact {
    /// Whether the binary is built for another package to embed:
    /// `deps/artifact/NAME-HASH/bin/NAME.wasm`. Source: Cargo's layout of artifact dependencies.
    pub fn is_dependency(&self) -> bool {
        let mut names = self.path.ancestors().skip(3).map(|directory| directory.file_name().unwrap_or_default());
        names.next().is_some_and(|name| name == "artifact") && names.next().is_some_and(|name| name == "deps")
    }
}

/// The message format that the user requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text on standard error.
    Human,
    /// Short text on standard error.
    Short,
    /// JSON on standard output.
    Json,
}

/// Cargo's arguments without `--message-format`, and the requested format.
#[derive(Debug)]
pub struct MessageArgs {
    pub format: Format,
    /// The values of `--message-format`.
    pub given: Vec<OsString>,
    pub others: Vec<OsString>,
}

impl MessageArgs {
    pub fn new(args: &[OsString]) -> Self {
        const OPTION: &str = "--message-format";
        let mut parsed = Self { format: Format::Human, given: Vec::new(), others: Vec::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let text = arg.to_string_lossy();
            if arg == "--" {
                parsed.others.push(arg.clone());
                break;
            } else if arg == OPTION {
                parsed.given.extend(args.next().cloned());
            } else if let Some(value) = text.strip_prefix(OPTION).and_then(|rest| rest.strip_prefix('=')) {
                parsed.given.push(value.into());
            } else {
                parsed.others.push(arg.clone());
            }
        }
        parsed.others.extend(args.cloned());
        for value in parsed.given.iter().filter_map(|value| value.to_str()).flat_map(|value| value.split(',')) {
            match value {
                "short" => parsed.format = Format::Short,
                "human" => parsed.format = Format::Human,
                _ => parsed.format = Format::Json,
            }
        }
        parsed
    }
}

/// One line of Cargo's standard output.
pub enum Line {
    Artifacts(Vec<Artifact>),
    /// A diagnostic of the compiler, as text.
    Diagnostic(String),
    /// Another message.
    Other,
    /// Not a message: the output of another program, or Cargo's help.
    Text,
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
    let Ok(message) = serde_json::from_slice::<Value>(line) else { return Line::Text };
    match message["reason"].as_str() {
        Some("compiler-artifact") => Line::Artifacts(artifacts(&message)),
        Some("compiler-message") => match message["message"]["rendered"].as_str() {
            Some(text) => Line::Diagnostic(text.to_owned()),
            None => Line::Other,
        },
        Some(_) => Line::Other,
        None => Line::Text,
    }
}

/// The WebAssembly files of a message.
fn artifacts(message: &Value) -> Vec<Artifact> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let kinds = texts(&message["target"]["crate_types"]);
    let manifest = message["manifest_path"].as_str().map(PathBuf::from);
    let is_wasm = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
    let package = message["package_id"].as_str().unwrap_or_default();
    let Some(manifest) = manifest else { return Vec::new() };
    let paths = texts(&message["filenames"]).into_iter().map(PathBuf::from).filter(is_wasm);
    let artifact = |path| Artifact {
        path,
        manifest: manifest.clone(),
        // Before Cargo 1.77: `NAME VERSION (path+file:///…)`.
        is_local: package.starts_with("path+") || package.contains("(path+"),
        is_linkable: kinds.iter().any(|kind| kind == "lib" || kind == "rlib" || kind == "dylib"),
    };
    paths.map(artifact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_format_is_extracted_from_arguments() {
        let args = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (text, format, others) in [
            ("--release", Format::Human, "--release"),
            ("--message-format short -p a", Format::Short, "-p a"),
            ("-p a --message-format=json,json-diagnostic-short", Format::Json, "-p a"),
            ("-p a -- --message-format=json", Format::Human, "-p a -- --message-format=json"),
        ] {
            let parsed = MessageArgs::new(&args(text));
            assert_eq!((parsed.format, parsed.others), (format, args(others)), "{text}");
        }
    }
}
