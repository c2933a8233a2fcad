//! Lists the images of a registry through its API: repositories, tags, manifests, and their layers.
//!
//! All names of a layer must be known before its row is written, so all manifests are read first. Each layer is then
//! read once, whatever the number of its images.

use std::collections::HashMap;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::images::{
    MAX_LAYER_NAME_BYTES, MAX_LAYER_NAMES, MAX_NAMES, Target, absent_blob, error_chain, layout_error, target,
};
use super::options::WalkOptions;
use super::registry_blobs::{LayerBlob, RegistryBatch};
use super::store_errors::StoreErrors;
use super::unit::{Units, WalkEntry};
use crate::blob::{BlobLocation, WalkError};
use sectile::FindingCode;
use sectile::digest::Digest;
use sectile_oci::LayoutError;
use sectile_oci::internal::malformed_error;
use sectile_oci::internal::{MAX_INDEX_DEPTH, Pointer, RepositoryReader};
use sectile_oci::registry::{Client, Reference, ReferenceError, RegistryError, RegistryHost};
use sectile_oci::shape::is_wasm_layer;

/// Maximum number of manifests and indexes below one tag.
const MAX_DOCUMENTS: usize = 1_000;
/// Maximum number of layers in all manifests together.
const MAX_TARGETS: usize = 4_000_000;

/// The images of a registry that are walked.
#[derive(Clone, Debug)]
pub(crate) struct RegistryRoot {
    client: Arc<Client>,
    scope: Scope,
    /// The name as given, without the scheme.
    name: String,
}

#[derive(Clone, Debug)]
enum Scope {
    /// The repositories with this prefix, which is empty or ends with a slash.
    Catalog { host: RegistryHost, prefix: String },
    /// All tags of a repository, or one image.
    Reference(Reference),
}

impl RegistryRoot {
    pub(crate) fn parse(name: &str, client: Arc<Client>) -> Result<Self, ReferenceError> {
        let scope = match name.strip_suffix('/') {
            Some(place) => {
                let (host, prefix) = place.split_once('/').unwrap_or((place, ""));
                if !prefix.is_empty() {
                    format!("{place}/x").parse::<Reference>()?; // a prefix has the grammar of a repository
                }
                let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
                Scope::Catalog { host: host.parse()?, prefix }
            }
            None => Scope::Reference(name.parse()?),
        };
        Ok(Self { client, scope, name: name.to_owned() })
    }

    /// The root of one image, or `None` if the name is not that of a tag or a digest.
    pub(crate) fn image(name: &str, client: Arc<Client>) -> Option<Self> {
        let reference: Reference = name.parse().ok()?;
        let is_image = reference.tag().is_some() || reference.digest().is_some();
        is_image.then(|| Self { client, scope: Scope::Reference(reference), name: name.to_owned() })
    }

    pub(crate) fn url(&self) -> String {
        format!("oci://{}", self.name)
    }
}

/// Lists the images and adds their layers to the units.
pub(super) fn walk(root: &RegistryRoot, options: &WalkOptions, units: &mut Units<'_>) -> ControlFlow<()> {
    let (errors, layers) = match list(root, options, units.should_stop) {
        ControlFlow::Continue(listed) => listed,
        ControlFlow::Break(()) => return ControlFlow::Break(()),
    };
    for error in errors {
        units.add(WalkEntry::Error(error))?;
    }
    let mut layers = layers.peekable();
    while layers.peek().is_some() {
        let batch = layers.by_ref().take(options.in_flight.max(1)).collect();
        units.add(WalkEntry::RegistryBlobs(RegistryBatch::new(batch)))?;
        units.end()?;
    }
    ControlFlow::Continue(())
}

/// Lists the images. Returns the errors and the layers.
pub(super) fn list(
    root: &RegistryRoot,
    options: &WalkOptions,
    should_stop: &dyn Fn() -> bool,
) -> ControlFlow<(), (Vec<WalkError>, impl Iterator<Item = LayerBlob> + use<>)> {
    let mut listing = ImageListing {
        should_stop,
        in_flight: options.in_flight.max(1),
        names: Vec::new(),
        layers: Vec::new(),
        by_digest: HashMap::new(),
        targets: 0,
        errors: StoreErrors::default(),
        is_truncated: false,
    };
    listing.list(root)?;
    let ImageListing { names, layers, errors, is_truncated, .. } = listing;
    let mut errors = errors.finish(BlobLocation::new(root.url()));
    if is_truncated {
        let message = format!("it has more than {MAX_NAMES} images or {MAX_TARGETS} layers: further ones are left out");
        errors.push(WalkError::new(BlobLocation::new(root.url()), FindingCode::Unreadable, message));
    }
    ControlFlow::Continue((errors, layers.into_iter().map(move |layer| layer.into_blob(&names))))
}

