//! Sectile's own table: `sectile.toml`, `[package.metadata.sectile]`, the `sectile` key of
//! package.json, and `[tool.sectile]`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::entry::{ManifestEntry, license, one_or_more, text};
use super::error::ManifestError;
use super::format::ManifestFormat;
use super::mapping::{KeyMapping, KeyTarget};
use sectile::Severity;
use sectile::edit::Strip;
use sectile::metadata::{Expects, Field};
use sectile_document::Value;

/// The keys of metadata: the name, and every field.
pub(super) fn key_mappings(format: ManifestFormat) -> impl Iterator<Item = KeyMapping> {
    let table = format.own_table();
    let key = move |name: &str| Cow::Owned(qualified(table.unwrap_or_default(), name));
    let field = move |field: Field| {
        let read = match field {
            Field::Authors => one_or_more,
            _ if field.expects() == Expects::License => license,
            _ => text,
        };
        KeyMapping { key: key(field.section()), target: KeyTarget::Field(field), read, joins: false }
    };
    let name = KeyMapping { key: key("name"), target: KeyTarget::Name, read: text, joins: false };
    [name].into_iter().chain(Field::ALL.map(field)).filter(move |_| table.is_some())
}

/// A key with the table that contains it.
pub(super) fn qualified(table: &str, key: &str) -> String {
    if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") }
}

/// Settings for builds, from Sectile's own table of a manifest or from `sectile.toml`. A setting
/// that the table does not set is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildSettings {
    /// The manifest to use next to `sectile.toml`, if there are several.
    pub manifest: Option<PathBuf>,
    /// Whether to set the revision from Git.
    pub revision_from_git: Option<bool>,
    /// The sections to remove.
    pub strip: Option<StripProfile>,
    /// The policy that judges the result.
    pub policy: Option<PathBuf>,
    /// The lowest severity at which the result is rejected.
    pub refuse: Option<Severity>,
    /// Custom sections to add, as names and data.
    pub sections: Vec<(String, SectionData)>,
}

/// The data of a custom section that a build adds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SectionData {
    /// Text.
    Text(String),
    /// The content of a file.
    File(PathBuf),
}

/// The sections that a build removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StripProfile {
    /// No sections.
    None,
    /// Debug sections.
    Debug,
    /// Debug sections, and the names of functions and locals.
    Names,
    /// Like `Names`, and custom sections without a known purpose.
    All,
}

impl StripProfile {
    /// All profiles.
    pub const ALL: [Self; 4] = [Self::None, Self::Debug, Self::Names, Self::All];

    /// The name in manifests and options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Debug => "debug",
            Self::Names => "names",
            Self::All => "all",
        }
    }

    /// The sections to remove, if any.
    pub fn strip(self) -> Option<Strip> {
        match self {
            Self::None => None,
            Self::Debug => Some(Strip::new()),
            Self::Names => Some(Strip::new().names()),
            Self::All => Some(Strip::new().names().all()),
        }
    }
}

/// A key of [`BuildSettings`].
pub struct BuildKey {
    name: &'static str,
    expects: &'static str,
    help: &'static str,
    read: fn(&mut BuildSettings, &ManifestEntry<'_>) -> Result<(), ManifestError>,
}

const BUILD_KEYS: [BuildKey; 6] = [
    BuildKey {
        name: "manifest",
        expects: "a path",
        help: "In `sectile.toml` only: the manifest to use, if the directory has several.",
        read: |settings, entry| {
            settings.manifest = Some(path(entry)?);
            Ok(())
        },
    },
    BuildKey {
        name: "revision-from-git",
        expects: "`true` or `false`",
        help: "Whether to set `revision` to the commit of the Git work tree, if there is one. The default is `true`.",
        read: |settings, entry| {
            settings.revision_from_git = Some(switch(entry)?);
            Ok(())
        },
    },
    BuildKey {
        name: "strip",
        expects: "`none`, `debug`, `names` or `all`",
        help: "The sections to remove: debug sections; the names of functions and locals too; custom sections without a \
               known purpose too. The default is `none`.",
        read: |settings, entry| {
            settings.strip = Some(one_of(entry, StripProfile::ALL.map(|profile| (profile.name(), profile)))?);
            Ok(())
        },
    },
    BuildKey {
        name: "policy",
        expects: "a path",
        help: "The [policy](policy.md) that judges the result.",
        read: |settings, entry| {
            settings.policy = Some(path(entry)?);
            Ok(())
        },
    },
    BuildKey {
        name: "refuse",
        expects: "`note`, `warning` or `error`",
        help: "The severity of findings that refuse the result. Without this key and `policy`, nothing is judged.",
        read: |settings, entry| {
            settings.refuse = Some(one_of(entry, Severity::ALL.map(|severity| (severity.name(), severity)))?);
            Ok(())
        },
    },
    BuildKey {
        name: "sections",
        expects: "a table",
        help: "Custom sections to add: each name with a text, or with a table such as `{ file = \"notice.txt\" }`.",
        read: |settings, entry| {
            settings.sections = sections(entry)?;
            Ok(())
        },
    },
];

impl BuildSettings {
    /// Reads the settings in Sectile's own table, if the manifest has it.
    pub(super) fn read(table: &ManifestEntry<'_>, format: ManifestFormat) -> Result<Self, ManifestError> {
        let mut settings = Self::default();
        for key in format.build_keys() {
            if let Some(entry) = table.entry(key.name) {
                (key.read)(&mut settings, &entry)?;
            }
        }
        Ok(settings)
    }

