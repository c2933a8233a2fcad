//! Edits: fields, names and sections to set, add and remove, at any item of the tree.
//!
//! [`Edit::apply`] changes a file. [`Edit::plan`] and its like look the edit up in a source and return an [`EditPlan`]: the
//! bytes to keep and to insert ([`Plan`](crate::splice::Plan)), with what changes and what is notable about it. Every byte that
//! the edit does not concern is kept. Only the size fields of enclosing items are rewritten, in their old width if the new size
//! fits it.
//!
//! A [`StreamEdit`] edits an input while it arrives, and can do less: see its type.

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

use self::item::{ItemEdit, ItemEdits, NAMES, NameEdit, PRODUCERS, ProducerEdit, no_nul, section_name};
use self::source_layout::LayoutReader;
use crate::drive::{self, ReadAt};
use crate::error::Error;
use crate::glob::Glob;
use crate::input::Input;
use crate::limits::Limits;
use crate::metadata::{Field, ValueError};
use crate::outcome::Outcome;
use crate::scan::ItemPath;
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
    /// The item that changes are added to.
    at: ItemPath,
    limits: Limits,
}

impl Edit {
    /// No change at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits for reading the source, within which the result can be read back. The defaults apply without this.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The changes that follow are made to the item at this path; without this, to the root.
    #[must_use]
    pub fn at(mut self, path: ItemPath) -> Self {
        self.at = path;
        self
    }

    /// Sets a field. A section that has it is given the value where it stands; of several, the first, and the others go.
    ///
    /// # Errors
    ///
    /// The value is not what the table asks for, or holds a NUL ([`EditError::Invalid`]; [`set_unchecked`](Self::set_unchecked)
    /// takes it all the same, but for the NUL); or the field is given twice.
    pub fn set(self, field: Field, value: impl Into<String>) -> Result<Self, EditError> {
        let value = value.into();
        let errors = field.check(&value);
        if errors.iter().any(ValueError::is_refused) {
            return Err(EditError::Invalid { field, errors });
        }
        let is_sound = errors.is_empty() && !value.is_empty();
        let mut edit = self.set_unchecked(field, value)?;
        if is_sound {
            edit.item().sound.push(field);
        }
        Ok(edit)
    }

    /// Sets a field to a value, whatever the table has against it: that becomes findings of the plan.
    ///
    /// # Errors
    ///
    /// The field is given twice, or the value holds a NUL.
    pub fn set_unchecked(self, field: Field, value: impl Into<String>) -> Result<Self, EditError> {
        let value = value.into();
        no_nul(field.section(), &value)?;
        self.section(field.section(), Some(value.into_bytes()))
    }

    /// Removes a field, however many sections have it.
    ///
    /// # Errors
    ///
    /// The field is given twice.
    pub fn unset(self, field: Field) -> Result<Self, EditError> {
        self.section(field.section(), None)
    }

    /// Gives the item a name of its own. Of the name section nothing else is touched.
    ///
    /// # Errors
    ///
    /// The name is given twice, or holds a NUL.
    pub fn name(self, name: impl Into<String>) -> Result<Self, EditError> {
        self.own_name(NameEdit::Set(name.into()))
    }

    /// Takes the item's own name away. The names of functions and the like stay; a name section left empty goes.
    ///
    /// # Errors
    ///
    /// The name is given twice.
    pub fn clear_name(self) -> Result<Self, EditError> {
        self.own_name(NameEdit::Clear)
    }

    /// Adds a producer to a field (`language`, `processed-by`, `sdk`), or gives the one of that name this version. (A text
    /// that holds a NUL, or is too long to be read back, is an error when the edit is planned.)
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

    /// Adds a producer without a version to a field, unless one of that name is there, with whatever version, or the edit
    /// is about it already.
    #[must_use]
    pub fn ensure_producer(mut self, field: impl Into<String>, name: impl Into<String>) -> Self {
        let (field, name) = (field.into(), name.into());
        let item = self.item();
        if !item.producers.iter().any(|edit| edit.is_about(&field, &name)) {
            item.producers.push(ProducerEdit::Have { field, name });
        }
        self
    }

    /// Drops the producer of this name from a field.
    #[must_use]
    pub fn drop_producer(mut self, field: impl Into<String>, name: impl Into<String>) -> Self {
        self.item().producers.push(ProducerEdit::Drop { field: field.into(), name: name.into() });
        self
    }

    /// Removes all that the item's `producers` sections say.
    ///
    /// # Errors
    ///
    /// Producers are put, or removed, already.
    pub fn unset_producers(self) -> Result<Self, EditError> {
        self.section(PRODUCERS, None)
    }

    /// Puts data into a custom section: where one of that name stands, or at the item's end. Of several, the first takes
    /// it, and the others go. Where readers join all sections of the name, such as `contractmetav0`, a section is added
    /// unless one has the data. Any data is put; what a reader will find in it is among the plan's findings.
    ///
    /// # Errors
    ///
    /// The name is empty, over-long or given twice, or holds a NUL.
    pub fn put(self, name: impl Into<String>, data: impl Into<Vec<u8>>) -> Result<Self, EditError> {
        self.section(name, Some(data.into()))
    }

