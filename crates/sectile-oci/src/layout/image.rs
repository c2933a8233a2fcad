//! Images in a layout.

use std::ffi::OsStr;
use std::path::Path;

use super::index::{Index, ParsedDescriptor};
use super::resolve::{Pointer, ResolvedImage, check_size, choose, shortened_list};
use super::{INDEX_FILE, LayoutError, Locator, Selector, blob_path, check_marker, open_regular, read_json};
use crate::{Annotations, Descriptor, Platform};
use sectile::digest::{Digest, Hasher};
use sectile::internal::{other_error, quoted};
use sectile::splice::Plan;
use sectile::{Error, Input};

/// An image in a layout. Its manifest is read and verified against its digest. The size of its
/// layer is verified.
#[derive(Debug)]
pub struct LayoutImage {
    resolved: ResolvedImage,
    input: Input,
}

impl LayoutImage {
    /// Opens an image. If an index lists several platforms, the image for `wasm` is opened.
    ///
    /// # Errors
    ///
    /// See [`LayoutError`]. In particular:
    ///
    /// - the image does not exist, or the locator does not select one of several;
    /// - the image has no WebAssembly layer, or several;
    /// - a file of the layout is missing, malformed or not regular, or differs from its descriptor.
    pub fn open(locator: &Locator) -> Result<Self, LayoutError> {
        Self::open_for(locator, None)
    }

    /// As [`open`](Self::open), but opens the image for this platform, if an index lists several.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open); the index has no image for the platform.
    pub fn open_for(locator: &Locator, platform: Option<&Platform>) -> Result<Self, LayoutError> {
        let directory = locator.directory();
        check_marker(directory)?;
        let pointer = select(locator, platform)?;
        let document_path = |digest| blob_path(directory, digest);
        let absent = |digest, url: Option<&String>| {
            let (directory, url) = (directory.to_owned(), url.cloned());
            move |error| match error {
                LayoutError::Missing(_) => LayoutError::AbsentBlob { directory, digest, url },
                other => other,
            }
        };
        let resolved = ResolvedImage::resolve(pointer, platform, document_path, |pointer| {
            read_json(&document_path(pointer.digest)).map_err(absent(pointer.digest, None))
        })?;
        let digest = resolved.layer.digest();
        let path = blob_path(directory, digest);
        let file = open_regular(&path).map_err(absent(digest, resolved.layer_url.as_ref()))?;
        let input = Input::from_file(file).map_err(|error| LayoutError::malformed(&path, error.message()))?;
        check_size(digest, input.len(), resolved.layer.size())?;
        Ok(Self { resolved, input })
    }

    /// Returns the image's digest, which is the digest of its manifest.
    pub fn digest(&self) -> Digest {
        self.resolved.digest
    }

    /// Returns the manifest's annotations.
    pub fn annotations(&self) -> &Annotations {
        &self.resolved.annotations
    }

    /// Returns the descriptor of the WebAssembly layer.
    pub fn layer(&self) -> &Descriptor {
        &self.resolved.layer
    }

    /// Returns the layer as an input.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Converts the image into its layer as an input.
    pub fn into_input(self) -> Input {
        self.input
    }

    /// Reads the layer completely and returns its digest, which should equal the one in its
    /// descriptor.
    ///
    /// # Errors
    ///
    /// The layer cannot be read.
    pub fn hash_layer(&self) -> std::io::Result<Digest> {
        let mut hasher = Hasher::new();
        Plan::identity(&self.input).write_to(&self.input, &mut hasher)?;
        Ok(hasher.finish())
    }
}

/// Opens a file, or the WebAssembly layer of an image in a layout on disk.
///
/// The [`Locator`]s `oci:DIR:NAME`, `oci:DIR@sha256:…` and `oci:DIR` name images. Any other text is
/// a path.
///
/// # Errors
///
/// As for [`Input::open`] and [`LayoutImage::open`].
pub fn open(locator: impl AsRef<OsStr>) -> Result<Input, Error> {
    let image = Locator::parse(locator.as_ref()).map(|locator| LayoutImage::open(&locator?));
    match image {
        Some(image) => Ok(image.map_err(other_error)?.into_input()),
        None => Input::open(Path::new(locator.as_ref())),
    }
}

/// Returns the entry of the index that a locator selects.
pub(crate) fn select(locator: &Locator, platform: Option<&Platform>) -> Result<Pointer, LayoutError> {
    let directory = locator.directory();
    match locator.selector() {
        Selector::Digest(digest) => Ok(Pointer::new(*digest)),
        Selector::Only => choose(&directory.join(INDEX_FILE), &listed(directory)?, platform),
        Selector::Name(name) => choose(&directory.join(INDEX_FILE), &named(directory, name)?, platform),
    }
}

/// Returns the entries of the index.
pub(crate) fn listed(directory: &Path) -> Result<Vec<ParsedDescriptor>, LayoutError> {
    let path = directory.join(INDEX_FILE);
    Index::parse(&path, &read_json(&path)?)?.descriptors(&path)
}

fn named(directory: &Path, name: &str) -> Result<Vec<ParsedDescriptor>, LayoutError> {
    let (matching, others): (Vec<ParsedDescriptor>, Vec<ParsedDescriptor>) =
        listed(directory)?.into_iter().partition(|descriptor| descriptor.ref_name() == Some(name));
    if matching.is_empty() {
        let names: Vec<String> = others.iter().filter_map(ParsedDescriptor::ref_name).map(quoted).collect();
        let available = if names.is_empty() { "no named images".to_owned() } else { shortened_list(names) };
        return Err(LayoutError::NoImage { name: name.to_owned(), available });
    }
    Ok(matching)
}
