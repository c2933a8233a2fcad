//! Gathers the values of a manifest by the mappings of its format.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::cargo::{self, Workspace};
use super::entry::ManifestEntry;
use super::error::ManifestError;
use super::format::ManifestFormat;
use super::location::{ManifestLocation, Notice, NoticeKind, Notices};
use super::mapping::{KeyMapping, KeyTarget};
use super::own::{self, BuildSettings, qualified};
use super::{npm, python, wkg};
use sectile::metadata::Field;
use sectile_document::{Node, Value};

/// A value from one key, or joined from several keys.
#[derive(Clone, Debug)]
pub(super) struct GivenValue {
    pub(super) parts: Vec<String>,
    /// The first key.
    pub(super) location: ManifestLocation,
    /// Whether the key is in Sectile's own table: later keys do not join it.
    is_own: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct GatheredValues {
    pub(super) name: Option<GivenValue>,
    pub(super) values: BTreeMap<Field, GivenValue>,
    pub(super) settings: BuildSettings,
    pub(super) notices: Notices,
}

impl ManifestFormat {
    /// The keys that are read. If two keys set one field, the first mapping wins, unless the
    /// mappings [join](KeyMapping::joins).
    ///
    /// Other keys are not metadata. In a [closed](Self::closed_tables) table they cause notices,
    /// and in Sectile's own table they are errors.
    pub fn key_mappings(self) -> Vec<KeyMapping> {
        let own = own::key_mappings(self);
        match self {
            Self::Cargo => own.chain(cargo::key_mappings()).collect(),
            Self::Wkg => wkg::MAPPINGS.to_vec(),
            Self::Npm => own.chain(npm::MAPPINGS.iter().cloned()).collect(),
            Self::Python => own.chain(python::MAPPINGS.iter().cloned()).collect(),
            Self::Sectile => own.collect(),
        }
    }
}

/// Gathers the values of a manifest.
pub(super) fn gather(
    format: ManifestFormat,
    file: &Path,
    root: &Node,
    notices: Notices,
) -> Result<GatheredValues, ManifestError> {
    let top = ManifestEntry { file, key: String::new(), node: root };
    let mut gathered = GatheredValues { notices, ..Default::default() };
    if !matches!(root.value, Value::Table(_)) {
        let message = format!("expected an object, found {}", root.kind());
        return Err(ManifestError::Malformed { file: file.to_owned(), line: root.line, message });
    }
    let has = |path: &str| path.split('.').try_fold(root, |node, name| node.entry(name)).is_some();
    if !format.roots().is_empty() && !format.roots().iter().any(|path| has(path)) {
        gathered.report_missing_root(format, file)?;
    }
    let mappings = format.key_mappings();
    let mut workspace = None;
    for mapping in &mappings {
        let Some(entry) = look_up(format, &top, mapping)? else { continue };
        if format == ManifestFormat::Cargo && cargo::inherits(&entry)? {
            if workspace.is_none() {
                workspace = Some(Workspace::find(file, root, &entry)?);
            }
            if let Some(workspace) = &workspace {
                gathered.add(mapping, &workspace.entry(&entry)?, false)?;
            }
        } else {
            let is_own = format.own_table().is_some_and(|table| !table.is_empty() && entry.key.starts_with(table));
            gathered.add(mapping, &entry, is_own)?;
        }
    }
    if let Some(table) = format.own_table().map(|table| descend(&top, table)).transpose()?.flatten() {
        check_own_keys(format, &table, &mappings)?;
        gathered.settings = BuildSettings::read(&table, format)?;
    }
    for table in format.closed_tables() {
        gathered.report_unknown_keys(format, &top, table, &mappings)?;
    }
    Ok(gathered)
}

/// The entry of a mapping, if the manifest has it.
fn look_up<'a>(
    format: ManifestFormat,
    top: &ManifestEntry<'a>,
    mapping: &KeyMapping,
) -> Result<Option<ManifestEntry<'a>>, ManifestError> {
    let (table, last) = mapping.key().rsplit_once('.').unwrap_or(("", mapping.key()));
    let Some(table) = descend(top, table)? else { return Ok(None) };
    let Value::Table(entries) = &table.node.value else { return Ok(None) };
    let matches = |name: &str| {
        if format.normalizes(&table.key) { python::normalized_label(name) == last } else { name == last }
    };
    let entry = entries.iter().rev().find(|(name, node)| matches(name) && !matches!(node.value, Value::Null));
    Ok(entry.map(|(name, node)| ManifestEntry { file: table.file, key: qualified(&table.key, name), node }))
}

