//! Migration of the retired `registry-metadata` section to one section per field.

use serde_json::{Map, Value};

use super::{Edit, EditError};
use crate::metadata::{Field, Item, check_registry_metadata};

/// Result of migrating a `registry-metadata` section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migration {
    moved: Vec<Field>,
    left: Vec<Field>,
    dropped: Vec<String>,
}

impl Migration {
    /// Fields set to values of the section.
    pub fn moved(&self) -> &[Field] {
        &self.moved
    }

    /// Fields that the item already has; their values are unchanged.
    pub fn left(&self) -> &[Field] {
        &self.left
    }

    /// Dropped entries that have no field, each with its value as JSON, such as `categories:
    /// ["http"]`. They quote the input: escape them before printing to a terminal.
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }
}

/// The section's name.
const SECTION: &str = "registry-metadata";

impl Edit {
    /// Replaces the item's retired `registry-metadata` section by one section per field. Fields
    /// that the item already has are unchanged. `item` must be the item that the edit changes: the
    /// root, or the item selected with [`at`](Self::at). Does nothing if the item does not have the
    /// section.
    ///
    /// # Errors
    ///
    /// [`EditError::Unreadable`] if the section cannot be read. [`EditError::Invalid`] if a value
    /// is invalid for its field; use [`migrate_unchecked`](Self::migrate_unchecked) to accept it.
    pub fn migrate(self, item: Item<'_>) -> Result<(Self, Migration), EditError> {
        self.migrated(item, Self::set)
    }

    /// Like [`migrate`](Self::migrate), without checking the values.
    ///
    /// # Errors
    ///
    /// [`EditError::Unreadable`] if the section cannot be read.
    pub fn migrate_unchecked(self, item: Item<'_>) -> Result<(Self, Migration), EditError> {
        self.migrated(item, Self::set_unchecked)
    }

    fn migrated(
        self,
        item: Item<'_>,
        set: fn(Self, Field, String) -> Result<Self, EditError>,
    ) -> Result<(Self, Migration), EditError> {
        let mut migration = Migration::default();
        let Some(section) = item.registry_metadata() else { return Ok((self, migration)) };
        let unreadable = |why| EditError::Unreadable { section: SECTION, offset: section.range().start, why };
        let text = section.as_str().ok_or_else(|| unreadable("it is not UTF-8"))?;
        let Ok(Value::Object(said)) = serde_json::from_str(text) else {
            return Err(unreadable("it is not a JSON object"));
        };
        if !check_registry_metadata(text).is_empty() {
            return Err(unreadable("it has a duplicate key"));
        }
        if item.section_sizes().any(|share| share.name() == SECTION && share.sections() > 1) {
            return Err(unreadable("the section occurs more than once"));
        }
        let mut edit = self.remove(SECTION)?;
        for (field, value) in fields_of(&said, &mut migration.dropped).map_err(unreadable)? {
            if item.annotation(field).is_some() {
                migration.left.push(field);
            } else {
                edit = set(edit, field, value)?;
                migration.moved.push(field);
            }
        }
        Ok((edit, migration))
    }
}

/// Returns the fields of the section in table order. Adds entries without a field to `dropped`.
/// Source: `RegistryMetadata` of wasm-metadata, up to 0.218.
fn fields_of(said: &Map<String, Value>, dropped: &mut Vec<String>) -> Result<Vec<(Field, String)>, &'static str> {
    let mut fields = Vec::new();
    for (key, value) in said {
        match (&**key, value) {
            (_, Value::Null) => {}
            ("authors", value) => fields.push((Field::Authors, authors(value)?)),
            ("description", Value::String(text)) => fields.push((Field::Description, text.clone())),
            ("license", Value::String(text)) => fields.push((Field::Licenses, text.clone())),
            ("links", Value::Array(links)) => links.iter().for_each(|found| link(found, &mut fields, dropped)),
            ("description" | "license", _) => return Err("`description` or `license` is not a string"),
            ("links", _) => return Err("`links` is not an array"),
            (key, value) => dropped.push(format!("{key}: {value}")),
        }
    }
    fields.retain(|(_, value)| !value.is_empty());
    fields.sort_by_key(|(field, _)| *field);
    Ok(fields)
}

fn authors(value: &Value) -> Result<String, &'static str> {
    let list = match value {
        Value::Array(list) => list,
        value => std::slice::from_ref(value),
    };
    let authors: Option<Vec<_>> = list.iter().map(Value::as_str).collect();
    Ok(authors.ok_or("`authors` is not a string or a list of strings")?.join(", "))
}

/// Sets the field for the link's type to the link's value. Adds the link to `dropped` instead if
/// its type has no field, or if an earlier link has set the field.
fn link(link: &Value, fields: &mut Vec<(Field, String)>, dropped: &mut Vec<String>) {
    let text = |key: &str| link.get(key).and_then(Value::as_str);
    let kind = text("ty").or_else(|| text("type")).unwrap_or_default();
    let field = match &*kind.to_ascii_lowercase() {
        "documentation" => Some(Field::Documentation),
        "homepage" => Some(Field::Homepage),
        "repository" => Some(Field::Source),
        _ => None,
    };
    match (field, text("value")) {
        (Some(field), Some(value)) if !fields.iter().any(|(found, _)| *found == field) => {
            fields.push((field, value.to_owned()));
        }
        _ => dropped.push(format!("links: {link}")),
    }
}