    /// Fills in unset settings. Sections are merged by name.
    pub(super) fn fill_from(&mut self, lower: &Self) {
        fn fill<T: Clone>(upper: &mut Option<T>, lower: Option<&T>) {
            if upper.is_none() {
                *upper = lower.cloned();
            }
        }
        fill(&mut self.manifest, lower.manifest.as_ref());
        fill(&mut self.revision_from_git, lower.revision_from_git.as_ref());
        fill(&mut self.strip, lower.strip.as_ref());
        fill(&mut self.policy, lower.policy.as_ref());
        fill(&mut self.refuse, lower.refuse.as_ref());
        for (name, data) in &lower.sections {
            if !self.sections.iter().any(|(set, _)| set == name) {
                self.sections.push((name.clone(), data.clone()));
            }
        }
    }
}

impl BuildKey {
    /// The name of the key.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The type of the value.
    pub fn expects(&self) -> &'static str {
        self.expects
    }

    /// The meaning, in one line of Markdown.
    pub fn help(&self) -> &'static str {
        self.help
    }
}

impl ManifestFormat {
    /// The keys of Sectile's own table that set [`BuildSettings`]; none if the format has no such
    /// table.
    pub fn build_keys(self) -> impl Iterator<Item = &'static BuildKey> {
        let is_known = move |key: &&BuildKey| key.name != "manifest" || self == Self::Sectile;
        BUILD_KEYS.iter().filter(move |_| self.own_table().is_some()).filter(is_known)
    }
}

fn switch(entry: &ManifestEntry<'_>) -> Result<bool, ManifestError> {
    match entry.node.value {
        Value::Bool(is) => Ok(is),
        _ => Err(entry.expected("true or false")),
    }
}

/// Reads a path relative to the directory of the manifest.
fn path(entry: &ManifestEntry<'_>) -> Result<PathBuf, ManifestError> {
    let text = entry.text()?;
    if text.is_empty() {
        return Err(entry.invalid("the path is empty; leave the key out"));
    }
    Ok(entry.file.parent().unwrap_or(Path::new("")).join(text))
}

fn one_of<T: Copy>(
    entry: &ManifestEntry<'_>,
    choices: impl IntoIterator<Item = (&'static str, T)>,
) -> Result<T, ManifestError> {
    let text = entry.text()?;
    let mut names = Vec::new();
    for (name, value) in choices {
        if name == text {
            return Ok(value);
        }
        names.push(format!("`{name}`"));
    }
    Err(entry.invalid(format!("{} is not one of {}", sectile::internal::quoted(text), names.join(", "))))
}

fn sections(entry: &ManifestEntry<'_>) -> Result<Vec<(String, SectionData)>, ManifestError> {
    let Value::Table(entries) = &entry.node.value else { return Err(entry.expected("a table")) };
    let mut sections: Vec<(String, SectionData)> = Vec::new();
    for (name, _) in entries {
        let Some(section) = entry.entry(name) else { continue };
        if Field::ALL.iter().any(|field| field.section() == name) {
            return Err(section.invalid("this section is a field; set the field instead"));
        }
        let data = match &section.node.value {
            Value::Text(text) => SectionData::Text(text.clone()),
            Value::Table(keys) => {
                if let Some((key, node)) = keys.iter().find(|(key, _)| key != "file") {
                    return Err(ManifestEntry { file: entry.file, key: qualified(&section.key, key), node }
                        .unknown("the key is `file`"));
                }
                match section.entry("file") {
                    Some(file) => SectionData::File(path(&file)?),
                    None => return Err(section.invalid("the table has no `file`")),
                }
            }
            _ => return Err(section.expected("a string, or a table with `file`")),
        };
        sections.retain(|(set, _)| set != name);
        sections.push((name.clone(), data));
    }
    Ok(sections)
}
