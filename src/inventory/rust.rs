//! Crates, from the paths of source files that panic messages and debug strings hold.

use super::context::Context;
use super::package::{Confidence, Ecosystem, Evidence, FoundPackage};
use super::path::{
    component, is_hex, is_rendered, is_semver, is_separator, name_and_version, source_file, without_hash,
};

/// A crate in Cargo's registry directory: `registry/src/<index>-<hash>/<name>-<version>/….rs`.
pub(super) fn registry<'t>(context: &Context<'t>) -> Option<FoundPackage<'t>> {
    let before = preceded_by(context.before(), b"regist")?;
    let (index, rest) = component(context.after())?;
    let source = match without_hash(index)? {
        "index.crates.io" | "github.com" => "crates.io",
        _ => "registry",
    };
    let (directory, rest) = component(rest)?;
    let found = crate_in(directory, source, Evidence::RegistryPath)?;
    is_stored(before, rest).then_some(found)
}

/// A crate in a directory of `cargo vendor --versioned-dirs`: `vendor/<name>-<version>/….rs`.
pub(super) fn vendor<'t>(context: &Context<'t>) -> Option<FoundPackage<'t>> {
    let before = preceded_by(context.before(), b"ven")?;
    let (directory, rest) = component(context.after())?;
    let found = crate_in(directory, "", Evidence::VendorPath)?;
    is_stored(before, rest).then_some(FoundPackage { confidence: Confidence::Medium, ..found })
}

/// A dependency of Rust's standard library: `/rust/deps/<name>-<version>/….rs`.
pub(super) fn std_dependency<'t>(context: &Context<'t>) -> Option<FoundPackage<'t>> {
    let (directory, rest) = component(context.after())?;
    let found = crate_in(directory, "crates.io", Evidence::StdPath)?;
    is_stored(context.before(), rest).then_some(found)
}

/// A crate in a Git checkout: `git/checkouts/<repository>-<hash>/<revision>/….rs`. The crate's
/// directory is the one above `src`; the repository is named if there is none.
pub(super) fn checkout<'t>(context: &Context<'t>) -> Option<FoundPackage<'t>> {
    let before = preceded_by(context.before(), b"gi")?;
    let (repository, rest) = component(context.after())?;
    let repository = without_hash(repository)?;
    let (revision, rest) = component(rest)?;
    if !(7..=40).contains(&revision.len()) || !is_hex(revision) || !is_stored(before, rest) {
        return None;
    }
    let name = directory_above_src(source_file(rest)?.0).unwrap_or(repository);
    Some(FoundPackage {
        name,
        version: revision,
        ecosystem: Ecosystem::Cargo,
        source: "git",
        evidence: Evidence::CheckoutPath,
        confidence: Confidence::Medium,
    })
}

/// The directory above the first directory `src` of a path.
fn directory_above_src(path: &[u8]) -> Option<&str> {
    let mut path = path;
    let mut above = None;
    while let Some((directory, rest)) = component(path) {
        if directory == "src" {
            return above;
        }
        (above, path) = (Some(directory), rest);
    }
    None
}

/// The compiler's commit: `/rustc/<commit>/library/….rs`. Compilers before Rust 1.48 write `src`
/// instead of `library`.
pub(super) fn compiler_commit<'t>(context: &Context<'t>) -> Option<FoundPackage<'t>> {
    let (commit, rest) = component(context.after())?;
    if commit.len() != 40 || !is_hex(commit) {
        return None;
    }
    compiler(context.before(), commit, rest)
}

/// The compiler's version, as distributions write it: `/rustc-<version>/library/….rs`.
pub(super) fn compiler_version<'t>(context: &Context<'t>) -> Option<FoundPackage<'t>> {
    let (version, rest) = component(context.after())?;
    if !is_semver(version) {
        return None;
    }
    compiler(context.before(), version, rest)
}

fn compiler<'t>(before: &[u8], version: &'t str, rest: &[u8]) -> Option<FoundPackage<'t>> {
    let (directory, rest) = component(rest)?;
    (matches!(directory, "library" | "src") && is_stored(before, rest)).then_some(FoundPackage {
        name: "rust",
        version,
        ecosystem: Ecosystem::Generic,
        source: "",
        evidence: Evidence::RustcPath,
        confidence: Confidence::High,
    })
}

fn crate_in<'t>(directory: &'t str, source: &'static str, evidence: Evidence) -> Option<FoundPackage<'t>> {
    let (name, version) = name_and_version(directory)?;
    let (ecosystem, confidence) = (Ecosystem::Cargo, Confidence::High);
    Some(FoundPackage { name, version, ecosystem, source, evidence, confidence })
}

/// The text before a directory whose name starts with `start`, if the directory begins there. The
/// anchor holds the rest of the name.
fn preceded_by<'t>(before: &'t [u8], start: &[u8]) -> Option<&'t [u8]> {
    let before = before.strip_suffix(start)?;
    let begins = before.last().is_none_or(|byte| is_separator(*byte) || !byte.is_ascii_alphanumeric());
    begins.then_some(before)
}

/// Whether the rest of a path is a source file, as the compiler stores it.
fn is_stored(before: &[u8], rest: &[u8]) -> bool {
    source_file(rest).is_some_and(|(_, after)| !is_rendered(before, after))
}
