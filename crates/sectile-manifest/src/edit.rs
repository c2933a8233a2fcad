//! Adds the values of a manifest to an edit.

use super::error::ManifestError;
use super::gather::GivenValue;
use super::{Manifest, ManifestLocation};
use sectile::edit::{Edit, EditError};
use sectile::internal::{edits_name, edits_section};
use sectile::metadata::Field;

impl Manifest {
    /// Adds the manifest's fields, name and producers to an edit, for the item that the edit is
    /// [at](Edit::at). Values that the edit already sets take precedence, so call this last. The
    /// item's existing producers are kept.
    ///
    /// ```no_run
    /// use sectile::Edit;
    /// use sectile_manifest::Manifest;
    ///
    /// let manifest = Manifest::read("Cargo.toml")?;
    /// manifest.add_to(Edit::new())?.apply("app.wasm")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A value is not valid for its field ([`ManifestError::InvalidValue`]);
    /// [`add_unchecked_to`](Self::add_unchecked_to) accepts it.
    pub fn add_to(&self, edit: Edit) -> Result<Edit, ManifestError> {
        self.add_with(edit, Edit::set)
    }

    /// As [`add_to`](Self::add_to), but accepts values that are not valid for their fields.
    ///
    /// # Errors
    ///
    /// A value contains NUL.
    pub fn add_unchecked_to(&self, edit: Edit) -> Result<Edit, ManifestError> {
        self.add_with(edit, Edit::set_unchecked)
    }

    fn add_with(
        &self,
        mut edit: Edit,
        set: fn(Edit, Field, String) -> Result<Edit, EditError>,
    ) -> Result<Edit, ManifestError> {
        for (field, given) in &self.values {
            if !edits_section(&edit, field.section()) {
                edit = set(edit, *field, given.value()).map_err(|error| invalid_value(&given.location, error))?;
            }
        }
        if let Some(name) = self.name.as_ref().filter(|_| !edits_name(&edit)) {
            edit = edit.name(GivenValue::value(name)).map_err(|error| invalid_value(&name.location, error))?;
        }
        if edits_section(&edit, "producers") {
            return Ok(edit);
        }
        Ok(self.producers().fold(edit, |edit, (field, name)| edit.ensure_producer(field, name)))
    }
}

fn invalid_value(location: &ManifestLocation, source: EditError) -> ManifestError {
    ManifestError::InvalidValue { location: Box::new(location.clone()), source }
}
