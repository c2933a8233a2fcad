//! Cargo.toml. Source: the Cargo book, "The Manifest Format" and "Workspaces", and Cargo's own
//! `find_workspace_root`.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::entry::{ManifestEntry, ignore_without_field, license, license_file, text, texts};
use super::error::ManifestError;
use super::mapping::{KeyMapping, KeyTarget};
use sectile::internal::quoted;
use sectile::metadata::Field;
use sectile_document::{self, Node, SyntaxError, Value, file};

/// The keys of Cargo.
const CARGO_KEYS: [KeyMapping; 11] = [
    KeyMapping::new("package.name", KeyTarget::Name, text),
    KeyMapping::field("package.version", Field::Version, text),
    KeyMapping::field("package.authors", Field::Authors, texts),
    KeyMapping::field("package.description", Field::Description, text),
    KeyMapping::field("package.license", Field::Licenses, license),
    KeyMapping::new("package.license-file", KeyTarget::Ignored, license_file),
    KeyMapping::field("package.repository", Field::Source, text),
    KeyMapping::field("package.homepage", Field::Homepage, text),
    KeyMapping::field("package.documentation", Field::Documentation, text),
    KeyMapping::new("package.keywords", KeyTarget::Ignored, ignore_without_field),
    KeyMapping::new("package.categories", KeyTarget::Ignored, ignore_without_field),
];

/// Keys in the table of cargo-component, which does not define such keys itself.
const COMPONENT: [KeyMapping; 2] = [
    KeyMapping::field("package.metadata.component.vendor", Field::Vendor, text),
    KeyMapping::field("package.metadata.component.revision", Field::Revision, text),
];

/// All keys except those of Sectile's own table.
pub(super) fn key_mappings() -> impl Iterator<Item = KeyMapping> {
    COMPONENT.into_iter().chain(CARGO_KEYS)
}

/// Whether a key of `[package]` has `{ workspace = true }` instead of a value.
pub(super) fn inherits(entry: &ManifestEntry<'_>) -> Result<bool, ManifestError> {
    let own_key = entry.key.strip_prefix("package.");
    let inheritable = own_key.is_some_and(|key| key != "name" && !key.contains('.'));
    let Value::Table(_) = entry.node.value else { return Ok(false) };
    match entry.entry("workspace").filter(|_| inheritable) {
        None => Ok(false), // reading the table as a value is an error
        Some(ManifestEntry { node: Node { value: Value::Bool(true), .. }, .. }) => Ok(true),
        Some(workspace) => Err(workspace.invalid("must be `true`, or write the value here")),
    }
}

/// The workspace manifest that packages inherit from.
pub(super) struct Workspace {
    file: PathBuf,
    root: Node,
}

impl Workspace {
    /// Finds the workspace of a package: the one that its manifest names, or the first one above it
    /// that does not exclude it. `entry` is the inheriting key.
    pub(super) fn find(file: &Path, root: &Node, entry: &ManifestEntry<'_>) -> Result<Self, ManifestError> {
        if root.entry("workspace").is_some() {
            return Ok(Self { file: file.to_owned(), root: root.clone() });
        }
        if let Some(pointer) = pointer(file, root)? {
            return Self::pointed_to(file, &pointer);
        }
        let absolute = absolute(file).map_err(|source| ManifestError::Io { file: file.to_owned(), source })?;
        let mut above = absolute.ancestors().skip(2);
        let mut excluding = None;
        // Cargo stops its search at the directory in which it verifies packages.
        while let Some(directory) = above.next().filter(|directory| !directory.ends_with("target/package")) {
            let path = directory.join("Cargo.toml");
            if !path.exists() {
                continue;
            }
            let workspace = Self::load(path)?;
            if let Some(table) = workspace.root.entry("workspace") {
                if !is_excluded(&absolute, directory, table) {
                    return Ok(workspace);
                }
                excluding.get_or_insert(workspace.file);
            } else if let Some(pointer) = pointer(&workspace.file, &workspace.root)? {
                return Self::pointed_to(&workspace.file, &pointer);
            }
        }
        let reason = match excluding {
            Some(file) => format!("{} excludes this package (`workspace.exclude`)", quoted(&file.to_string_lossy())),
            None => "no Cargo.toml above this one has a `[workspace]`".to_owned(),
        };
        let advice = "write the value here, or set `package.workspace`";
        Err(entry.invalid(format!("inherited, but no workspace is found: {reason}; {advice}")))
    }

    /// The workspace that `package.workspace` names.
    fn pointed_to(file: &Path, pointer: &ManifestEntry<'_>) -> Result<Self, ManifestError> {
        let directory = file.parent().unwrap_or(Path::new("")).join(pointer.text()?);
        let path = directory.join("Cargo.toml");
        let path = if path.exists() { path } else { return Err(no_workspace(pointer, "no Cargo.toml")) };
        let workspace = Self::load(path)?;
        match workspace.root.entry("workspace") {
            Some(_) => Ok(workspace),
            None => Err(no_workspace(pointer, "the Cargo.toml there has no `[workspace]`")),
        }
    }

    fn load(file: PathBuf) -> Result<Self, ManifestError> {
        let text = file::read(&file).map_err(|error| ManifestError::from_file_error(&file, error))?;
        match sectile_document::toml(&text) {
            Ok(root) => Ok(Self { file, root }),
            Err(SyntaxError { line, message, .. }) => Err(ManifestError::Malformed { file, line, message }),
        }
    }

    /// The value that a key inherits.
    pub(super) fn entry(&self, entry: &ManifestEntry<'_>) -> Result<ManifestEntry<'_>, ManifestError> {
        let key = entry.key.strip_prefix("package.").unwrap_or(&entry.key);
        let package = self.root.entry("workspace").and_then(|workspace| workspace.entry("package"));
        let missing = || {
            let file = quoted(&self.file.to_string_lossy());
            entry.invalid(format!("inherited, but {file} has no `workspace.package.{key}`"))
        };
        let node = package.and_then(|package| package.entry(key)).ok_or_else(missing)?;
        Ok(ManifestEntry { file: &self.file, key: format!("workspace.package.{key}"), node })
    }
}

/// The absolute path without `.` and `..`. They are resolved by name without following links, as in
/// Cargo.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    let mut absolute = PathBuf::new();
    for component in std::path::absolute(path)?.components() {
        match component {
            Component::ParentDir => _ = absolute.pop(),
            component => absolute.push(component),
        }
    }
    Ok(absolute)
}

/// The value of `package.workspace`.
fn pointer<'a>(file: &'a Path, root: &'a Node) -> Result<Option<ManifestEntry<'a>>, ManifestError> {
    let Some(node) = root.entry("package").and_then(|package| package.entry("workspace")) else { return Ok(None) };
    let entry = ManifestEntry { file, key: "package.workspace".to_owned(), node };
    entry.text()?;
    Ok(Some(entry))
}

fn no_workspace(pointer: &ManifestEntry<'_>, reason: &str) -> ManifestError {
    pointer.invalid(format!("{} is not a workspace: {reason}", quoted(pointer.node.text().unwrap_or_default())))
}

/// Whether a workspace excludes a manifest below it that is not a member.
fn is_excluded(manifest: &Path, directory: &Path, workspace: &Node) -> bool {
    let names = |key| {
        let Some(Value::List(list)) = workspace.entry(key).map(|node| &node.value) else { return false };
        list.iter().filter_map(Node::text).any(|path| manifest.starts_with(directory.join(path)))
    };
    names("exclude") && !names("members")
}