/// The images that are listed so far.
struct ImageListing<'w> {
    should_stop: &'w dyn Fn() -> bool,
    /// Number of requests at once.
    in_flight: usize,
    /// The names of all images.
    names: Vec<OsString>,
    layers: Vec<ListedLayer>,
    /// Indexes of layers.
    by_digest: HashMap<Digest, usize>,
    /// Number of layers in all manifests.
    targets: usize,
    errors: StoreErrors,
    is_truncated: bool,
}

/// A layer, and the repository that it was first found in.
struct ListedLayer {
    repository: RepositoryReader,
    digest: Digest,
    size: u64,
    expects_wasm: bool,
    /// The first of its other locations.
    url: Option<String>,
    /// Indexes of the names of its images.
    images: Vec<u32>,
    omits_images: bool,
}

/// The layers of a manifest, or of all manifests of an index.
#[derive(Clone, Default)]
struct ManifestLayers(Arc<Vec<LayerTarget>>);

struct LayerTarget {
    digest: Digest,
    size: u64,
    expects_wasm: bool,
    url: Option<String>,
}

impl ImageListing<'_> {
    fn list(&mut self, root: &RegistryRoot) -> ControlFlow<()> {
        match &root.scope {
            Scope::Catalog { host, prefix } => {
                let repositories = match root.client.repositories(host) {
                    Ok(repositories) => repositories,
                    Err(error) => {
                        self.fail(root.url(), &error);
                        return ControlFlow::Continue(());
                    }
                };
                for repository in repositories.iter().filter(|repository| repository.starts_with(prefix)) {
                    // The names in the catalog are checked.
                    if let Ok(reference) = format!("{host}/{repository}").parse() {
                        // A catalog still lists a repository whose tags were all deleted.
                        self.list_repository(&root.client, &reference, RegistryError::is_missing)?;
                    }
                }
                ControlFlow::Continue(())
            }
            Scope::Reference(reference) if reference.tag().is_none() && reference.digest().is_none() => {
                self.list_repository(&root.client, reference, |_| false)
            }
            Scope::Reference(reference) => {
                let repository = RepositoryReader::new(root.client.clone(), reference.clone());
                self.list_images(&repository, std::slice::from_ref(reference))
            }
        }
    }

    fn list_repository(
        &mut self,
        client: &Arc<Client>,
        repository: &Reference,
        is_ignored: impl FnOnce(&RegistryError) -> bool,
    ) -> ControlFlow<()> {
        if (self.should_stop)() {
            return ControlFlow::Break(());
        }
        let tags = match client.tags(repository) {
            Ok(tags) => tags,
            Err(error) if is_ignored(&error) => return ControlFlow::Continue(()),
            Err(error) => {
                self.fail(format!("oci://{repository}"), &error);
                return ControlFlow::Continue(());
            }
        };
        let images: Vec<Reference> = tags.iter().filter_map(|tag| repository.clone().with_tag(tag).ok()).collect();
        self.list_images(&RepositoryReader::new(client.clone(), repository.clone()), &images)
    }

    /// Reads the manifests of images in one repository, several at once.
    fn list_images(&mut self, repository: &RepositoryReader, images: &[Reference]) -> ControlFlow<()> {
        let mut known: HashMap<Digest, ManifestLayers> = HashMap::new();
        for images in images.chunks(self.in_flight) {
            if (self.should_stop)() {
                return ControlFlow::Break(());
            }
            if self.is_truncated {
                return ControlFlow::Continue(());
            }
            let documents: Vec<Result<Vec<u8>, RegistryError>> = thread::scope(|scope| {
                let requests: Vec<_> = images
                    .iter()
                    .map(|image| {
                        scope.spawn(move || match (image.digest(), image.tag()) {
                            (Some(digest), _) => repository.document(&digest.to_string()),
                            (None, tag) => repository.document(tag.unwrap_or_default()),
                        })
                    })
                    .collect();
                requests
                    .into_iter()
                    .map(|request| request.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                    .collect()
            });
            for (image, document) in images.iter().zip(documents) {
                let name = format!("oci://{image}");
                match document {
                    Ok(bytes) => self.add_image(repository, image, name, bytes, &mut known),
                    Err(error) => self.fail(name, &error),
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Adds the layers of an image whose manifest was read.
    fn add_image(
        &mut self,
        repository: &RepositoryReader,
        image: &Reference,
        name: String,
        bytes: Vec<u8>,
        known: &mut HashMap<Digest, ManifestLayers>,
    ) {
        if self.names.len() >= MAX_NAMES || self.targets >= MAX_TARGETS {
            self.is_truncated = true;
            return;
        }
        let digest = image.digest().unwrap_or_else(|| Digest::new(&bytes));
        let layers = known.get(&digest).cloned().unwrap_or_else(|| {
            let mut reading =
                ManifestReading { repository, name: &name, layers: Vec::new(), documents: 0, errors: Vec::new() };
            reading.read(&Pointer::new(digest), Some(bytes), 0);
            for error in reading.errors {
                self.errors.add(error);
            }
            self.targets += reading.layers.len();
            let layers = ManifestLayers(Arc::new(reading.layers));
            known.insert(digest, layers.clone());
            layers
        });
        let number = self.names.len() as u32;
        self.names.push(name.into());
        for layer in &*layers.0 {
            let at = *self.by_digest.entry(layer.digest).or_insert_with(|| {
                self.layers.push(ListedLayer {
                    repository: repository.clone(),
                    digest: layer.digest,
                    size: layer.size,
                    expects_wasm: false,
                    url: layer.url.clone(),
                    images: Vec::new(),
                    omits_images: false,
                });
                self.layers.len() - 1
            });
            self.layers[at].add(layer, number);
        }
    }

    fn fail(&mut self, name: String, error: &RegistryError) {
        self.errors.add(WalkError::new(BlobLocation::new(name), FindingCode::Unreadable, error_chain(error)));
    }
}

impl ListedLayer {
    fn add(&mut self, layer: &LayerTarget, image: u32) {
        self.expects_wasm |= layer.expects_wasm;
        if self.images.last() == Some(&image) {
            return;
        }
        if self.images.len() < MAX_LAYER_NAMES { self.images.push(image) } else { self.omits_images = true }
    }

    fn into_blob(self, names: &[OsString]) -> LayerBlob {
        let mut images = self.images.iter().map(|&image| names[image as usize].clone());
        let mut location = BlobLocation::new(images.next().unwrap_or_default());
        location.omits_names = self.omits_images;
        let mut bytes = location.file.len();
        for name in images {
            bytes += name.len();
            if bytes > MAX_LAYER_NAME_BYTES {
                location.omits_names = true;
                break;
            }
            location.other_names.push(name);
        }
        let Self { repository, digest, size, expects_wasm, url, .. } = self;
        LayerBlob { repository, location, digest, size, expects_wasm, url }
    }
}

/// Reads a manifest, or an index with its manifests.
struct ManifestReading<'r> {
    repository: &'r RepositoryReader,
    /// The name of the image, for errors.
    name: &'r str,
    layers: Vec<LayerTarget>,
    documents: usize,
    errors: Vec<WalkError>,
}

impl ManifestReading<'_> {
    fn read(&mut self, pointer: &Pointer, bytes: Option<Vec<u8>>, depth: usize) {
        if let Err(error) = self.try_read(pointer, bytes, depth) {
            self.errors.push(layout_error(BlobLocation::new(self.name), &error));
        }
    }

    fn try_read(&mut self, pointer: &Pointer, bytes: Option<Vec<u8>>, depth: usize) -> Result<(), LayoutError> {
        let path = Path::new(self.name);
        self.documents += 1;
        if depth > MAX_INDEX_DEPTH {
            return Err(LayoutError::TooDeep);
        }
        if self.documents > MAX_DOCUMENTS {
            return Err(LayoutError::TooManyManifests(MAX_DOCUMENTS));
        }
        let bytes = match bytes.map_or_else(|| self.repository.document(&pointer.digest.to_string()), Ok) {
            Ok(bytes) => bytes,
            Err(error) => {
                let location = BlobLocation::new(self.name);
                self.errors.push(if error.is_missing() {
                    absent_blob(location, None)
                } else {
                    WalkError::new(location, FindingCode::Unreadable, error_chain(&error))
                });
                return Ok(());
            }
        };
        let document = pointer.parse_document(path, &bytes)?;
        match (document.manifests, document.layers) {
            (Some(entries), None) => {
                for entry in entries {
                    match target(path, entry).map(Target::into_pointer) {
                        Ok(Some(pointer)) => self.read(&pointer, None, depth + 1),
                        Ok(None) => self.report_uncomputed(),
                        Err(error) => self.errors.push(layout_error(BlobLocation::new(self.name), &error)),
                    }
                }
            }
            (None, Some(layers)) => {
                for layer in layers {
                    let url = layer.urls.as_ref().and_then(|urls| urls.first().cloned());
                    let size = layer.size;
                    let expects_wasm = is_wasm_layer(&layer.media_type);
                    match target(path, layer)?.into_pointer() {
                        Some(Pointer { digest, .. }) => {
                            self.layers.push(LayerTarget { digest, size, expects_wasm, url });
                        }
                        None => self.report_uncomputed(),
                    }
                }
            }
            _ => return Err(malformed_error(path, "it is neither an index nor an image".to_owned())),
        }
        Ok(())
    }

    fn report_uncomputed(&mut self) {
        let message = "it refers to a blob by a digest that is not computed, and the blob is not read";
        self.errors.push(WalkError::new(BlobLocation::new(self.name), FindingCode::Unreadable, message));
    }
}
