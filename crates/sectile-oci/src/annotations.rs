//! The annotations that correspond to the metadata of an item.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sectile::FindingCode;
use sectile::internal::{controls, differs_in_case, quoted};
use sectile::metadata::{Field, Item, Value, ValueError};

/// The key of the title annotation, whose value is the item's name.
pub const TITLE_KEY: &str = "org.opencontainers.image.title";

/// Annotations in the order of their keys.
pub type Annotations = BTreeMap<String, String>;

/// The section whose value is used if several sections have the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Duplicates {
    /// No section: duplicates are an error. Readers disagree on which section wins. So some readers
    /// would see a value other than the annotation.
    #[default]
    Refuse,
    /// The first section.
    First,
    /// The last section, as in [`Item::annotation`].
    Last,
}

/// Options of [`annotations`].
///
/// ```
/// use sectile_oci::{AnnotationOptions, Duplicates};
///
/// let options = AnnotationOptions::new()
///     .with_annotation("org.opencontainers.image.title", "adder")?
///     .with_annotation("com.example.team", "numbers")?
///     .with_duplicates(Duplicates::Last);
/// assert!(options.with_annotation("com.example.team", "words").is_err());
/// # Ok::<(), sectile_oci::AnnotationError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnotationOptions {
    overrides: Annotations,
    duplicates: Duplicates,
    allow_invalid: bool,
}

impl AnnotationOptions {
    /// Creates options without overrides that refuse duplicates and invalid values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an annotation, which replaces the item's own value.
    ///
    /// # Errors
    ///
    /// The key is already set, is empty, or contains white space or control characters.
    pub fn with_annotation(
        mut self,
        key: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<Self, AnnotationError> {
        let key = key.into();
        if key.is_empty() || key.contains(char::is_whitespace) || controls(&key, false).is_some() {
            return Err(AnnotationError::InvalidKey(key));
        }
        match self.overrides.entry(key) {
            Entry::Occupied(entry) => Err(AnnotationError::RepeatedKey(entry.key().clone())),
            Entry::Vacant(entry) => {
                entry.insert(value.into());
                Ok(self)
            }
        }
    }

    /// Sets which of several sections wins. Annotations set in these options are not affected.
    #[must_use]
    pub fn with_duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// Sets whether invalid values are accepted as they are.
    ///
    /// Values that cannot be annotations are then omitted: those that are not UTF-8, and those too
    /// large to read. Both are already findings of the metadata.
    #[must_use]
    pub fn with_allow_invalid(self, allow_invalid: bool) -> Self {
        Self { allow_invalid, ..self }
    }
}

/// The reason why an item's annotations were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnnotationError {
    /// An annotation is set more than once.
    #[error("the annotation {} is set twice", quoted(.0))]
    RepeatedKey(String),
    /// A key is empty, or contains white space or control characters.
    #[error("{} is not a valid annotation key: it is empty, or contains white space or control characters", quoted(.0))]
    InvalidKey(String),
    /// A section occurs more than once; see [`AnnotationOptions::with_duplicates`] and
    /// [`AnnotationOptions::with_annotation`].
    #[error("{subject} occurs {count} times; readers disagree on which one wins")]
    #[non_exhaustive]
    Duplicate {
        /// The section, or the item's name.
        subject: String,
        /// Minimum number of occurrences.
        count: u64,
    },
    /// A value is not UTF-8.
    #[error("the value of {subject} at offset {offset:#x} is not UTF-8, as required for annotations")]
    #[non_exhaustive]
    NotUtf8 {
        /// The section, or the item's name.
        subject: String,
        /// Absolute byte offset of the value.
        offset: u64,
    },
    /// The value of this section was too large to read.
    #[error("the value of the `{0}` section is too large to read")]
    TooLarge(&'static str),
    /// A value is invalid for its field.
    #[error("invalid value for {subject}: {}", errors.iter().map(ValueError::message).collect::<Vec<_>>().join("; "))]
    #[non_exhaustive]
    Invalid {
        /// The section, the annotation, or the item's name.
        subject: String,
        /// The errors of the value.
        errors: Vec<ValueError>,
    },
}

impl AnnotationError {
    /// Returns whether [`AnnotationOptions::with_allow_invalid`] avoids this error.
    pub fn is_allowable(&self) -> bool {
        matches!(self, Self::NotUtf8 { .. } | Self::TooLarge(_) | Self::Invalid { .. })
    }

    /// Returns whether [`AnnotationOptions::with_duplicates`] avoids this error.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate { .. })
    }
}

