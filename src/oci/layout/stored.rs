//! An image in a layout, found and read where it lies.

use std::ffi::OsStr;
use std::path::Path;

use super::index::{Entry, Index};
use super::picked::{Picked, Pointer, check_size, choose, listing};
use super::{INDEX_FILE, LayoutError, Locator, Selector, blob_path, check_marker, open_regular, read_json};
use crate::digest::{Digest, Hasher};
use crate::error::Error;
use crate::escape::quoted;
use crate::oci::{Annotations, Descriptor};
use crate::splice::Plan;
use crate::store::Input;

/// An image in a layout: its manifest was read and hashed; of its layer, the size was compared.
#[derive(Debug)]
pub struct Stored {
    picked: Picked,
    input: Input,
}

impl Stored {
    /// Finds an image. Where an index lists several, for several platforms, the one for `wasm` is meant.
    ///
    /// # Errors
    ///
    /// It is not there, or there are several and nothing says which; it has no layer of WebAssembly, or several; a file of
    /// the layout is missing, malformed, no regular file, or not what it is called by. See [`LayoutError`].
    pub fn open(locator: &Locator) -> Result<Self, LayoutError> {
        let directory = &locator.directory;
        check_marker(directory)?;
        let pointer = match &locator.selector {
            Selector::Digest(digest) => Pointer::to(*digest),
            Selector::Only => choose(&directory.join(INDEX_FILE), listed(directory)?)?,
            Selector::Name(name) => choose(&directory.join(INDEX_FILE), named(directory, name)?)?,
        };
        let called = |digest| blob_path(directory, digest);
        let picked = Picked::find(pointer, called, |pointer| read_json(&called(pointer.digest)))?;
        let digest = picked.layer.digest;
        let path = blob_path(directory, digest);
        let file = open_regular(&path)?;
        let input = Input::of(file).map_err(|error| LayoutError::malformed(&path, error.message()))?;
        check_size(digest, input.len(), picked.layer.size)?;
        Ok(Self { picked, input })
    }

    /// The image's digest, which is its manifest's.
    pub fn image(&self) -> Digest {
        self.picked.image
    }

    /// The manifest's annotations.
    pub fn annotations(&self) -> &Annotations {
        &self.picked.annotations
    }

    /// What points to the layer of WebAssembly.
    pub fn layer(&self) -> &Descriptor {
        &self.picked.layer
    }

    /// The layer, to be read where it lies.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// The layer, to be read where it lies.
    pub fn into_input(self) -> Input {
        self.input
    }

    /// The digest that the layer's bytes have, all of which are read. It should be the one that the layer is called by.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn hash(&self) -> std::io::Result<Digest> {
        let mut hasher = Hasher::new();
        Plan::identity(&self.input).write_to(&self.input, &mut hasher)?;
        Ok(hasher.finish())
    }
}

impl Input {
    /// Opens what a locator names: an image's layer of WebAssembly, as `oci:DIR:NAME`, `oci:DIR@sha256:…` or `oci:DIR`
    /// name one in a layout on disk (see [`oci::Locator`](crate::oci::Locator)), which is read where it lies; or the file
    /// of this path.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), and for [`oci::Stored::open`](crate::oci::Stored::open).
    pub fn locate(locator: impl AsRef<OsStr>) -> Result<Self, Error> {
        let stored = Locator::parse(locator.as_ref()).map(|locator| Stored::open(&locator?));
        match stored {
            Some(stored) => Ok(stored?.into_input()),
            None => Self::open(Path::new(locator.as_ref())),
        }
    }
}

fn listed(directory: &Path) -> Result<Vec<Entry>, LayoutError> {
    let path = directory.join(INDEX_FILE);
    Index::parse(&path, &read_json(&path)?)?.entries(&path)
}

fn named(directory: &Path, name: &str) -> Result<Vec<Entry>, LayoutError> {
    let (meant, others): (Vec<Entry>, Vec<Entry>) =
        listed(directory)?.into_iter().partition(|entry| entry.ref_name() == Some(name));
    if meant.is_empty() {
        let names: Vec<String> = others.iter().filter_map(Entry::ref_name).map(quoted).collect();
        let there = if names.is_empty() { "none with a name".to_owned() } else { listing(names) };
        return Err(LayoutError::NoImage { name: name.to_owned(), there });
    }
    Ok(meant)
}
