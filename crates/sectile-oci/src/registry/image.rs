//! Images in a registry, read by ranges.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::blob::{RegistryBlob, RepositoryReader};
use super::client::Client;
use super::error::RegistryError;
use super::reference::Reference;
use crate::drift;
use crate::layout::{Pointer, ResolvedImage};
use crate::shape::media_type::{DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};
use crate::{Annotations, Descriptor, LayoutError, Platform};
use sectile::digest::{Digest, Hasher};
use sectile::drive::{Fetch, Fetched};
use sectile::metadata::Metadata;

/// The accepted media types of manifests in the order of preference: those of OCI and Docker.
pub(super) const ACCEPTED_MEDIA_TYPES: [&str; 4] = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX];

/// The tag of a reference without tag and digest, as in other clients.
pub(super) const DEFAULT_TAG: &str = "latest";

/// An image in a registry. Its manifest is read and verified against its digest. Its WebAssembly
/// layer is read by ranges, or [completely](Self::read_layer).
///
/// The image is a source of ranges ([`Fetch`]) that blocks while it fetches. The digest of the
/// layer is not verified, because only parts of it are read. If the registry does not support
/// ranges, a layer of at most 64 MiB is downloaded once, and its digest is verified.
///
/// ```no_run
/// use sectile_oci::registry::{Client, ClientOptions, Credentials, RegistryImage};
///
/// let client = Client::new(Credentials::from_user_files(), ClientOptions::default());
/// let image = RegistryImage::open(client, "registry.example.com/tools/app:1.0".parse()?)?;
/// println!("{} has {} bytes", image.layer().digest(), image.layer().size());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RegistryImage {
    repository: RepositoryReader,
    resolved: ResolvedImage,
    layer: RegistryBlob,
}

/// Maximum size of a layer that is downloaded into memory.
const MAX_WHOLE_LAYER: u64 = 64 << 20;

/// The reason why an image in a registry cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryImageError {
    /// A request failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A document is malformed or has another digest, or the image does not have exactly one
    /// WebAssembly layer.
    #[error(transparent)]
    Image(#[from] LayoutError),
}

impl RegistryImage {
    /// Opens an image by the reference's digest, or else by its tag, or else by the tag `latest`.
    /// If an index lists several platforms, the image for `wasm` is opened.
    ///
    /// # Errors
    ///
    /// - The registry does not have the image or denies access.
    /// - The image has no WebAssembly layer, or several.
    /// - A document is malformed, or differs from its descriptor.
    pub fn open(client: Client, reference: Reference) -> Result<Self, RegistryImageError> {
        Self::open_for(client, reference, None)
    }

    /// As [`open`](Self::open), but opens the image for this platform, if an index lists several.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open); the index has no image for the platform.
    pub fn open_for(
        client: Client,
        reference: Reference,
        platform: Option<&Platform>,
    ) -> Result<Self, RegistryImageError> {
        let deadline = Instant::now().checked_add(client.options.total_timeout);
        let repository = RepositoryReader::new(Arc::new(client), reference);
        let reference = repository.reference();
        let document = |name: &str| repository.document_until(name, deadline).map_err(RegistryImageError::Registry);
        let (first, mut tagged) = if let Some(digest) = reference.digest() {
            (digest, None)
        } else {
            let bytes = document(reference.tag().unwrap_or(DEFAULT_TAG))?;
            (Digest::new(&bytes), Some(bytes))
        };
        let name = format!("{}/{}", reference.registry(), reference.repository());
        let document_path = |digest| PathBuf::from(format!("{name}@{digest}"));
        let resolved = ResolvedImage::resolve(Pointer::new(first), platform, document_path, |pointer| {
            tagged.take().map_or_else(|| document(&pointer.digest.to_string()), Ok)
        })?;
        let layer = repository.blob(resolved.layer.digest(), resolved.layer.size(), MAX_WHOLE_LAYER);
        Ok(Self { layer: layer.with_deadline(deadline), resolved, repository })
    }

    /// Returns the reference by which the image was opened.
    pub fn reference(&self) -> &Reference {
        self.repository.reference()
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

    /// Compares the manifest's annotations with the metadata of its layer, as
    /// [`LayoutImage::compare`](crate::LayoutImage::compare) does.
    pub fn compare(&self, metadata: &mut Metadata<'_>) {
        drift::compare(self.annotations(), metadata);
    }

    /// Downloads the layer, and adds a `digest-mismatch` finding if its digest differs from the one
    /// in the manifest, as [`LayoutImage::verify`](crate::LayoutImage::verify) does.
    ///
    /// # Errors
    ///
    /// The layer cannot be downloaded.
    pub fn verify(&self, metadata: &mut Metadata<'_>) -> Result<(), sectile::Error> {
        let mut hasher = Hasher::new();
        io::copy(&mut self.layer.read_from(0).map_err(io::Error::other)?, &mut hasher)?;
        drift::add_digest_mismatch(self.layer().digest(), hasher.finish(), metadata);
        Ok(())
    }

    /// Reads the layer from its start to its end. The reader fails before it returns the last bytes
    /// of a layer with another size or digest. A lost connection is continued.
    ///
    /// # Errors
    ///
    /// The registry does not return the layer.
    pub fn read_layer(&self) -> Result<impl Read + use<'_>, RegistryError> {
        self.layer.read_verified()
    }
}

impl Fetch for RegistryImage {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        self.layer.fetch(range).await
    }
}

impl fmt::Debug for RegistryImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryImage")
            .field("reference", self.reference())
            .field("resolved", &self.resolved)
            .finish_non_exhaustive()
    }
}
