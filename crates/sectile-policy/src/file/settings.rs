//! The effective settings of a policy's file: every key, with its default if the file does not set
//! it.

use std::io::{self, Read, Write};
use std::path::Path;

use super::keys::{PolicyKey, PolicyTable};
use super::table::PolicyEntry;
use super::{PolicyError, document, policy_of, text};
use crate::report::json::write_location;
use crate::{Policy, PolicyLocation};
use sectile::internal::is_deceptive;
use sectile::internal::json::{SCHEMA, put, write_array, write_text};
use sectile::{FindingCode, Severity};
use sectile_document::{Node, Value, file};

/// A policy and the effective value of each key of its file.
///
/// ```
/// use sectile_policy::PolicySettings;
///
/// let settings = PolicySettings::parse("policy.toml", "[[licenses]]\nallow = \"MIT\"\n")?;
/// let mut toml = Vec::new();
/// settings.write_toml(&mut toml)?;
/// let toml = String::from_utf8(toml)?;
/// assert!(toml.starts_with("refuse = \"error\"\n"));
/// assert!(toml.ends_with("items = [\"all\"]\nallow = [\"MIT\"]\nunknown = false\nseverity = \"error\"\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PolicySettings {
    name: String,
    policy: Policy,
    tables: Vec<SettingsTable>,
}

/// A table of the file with all its keys.
#[derive(Clone, Debug)]
struct SettingsTable {
    table: PolicyTable,
    /// The location of a rule or an exception.
    location: Option<PolicyLocation>,
    settings: Vec<(&'static str, Setting)>,
}

/// An effective value.
#[derive(Clone, Debug, PartialEq)]
enum Setting {
    Text(String),
    Number(i64),
    Boolean(bool),
    List(Vec<String>),
}

impl PolicySettings {
    /// Loads a policy, as [`Policy::read`] does.
    ///
    /// # Errors
    ///
    /// As for [`Policy::read`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        let path = path.as_ref();
        Self::parse(path, &text(path, file::read(path))?)
    }

    /// Loads a policy from a stream, as [`Policy::read_from`] does.
    ///
    /// # Errors
    ///
    /// As for [`Policy::read_from`].
    pub fn read_from(name: impl AsRef<Path>, stream: impl Read) -> Result<Self, PolicyError> {
        let name = name.as_ref();
        Self::parse(name, &text(name, file::read_from(stream))?)
    }

    /// Parses the text of a policy, as [`Policy::parse`] does.
    ///
    /// # Errors
    ///
    /// As for [`Policy::parse`].
    pub fn parse(path: impl AsRef<Path>, text: &str) -> Result<Self, PolicyError> {
        let path = path.as_ref();
        let root = document(path, text)?;
        let policy = policy_of(&root, path, text)?;
        let tables = tables(&root, &policy);
        Ok(Self { name: path.to_string_lossy().into_owned(), policy, tables })
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Writes the settings as a policy in TOML, which judges as this one does. Deceptive characters
    /// are escaped.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write_toml(&self, out: &mut impl Write) -> io::Result<()> {
        for SettingsTable { table, location, settings } in &self.tables {
            match (table, location) {
                (PolicyTable::Top, _) => {}
                (table, Some(location)) => writeln!(out, "\n[[{}]] # line {}", table.name(), location.line())?,
                (table, None) => writeln!(out, "\n[{}]", table.name())?,
            }
            for (name, setting) in settings {
                write!(out, "{name} = ")?;
                setting.write_toml(out)?;
                writeln!(out)?;
            }
        }
        Ok(())
    }

    /// Writes the settings as one JSON object and a line feed.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        put!(out, "{\"schema\":", SCHEMA, ",\"policy\":")?;
        write_text(out, &self.name)?;
        for table in PolicyTable::ALL {
            let mut of_table = self.tables.iter().filter(|settings| settings.table == table);
            if table.is_list() {
                put!(out, ",\"", table.name(), "\":")?;
                write_array(out, of_table, |out, settings| {
                    put!(out, "{\"rule\":")?;
                    write_location(out, settings.location.as_ref())?;
                    settings.write_members(out, false)?;
                    put!(out, "}")
                })?;
            } else if let Some(settings) = of_table.next() {
                if table == PolicyTable::Top {
                    settings.write_members(out, false)?;
                } else {
                    put!(out, ",\"", table.name(), "\":{")?;
                    settings.write_members(out, true)?;
                    put!(out, "}")?;
                }
            }
        }
        put!(out, "}\n")
    }

    /// Writes the result of a check of the policy as one JSON object and a line feed.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write_check_json(&self, warnings: &[crate::PolicyWarning], out: &mut impl Write) -> io::Result<()> {
        put!(out, "{\"schema\":", SCHEMA, ",\"policy\":")?;
        write_text(out, &self.name)?;
        put!(out, ",\"rules\":", self.policy.rules().count() as u64)?;
        put!(out, ",\"exceptions\":", self.policy.exceptions().count() as u64, ",\"warnings\":")?;
        write_array(out, warnings, |out, warning| {
            put!(out, "{\"rule\":")?;
            write_location(out, warning.location())?;
            put!(out, ",\"message\":")?;
            write_text(out, warning.message())?;
            put!(out, "}")
        })?;
        put!(out, "}\n")
    }
}

