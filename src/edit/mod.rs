//! Edits: set, add and remove fields, names and sections of any item.
//!
//! [`Edit::apply`] changes a file. [`Edit::plan`] and the other `plan_*` methods scan a source and
//! return an [`EditPlan`]. It holds the bytes to keep and insert ([`Plan`](crate::splice::Plan)),
//! the changed sections, and the findings. Outside the changed sections, an edit changes only the
//! size fields of enclosing items. A size field keeps its width if the new size fits.
//!
//! A [`StreamEdit`] edits an input while it arrives and supports fewer changes.

mod encoding;
mod error;
mod file;
mod item;
#[cfg(feature = "json")]
mod migrate;
mod plan;
mod planner;
mod producers;
mod source_layout;
mod stream;
mod strip;
mod warnings;

use std::path::PathBuf;

pub use self::error::EditError;
pub use self::file::FilePlan;
#[cfg(feature = "json")]
pub use self::migrate::Migration;
pub use self::plan::{Change, ChangeKind, EditPlan};
pub use self::stream::{StreamEdit, StreamEditor};
pub use self::strip::Strip;

use self::item::{ItemEdit, ItemEdits, NAMES, NameEdit, PRODUCERS, ProducerEdit, check_nul, section_name};
use self::source_layout::LayoutReader;
use crate::drive::{self, ReadAt};
use crate::error::Error;
use crate::glob::Glob;
use crate::input::Input;
use crate::limits::Limits;
use crate::metadata::{Field, ValueError};
use crate::outcome::Outcome;
use crate::scan::{ItemPath, Visitor};
use crate::splice::WriteOptions;

/// A set of changes.
///
/// ```
/// use sectile::{Edit, Field};
///
/// let module = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";
/// let edit = Edit::new().set(Field::Licenses, "MIT OR Apache-2.0")?.name("adder")?;
/// let edited = edit.plan_slice(module)?.plan().to_vec(module).expect("it is the plan's source");
///
/// let metadata = sectile::read_slice(&edited)?;
/// assert_eq!(metadata.root().name().and_then(|name| name.as_str()), Some("adder"));
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Edit {
    edits: ItemEdits,
    /// Item to which changes are added.
    at: ItemPath,
    limits: Limits,
}

impl Edit {
    /// Creates an edit without changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the limits for reading the source and the result, instead of the defaults.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Applies the following changes to the item at this path, instead of the root.
    #[must_use]
    pub fn at(mut self, path: ItemPath) -> Self {
        self.at = path;
        self
    }

    /// Sets a field. If the item has several sections of the field, the first gets the value and
    /// the others are removed.
    ///
    /// # Errors
    ///
    /// [`EditError::Invalid`] if the value is invalid for the field; use
    /// [`set_unchecked`](Self::set_unchecked) to write it anyway. [`EditError::Nul`] if it contains
    /// NUL. [`EditError::Twice`] if this edit already sets or removes the field.
    pub fn set(self, field: Field, value: impl Into<String>) -> Result<Self, EditError> {
        let value = value.into();
        let errors = field.check(&value);
        if errors.iter().any(ValueError::is_refused) {
            return Err(EditError::Invalid { field, errors });
        }
        let is_valid = errors.is_empty() && !value.is_empty();
        let mut edit = self.set_unchecked(field, value)?;
        if is_valid {
            edit.item().valid_fields.push(field);
        }
        Ok(edit)
    }

    /// Sets a field without checking the value. Its errors become findings of the plan.
    ///
    /// # Errors
    ///
    /// [`EditError::Nul`] if the value contains NUL. [`EditError::Twice`] if this edit already
    /// sets or removes the field.
    pub fn set_unchecked(self, field: Field, value: impl Into<String>) -> Result<Self, EditError> {
        let value = value.into();
        check_nul(field.section(), &value)?;
        self.section(field.section(), Some(value.into_bytes()))
    }

    /// Removes all sections of a field.
    ///
    /// # Errors
    ///
    /// [`EditError::Twice`] if this edit already sets or removes the field.
    pub fn unset(self, field: Field) -> Result<Self, EditError> {
        self.section(field.section(), None)
    }

    /// Sets the item's own name. The rest of the name section stays unchanged.
    ///
    /// # Errors
    ///
    /// [`EditError::Nul`] if the name contains NUL. [`EditError::Twice`] if this edit already sets
    /// or removes the name.
    pub fn name(self, name: impl Into<String>) -> Result<Self, EditError> {
        self.own_name(NameEdit::Set(name.into()))
    }

