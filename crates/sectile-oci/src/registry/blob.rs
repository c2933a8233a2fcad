//! A repository that is read, and its blobs, which are read by ranges.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ureq::http::{Method, header};
use ureq::{BodyReader, Error};

use super::blob_download::BlobDownload;
use super::client::Client;
use super::error::{RegistryError, RegistryFault};
use super::image::ACCEPTED_MEDIA_TYPES;
use super::reference::Reference;
use super::session::{Access, ApiRequest, Session, SessionState};
use super::transport::{Response, TransportError};
use crate::MAX_MANIFEST_SIZE;
use crate::verified::VerifiedReader;
use sectile::digest::Digest;
use sectile::drive::{Fetch, Fetched};

/// A repository whose manifests and blobs are read. Clones share the authorization.
#[derive(Clone)]
pub struct RepositoryReader(Arc<Repository>);

struct Repository {
    client: Arc<Client>,
    reference: Reference,
    state: Mutex<Option<SessionState>>,
}

impl RepositoryReader {
    /// Creates a reader of a reference's repository.
    pub fn new(client: Arc<Client>, reference: Reference) -> Self {
        Self(Arc::new(Repository { client, reference, state: Mutex::new(None) }))
    }

    /// Returns the reference.
    pub fn reference(&self) -> &Reference {
        &self.0.reference
    }

    /// Returns the client.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Returns the manifest or the index with a tag or a digest. The caller checks its digest.
    ///
    /// # Errors
    ///
    /// The registry does not return it.
    pub fn document(&self, name: &str) -> Result<Vec<u8>, RegistryError> {
        self.document_until(name, Instant::now().checked_add(self.client().options.total_timeout))
    }

    pub(super) fn document_until(&self, name: &str, deadline: Option<Instant>) -> Result<Vec<u8>, RegistryError> {
        let mut session = self.session()?.with_deadline(deadline);
        let document = session.manifest(name, &ACCEPTED_MEDIA_TYPES.join(", "));
        self.keep(session);
        document
    }

    /// Returns a blob of this size. At most `max_whole` bytes of it are downloaded into memory if
    /// the registry does not support ranges. Larger blobs are an error then.
    pub fn blob(&self, digest: Digest, size: u64, max_whole: u64) -> RegistryBlob {
        RegistryBlob { repository: self.clone(), digest, size, max_whole, deadline: None, whole: None }
    }

    /// A session with the authorization of the last one.
    fn session(&self) -> Result<Session<'_>, RegistryError> {
        let Repository { client, reference, state } = &*self.0;
        match state.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            Some(state) => Session::resume(client, reference, Access::Pull, state),
            None => Session::new(client, reference, Access::Pull),
        }
    }

    fn keep(&self, session: Session<'_>) {
        *self.0.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.into_state());
    }
}

/// A blob that is read by ranges. Blocks while it fetches.
pub struct RegistryBlob {
    repository: RepositoryReader,
    digest: Digest,
    size: u64,
    max_whole: u64,
    /// Deadline for all ranges, set by the first one.
    deadline: Option<Instant>,
    /// All bytes, if the registry does not support ranges.
    whole: Option<Vec<u8>>,
}

impl RegistryBlob {
    pub(super) fn with_deadline(self, deadline: Option<Instant>) -> Self {
        Self { deadline, ..self }
    }

    /// Reads the blob from an offset to its end. A lost connection is continued.
    ///
    /// # Errors
    ///
    /// The registry does not return the blob.
    pub fn read_from(&self, offset: u64) -> Result<impl Read + use<'_>, RegistryError> {
        BlobDownload::begin_at(Box::new(self.repository.session()?), self.digest, self.size, offset)
    }

    /// Reads the blob from its start to its end, with its size and digest checked.
    ///
    /// # Errors
    ///
    /// The registry does not return the blob.
    pub fn read_verified(&self) -> Result<impl Read + use<'_>, RegistryError> {
        Ok(VerifiedReader::new(self.read_from(0)?, self.digest, self.size))
    }

    /// Fetches a range. The result is shorter if the range exceeds the maximum size of a response.
    fn fetch_part(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        let (digest, size) = (self.digest, self.size);
        let range = range.start..range.end.min(size).min(range.start.saturating_add(MAX_MANIFEST_SIZE));
        if range.is_empty() {
            return Ok(Fetched::new(Vec::new(), Some(size)));
        }
        if let Some(whole) = &self.whole {
            return Ok(Fetched::new(whole[range.start as usize..range.end as usize].to_vec(), Some(size)));
        }
        if self.deadline.is_none() {
            self.deadline = Instant::now().checked_add(self.repository.client().options.total_timeout);
        }
        let mut session = self.repository.session().map_err(io::Error::other)?.with_deadline(self.deadline);
        let part = session.blob_part(digest, size, &range, self.max_whole);
        self.repository.keep(session);
        match part.map_err(io::Error::other)? {
            BlobPart::Range(bytes) => Ok(Fetched::new(bytes, Some(size))),
            BlobPart::Whole(stream) => {
                let mut whole = Vec::new();
                VerifiedReader::new(stream, digest, size).read_to_end(&mut whole)?;
                self.whole = Some(whole);
                self.fetch_part(range)
            }
        }
    }
}

impl Fetch for RegistryBlob {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        self.fetch_part(range)
    }
}

/// The response to a request for a range.
enum BlobPart {
    Range(Vec<u8>),
    /// The registry does not support ranges, and returns the whole blob.
    Whole(BodyReader<'static>),
}

impl Session<'_> {
    fn blob_part(
        &mut self,
        digest: Digest,
        size: u64,
        range: &Range<u64>,
        max_whole: u64,
    ) -> Result<BlobPart, RegistryError> {
        let url = self.url(&format!("blobs/{digest}"))?;
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        let mut request = ApiRequest::new(Method::GET, url)
            .with_field(header::RANGE, &bytes)
            .with_field(header::ACCEPT_ENCODING, "identity");
        request.is_streamed = true;
        let request_name = request.name();
        let response = self.send(request)?;
        requested_part(response, range, size, max_whole).map_err(|fault| self.error(Some(request_name), fault))
    }
}

/// Checks that a response is the requested range, or the whole of a blob that is not too large.
fn requested_part(
    response: Response,
    range: &Range<u64>,
    size: u64,
    max_whole: u64,
) -> Result<BlobPart, RegistryFault> {
    let len = range.end - range.start;
    let malformed = || RegistryFault::malformed("the response is not the requested range of the layer");
    let declared = response.field("content-length").and_then(|len| len.parse::<u64>().ok());
    match response.status {
        206 => {
            let expected = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            let unknown_size = format!("bytes {}-{}/*", range.start, range.end - 1);
            let is_requested =
                response.field("content-range").is_some_and(|found| found == expected || found == unknown_size);
            if !is_requested {
                return Err(malformed());
            }
            let mut bytes = Vec::new();
            let stream = response.stream.ok_or_else(malformed)?;
            let read = stream.take(len + 1).read_to_end(&mut bytes);
            read.map_err(|error| TransportError::from(Error::from(error)).into_fault(1))?;
            if bytes.len() as u64 == len { Ok(BlobPart::Range(bytes)) } else { Err(malformed()) }
        }
        200 if declared.is_some_and(|declared| declared != size) => {
            Err(RegistryFault::malformed("the length of the layer differs from its manifest"))
        }
        200 if size <= max_whole => Ok(BlobPart::Whole(response.stream.ok_or_else(malformed)?)),
        200 => Err(RegistryFault::NoRanges(size)),
        _ => Err(RegistryFault::unexpected_status(&response)),
    }
}