/// Returns the annotations that correspond to the metadata of an item.
///
/// Every annotation field with a section becomes one annotation, and the item's name becomes the
/// title. Annotations set in the options override these or are added. Metadata of other items is
/// not used.
///
/// A `created` section becomes an annotation like every other. Without it, there is no `created`
/// annotation unless the options set one.
///
/// ```
/// let module = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";
/// let metadata = sectile::read_slice(module)?;
/// let options = sectile_oci::AnnotationOptions::new().with_annotation(sectile_oci::TITLE_KEY, "adder")?;
/// let annotations = sectile_oci::annotations(metadata.root(), &options)?;
/// assert_eq!(annotations["org.opencontainers.image.licenses"], "MIT");
/// assert_eq!(annotations["org.opencontainers.image.title"], "adder");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A section occurs more than once, or a value is invalid, unless the options allow it. See
/// [`AnnotationError`].
pub fn annotations(item: Item<'_>, options: &AnnotationOptions) -> Result<Annotations, AnnotationError> {
    let mut annotations = Annotations::new();
    for field in Field::ALL.into_iter().filter(|field| !options.overrides.contains_key(field.oci_key())) {
        if let Some(value) = options.field_value(item, field)? {
            annotations.insert(field.oci_key().to_owned(), value);
        }
    }
    if !options.overrides.contains_key(TITLE_KEY)
        && let Some(title) = options.title(item)?
    {
        annotations.insert(TITLE_KEY.to_owned(), title);
    }
    for (key, value) in &options.overrides {
        let field = Field::ALL.into_iter().find(|field| field.oci_key() == key);
        let errors =
            field.map_or_else(|| controls(value, true).into_iter().collect(), |field| check_field(field, value));
        options.check_errors(quoted(key), errors)?;
        annotations.insert(key.clone(), value.clone());
    }
    Ok(annotations)
}

/// The errors of a field's value. Licenses may differ in case from the SPDX list: SPDX compares
/// identifiers without case.
fn check_field(field: Field, value: &str) -> Vec<ValueError> {
    let mut errors = field.check(value);
    if field == Field::Licenses && differs_in_case(value) {
        errors.retain(|error| error.code() != FindingCode::ImpreciseLicense);
    }
    errors
}

impl AnnotationOptions {
    fn field_value(&self, item: Item<'_>, field: Field) -> Result<Option<String>, AnnotationError> {
        let count = item.section_count(field);
        let subject = || format!("the `{field}` section");
        let value = self.choose(count, subject, item.first_annotation(field), item.annotation(field))?;
        match value {
            None if count == 0 || self.allow_invalid => Ok(None),
            None => Err(AnnotationError::TooLarge(field.section())),
            Some(value) => self.checked_text(subject, value, |text| check_field(field, text)),
        }
    }

    fn title(&self, item: Item<'_>) -> Result<Option<String>, AnnotationError> {
        let subject = || format!("the {}'s name", item.kind());
        let count = if item.has_several_names() { 2 } else { 1 };
        match self.choose(count, subject, item.first_name(), item.name())? {
            Some(value) if !value.as_bytes().is_empty() => {
                self.checked_text(subject, value, |text| controls(text, false).into_iter().collect())
            }
            _ => Ok(None),
        }
    }

    fn choose<'v, 'a>(
        &self,
        count: u64,
        subject: impl Fn() -> String,
        first: Option<&'v Value<'a>>,
        last: Option<&'v Value<'a>>,
    ) -> Result<Option<&'v Value<'a>>, AnnotationError> {
        match self.duplicates {
            Duplicates::Refuse if count > 1 => Err(AnnotationError::Duplicate { subject: subject(), count }),
            Duplicates::First => Ok(first),
            Duplicates::Refuse | Duplicates::Last => Ok(last),
        }
    }

    /// Returns the text of a value; `None` if it is not UTF-8 and invalid values are allowed.
    fn checked_text(
        &self,
        subject: impl Fn() -> String,
        value: &Value<'_>,
        check: impl FnOnce(&str) -> Vec<ValueError>,
    ) -> Result<Option<String>, AnnotationError> {
        match value.as_str() {
            Some(text) => {
                self.check_errors(subject(), check(text))?;
                Ok(Some(text.to_owned()))
            }
            None if self.allow_invalid => Ok(None),
            None => Err(AnnotationError::NotUtf8 { subject: subject(), offset: value.range().start }),
        }
    }

    fn check_errors(&self, subject: String, errors: Vec<ValueError>) -> Result<(), AnnotationError> {
        if self.allow_invalid || !errors.iter().any(ValueError::is_refused) {
            return Ok(());
        }
        Err(AnnotationError::Invalid { subject, errors })
    }
}
