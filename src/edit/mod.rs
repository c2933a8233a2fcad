//! What is wanted of a binary: fields, names and sections set, added and removed, at any item of the tree.
//!
//! An [`Edit`] is looked up in a source with [`Edit::plan_slice`] or [`Edit::plan_at`], which gives a
//! [`Plan`]: every byte that the edit is not about is kept. Only the size fields of the items that
//! enclose a change are written anew, in their old width where the new size fits it.

mod error;
mod outline;
mod planner;
mod producers;

use std::collections::BTreeMap;

pub use self::error::EditError;

use self::outline::Outliner;
use crate::drive::{self, ReadAt};
use crate::limits::Limits;
use crate::metadata::Field;
use crate::scan::{Path, Visitor};
use crate::splice::Plan;

/// A set of changes.
///
/// ```
/// use sectile::{Limits, edit::Edit, metadata::Field};
///
/// let module = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";
/// let edit = Edit::new().set(Field::Licenses, "MIT OR Apache-2.0")?.name("adder")?;
/// let edited = edit.plan_slice(module, Limits::default())?.to_vec(module).expect("it is the plan's source");
///
/// let metadata = sectile::read_slice(&edited, Limits::default())?.complete()?;
/// assert_eq!(metadata.root().name().and_then(|name| name.as_str()), Some("adder"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Edit {
    items: BTreeMap<Path, ItemEdit>,
    /// The item that changes are added to.
    at: Path,
}

/// What is wanted of one item.
#[derive(Clone, Debug, Default)]
struct ItemEdit {
    /// By the name of a custom section: the data that it is to have, or `None` where it is to go.
    sections: BTreeMap<String, Option<Vec<u8>>>,
    /// Sections that are added, whatever is there.
    appended: Vec<(String, Vec<u8>)>,
    /// The item's own name.
    name: Option<NameEdit>,
    producers: Vec<ProducerEdit>,
}

#[derive(Clone, Debug)]
enum NameEdit {
    Set(String),
    Clear,
}

#[derive(Clone, Debug)]
enum ProducerEdit {
    Add { field: String, name: String, version: String },
    Drop { field: String, name: String },
}

/// The custom sections that other changes than those of sections are made of.
const PRODUCERS: &str = "producers";
const NAMES: [&str; 2] = ["name", "component-name"];

/// A custom section's name may be so long: wasmparser reads no longer ones.
const MAX_NAME: usize = 100_000;

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
    /// The value is not what the table asks for ([`EditError::Invalid`]; [`set_as_is`](Self::set_as_is) takes it all the
    /// same), or the field is given twice.
    pub fn set(self, field: Field, value: impl Into<String>) -> Result<Self, EditError> {
        let value = value.into();
        let flaws = field.check(&value);
        if flaws.iter().any(|flaw| flaw.code != crate::Code::DeprecatedLicense) {
            return Err(EditError::Invalid { field, flaws });
        }
        self.set_as_is(field, value)
    }

    /// Sets a field to whatever value.
    ///
    /// # Errors
    ///
    /// The field is given twice.
    pub fn set_as_is(self, field: Field, value: impl Into<String>) -> Result<Self, EditError> {
        self.section(field.section(), Some(value.into().into_bytes()))
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
    /// The name is given twice.
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

    /// Adds a producer to a field (`language`, `processed-by`, `sdk`), or gives the one of that name this version.
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

    /// Drops the producer of this name from a field.
    #[must_use]
    pub fn drop_producer(mut self, field: impl Into<String>, name: impl Into<String>) -> Self {
        self.item().producers.push(ProducerEdit::Drop { field: field.into(), name: name.into() });
        self
    }

    /// Puts data into a custom section: where one of that name stands, or at the item's end. Of several, the first takes
    /// it, and the others go.
    ///
    /// # Errors
    ///
    /// The name is empty or over-long, or given twice.
    pub fn put(self, name: impl Into<String>, data: impl Into<Vec<u8>>) -> Result<Self, EditError> {
        self.section(name, Some(data.into()))
    }

    /// Adds a custom section at the item's end, whatever is there.
    ///
    /// # Errors
    ///
    /// The name is empty or over-long.
    pub fn append(mut self, name: impl Into<String>, data: impl Into<Vec<u8>>) -> Result<Self, EditError> {
        let name = checked(name.into())?;
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

    /// The plan that carries the edit out on bytes in memory.
    ///
    /// # Errors
    ///
    /// The bytes are malformed, or hold no item at one of the paths; an item would grow past what its size can say. See
    /// [`EditError`].
    pub fn plan_slice(&self, source: &[u8], limits: Limits) -> Result<Plan, EditError> {
        self.plan(source.len() as u64, limits, |outliner| drive::slice(source, outliner, limits).0)
    }

    /// The plan that carries the edit out on a file of `len` bytes, or on anything else with positioned reads.
    ///
    /// # Errors
    ///
    /// As for [`plan_slice`](Self::plan_slice), and those of reading.
    pub fn plan_at<R: ReadAt + ?Sized>(&self, source: &R, len: u64, limits: Limits) -> Result<Plan, EditError> {
        self.plan(len, limits, |outliner| drive::read_at(source, len, outliner, limits).0)
    }

    fn plan(
        &self,
        len: u64,
        limits: Limits,
        scan: impl FnOnce(&mut Outliner<'_>) -> Result<(), crate::Error>,
    ) -> Result<Plan, EditError> {
        self.items.values().try_for_each(ItemEdit::check)?;
        let mut outliner = Outliner::new(self, limits);
        scan(&mut outliner)?;
        planner::plan(self, &outliner.finish()?, len)
    }

    fn item(&mut self) -> &mut ItemEdit {
        self.items.entry(self.at.clone()).or_default()
    }

    fn section(mut self, name: impl Into<String>, data: Option<Vec<u8>>) -> Result<Self, EditError> {
        let name = checked(name.into())?;
        match self.item().sections.insert(name.clone(), data) {
            None => Ok(self),
            Some(_) => Err(EditError::Twice(name)),
        }
    }

    fn own_name(mut self, name: NameEdit) -> Result<Self, EditError> {
        match self.item().name.replace(name) {
            None => Ok(self),
            Some(_) => Err(EditError::Twice("name".to_owned())),
        }
    }
}

impl ItemEdit {
    /// A section is changed as a whole or in part, and not both.
    fn check(&self) -> Result<(), EditError> {
        let whole = |name: &str| self.sections.contains_key(name);
        let twice = match (&self.name, &self.producers[..]) {
            (_, [_, ..]) if whole(PRODUCERS) => Some(PRODUCERS),
            (Some(_), _) => NAMES.into_iter().find(|name| whole(name)),
            _ => None,
        };
        twice.map_or(Ok(()), |name| Err(EditError::Twice(name.to_owned())))
    }
}

fn checked(name: String) -> Result<String, EditError> {
    if name.is_empty() || name.len() > MAX_NAME { Err(EditError::SectionName(name.len())) } else { Ok(name) }
}

/// An outliner is a visitor on every driver.
const _: fn(&mut Outliner<'_>) = |outliner| {
    fn visits<V: for<'w> Visitor<'w>>(_: &mut V) {}
    visits(outliner);
};
