//! Images in a registry, read by ranges.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Instant;

use ureq::http::{Method, header};

use super::client::Client;
use super::error::{RegistryError, RegistryFault};
use super::reference::Reference;
use super::session::{ApiRequest, RepositoryAccess, Session, SessionState};
use super::transport::Response;
use crate::drift;
use crate::layout::{Pointer, ResolvedImage};
use crate::shape::media_type::{DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};
use crate::{Annotations, Descriptor, LayoutError, MAX_MANIFEST_SIZE};
use sectile::digest::Digest;
use sectile::drive::{Fetch, Fetched};
use sectile::metadata::Metadata;

/// The accepted media types of manifests in the order of preference: those of OCI and Docker.
const ACCEPTED_MEDIA_TYPES: [&str; 4] = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX];

/// The tag of a reference without tag and digest, as in other clients.
const DEFAULT_TAG: &str = "latest";

/// An image in a registry. Its manifest is read and verified against its digest. Its WebAssembly
/// layer is read by ranges.
///
/// The image is a source of ranges ([`Fetch`]) that blocks while it fetches. The digest of the
/// layer is not verified, because only parts of it are read. If the registry does not support
/// ranges, layers of at most 4 MiB can be read.
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
    /// Deadline for all requests.
    deadline: Option<Instant>,
    client: Client,
    reference: Reference,
    state: Option<SessionState>,
    resolved: ResolvedImage,
}

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
        let deadline = Instant::now().checked_add(client.options.total_timeout);
        let mut session = Session::new(&client, &reference, RepositoryAccess::Pull)?.with_deadline(deadline);
        let media_types = ACCEPTED_MEDIA_TYPES.join(", ");
        let (first, mut tagged) = if let Some(digest) = reference.digest() {
            (digest, None)
        } else {
            let bytes = session.manifest(reference.tag().unwrap_or(DEFAULT_TAG), &media_types)?;
            (Digest::new(&bytes), Some(bytes))
        };
        let repository = format!("{}/{}", reference.registry(), reference.repository());
        let document_path = |digest| PathBuf::from(format!("{repository}@{digest}"));
        let resolved = ResolvedImage::resolve(Pointer::new(first), document_path, |pointer| match tagged.take() {
            Some(bytes) => Ok(bytes),
            None => session.manifest(&pointer.digest.to_string(), &media_types).map_err(RegistryImageError::Registry),
        })?;
        let state = Some(session.into_state());
        Ok(Self { deadline, client, reference, state, resolved })
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

    /// Fetches a range of the layer. The result is shorter if the range exceeds the maximum size of
    /// a response.
    fn fetch_part(&mut self, range: Range<u64>) -> Result<Fetched, RegistryError> {
        let (digest, size) = (self.layer().digest(), self.layer().size());
        let range = range.start..range.end.min(size).min(range.start.saturating_add(MAX_MANIFEST_SIZE));
        if range.is_empty() {
            return Ok(Fetched::new(Vec::new(), Some(size)));
        }
        let mut session = match self.state.take() {
            Some(state) => Session::resume(&self.client, &self.reference, RepositoryAccess::Pull, state)?,
            None => Session::new(&self.client, &self.reference, RepositoryAccess::Pull)?,
        };
        session = session.with_deadline(self.deadline);
        let url = session.url(&format!("blobs/{digest}"))?;
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        let request = ApiRequest::new(Method::GET, url)
            .with_field(header::RANGE, &bytes)
            .with_field(header::ACCEPT_ENCODING, "identity");
        let request_name = request.name();
        let response = session.send(request)?;
        let part = requested_part(response, &range, size);
        let part = part.map_err(|fault| session.error(Some(request_name), fault));
        self.state = Some(session.into_state());
        Ok(Fetched::new(part?, Some(size)))
    }
}

/// Returns the bytes of a response, which must be the requested range or the whole layer.
fn requested_part(mut response: Response, range: &Range<u64>, size: u64) -> Result<Vec<u8>, RegistryFault> {
    let len = range.end - range.start;
    match response.status {
        206 => {
            let expected = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            let unknown_size = format!("bytes {}-{}/*", range.start, range.end - 1);
            let is_requested =
                response.field("content-range").is_some_and(|found| found == expected || found == unknown_size);
            if is_requested && response.body.len() as u64 == len {
                return Ok(response.body);
            }
            Err(RegistryFault::malformed("the response is not the requested range of the layer"))
        }
        // The registry does not support ranges, but the layer is small enough for one response.
        200 if response.body.len() as u64 == size => {
            response.body.truncate(range.end as usize);
            Ok(response.body.split_off(range.start as usize))
        }
        200 => Err(RegistryFault::malformed("the length of the layer differs from its manifest")),
        _ => Err(RegistryFault::unexpected_status(&response)),
    }
}

impl Fetch for RegistryImage {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        self.fetch_part(range).map_err(io::Error::other)
    }
}

impl fmt::Debug for RegistryImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryImage")
            .field("reference", &self.reference)
            .field("resolved", &self.resolved)
            .finish_non_exhaustive()
    }
}
