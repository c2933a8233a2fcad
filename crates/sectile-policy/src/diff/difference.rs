//! One difference.

use std::fmt;

use sectile::Escaped;
use sectile::scan::ItemPath;

use super::fact::FactKey;
use super::{Aspect, FactValue};

/// A fact that only one of two binaries has, or that has another value in each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub(super) key: FactKey,
    pub(super) old: Option<FactValue>,
    pub(super) new: Option<FactValue>,
}

impl Difference {
    /// Path of the item.
    pub fn path(&self) -> &ItemPath {
        &self.key.path
    }

    /// The aspect that differs.
    pub fn aspect(&self) -> Aspect {
        self.key.aspect
    }

    /// The group of the name, by aspect: the module of an import, for example.
    pub fn group(&self) -> Option<&str> {
        self.key.group.as_deref()
    }

    /// The name of the fact; empty if the item has only one of its aspect.
    pub fn name(&self) -> &str {
        &self.key.name
    }

    /// The value in the old binary.
    pub fn old(&self) -> Option<&FactValue> {
        self.old.as_ref()
    }

    /// The value in the new binary.
    pub fn new_value(&self) -> Option<&FactValue> {
        self.new.as_ref()
    }

    /// The fact's name in text, escaped for a terminal: `version`, `package serde`, `import wasi:io/poll@0.2.0`.
    pub fn label(&self) -> String {
        let (group, name) = (self.group(), self.name());
        let label = match self.aspect() {
            Aspect::Field | Aspect::DebugLink => name.to_owned(),
            Aspect::Producer => format!("{} {name}", group.unwrap_or_default()),
            Aspect::Import => match group {
                Some(module) => format!("import {module}.{name}"),
                None => format!("import {name}"),
            },
            Aspect::Advisory => format!("advisory {name} {}", group.unwrap_or_default()),
            aspect if name.is_empty() => aspect.name().to_owned(),
            aspect => format!("{aspect} {name}"),
        };
        Escaped::new(&label).to_string()
    }

    /// Whether the value says nothing that the label does not.
    fn omits_value(&self) -> bool {
        matches!(self.aspect(), Aspect::Import | Aspect::Export)
    }
}

/// The difference on one line, escaped for a terminal: `version: 0.1.0 → 1.2.0`, `+ package foo 1.2`,
/// `- import wasi:io/poll@0.2.0`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = self.label();
        let (sign, value) = match (&self.old, &self.new) {
            (Some(old), Some(new)) if old.to_string() == new.to_string() => {
                return write!(f, "{label}: {old}, other data");
            }
            (Some(old), Some(new)) => return write!(f, "{label}: {old} → {new}"),
            (Some(old), None) => ('-', old),
            (None, Some(new)) => ('+', new),
            (None, None) => return f.write_str(&label),
        };
        write!(f, "{sign} {label}")?;
        if !self.omits_value() && *value != FactValue::Text(String::new()) {
            write!(f, " {value}")?;
        }
        Ok(())
    }
}