/// The table with this dotted name, if the manifest has it.
fn descend<'a>(top: &ManifestEntry<'a>, path: &str) -> Result<Option<ManifestEntry<'a>>, ManifestError> {
    let mut table = ManifestEntry { file: top.file, key: String::new(), node: top.node };
    for name in path.split('.').filter(|name| !name.is_empty()) {
        let Some(node) = table.node.entry(name) else { return Ok(None) };
        table = ManifestEntry { file: top.file, key: qualified(&table.key, name), node };
        if !matches!(node.value, Value::Table(_)) {
            return Err(table.expected("a table"));
        }
    }
    Ok(Some(table))
}

/// Refuses unknown keys in Sectile's own table.
fn check_own_keys(
    format: ManifestFormat,
    table: &ManifestEntry<'_>,
    mappings: &[KeyMapping],
) -> Result<(), ManifestError> {
    let Value::Table(entries) = &table.node.value else { return Ok(()) };
    let own_table = format.own_table().unwrap_or_default();
    let metadata = mappings.iter().filter_map(|mapping| {
        let key = mapping.key().strip_prefix(own_table)?;
        Some(key.strip_prefix('.').unwrap_or(key)).filter(|key| !key.contains('.'))
    });
    let mut known: Vec<&str> = metadata.collect();
    for key in format.build_keys() {
        known.push(key.name());
    }
    match entries.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, node)) => {
            let entry = ManifestEntry { file: table.file, key: qualified(&table.key, name), node };
            Err(entry.unknown(&format!("the keys are {}", known.join(", "))))
        }
        None => Ok(()),
    }
}

impl GatheredValues {
    /// Adds the value of an entry to the target of its mapping.
    fn add(&mut self, mapping: &KeyMapping, entry: &ManifestEntry<'_>, is_own: bool) -> Result<(), ManifestError> {
        let mut parts = (mapping.read)(entry, &mut self.notices)?;
        parts.retain(|part| !part.trim().is_empty()); // an empty value sets nothing
        if parts.is_empty() {
            return Ok(());
        }
        let given = match mapping.target {
            KeyTarget::Ignored => return Ok(()),
            KeyTarget::Name => self.name.as_mut(),
            KeyTarget::Field(field) => self.values.get_mut(&field),
        };
        match given {
            Some(given) if mapping.joins && !given.is_own => {
                let mut seen: HashSet<String> = given.parts.iter().cloned().collect();
                given.parts.extend(parts.into_iter().filter(|part| seen.insert(part.clone())));
            }
            Some(given) if given.parts == parts => {}
            Some(given) => {
                let message = format!("overridden by `{}`, which sets the same field", given.location.key);
                self.notices.push(entry.dropped(message));
            }
            None => {
                let given = GivenValue { parts, location: entry.location(), is_own };
                match mapping.target {
                    KeyTarget::Field(field) => _ = self.values.insert(field, given),
                    _ => self.name = Some(given),
                }
            }
        }
        Ok(())
    }

    /// Reports that the manifest lacks its root table. This is an error for Cargo, otherwise a
    /// notice.
    fn report_missing_root(&mut self, format: ManifestFormat, file: &Path) -> Result<(), ManifestError> {
        let root = format.roots()[0];
        let location = ManifestLocation { file: file.to_owned(), line: 1, key: root.to_owned() };
        if format == ManifestFormat::Cargo {
            let message =
                "the table is missing, so this is not the manifest of a package; use the manifest of a package"
                    .to_owned();
            return Err(ManifestError::InvalidKey { location: Box::new(location), message });
        }
        let message = "the table with the metadata is missing".to_owned();
        self.notices.push(Notice { location, kind: NoticeKind::Dropped, message });
        Ok(())
    }

    /// Adds notices about the keys of a table that have no mapping.
    fn report_unknown_keys(
        &mut self,
        format: ManifestFormat,
        top: &ManifestEntry<'_>,
        path: &str,
        mappings: &[KeyMapping],
    ) -> Result<(), ManifestError> {
        let Some(table) = descend(top, path)? else { return Ok(()) };
        let Value::Table(entries) = &table.node.value else { return Ok(()) };
        let known = || mappings.iter().filter_map(|mapping| mapping.key().strip_prefix(path)?.strip_prefix('.'));
        for (name, node) in entries {
            let normalized = if format.normalizes(path) { python::normalized_label(name) } else { name.clone() };
            if !known().any(|known| known == normalized) {
                if self.notices.is_full() {
                    self.notices.add_count(1);
                    continue;
                }
                let entry = ManifestEntry { file: top.file, key: qualified(path, name), node };
                let keys = known().collect::<Vec<_>>().join(", ");
                self.notices.push(entry.dropped(format!("no matching field; keys used from this table: {keys}")));
            }
        }
        Ok(())
    }
}
