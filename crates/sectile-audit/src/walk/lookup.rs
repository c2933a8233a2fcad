//! Inspects only the file, the object or the images that the name of a row begins with.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
#[cfg(feature = "remote")]
use std::sync::Arc;

use super::file::{FileEntry, Scratch, StoredBlob};
use super::images::{BlobId, ImageNames, LayerIndex, NamedTarget};
#[cfg(feature = "remote")]
use super::objects::{ObjectBatch, RequestRuntime};
use super::options::WalkOptions;
use super::{layout, registry};
use crate::blob::BlobSink;
#[cfg(feature = "remote")]
use crate::reading::ReadOptions;
use sectile_oci::internal::locator_divisions;
#[cfg(feature = "remote")]
use sectile_remote::{RemoteError, internal::Objects};

/// Inspects a file, or the file that a link leads to.
pub(in super::super) fn inspect_file(path: &Path, expects_wasm: bool, options: &WalkOptions, sink: &mut dyn BlobSink) {
    let stored = StoredBlob { digest: None, image_names: ImageNames::default(), expects_wasm };
    let entry = FileEntry { is_root: true, ..FileEntry::stored(path.to_owned(), stored) };
    entry.inspect(options, &mut Scratch::default(), sink, None);
}

/// Inspects the object at a prefix.
#[cfg(feature = "remote")]
pub(in super::super) fn inspect_object(
    objects: &Objects,
    options: &WalkOptions,
    read_options: ReadOptions<'_>,
    sink: &mut dyn BlobSink,
) -> Result<(), RemoteError> {
    let requests = RequestRuntime::new().map_err(|_| RemoteError::ConnectionLost)?;
    let Some(meta) = requests.wait(&|| sink.should_stop(), objects.object_at_prefix()) else { return Ok(()) };
    let batch = ObjectBatch { objects: Arc::new(objects.clone()), requests, listed: vec![meta?] };
    batch.inspect(options, read_options, sink);
    Ok(())
}

/// Inspects the blobs of the images that a name stands for: `oci:DIR…`, in an image layout or the storage of a
/// registry. Returns the names of the images.
///
/// The longest DIR that is a store counts.
pub(in super::super) fn inspect_images(name: &OsStr, options: &WalkOptions, sink: &mut dyn BlobSink) -> Vec<OsString> {
    let Some((directory, rest, storage)) = locator_divisions(name).find_map(|(directory, rest)| {
        let storage = if layout::is_layout(&directory) { None } else { Some(registry::find_storage(&directory)?) };
        Some((directory, rest, storage))
    }) else {
        return Vec::new();
    };
    let (named, blob_path): (_, Box<dyn Fn(&str, &str) -> PathBuf>) = match &storage {
        None => {
            let find = |name: &OsStr| layout::named_images(&directory, name);
            (named_images(&rest, find), Box::new(layout::blob_path(&directory)))
        }
        Some(storage) => {
            let find = |name: &OsStr| Vec::from_iter(registry::named_image(storage, name));
            (named_images(&rest, find), Box::new(registry::blob_path(storage)))
        }
    };
    let prefix = layout::prefix(&directory);
    let names = named.iter().map(|image| [&*prefix, &*image.name].into_iter().collect()).collect();
    let store = storage.as_ref().unwrap_or(&directory);
    let images = LayerIndex::resolve(store, prefix, named, &*blob_path, &mut |error| sink.add_error(error));
    for blob in images.blobs() {
        let path = blob.path(&*blob_path);
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
            let entry = FileEntry::stored(path, StoredBlob::new(blob, &images));
            entry.inspect(options, &mut Scratch::default(), sink, None);
        }
    }
    for entry in images.embedded_layers(&*blob_path) {
        entry.inspect(options, sink);
    }
    names
}

/// The images of this name, or else of the part before the digest of a blob.
fn named_images(name: &OsStr, find: impl Fn(&OsStr) -> Vec<NamedTarget>) -> Vec<NamedTarget> {
    let named = find(name);
    let image = name.to_str().and_then(|name| name.rsplit_once('@')).filter(|(_, blob)| BlobId::parse(blob).is_some());
    match image {
        Some((image, _)) if named.is_empty() => find(image.as_ref()),
        _ => named,
    }
}
