//! What is wanted of a binary: fields, names and sections set, added and removed, at any item of the tree.
//!
//! An [`Edit`] is looked up in a source with [`Edit::plan`], [`Edit::plan_slice`] or [`Edit::plan_at`], which gives a
//! [`Plan`](crate::splice::Plan), and what is to be known of it: every byte that the edit is not about is kept. Only the
//! size fields of the items that enclose a change are written anew, in their old width where the new size fits it.
//!
//! A [`PassingEdit`] is carried out on an input while it arrives, and can do less: its type says what.

mod error;
mod glob;
mod item;
#[cfg(feature = "json")]
mod migrate;
mod outline;
mod passing;
mod planned;
mod planner;
mod producers;
mod strip;
mod warnings;

use std::collections::BTreeMap;

pub use self::error::EditError;
pub use self::glob::{Glob, GlobError};
#[cfg(feature = "json")]
pub use self::migrate::Migration;
pub use self::passing::{Passing, PassingEdit};
pub use self::planned::{Change, ChangeKind, Planned};
pub use self::strip::Strip;

use self::item::{ItemEdit, NAMES, NameEdit, PRODUCERS, ProducerEdit, no_nul, section_name};
use self::outline::Outliner;
use crate::drive::{self, ReadAt};
use crate::limits::Limits;
use crate::metadata::{Field, Flaw};
use crate::scan::Path;
use crate::store::Input;

/// A set of changes.
///
/// ```
/// use sectile::{Limits, edit::Edit, metadata::Field};
///
/// let module = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";
/// let edit = Edit::new().set(Field::Licenses, "MIT OR Apache-2.0")?.name("adder")?;
/// let planned = edit.plan_slice(module, Limits::default())?;
/// let edited = planned.plan.to_vec(module).expect("it is the plan's source");
///
/// let metadata = sectile::read_slice(&edited, Limits::default())?.complete()?;
/// assert_eq!(metadata.root().name().and_then(|name| name.as_str()), Some("adder"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Edit {
    items: BTreeMap<Path, ItemEdit>,
    /// What is stripped, by the items that it begins at.
    strips: BTreeMap<Path, Strip>,
    /// Whether what the linker's sections name may move.
    forced: bool,
    /// The item that changes are added to.
    at: Path,
}

impl Edit {
    /// No change at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// The changes that follow are made to the item at this path; without this, to the root.
    #[must_use]
    pub fn at(mut self, path: Path) -> Self {
        self.at = path;
        self
    }

    /// Sets a field. A section that has it is given the value where it stands; of several, the first, and the others go.
    ///
    /// # Errors
    ///
    /// The value is not what the table asks for, or holds a NUL ([`EditError::Invalid`]; [`set_as_is`](Self::set_as_is)
    /// takes it all the same, but for the NUL); or the field is given twice.
    pub fn set(self, field: Field, value: impl Into<String>) -> Result<Self, EditError> {
        let value = value.into();
        let flaws = field.check(&value);
        if flaws.iter().any(Flaw::is_refused) {
            return Err(EditError::Invalid { field, flaws });
        }
        let is_sound = flaws.is_empty() && !value.is_empty();
        let mut edit = self.set_as_is(field, value)?;
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
    pub fn set_as_is(self, field: Field, value: impl Into<String>) -> Result<Self, EditError> {
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
    pub fn unname(self) -> Result<Self, EditError> {
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
    pub fn have_producer(mut self, field: impl Into<String>, name: impl Into<String>) -> Self {
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
    /// it, and the others go. Any data is put; what a reader will find in it is among the plan's findings.
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
        self.strips.insert(self.at.clone(), strip);
        self
    }

    /// Lets sections move or go that an object's `linking` and `reloc.*` sections name by their places: the object can
    /// then no longer be linked. Without this, such an edit is refused ([`EditError::MovesLinked`]).
    #[must_use]
    pub fn force(mut self) -> Self {
        self.forced = true;
        self
    }

    /// The plan that carries the edit out on a file, and on none but that, as it is now.
    ///
    /// # Errors
    ///
    /// The file is malformed or cannot be read, or holds no item at one of the paths; what is to be written contradicts
    /// itself, or could not be read back within the limits; an item would grow past what its size can say. See
    /// [`EditError`].
    pub fn plan(&self, input: &Input, limits: Limits) -> Result<Planned, EditError> {
        let planned = self.planned(input.len(), limits, |outliner| input.scan(outliner, limits).0)?;
        Ok(Planned { plan: planned.plan.for_file(input.stamp()), ..planned })
    }

    /// The plan that carries the edit out on bytes in memory.
    ///
    /// # Errors
    ///
    /// As for [`plan`](Self::plan).
    pub fn plan_slice(&self, source: &[u8], limits: Limits) -> Result<Planned, EditError> {
        self.planned(source.len() as u64, limits, |outliner| drive::slice(source, outliner, limits).0)
    }

    /// The plan that carries the edit out on `len` bytes of anything with positioned reads.
    ///
    /// # Errors
    ///
    /// As for [`plan`](Self::plan).
    pub fn plan_at<R: ReadAt + ?Sized>(&self, source: &R, len: u64, limits: Limits) -> Result<Planned, EditError> {
        self.planned(len, limits, |outliner| drive::read_at(source, len, outliner, limits).0)
    }

    fn planned(
        &self,
        len: u64,
        limits: Limits,
        scan: impl FnOnce(&mut Outliner<'_>) -> Result<(), crate::Error>,
    ) -> Result<Planned, EditError> {
        self.items.values().try_for_each(|item| item.check(limits))?;
        let mut outliner = Outliner::new(self, limits);
        scan(&mut outliner)?;
        planner::plan(self, &outliner.finish()?, len, limits)
    }

    fn item(&mut self) -> &mut ItemEdit {
        self.items.entry(self.at.clone()).or_default()
    }

    /// Whether data is put into the sections of this name, or they go.
    #[cfg(feature = "manifest")]
    pub(crate) fn is_about(&self, section: &str) -> bool {
        self.items.get(&self.at).is_some_and(|item| item.sections.contains_key(section))
    }

    /// Whether the item is given a name, or loses it.
    #[cfg(feature = "manifest")]
    pub(crate) fn is_about_name(&self) -> bool {
        self.items.get(&self.at).is_some_and(|item| item.name.is_some())
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