    /// Removes the item's own name. Other names, such as function names, stay. Removes the name
    /// section if it becomes empty.
    ///
    /// # Errors
    ///
    /// [`EditError::Twice`] if this edit already sets or removes the name.
    pub fn clear_name(self) -> Result<Self, EditError> {
        self.own_name(NameEdit::Clear)
    }

    /// Adds a producer to a field (`language`, `processed-by`, `sdk`), or updates the version of
    /// the producer with this name.
    ///
    /// Planning fails if a text contains NUL or exceeds the limits.
    #[must_use]
    pub fn add_producer(
        mut self,
        field: impl Into<String>,
        name: impl Into<String>,
        version: impl Into<String>,
    ) -> Self {
        let add = ProducerEdit::Add { field: field.into(), name: name.into(), version: version.into() };
        self.item().producers.push(add);
        self
    }

    /// Adds a producer without a version to a field. Does nothing if the field already has a
    /// producer with this name and any version, or if this edit already changes that producer.
    #[must_use]
    pub fn ensure_producer(mut self, field: impl Into<String>, name: impl Into<String>) -> Self {
        let (field, name) = (field.into(), name.into());
        let item = self.item();
        if !item.producers.iter().any(|edit| edit.affects(&field, &name)) {
            item.producers.push(ProducerEdit::Ensure { field, name });
        }
        self
    }

    /// Removes the producer with this name from a field.
    #[must_use]
    pub fn drop_producer(mut self, field: impl Into<String>, name: impl Into<String>) -> Self {
        self.item().producers.push(ProducerEdit::Drop { field: field.into(), name: name.into() });
        self
    }

    /// Removes the item's `producers` sections.
    ///
    /// # Errors
    ///
    /// [`EditError::Twice`] if this edit already writes or removes the sections.
    pub fn unset_producers(self) -> Result<Self, EditError> {
        self.section(PRODUCERS, None)
    }

    /// Writes a custom section. If sections with this name exist, the first gets the data and the
    /// others are removed. Otherwise, a section is added at the item's end.
    ///
    /// Readers concatenate the sections of some names, such as `contractmetav0`. For such a name, a
    /// section is added, unless one already has this data.
    ///
    /// Invalid data is not an error. If a reader would report findings about the data, the plan
    /// includes them.
    ///
    /// # Errors
    ///
    /// [`EditError::SectionName`] if the name is empty or too long. [`EditError::Nul`] if it
    /// contains NUL. [`EditError::Twice`] if this edit already writes or removes the section.
    pub fn put(self, name: impl Into<String>, data: impl Into<Vec<u8>>) -> Result<Self, EditError> {
        self.section(name, Some(data.into()))
    }

    /// Appends a custom section to the item, even if the item has one with this name. If a reader
    /// would report findings about the new section, the plan includes them.
    ///
    /// # Errors
    ///
    /// [`EditError::SectionName`] if the name is empty or too long. [`EditError::Nul`] if it
    /// contains NUL.
    pub fn append(mut self, name: impl Into<String>, data: impl Into<Vec<u8>>) -> Result<Self, EditError> {
        let name = section_name(name.into())?;
        check_nul("a custom section's name", &name)?;
        self.item().appended.push((name, data.into()));
        Ok(self)
    }

    /// Removes every custom section with this name.
    ///
    /// # Errors
    ///
    /// [`EditError::SectionName`] if the name is empty or too long. [`EditError::Twice`] if this
    /// edit already writes or removes the section.
    pub fn remove(self, name: impl Into<String>) -> Result<Self, EditError> {
        self.section(name, None)
    }

    /// Removes every custom section whose name matches the pattern. Planning fails with
    /// [`EditError::Twice`] if the same edit writes one of them.
    #[must_use]
    pub fn remove_matching(mut self, glob: Glob) -> Self {
        self.item().globs.push(glob);
        self
    }

    /// Strips the item and the items nested in it. A second call for the same item replaces the
    /// first. Sections written by the same edit are not stripped.
    #[must_use]
    pub fn strip(mut self, strip: Strip) -> Self {
        self.edits.strips.insert(self.at.clone(), strip);
        self
    }

    /// Allows moving or removing sections that an object's `linking` and `reloc.*` sections refer
    /// to by index. After that, the object cannot be linked. By default such an edit fails with
    /// [`EditError::MovesLinked`].
    #[must_use]
    pub fn force(mut self) -> Self {
        self.edits.forced = true;
        self
    }

