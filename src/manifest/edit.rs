//! A manifest's values become an edit's.

use super::error::ManifestError;
use super::gather::Given;
use super::{Manifest, Place};
use crate::edit::{Edit, EditError};
use crate::metadata::Field;

impl Edit {
    /// Takes what a manifest says, for the item that changes are being [made to](Self::at): its fields, its name and its
    /// producers. What the edit is about already stays as it is: call this behind what is set by hand. A producer that the
    /// item has stays as it is, too.
    ///
    /// # Errors
    ///
    /// A value is not what the table of fields asks for ([`ManifestError::Refused`];
    /// [`manifest_as_is`](Self::manifest_as_is) takes it all the same).
    pub fn manifest(self, manifest: &Manifest) -> Result<Self, ManifestError> {
        self.taken(manifest, Self::set)
    }

    /// As [`manifest`](Self::manifest), with values that the table has something against.
    ///
    /// # Errors
    ///
    /// A value holds a NUL.
    pub fn manifest_as_is(self, manifest: &Manifest) -> Result<Self, ManifestError> {
        self.taken(manifest, Self::set_as_is)
    }

    fn taken(
        self,
        manifest: &Manifest,
        set: fn(Self, Field, String) -> Result<Self, EditError>,
    ) -> Result<Self, ManifestError> {
        let mut edit = self;
        for (field, given) in &manifest.values {
            if !edit.is_about(field.section()) {
                edit = set(edit, *field, given.value()).map_err(|error| refused(&given.place, error))?;
            }
        }
        if let Some(name) = manifest.name.as_ref().filter(|_| !edit.is_about_name()) {
            edit = edit.name(Given::value(name)).map_err(|error| refused(&name.place, error))?;
        }
        if edit.is_about("producers") {
            return Ok(edit);
        }
        Ok(manifest.producers().fold(edit, |edit, (field, name)| edit.have_producer(field, name)))
    }
}

fn refused(place: &Place, source: EditError) -> ManifestError {
    ManifestError::Refused { place: Box::new(place.clone()), source }
}
