//! A manifest's tree and its format's table become values.

use std::collections::BTreeMap;
use std::path::Path;

use super::cargo::{self, Workspace};
use super::error::ManifestError;
use super::found::Found;
use super::place::{Notice, NoticeKind, Place};
use super::python;
use super::table::{Becomes, Format, Row};
use crate::document::{Node, Value};
use crate::metadata::Field;

/// What a key gives, or what several give together.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) parts: Vec<String>,
    /// The first of the keys.
    pub(super) place: Place,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    pub(super) name: Option<Given>,
    pub(super) values: BTreeMap<Field, Given>,
    pub(super) notices: Vec<Notice>,
}

/// Reads a manifest by its table.
pub(super) fn gather(format: Format, file: &Path, root: &Node) -> Result<Gathered, ManifestError> {
    let top = Found { file, key: String::new(), node: root };
    let mut gathered = Gathered::default();
    if !matches!(root.value, Value::Table(_)) {
        let message = format!("it is to be an object, and is {}", root.kind());
        return Err(ManifestError::Malformed { file: file.to_owned(), line: root.line, message });
    }
    if !format.root().is_empty() && root.entry(format.root()).is_none() {
        gathered.without_root(format, file)?;
    }
    let rows = format.rows();
    let mut workspace = None;
    for row in &rows {
        let Some(found) = look_up(format, &top, row)? else { continue };
        if format == Format::Cargo && cargo::inherits(&found)? {
            if workspace.is_none() {
                workspace = Some(Workspace::of(file, root, &found)?);
            }
            if let Some(workspace) = &workspace {
                gathered.take(row, &workspace.entry(&found)?)?;
            }
        } else {
            gathered.take(row, &found)?;
        }
    }
    for table in format.closed() {
        gathered.say_unknown(format, &top, table, &rows)?;
    }
    gathered.notices.sort_by(|a, b| a.place.cmp(&b.place).then(a.kind.cmp(&b.kind)));
    Ok(gathered)
}

/// The key of a row, where the manifest has it.
fn look_up<'a>(format: Format, top: &Found<'a>, row: &Row) -> Result<Option<Found<'a>>, ManifestError> {
    let (table, last) = row.key().rsplit_once('.').unwrap_or(("", row.key()));
    let Some(table) = descend(top, table)? else { return Ok(None) };
    let Value::Table(entries) = &table.node.value else { return Ok(None) };
    let is_it =
        |name: &str| if format.normalises(&table.key) { python::normalised(name) == last } else { name == last };
    let entry = entries.iter().rev().find(|(name, node)| is_it(name) && !matches!(node.value, Value::Null));
    Ok(entry.map(|(name, node)| Found { file: table.file, key: join(&table.key, name), node }))
}

/// The table of that name, where the manifest has it.
fn descend<'a>(top: &Found<'a>, path: &str) -> Result<Option<Found<'a>>, ManifestError> {
    let mut at = Found { file: top.file, key: String::new(), node: top.node };
    for name in path.split('.').filter(|name| !name.is_empty()) {
        let Some(node) = at.node.entry(name) else { return Ok(None) };
        at = Found { file: top.file, key: join(&at.key, name), node };
        if !matches!(node.value, Value::Table(_)) {
            return Err(at.expected("a table"));
        }
    }
    Ok(Some(at))
}

fn join(table: &str, name: &str) -> String {
    if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") }
}

impl Gathered {
    /// Reads a key as its row says.
    fn take(&mut self, row: &Row, found: &Found<'_>) -> Result<(), ManifestError> {
        let mut parts = (row.read)(found, &mut self.notices)?;
        parts.retain(|part| !part.trim().is_empty()); // an empty text says nothing
        if parts.is_empty() {
            return Ok(());
        }
        let given = match row.becomes {
            Becomes::Nothing => return Ok(()),
            Becomes::Name => self.name.as_mut(),
            Becomes::Field(field) => self.values.get_mut(&field),
        };
        match given {
            Some(given) if row.joins => {
                for part in parts {
                    if !given.parts.contains(&part) {
                        given.parts.push(part);
                    }
                }
            }
            Some(given) if given.parts == parts => {}
            Some(given) => {
                let message = format!("`{}` counts, which gives the same field", given.place.key);
                self.notices.push(found.dropped(message));
            }
            None => {
                let given = Given { parts, place: found.place() };
                match row.becomes {
                    Becomes::Field(field) => _ = self.values.insert(field, given),
                    _ => self.name = Some(given),
                }
            }
        }
        Ok(())
    }

    /// There is nothing that could be read.
    fn without_root(&mut self, format: Format, file: &Path) -> Result<(), ManifestError> {
        let root = format.root();
        let place = Place { file: file.to_owned(), line: 1, key: root.to_owned() };
        if format == Format::Cargo {
            let message = "there is no such table: it is the manifest of no package; give that of a package".to_owned();
            return Err(ManifestError::Key { place: Box::new(place), message });
        }
        let message = "there is no such table, which metadata is taken from".to_owned();
        self.notices.push(Notice { place, kind: NoticeKind::Dropped, message });
        Ok(())
    }

    /// Says what a table holds that no row takes.
    fn say_unknown(&mut self, format: Format, top: &Found<'_>, path: &str, rows: &[Row]) -> Result<(), ManifestError> {
        let Some(table) = descend(top, path)? else { return Ok(()) };
        let Value::Table(entries) = &table.node.value else { return Ok(()) };
        let known = || rows.iter().filter_map(|row| row.key().strip_prefix(path)?.strip_prefix('.'));
        for (name, node) in entries {
            let counts = if format.normalises(path) { python::normalised(name) } else { name.clone() };
            if !known().any(|known| known == counts) {
                let found = Found { file: top.file, key: join(path, name), node };
                let keys = known().collect::<Vec<_>>().join(", ");
                self.notices.push(found.dropped(format!("no field says it; what is taken from this table is {keys}")));
            }
        }
        Ok(())
    }
}