    /// Plans the edit for a file and replaces the file: [`plan`](Self::plan), then
    /// [`FilePlan::write`] with the default options. Returns the plan.
    ///
    /// ```no_run
    /// use sectile::{Edit, Field};
    ///
    /// Edit::new().set(Field::Licenses, "MIT")?.apply("app.wasm")?;
    /// # Ok::<(), sectile::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`plan`](Self::plan) and [`FilePlan::write`]. Unless the error says otherwise, the
    /// file is unchanged.
    pub fn apply(&self, path: impl Into<PathBuf>) -> Result<EditPlan, Error> {
        let file_plan = self.plan(path)?;
        file_plan.write(WriteOptions::default())?;
        Ok(file_plan.into_plan())
    }

    /// Plans the edit for a file in its present state.
    ///
    /// # Errors
    ///
    /// Fails if the file is malformed or cannot be read, if an item of the edit does not exist, or
    /// if changes conflict. Also fails if the result would exceed the limits for reading or the
    /// maximum size of an item. See [`EditError`].
    pub fn plan(&self, path: impl Into<PathBuf>) -> Result<FilePlan, EditError> {
        let path = path.into();
        let plan = self.plan_input(&Input::open(&path)?)?;
        Ok(FilePlan::new(plan, path))
    }

    /// Plans the edit for an open file in its present state.
    ///
    /// # Errors
    ///
    /// As for [`plan`](Self::plan).
    pub fn plan_input(&self, input: &Input) -> Result<EditPlan, EditError> {
        let plan = self.plan_with(input.len(), |reader| input.scan(reader, self.limits))?;
        Ok(plan.for_file(input.fingerprint()))
    }

    /// Plans the edit for bytes in memory.
    ///
    /// # Errors
    ///
    /// As for [`plan`](Self::plan).
    pub fn plan_slice(&self, source: &[u8]) -> Result<EditPlan, EditError> {
        self.plan_with(source.len() as u64, |reader| drive::scan_slice(source, reader, self.limits))
    }

    /// Plans the edit for a source of `len` bytes that supports positioned reads.
    ///
    /// # Errors
    ///
    /// As for [`plan`](Self::plan).
    pub fn plan_at<R: ReadAt + ?Sized>(&self, source: &R, len: u64) -> Result<EditPlan, EditError> {
        let source: &dyn ReadAt = &source;
        self.plan_with(len, |reader| drive::scan_at(source, len, reader, self.limits))
    }

    fn plan_with(
        &self,
        len: u64,
        scan: impl FnOnce(&mut dyn for<'w> Visitor<'w>) -> Outcome<()>,
    ) -> Result<EditPlan, EditError> {
        self.edits.items.values().try_for_each(|item| item.check(self.limits))?;
        let mut reader = LayoutReader::new(&self.edits, self.limits);
        scan(&mut reader).complete()?;
        planner::plan(&self.edits, &reader.finish()?, len, self.limits)
    }

    fn item(&mut self) -> &mut ItemEdit {
        self.edits.items.entry(self.at.clone()).or_default()
    }

    /// Whether the edit writes or removes the sections with this name.
    pub(crate) fn affects(&self, section: &str) -> bool {
        self.edits.items.get(&self.at).is_some_and(|item| item.sections.contains_key(section))
    }

    /// Whether the edit sets or removes the item's own name.
    pub(crate) fn is_about_name(&self) -> bool {
        self.edits.items.get(&self.at).is_some_and(|item| item.name.is_some())
    }

    fn section(mut self, name: impl Into<String>, data: Option<Vec<u8>>) -> Result<Self, EditError> {
        self.change_section(name.into(), data)?;
        Ok(self)
    }

    #[inline(never)] // it has many callers
    fn change_section(&mut self, name: String, data: Option<Vec<u8>>) -> Result<(), EditError> {
        let name = section_name(name)?;
        if data.is_some() {
            check_nul("a custom section's name", &name)?;
        }
        match self.item().sections.insert(name.clone(), data) {
            None => Ok(()),
            Some(_) => Err(EditError::Twice(name)),
        }
    }

    fn own_name(mut self, name: NameEdit) -> Result<Self, EditError> {
        if let NameEdit::Set(name) = &name {
            check_nul("name", name)?;
        }
        match self.item().name.replace(name) {
            None => Ok(self),
            Some(_) => Err(EditError::Twice("name".to_owned())),
        }
    }
}
