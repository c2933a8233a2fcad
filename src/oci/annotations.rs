//! What an item says of itself, as the annotations that say the same.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::escape::quoted;
use crate::metadata::{Field, Flaw, Item, Value, controls};

/// The key of the title, which the item's name becomes.
pub const TITLE: &str = "org.opencontainers.image.title";

/// Annotations, in the order of their keys.
pub type Annotations = BTreeMap<String, String>;

/// Which of several sections counts where one is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Duplicates {
    /// None: it is an error. Readers differ on which counts, so that whatever was chosen, somebody would be told
    /// otherwise by the binary.
    #[default]
    Refuse,
    /// The first.
    First,
    /// The last, as [`Item::annotation`] has it.
    Last,
}

/// What is wanted of annotations beside what the item says.
///
/// ```
/// use sectile::oci::{AnnotationOptions, Duplicates};
///
/// let options = AnnotationOptions::new()
///     .set("org.opencontainers.image.title", "adder")?
///     .set("com.example.team", "numbers")?
///     .duplicates(Duplicates::Last);
/// assert!(options.set("com.example.team", "words").is_err());
/// # Ok::<(), sectile::oci::AnnotationError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnotationOptions {
    overrides: Annotations,
    duplicates: Duplicates,
    allow_invalid: bool,
}

impl AnnotationOptions {
    /// Nothing but what the item says, strictly.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives an annotation this value, whatever the item says.
    ///
    /// # Errors
    ///
    /// The key is given twice, or is none: empty, or with white space or control characters in it.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Result<Self, AnnotationError> {
        let key = key.into();
        if key.is_empty() || key.contains(char::is_whitespace) || controls(&key, false).is_some() {
            return Err(AnnotationError::Key(key));
        }
        match self.overrides.entry(key) {
            Entry::Occupied(entry) => Err(AnnotationError::Twice(entry.key().clone())),
            Entry::Vacant(entry) => {
                entry.insert(value.into());
                Ok(self)
            }
        }
    }

    /// Which of several sections counts where one is meant, for what is not set.
    #[must_use]
    pub fn duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// Takes values that are not what the table asks for as they stand. What cannot be an annotation at all, because it
    /// is not UTF-8 or was too large to be kept, is left out; both are findings of the reading.
    #[must_use]
    pub fn allow_invalid(self) -> Self {
        Self { allow_invalid: true, ..self }
    }
}

/// Why an item has no annotations that can be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnnotationError {
    /// An annotation is set twice.
    #[error("the annotation {} is given twice", quoted(.0))]
    Twice(String),
    /// A text that is no key.
    #[error("{} is no key of an annotation: it is empty, or holds white space or control characters", quoted(.0))]
    Key(String),
    /// Something stands more than once where one is meant. [`AnnotationOptions::duplicates`] says which counts, and
    /// [`AnnotationOptions::set`] that none does.
    #[error("{what} stands {count} times, and readers differ on which counts")]
    #[non_exhaustive]
    Duplicate {
        /// What stands more than once: a section, or the item's name.
        what: String,
        /// How often, at the least.
        count: u64,
    },
    /// A value is not UTF-8, and an annotation is.
    #[error("the value of {what} at offset {offset:#x} is not UTF-8, which an annotation must be")]
    #[non_exhaustive]
    NotUtf8 {
        /// The section, or the item's name.
        what: String,
        /// Absolute byte offset of the value.
        offset: u64,
    },
    /// A section is there, and its value was too large to be read.
    #[error("the value of the `{0}` section is too large to be read")]
    NotRead(&'static str),
    /// A value is not what the table asks for.
    #[error("the value of {what} is refused: {}", flaws.iter().map(|flaw| &*flaw.message).collect::<Vec<_>>().join("; "))]
    #[non_exhaustive]
    Invalid {
        /// The section or the annotation, or the item's name.
        what: String,
        /// What is wrong with the value.
        flaws: Vec<Flaw>,
    },
}

impl AnnotationError {
    /// Whether [`AnnotationOptions::allow_invalid`] would let it pass.
    pub fn is_allowable(&self) -> bool {
        matches!(self, Self::NotUtf8 { .. } | Self::NotRead(_) | Self::Invalid { .. })
    }

    /// Whether [`AnnotationOptions::duplicates`] would let it pass.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate { .. })
    }
}