    /// Adds a custom section at the item's end, whatever is there. What a reader will find in it is among the plan's findings.
    ///
    /// # Errors
    ///
    /// The name is empty, over-long, or holds a NUL.
    pub fn append(mut self, name: impl Into<String>, data: impl Into<Vec<u8>>) -> Result<Self, EditError> {
        let name = section_name(name.into())?;
        no_nul("a custom section's name", &name)?;
        self.item().appended.push((name, data.into()));
        Ok(self)
    }

    /// Removes every custom section of this name.
    ///
    /// # Errors
    ///
    /// The name is empty or over-long, or given twice.
    pub fn remove(self, name: impl Into<String>) -> Result<Self, EditError> {
        self.section(name, None)
    }

    /// Removes every custom section whose name the pattern matches. (It is [`EditError::Twice`], when the edit is planned,
    /// if the same edit gives one of them other data.)
    #[must_use]
    pub fn remove_matching(mut self, glob: Glob) -> Self {
        self.item().globs.push(glob);
        self
    }

    /// Removes what the binary does not need, from the item and from all that it holds. Of several for one item, the
    /// last counts. What the same edit puts or sets is not stripped.
    #[must_use]
    pub fn strip(mut self, strip: Strip) -> Self {
        self.edits.strips.insert(self.at.clone(), strip);
        self
    }

    /// Lets sections move or go that an object's `linking` and `reloc.*` sections name by their places: the object can
    /// then no longer be linked. Without this, such an edit is refused ([`EditError::MovesLinked`]).
    #[must_use]
    pub fn force(mut self) -> Self {
        self.edits.forced = true;
        self
    }

    /// Plans the edit for a file and replaces the file: [`plan`](Self::plan), then [`FilePlan::write`] with the default
    /// options. Returns what was planned.
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
    /// As for [`plan`](Self::plan) and [`FilePlan::write`]. Unless the error says otherwise, the file is unchanged.
    pub fn apply(&self, path: impl Into<PathBuf>) -> Result<EditPlan, Error> {
        let file_plan = self.plan(path)?;
        file_plan.write(WriteOptions::default())?;
        Ok(file_plan.into_plan())
    }

    /// Plans the edit for a file in its present state.
    ///
    /// # Errors
    ///
    /// The file is malformed or cannot be read, or has no item at one of the paths; the edit contradicts itself, or its
    /// result could not be read back within the limits; an item would exceed its largest size. See [`EditError`].
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
        let planned = self.planned(input.len(), |outliner| input.scan(outliner, self.limits))?;
        Ok(planned.for_file(input.fingerprint()))
    }

    /// Plans the edit for bytes in memory.
    ///
    /// # Errors
    ///
    /// As for [`plan`](Self::plan).
    pub fn plan_slice(&self, source: &[u8]) -> Result<EditPlan, EditError> {
        self.planned(source.len() as u64, |outliner| drive::scan_slice(source, outliner, self.limits))
    }

    /// Plans the edit for `len` bytes of a source with positioned reads.
    ///
    /// # Errors
    ///
    /// As for [`plan`](Self::plan).
    pub fn plan_at<R: ReadAt + ?Sized>(&self, source: &R, len: u64) -> Result<EditPlan, EditError> {
        self.planned(len, |outliner| drive::scan_at(source, len, outliner, self.limits))
    }

    fn planned(
        &self,
        len: u64,
        scan: impl FnOnce(&mut LayoutReader<'_>) -> Outcome<()>,
    ) -> Result<EditPlan, EditError> {
        self.edits.items.values().try_for_each(|item| item.check(self.limits))?;
        let mut outliner = LayoutReader::new(&self.edits, self.limits);
        scan(&mut outliner).complete()?;
        planner::plan(&self.edits, &outliner.finish()?, len, self.limits)
    }

    fn item(&mut self) -> &mut ItemEdit {
        self.edits.items.entry(self.at.clone()).or_default()
    }

    /// Whether data is put into the sections of this name, or they go.
    pub(crate) fn is_about(&self, section: &str) -> bool {
        self.edits.items.get(&self.at).is_some_and(|item| item.sections.contains_key(section))
    }

    /// Whether the item is given a name, or loses it.
    pub(crate) fn is_about_name(&self) -> bool {
        self.edits.items.get(&self.at).is_some_and(|item| item.name.is_some())
    }

    fn section(mut self, name: impl Into<String>, data: Option<Vec<u8>>) -> Result<Self, EditError> {
        let name = section_name(name.into())?;
        if data.is_some() {
            no_nul("a custom section's name", &name)?;
        }
        match self.item().sections.insert(name.clone(), data) {
            None => Ok(self),
            Some(_) => Err(EditError::Twice(name)),
        }
    }

    fn own_name(mut self, name: NameEdit) -> Result<Self, EditError> {
        if let NameEdit::Set(name) = &name {
            no_nul("name", name)?;
        }
        match self.item().name.replace(name) {
            None => Ok(self),
            Some(_) => Err(EditError::Twice("name".to_owned())),
        }
    }
}
