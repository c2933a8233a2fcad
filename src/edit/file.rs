//! An edit planned for a file.

use std::path::{Path, PathBuf};

use super::EditPlan;
use crate::splice::{WriteError, WriteOptions};

/// An edit planned for one state of a file, ready to be written.
///
/// ```no_run
/// use sectile::{Edit, Field, splice::WriteOptions};
///
/// let plan = Edit::new().set(Field::Vendor, "Acme")?.plan("app.wasm")?;
/// for finding in plan.plan().findings() {
///     eprintln!("{finding}");
/// }
/// plan.write(WriteOptions::default())?;
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing changes until the plan is written"]
pub struct FilePlan {
    plan: EditPlan,
    path: PathBuf,
}

impl FilePlan {
    pub(super) fn new(plan: EditPlan, path: PathBuf) -> Self {
        Self { plan, path }
    }

    /// Returns the plan.
    pub fn plan(&self) -> &EditPlan {
        &self.plan
    }

    /// Converts to the plan.
    pub fn into_plan(self) -> EditPlan {
        self.plan
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the file, as [`Plan::replace`](crate::splice::Plan::replace) does.
    ///
    /// # Errors
    ///
    /// As for [`Plan::replace`](crate::splice::Plan::replace).
    pub fn write(&self, options: WriteOptions) -> Result<(), WriteError> {
        self.plan.plan().replace(&self.path, options)
    }

    /// Writes the changed parts of the file in place, under a journal, as
    /// [`Plan::write_in_place`](crate::splice::Plan::write_in_place) does.
    ///
    /// # Errors
    ///
    /// As for [`Plan::write_in_place`](crate::splice::Plan::write_in_place).
    pub fn write_in_place(&self, options: WriteOptions) -> Result<(), WriteError> {
        self.plan.plan().write_in_place(&self.path, options)
    }
}
