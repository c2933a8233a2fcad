//! Crates, from the paths of source files that panic messages and debug strings hold.

use std::sync::LazyLock;

use super::context::Context;
use super::package::{Confidence, Ecosystem, Evidence, FoundPackage};
use super::path::{
    component, is_hex, is_rendered, is_semver, is_separator, name_and_version, source_file, without_hash,
};
use super::search::Searcher;

type Extract = for<'t> fn(&Context<'t>) -> Option<FoundPackage<'t>>;

/// The byte strings in paths of source files, and the crates that they lead to.
const ANCHORS: [(&[u8], Extract); 4] =
    [(b"registry", registry), (b"vendor", vendor), (b"/rust", standard_library), (b"checkouts", checkout)];

static SEARCHER: LazyLock<Searcher> = LazyLock::new(|| Searcher::new(ANCHORS.iter().map(|(anchor, _)| *anchor)));

/// Index of the first anchor in a text.
pub(super) fn find_anchor(text: &[u8]) -> Option<usize> {
    SEARCHER.find(text, 0..text.len()).map(|(range, _)| range.start)
}

/// Finds the crates of a source file whose extension is at `end`, in the text from `start` on. Each
/// is passed on with the index of its anchor.
pub(super) fn crates<'t>(text: &'t [u8], start: usize, end: usize, mut found: impl FnMut(usize, &FoundPackage<'t>)) {
    let mut at = start.max(end.saturating_sub(Context::PATH));
    // The caller may have found the first anchor.
    let first = ANCHORS.iter().position(|(anchor, _)| text[at..end].starts_with(anchor));
    let mut next =
        first.map(|number| (at..at + ANCHORS[number].0.len(), number)).or_else(|| SEARCHER.find(text, at..end));
    while let Some((anchor, number)) = next {
        at = anchor.end;
        let start = anchor.start;
        if let Some(package) = ANCHORS[number].1(&Context::new(text, anchor)) {
            found(start, &package);
        }
        next = SEARCHER.find(text, at..end);
    }
}

/// A crate in Cargo's registry directory: `registry/src/<index>-<hash>/<name>-<version>/….rs`.
fn registry<'t>(context: &Context<'t>) -> Option<FoundPackage<'t>> {
    let before = directory_start(context.before())?;
    let (index, rest) = component(below(below(context.after(), b"")?, b"src")?)?;
    let source = match without_hash(index)? {
        b"index.crates.io" | b"github.com" => "crates.io",
        _ => "registry",
    };
    let (directory, rest) = component(rest)?;
    let found = crate_in(directory, source, Evidence::RegistryPath)?;
    is_stored(before, rest).then_some(found)
}

/// A crate in a directory of `cargo vendor --versioned-dirs`: `vendor/<name>-<version>/….rs`.
fn vendor<'t>(context: &Context<'t>) -> Option<FoundPackage<'t>> {
    let before = directory_start(context.before())?;
    let (directory, rest) = component(below(context.after(), b"")?)?;
    let found = crate_in(directory, "", Evidence::VendorPath)?;
    is_stored(before, rest).then_some(FoundPackage { confidence: Confidence::Medium, ..found })
}

/// A part of Rust's standard library, which the compiler's distributors build:
///
/// - one of its dependencies: `/rust/deps/<name>-<version>/….rs`;
/// - the compiler's commit: `/rustc/<commit>/library/….rs`. Compilers before Rust 1.48 write `src`
///   instead of `library`;
/// - the compiler's version, as Linux distributions write it: `/rustc-<version>/library/….rs`.
fn standard_library<'t>(context: &Context<'t>) -> Option<FoundPackage<'t>> {
    let (before, after) = (context.before(), context.after());
    if let Some(path) = after.strip_prefix(b"/deps/") {
        let (directory, rest) = component(path)?;
        let found = crate_in(directory, "crates.io", Evidence::StdPath)?;
        return is_stored(before, rest).then_some(found);
    }
    let path = after.strip_prefix(b"c/").or_else(|| after.strip_prefix(b"c-"))?;
    let (version, rest) = component(path)?;
    let version = str::from_utf8(version).ok()?;
    let is_version =
        if after[1] == b'/' { version.len() == 40 && is_hex(version.as_bytes()) } else { is_semver(version) };
    let (directory, rest) = component(rest)?;
    (is_version && matches!(directory, b"library" | b"src") && is_stored(before, rest)).then_some(FoundPackage {
        name: "rust",
        version,
        ecosystem: Ecosystem::Generic,
        source: "",
        evidence: Evidence::RustcPath,
        confidence: Confidence::High,
    })
}

/// A crate in a Git checkout: `git/checkouts/<repository>-<hash>/<revision>/….rs`. The crate's
/// directory is the one above `src`; the repository is named if there is none.
fn checkout<'t>(context: &Context<'t>) -> Option<FoundPackage<'t>> {
    let (separator, before) = context.before().split_last()?;
    let before = directory_start(before.strip_suffix(b"git").filter(|_| is_separator(*separator))?)?;
    let (repository, rest) = component(below(context.after(), b"")?)?;
    let repository = without_hash(repository)?;
    let (revision, rest) = component(rest)?;
    if !(7..=40).contains(&revision.len()) || !is_hex(revision) || !is_stored(before, rest) {
        return None;
    }
    let name = directory_above_src(source_file(rest)?.0).unwrap_or(repository);
    Some(FoundPackage {
        name: str::from_utf8(name).ok()?,
        version: str::from_utf8(revision).ok()?,
        ecosystem: Ecosystem::Cargo,
        source: "git",
        evidence: Evidence::CheckoutPath,
        confidence: Confidence::Medium,
    })
}

/// The directory above the first directory `src` of a path.
fn directory_above_src(path: &[u8]) -> Option<&[u8]> {
    let mut path = path;
    let mut above = None;
    while let Some((directory, rest)) = component(path) {
        if directory == b"src" {
            return above;
        }
        (above, path) = (Some(directory), rest);
    }
    None
}

fn crate_in<'t>(directory: &'t [u8], source: &'static str, evidence: Evidence) -> Option<FoundPackage<'t>> {
    let (name, version) = name_and_version(directory)?;
    let (ecosystem, confidence) = (Ecosystem::Cargo, Confidence::High);
    Some(FoundPackage { name, version, ecosystem, source, evidence, confidence })
}

/// The text before a directory, if its name starts there.
fn directory_start(before: &[u8]) -> Option<&[u8]> {
    before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric()).then_some(before)
}

/// The rest of a path below a directory: what follows the name and a separator.
fn below<'t>(path: &'t [u8], name: &[u8]) -> Option<&'t [u8]> {
    let (separator, rest) = path.strip_prefix(name)?.split_first()?;
    is_separator(*separator).then_some(rest)
}

/// Whether the rest of a path is a source file, as the compiler stores it.
fn is_stored(before: &[u8], rest: &[u8]) -> bool {
    source_file(rest).is_some_and(|(_, after)| !is_rendered(before, after))
}