fn tables(root: &Node, policy: &Policy) -> Vec<SettingsTable> {
    let root = PolicyEntry::root(root);
    let mut tables = Vec::new();
    let mut rules = policy.rules();
    let mut exceptions = policy.exceptions();
    for table in PolicyTable::ALL {
        if !table.is_list() {
            let entry = if table == PolicyTable::Top { Some(root.clone()) } else { root.member(table.name()) };
            let mut settings = settings(table, entry.as_ref());
            if table == PolicyTable::Severity {
                let effective = |code: FindingCode| (code.name(), severity(policy.severity(code)));
                settings = FindingCode::ALL.map(effective).to_vec();
            }
            tables.push(SettingsTable { table, location: None, settings });
            continue;
        }
        let entries = root.member(table.name()).and_then(|entry| entry.tables().ok()).unwrap_or_default();
        for entry in entries {
            let mut settings = settings(table, Some(&entry));
            let location = if table == PolicyTable::Exceptions {
                exceptions.next().and_then(|exception| exception.location())
            } else {
                let rule = rules.next();
                if let Some((rule, (_, own))) = rule.zip(settings.iter_mut().find(|(name, _)| *name == "severity")) {
                    *own = severity(rule.severity().or_else(|| policy.severity(rule.demand().code())));
                }
                rule.and_then(|rule| rule.location())
            };
            // `ignore` is valid in `[severity]`, but not in a rule.
            settings.retain(|(name, value)| *name != "severity" || *value != severity(None));
            tables.push(SettingsTable { table, location: location.cloned(), settings });
        }
    }
    tables
}

fn severity(severity: Option<Severity>) -> Setting {
    Setting::Text(severity.map_or("ignore", Severity::name).to_owned())
}

/// All keys of a table that have a value or a default.
fn settings(table: PolicyTable, entry: Option<&PolicyEntry<'_>>) -> Vec<(&'static str, Setting)> {
    let setting = |key: PolicyKey| {
        let written = entry.and_then(|entry| Setting::written(entry.member(key.name)?.node(), &key));
        Some((key.name, written.or_else(|| Setting::default_of(&key))?))
    };
    PolicyKey::all().filter(|key| key.table == table).filter_map(setting).collect()
}

impl Setting {
    fn written(node: &Node, key: &PolicyKey) -> Option<Self> {
        match &node.value {
            Value::Text(text) if key.value_type.is_list() => Some(Self::List(vec![text.clone()])),
            Value::Text(text) | Value::Date(text) => Some(Self::Text(text.clone())),
            Value::Bool(value) => Some(Self::Boolean(*value)),
            Value::Integer(number) => Some(Self::Number(*number)),
            Value::List(list) => Some(Self::List(list.iter().filter_map(|node| node.text()).map(Into::into).collect())),
            Value::Null | Value::Table(_) | Value::Other(_) => None,
        }
    }

    fn default_of(key: &PolicyKey) -> Option<Self> {
        let default = key.default;
        match default {
            "" => None,
            "true" | "false" => Some(Self::Boolean(default == "true")),
            _ if key.value_type.is_list() => Some(Self::List(vec![default.to_owned()])),
            _ => Some(match default.replace('_', "").parse() {
                Ok(number) => Self::Number(number),
                Err(_) => Self::Text(default.to_owned()),
            }),
        }
    }

    fn write_toml(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Text(text) => write_toml_text(out, text),
            Self::Number(number) => write!(out, "{number}"),
            Self::Boolean(value) => write!(out, "{value}"),
            Self::List(list) => {
                write!(out, "[")?;
                for (nth, text) in list.iter().enumerate() {
                    write!(out, "{}", if nth > 0 { ", " } else { "" })?;
                    write_toml_text(out, text)?;
                }
                write!(out, "]")
            }
        }
    }

    fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Text(text) => write_text(out, text),
            Self::Number(number) => write!(out, "{number}"),
            Self::Boolean(value) => put!(out, *value),
            Self::List(list) => write_array(out, list, |out, text| write_text(out, text)),
        }
    }
}

impl SettingsTable {
    /// Writes the members of an object. They follow others unless `are_first` is set.
    fn write_members(&self, out: &mut impl Write, are_first: bool) -> io::Result<()> {
        for (nth, (name, setting)) in self.settings.iter().enumerate() {
            put!(out, if nth == 0 && are_first { "\"" } else { ",\"" }, *name, "\":")?;
            setting.write_json(out)?;
        }
        Ok(())
    }
}

/// Writes a basic string.
fn write_toml_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    write!(out, "\"")?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(out, "\\{character}")?,
            _ if is_deceptive(character) => write!(out, "\\U{:08X}", u32::from(character))?,
            _ => write!(out, "{character}")?,
        }
    }
    write!(out, "\"")
}
