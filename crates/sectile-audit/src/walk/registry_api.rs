//! Lists the images of a registry through its API: repositories, tags, manifests, and their layers.
//!
//! All names of a layer must be known before its row is written, so all manifests are read first. Each layer is then
//! read once, whatever the number of its images. Images that share a layer are one part for other processes.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::images::{
    MAX_LAYER_NAME_BYTES, MAX_LAYER_NAMES, MAX_NAMES, Target, absent_blob, error_chain, layout_error, target,
};
use super::options::WalkOptions;
use super::parts::{ListFlow, PartSink};
use super::registry_blobs::{LayerBlob, RegistryBatch};
use super::store_errors::StoreErrors;
use super::unit::{Units, WalkEntry};
use crate::blob::{BlobLocation, WalkError};
use crate::part::{Part, PartKind};
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
    /// All tags of a repository.
    Repository(Reference),
    /// Images by tag or digest.
    Images(Vec<Reference>),
}

impl RegistryRoot {
    pub(crate) fn parse(name: &str, client: Arc<Client>) -> Result<Self, ReferenceError> {
        let scope = if let Some(place) = name.strip_suffix('/') {
            let (host, prefix) = place.split_once('/').unwrap_or((place, ""));
            if !prefix.is_empty() {
                format!("{place}/x").parse::<Reference>()?; // a prefix has the grammar of a repository
            }
            let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
            Scope::Catalog { host: host.parse()?, prefix }
        } else {
            let reference: Reference = name.parse()?;
            if is_image(&reference) { Scope::Images(vec![reference]) } else { Scope::Repository(reference) }
        };
        Ok(Self { client, scope, name: name.to_owned() })
    }

    /// The root of one image, or `None` if the name is not that of a tag or a digest.
    pub(crate) fn image(name: &str, client: Arc<Client>) -> Option<Self> {
        let reference: Reference = name.parse().ok()?;
        is_image(&reference).then(|| Self { client, scope: Scope::Images(vec![reference]), name: name.to_owned() })
    }

    /// Adds further images to a root of images. Returns `None` if the root or a name is not that of a tag or a digest.
    pub(crate) fn with_images<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Option<Self> {
        let Scope::Images(images) = &mut self.scope else { return None };
        for name in names {
            images.push(name.parse().ok().filter(is_image)?);
        }
        Some(self)
    }

    pub(crate) fn url(&self) -> String {
        format!("oci://{}", self.name)
    }
}

fn is_image(reference: &Reference) -> bool {
    reference.tag().is_some() || reference.digest().is_some()
}

/// Lists the images as parts. Each layer has all its images in one part, so that it has one row.
pub(super) fn list_parts(root: &RegistryRoot, options: &WalkOptions, sink: &mut PartSink<'_>) -> ListFlow {
    let (nth_root, should_stop) = (sink.root, sink.should_stop);
    let whole = |name| Part::new(nth_root, PartKind::Root, name);
    if let Scope::Images(images) = &root.scope {
        let mut names = images.iter().map(|image| OsString::from(format!("oci://{image}")));
        let name = names.next().unwrap_or_default();
        return sink.add(Part { other_names: names.collect(), ..Part::new(nth_root, PartKind::Image, name) });
    }
    let mut listing = ImageListing::new(options, should_stop);
    if listing.list(root).is_break() {
        return ControlFlow::Break(Ok(()));
    }
    if listing.is_truncated {
        return sink.add(whole(OsString::new()));
    }
    // The audit of a name that cannot be listed has a finding on it.
    listing.failed.into_iter().try_for_each(|name| sink.add(whole(name)))?;
    let mut parts: BTreeMap<u32, Part> = BTreeMap::new();
    for (name, first) in listing.names.into_iter().zip(listing.sharing.into_firsts()) {
        match parts.get_mut(&first) {
            Some(part) => part.other_names.push(name),
            None => _ = parts.insert(first, Part::new(nth_root, PartKind::Image, name)),
        }
    }
    parts.into_values().try_for_each(|part| sink.add(part))
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
    let mut listing = ImageListing::new(options, should_stop);
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
    /// Names of images, repositories and registries that cannot be read.
    failed: Vec<OsString>,
    /// The images that share layers or manifests.
    sharing: Groups,
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

impl<'w> ImageListing<'w> {
    fn new(options: &WalkOptions, should_stop: &'w dyn Fn() -> bool) -> Self {
        Self {
            should_stop,
            in_flight: options.in_flight.max(1),
            names: Vec::new(),
            failed: Vec::new(),
            sharing: Groups::default(),
            layers: Vec::new(),
            by_digest: HashMap::new(),
            targets: 0,
            errors: StoreErrors::default(),
            is_truncated: false,
        }
    }

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
            Scope::Repository(reference) => self.list_repository(&root.client, reference, |_| false),
            Scope::Images(images) => {
                let repository = |image: &Reference| (image.registry().to_owned(), image.repository().to_owned());
                for images in images.chunk_by(|one, next| repository(one) == repository(next)) {
                    self.list_images(&RepositoryReader::new(root.client.clone(), images[0].clone()), images)?;
                }
                ControlFlow::Continue(())
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
        let mut known: HashMap<Digest, (u32, ManifestLayers)> = HashMap::new();
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
        known: &mut HashMap<Digest, (u32, ManifestLayers)>,
    ) {
        if self.names.len() >= MAX_NAMES || self.targets >= MAX_TARGETS {
            self.is_truncated = true;
            return;
        }
        let digest = image.digest().unwrap_or_else(|| Digest::new(&bytes));
        let number = self.sharing.add();
        let (first, layers) = known.get(&digest).cloned().unwrap_or_else(|| {
            let mut reading =
                ManifestReading { repository, name: &name, layers: Vec::new(), documents: 0, errors: Vec::new() };
            reading.read(&Pointer::new(digest), Some(bytes), 0);
            for error in reading.errors {
                self.errors.add(error);
            }
            self.targets += reading.layers.len();
            let layers = ManifestLayers(Arc::new(reading.layers));
            known.insert(digest, (number, layers.clone()));
            (number, layers)
        });
        self.names.push(name.into());
        self.sharing.join(first, number);
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
            self.sharing.join(self.layers[at].images[0], number);
        }
    }

    fn fail(&mut self, name: String, error: &RegistryError) {
        self.failed.push(name.clone().into());
        self.errors.add(WalkError::new(BlobLocation::new(name), FindingCode::Unreadable, error_chain(error)));
    }
}

/// Groups of numbers, each named by the lowest number that is known to be in it.
#[derive(Default)]
struct Groups(Vec<u32>);

impl Groups {
    /// Adds a group with the next number.
    fn add(&mut self) -> u32 {
        let number = self.0.len() as u32;
        self.0.push(number);
        number
    }

    fn first(&mut self, mut number: u32) -> u32 {
        while self.0[number as usize] != number {
            let next = self.0[number as usize];
            self.0[number as usize] = self.0[next as usize]; // shorter for the next search
            number = next;
        }
        number
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.first(one), self.first(other));
        self.0[one.max(other) as usize] = one.min(other);
    }

    /// The lowest number of the group of each number.
    fn into_firsts(mut self) -> impl Iterator<Item = u32> {
        (0..self.0.len() as u32).map(move |number| self.first(number))
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