/// The annotations that say what an item says of itself: one for every row of the table of fields whose section it has,
/// and its name as the title. What is set in the options counts instead, and what is set beside it is added; nothing is
/// invented, and nothing is taken from another item.
///
/// A `created` section becomes an annotation as every other does, because somebody put it there: Sectile never does by
/// itself. Of a binary without one, there is no annotation unless it is set.
///
/// ```
/// use sectile::{Limits, oci};
///
/// let module = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";
/// let metadata = sectile::read_slice(module, Limits::default())?.complete()?;
/// let options = oci::AnnotationOptions::new().set(oci::TITLE, "adder")?;
/// let annotations = oci::annotations(metadata.root(), &options)?;
/// assert_eq!(annotations["org.opencontainers.image.licenses"], "MIT");
/// assert_eq!(annotations["org.opencontainers.image.title"], "adder");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A section stands more than once, or a value is not what the table asks for, and nobody said that it may: see
/// [`AnnotationError`].
pub fn annotations(item: &Item<'_>, options: &AnnotationOptions) -> Result<Annotations, AnnotationError> {
    let mut annotations = Annotations::new();
    for field in Field::ALL.into_iter().filter(|field| !options.overrides.contains_key(field.oci_key())) {
        if let Some(value) = options.of_field(item, field)? {
            annotations.insert(field.oci_key().to_owned(), value);
        }
    }
    if !options.overrides.contains_key(TITLE)
        && let Some(title) = options.of_name(item)?
    {
        annotations.insert(TITLE.to_owned(), title);
    }
    for (key, value) in &options.overrides {
        let field = Field::ALL.into_iter().find(|field| field.oci_key() == key);
        let flaws = field.map_or_else(|| controls(value, true).into_iter().collect(), |field| field.check(value));
        options.judge(quoted(key), flaws)?;
        annotations.insert(key.clone(), value.clone());
    }
    Ok(annotations)
}

impl AnnotationOptions {
    fn of_field(&self, item: &Item<'_>, field: Field) -> Result<Option<String>, AnnotationError> {
        let count = item.sections_of(field);
        let what = || format!("the `{field}` section");
        let value = self.chosen(count, what, item.first_annotation(field), item.annotation(field))?;
        match value {
            None if count == 0 || self.allow_invalid => Ok(None),
            None => Err(AnnotationError::NotRead(field.section())),
            Some(value) => self.text(what, value, |text| field.check(text)),
        }
    }

    fn of_name(&self, item: &Item<'_>) -> Result<Option<String>, AnnotationError> {
        let what = || format!("the {}'s name", item.kind());
        let count = if item.has_several_names() { 2 } else { 1 };
        match self.chosen(count, what, item.first_name(), item.name())? {
            Some(value) if !value.as_bytes().is_empty() => {
                self.text(what, value, |text| controls(text, false).into_iter().collect())
            }
            _ => Ok(None), // an item need not have a name
        }
    }

    fn chosen<'v, 'a>(
        &self,
        count: u64,
        what: impl Fn() -> String,
        first: Option<&'v Value<'a>>,
        last: Option<&'v Value<'a>>,
    ) -> Result<Option<&'v Value<'a>>, AnnotationError> {
        match self.duplicates {
            Duplicates::Refuse if count > 1 => Err(AnnotationError::Duplicate { what: what(), count }),
            Duplicates::First => Ok(first),
            Duplicates::Refuse | Duplicates::Last => Ok(last),
        }
    }

    /// A value as a text, if it may be one.
    fn text(
        &self,
        what: impl Fn() -> String,
        value: &Value<'_>,
        check: impl FnOnce(&str) -> Vec<Flaw>,
    ) -> Result<Option<String>, AnnotationError> {
        match value.as_str() {
            Some(text) => {
                self.judge(what(), check(text))?;
                Ok(Some(text.to_owned()))
            }
            None if self.allow_invalid => Ok(None),
            None => Err(AnnotationError::NotUtf8 { what: what(), offset: value.range().start }),
        }
    }

    fn judge(&self, what: String, flaws: Vec<Flaw>) -> Result<(), AnnotationError> {
        if self.allow_invalid || !flaws.iter().any(Flaw::is_refused) {
            return Ok(());
        }
        Err(AnnotationError::Invalid { what, flaws })
    }
}
