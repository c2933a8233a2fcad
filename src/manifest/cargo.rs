//! Cargo.toml. Source: the Cargo book, "The Manifest Format" and "Workspaces", and Cargo's own `find_workspace_root`.

use std::borrow::Cow;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::error::ManifestError;
use super::found::{Found, license, license_file, one_or_more, text, texts, unsaid};
use super::table::{Becomes, Row};
use crate::document::{self, Malformed, Node, Value, file};
use crate::escape::quoted;
use crate::metadata::{Expects, Field};

/// What Cargo has keys for.
const OWN: [Row; 11] = [
    Row::new("package.name", Becomes::Name, text),
    Row::field("package.version", Field::Version, text),
    Row::field("package.authors", Field::Authors, texts),
    Row::field("package.description", Field::Description, text),
    Row::field("package.license", Field::Licenses, license),
    Row::new("package.license-file", Becomes::Nothing, license_file),
    Row::field("package.repository", Field::Source, text),
    Row::field("package.homepage", Field::Homepage, text),
    Row::field("package.documentation", Field::Documentation, text),
    Row::new("package.keywords", Becomes::Nothing, unsaid),
    Row::new("package.categories", Becomes::Nothing, unsaid),
];

/// What may stand in the table that cargo-component has, where it has no such keys itself.
const COMPONENT: [Row; 2] = [
    Row::field("package.metadata.component.vendor", Field::Vendor, text),
    Row::field("package.metadata.component.revision", Field::Revision, text),
];

/// Our own table comes first: every field, and the name, can be said there.
pub(super) fn rows() -> Vec<Row> {
    let own_table = |field: Field| {
        let read = match field {
            Field::Authors => one_or_more,
            _ if field.expects() == Expects::License => license,
            _ => text,
        };
        let key = Cow::Owned(format!("package.metadata.sectile.{field}"));
        Row { key, becomes: Becomes::Field(field), read, joins: false }
    };
    let name = Row::new("package.metadata.sectile.name", Becomes::Name, text);
    [name].into_iter().chain(Field::ALL.map(own_table)).chain(COMPONENT).chain(OWN).collect()
}

/// Whether a key of `[package]` says `{ workspace = true }` instead of a value.
pub(super) fn inherits(found: &Found<'_>) -> Result<bool, ManifestError> {
    let own_key = found.key.strip_prefix("package.");
    let inheritable = own_key.is_some_and(|key| key != "name" && !key.contains('.'));
    let Value::Table(_) = found.node.value else { return Ok(false) };
    match found.entry("workspace").filter(|_| inheritable) {
        None => Ok(false), // a table is no value either, which is said where it is read
        Some(Found { node: Node { value: Value::Bool(true), .. }, .. }) => Ok(true),
        Some(workspace) => Err(workspace.wrong("it can only be true, or the value be given here")),
    }
}

/// The manifest that packages inherit from.
pub(super) struct Workspace {
    file: PathBuf,
    root: Node,
}

impl Workspace {
    /// The workspace of a package: as its manifest says, else the first above it that does not exclude it. `found` is the
    /// key that inherits.
    pub(super) fn of(file: &Path, root: &Node, found: &Found<'_>) -> Result<Self, ManifestError> {
        if root.entry("workspace").is_some() {
            return Ok(Self { file: file.to_owned(), root: root.clone() });
        }
        if let Some(pointer) = pointer(file, root)? {
            return Self::pointed_to(file, &pointer);
        }
        let absolute = absolute(file).map_err(|source| ManifestError::Io { file: file.to_owned(), source })?;
        let mut above = absolute.ancestors().skip(2);
        // Cargo does not look out of where it builds packages to verify them.
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
            } else if let Some(pointer) = pointer(&workspace.file, &workspace.root)? {
                return Self::pointed_to(&workspace.file, &pointer);
            }
        }
        let message = "it is inherited, but no workspace is found: no Cargo.toml above this one has a `[workspace]`";
        Err(found.wrong(format!("{message}; give the value here, or say where it is with `package.workspace`")))
    }

    /// The workspace that `package.workspace` names.
    fn pointed_to(file: &Path, pointer: &Found<'_>) -> Result<Self, ManifestError> {
        let directory = file.parent().unwrap_or(Path::new("")).join(pointer.text()?);
        let path = directory.join("Cargo.toml");
        let path = if path.exists() { path } else { return Err(no_workspace(pointer, "there is no Cargo.toml")) };
        let workspace = Self::load(path)?;
        match workspace.root.entry("workspace") {
            Some(_) => Ok(workspace),
            None => Err(no_workspace(pointer, "the Cargo.toml there has no `[workspace]`")),
        }
    }

    fn load(file: PathBuf) -> Result<Self, ManifestError> {
        let text = file::read(&file).map_err(|unread| ManifestError::unread(&file, unread))?;
        match document::toml(&text) {
            Ok(root) => Ok(Self { file, root }),
            Err(Malformed { line, message, .. }) => Err(ManifestError::Malformed { file, line, message }),
        }
    }

    /// The value that a key inherits.
    pub(super) fn entry(&self, found: &Found<'_>) -> Result<Found<'_>, ManifestError> {
        let key = found.key.strip_prefix("package.").unwrap_or(&found.key);
        let package = self.root.entry("workspace").and_then(|workspace| workspace.entry("package"));
        let missing = || {
            let file = quoted(&self.file.to_string_lossy());
            found.wrong(format!("it is inherited, but {file} has no `workspace.package.{key}`"))
        };
        let node = package.and_then(|package| package.entry(key)).ok_or_else(missing)?;
        Ok(Found { file: &self.file, key: format!("workspace.package.{key}"), node })
    }
}

/// The path from the root, without `.` and `..`, as Cargo resolves them: by name, whatever is a link.
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

/// What `package.workspace` says.
fn pointer<'a>(file: &'a Path, root: &'a Node) -> Result<Option<Found<'a>>, ManifestError> {
    let Some(node) = root.entry("package").and_then(|package| package.entry("workspace")) else { return Ok(None) };
    let found = Found { file, key: "package.workspace".to_owned(), node };
    found.text()?;
    Ok(Some(found))
}

fn no_workspace(pointer: &Found<'_>, why: &str) -> ManifestError {
    pointer.wrong(format!("{} is no workspace: {why}", quoted(pointer.node.text().unwrap_or_default())))
}

/// Whether a workspace excludes a manifest that lies under it, and does not name it as a member.
fn is_excluded(manifest: &Path, directory: &Path, workspace: &Node) -> bool {
    let names = |key| {
        let Some(Value::List(list)) = workspace.entry(key).map(|node| &node.value) else { return false };
        list.iter().filter_map(Node::text).any(|path| manifest.starts_with(directory.join(path)))
    };
    names("exclude") && !names("members")
}
