//! Inspects only the file, the object or the images that the name of a row begins with.

use std::ffi::{OsStr, OsString};
#[cfg(feature = "remote")]
use std::io;
#[cfg(feature = "registry")]
use std::ops::ControlFlow;
use std::path::Path;
#[cfg(feature = "remote")]
use std::sync::Arc;

use super::docker_save::{self, SavedImage};
use super::file::{FileEntry, Scratch, StoredBlob};
use super::images::{BlobId, ImageNames, LayerIndex, NamedTarget};
#[cfg(feature = "remote")]
use super::objects::{ObjectBatch, ObjectTail, RequestRuntime};
use super::options::WalkOptions;
#[cfg(feature = "registry")]
use super::registry_api::{self, RegistryRoot};
use super::store_files::{FileState, StoreFiles, StoreKind};
use super::{layout, registry};
use crate::blob::BlobSink;
#[cfg(feature = "registry")]
use crate::blob::WalkError;
#[cfg(any(feature = "registry", feature = "remote"))]
use crate::reading::ReadOptions;
#[cfg(feature = "registry")]
use sectile_oci::internal::RegistryBlob;
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

/// Passes all bytes of the object at a prefix to a reader of streams.
#[cfg(feature = "remote")]
pub(in super::super) fn read_object<T>(
    objects: &Objects,
    read: impl FnOnce(&mut dyn io::Read) -> T,
) -> Result<T, RemoteError> {
    let requests = RequestRuntime::new().map_err(|_| RemoteError::ConnectionLost)?;
    let meta = requests.wait(&|| false, objects.object_at_prefix()).ok_or(RemoteError::ConnectionLost)??;
    let mut object = objects.object(meta.location);
    Ok(read(&mut ObjectTail::new(&requests, &|| false, &mut object, 0..meta.size)))
}

/// Inspects the layers of an image in a registry, one after the other. `end_layer` is called after each.
///
/// # Errors
///
/// The first error, if no layer was found.
#[cfg(feature = "registry")]
pub(in super::super) fn inspect_registry<S: BlobSink>(
    image: &RegistryRoot,
    options: &WalkOptions,
    read_options: ReadOptions<'_>,
    sink: &mut S,
    mut end_layer: impl FnMut(&mut S, &RegistryBlob),
) -> Result<(), WalkError> {
    let ControlFlow::Continue((errors, layers)) = registry_api::list(image, options, read_options.should_stop) else {
        return Ok(());
    };
    let (mut errors, mut layers) = (errors.into_iter(), layers.peekable());
    if layers.peek().is_none()
        && let Some(error) = errors.next()
    {
        return Err(error);
    }
    errors.for_each(|error| sink.add_error(error));
    for layer in layers {
        if sink.should_stop() {
            break;
        }
        let blob = layer.blob();
        layer.inspect(options, read_options, sink);
        end_layer(sink, &blob);
    }
    Ok(())
}

/// Inspects the blobs of the images that a name stands for: `oci:DIR…`, in an image layout or the storage of a
/// registry. Returns the names of the images.
///
/// The longest DIR that is a store counts.
pub(in super::super) fn inspect_images(name: &OsStr, options: &WalkOptions, sink: &mut dyn BlobSink) -> Vec<OsString> {
    let Some((files, root, rest)) = locator_divisions(name).find_map(|(root, rest)| {
        if layout::is_layout(&root) || docker_save::is_archive(&StoreFiles::on_disk(&root, StoreKind::Layout)) {
            return Some((StoreFiles::on_disk(&root, StoreKind::Layout), root, rest));
        }
        if let Some(storage) = registry::find_storage(&root) {
            return Some((StoreFiles::on_disk(storage, StoreKind::Registry), root, rest));
        }
        root.is_file().then(|| (StoreFiles::on_disk("", StoreKind::Layout), root, rest))
    }) else {
        return Vec::new();
    };
    if files.directory.as_os_str().is_empty() {
        inspect_file(&root, false, options, sink); // a store in a tar
        return vec![name.to_owned()];
    }
    let saved = docker_save::read_images(&files).into_iter().filter_map(|image| image.named(&rest));
    let saved: Vec<SavedImage> = saved.collect();
    let named = match files.kind {
        _ if !saved.is_empty() => Vec::new(),
        StoreKind::Layout => named_images(&rest, |name| layout::named_images(&files, name)),
        StoreKind::Registry => {
            named_images(&rest, |name| Vec::from_iter(registry::named_image(&files.directory, name)))
        }
    };
    let prefix = layout::prefix(&root);
    let texts = named.iter().map(|image| &image.name).chain(saved.iter().flat_map(|image| &image.names));
    let found = texts.map(|text| [&*prefix, &**text].into_iter().collect()).collect();
    let images = LayerIndex::resolve(&files, prefix, named, saved, &mut |error| sink.add_error(error));
    for blob in images.blobs() {
        let path = files.path(blob);
        if matches!(files.state(&path), Ok(FileState::Regular(_))) {
            let entry = FileEntry::stored(path, StoredBlob::new(blob, &images));
            entry.inspect(options, &mut Scratch::default(), sink, None);
        }
    }
    for entry in images.embedded_layers(&files) {
        entry.inspect(options, sink);
    }
    found
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
