//! Uploads of a blob: in one request if possible, or in chunks if the registry requests them.
//! Uploads resume after a lost connection. Source: the distribution specification, "Push".

use std::ops::Range;

use ureq::http::{Method, header};

use super::error::{RegistryError, RegistryFault, quote_escaped};
use super::session::{ApiRequest, BlobSource, RequestPayload, Session};
use super::transport::Response;
use super::url::Url;
use sectile::digest::Digest;

/// Minimum size of a chunk in bytes, except for the last one.
const MIN_CHUNK_SIZE: u64 = 64 << 10;

/// An upload in progress.
struct BlobUpload<'a> {
    digest: Digest,
    source: &'a dyn BlobSource,
    url: Url,
    /// Number of bytes that the registry has.
    offset: u64,
    /// Maximum number of bytes in one request; `None` for no limit.
    chunk_size: Option<u64>,
    /// Minimum size of a chunk, except for the last one.
    min_chunk_size: u64,
    /// Number of times the upload was started or resumed.
    attempts: u32,
}

/// The response to the request to mount a blob.
enum Mount<'a> {
    Done,
    Upload(Box<BlobUpload<'a>>),
}

/// How a registry got a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlobTransfer {
    /// The repository already had it.
    Existing,
    /// The registry has it from another repository.
    Mounted,
    Sent,
}

/// The state of an upload after a request.
enum UploadStep {
    Done,
    Continue,
    /// The registry lost the upload, and attempts remain.
    Restart,
}

impl Session<'_> {
    /// Sends a blob unless the registry has it.
    pub(super) fn put_blob(
        &mut self,
        digest: Digest,
        source: &dyn BlobSource,
        progress: &mut dyn FnMut(u64),
    ) -> Result<BlobTransfer, RegistryError> {
        if self.has_blob(digest)? {
            return Ok(BlobTransfer::Existing);
        }
        let mut upload = match self.mount_source().map(|from| self.mount(digest, source, from)).transpose()?.flatten() {
            Some(Mount::Done) => return Ok(BlobTransfer::Mounted),
            Some(Mount::Upload(upload)) => *upload,
            None => self.begin_upload(digest, source, None, 0)?,
        };
        loop {
            let name = format!("uploading {digest} to {}", upload.url);
            match self.advance(&mut upload, progress).map_err(|fault| self.error(Some(name.clone()), fault))? {
                UploadStep::Done => return Ok(BlobTransfer::Sent),
                UploadStep::Continue => {}
                UploadStep::Restart => {
                    self.wait(upload.attempts, None).map_err(|fault| self.error(Some(name), fault))?;
                    // Perhaps only the response was lost.
                    if self.has_blob(digest)? {
                        return Ok(BlobTransfer::Sent);
                    }
                    upload = self.begin_upload(digest, source, upload.chunk_size, upload.attempts)?;
                }
            }
        }
    }

    /// Returns whether the registry has a blob.
    pub(super) fn has_blob(&mut self, digest: Digest) -> Result<bool, RegistryError> {
        let request = ApiRequest::new(Method::HEAD, self.url(&format!("blobs/{digest}"))?);
        let request_name = request.name();
        let response = self.send(request)?;
        let has = match response.status {
            200 => check_digest(&response, digest).map(|()| true),
            404 => Ok(false),
            _ => Err(RegistryFault::unexpected_status(&response)),
        };
        has.map_err(|fault| self.error(Some(request_name), fault))
    }

    fn begin_upload<'a>(
        &mut self,
        digest: Digest,
        source: &'a dyn BlobSource,
        chunk_size: Option<u64>,
        attempts: u32,
    ) -> Result<BlobUpload<'a>, RegistryError> {
        let url = self.url("blobs/uploads/")?;
        let request_name = format!("POST {url}");
        let response = self.post_upload(url)?;
        let upload = match response.status {
            202 => self.begun_upload(&response, digest, source, chunk_size, attempts),
            _ => Err(RegistryFault::unexpected_status(&response)),
        };
        upload.map_err(|fault| self.error(Some(request_name), fault))
    }

    /// Requests the blob from another repository of the registry. `None` if the registry rejects
    /// this request.
    fn mount<'a>(
        &mut self,
        digest: Digest,
        source: &'a dyn BlobSource,
        from: &str,
    ) -> Result<Option<Mount<'a>>, RegistryError> {
        let url = self.url(&format!("blobs/uploads/?mount={digest}&from={from}"))?;
        let request_name = format!("POST {url}");
        let response = self.post_upload(url)?;
        let mount = match response.status {
            201 => check_digest(&response, digest).map(|()| Mount::Done),
            // The registry began an upload instead.
            202 => self.begun_upload(&response, digest, source, None, 0).map(|upload| Mount::Upload(Box::new(upload))),
            _ => return Ok(None),
        };
        mount.map(Some).map_err(|fault| self.error(Some(request_name), fault))
    }

    fn post_upload(&mut self, url: Url) -> Result<Response, RegistryError> {
        let mut ignore = |_| {};
        let empty = RequestPayload { source: &&[][..], range: 0..0, progress: &mut ignore };
        self.send(ApiRequest::new(Method::POST, url).with_payload(empty))
    }

    /// The upload that a registry began with this response.
    fn begun_upload<'a>(
        &self,
        response: &Response,
        digest: Digest,
        source: &'a dyn BlobSource,
        chunk_size: Option<u64>,
        attempts: u32,
    ) -> Result<BlobUpload<'a>, RegistryFault> {
        let url = self.upload_location(response)?;
        let url = url.ok_or_else(|| RegistryFault::malformed("the response has no upload location"))?;
        let option = self.client().options.chunk_size;
        let declared_min = response.field("oci-chunk-min-length").and_then(|length| length.trim().parse::<u64>().ok());
        // A registry that declares a minimum chunk size expects chunks.
        let requested = declared_min.map(|_| option);
        let min_chunk_size = declared_min.unwrap_or(0).max(MIN_CHUNK_SIZE.min(option)).max(1);
        let chunk_size = chunk_size.or(requested).map(|size| size.max(min_chunk_size));
        Ok(BlobUpload { digest, source, url, offset: 0, chunk_size, min_chunk_size, attempts: attempts + 1 })
    }

    /// Returns the URL at which an upload continues.
    fn upload_location(&self, response: &Response) -> Result<Option<Url>, RegistryFault> {
        let Some(location) = response.location() else { return Ok(None) };
        let url = response.url.join_location(location).and_then(|url| self.check_permitted(url));
        url.map(Some)
            .map_err(|reason| RegistryFault::malformed(format!("the upload location is not allowed: {reason}")))
    }

    /// Sends the next request of an upload.
    fn advance(
        &mut self,
        upload: &mut BlobUpload<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<UploadStep, RegistryFault> {
        if upload.source.is_changed().map_err(RegistryFault::Source)? {
            return Err(RegistryFault::Changed);
        }
        let (range, is_last) = upload.next_range();
        let (method, url) = if is_last {
            let url = upload.url.with_query("digest", &upload.digest.to_string()).map_err(RegistryFault::malformed)?;
            (Method::PUT, url)
        } else {
            (Method::PATCH, upload.url.clone())
        };
        let mut request = ApiRequest::new(method, url).with_field(header::CONTENT_TYPE, "application/octet-stream");
        if !is_last {
            let content_range = format!("{}-{}", range.start, range.end - 1);
            request = request.with_field(header::CONTENT_RANGE, &content_range);
        }
        let start = range.start;
        let mut on_sent = |sent| progress(start + sent);
        let payload = RequestPayload { source: upload.source, range: range.clone(), progress: &mut on_sent };
        let mut request = request.with_payload(payload);
        request.is_repeatable = false;
        let response = match self.try_send(&mut request) {
            Err(RegistryFault::Source(_)) if upload.source.is_changed().unwrap_or(false) => {
                return Err(RegistryFault::Changed);
            }
            Err(RegistryFault::ConnectionLost(_, error)) => {
                return self.resume_upload(upload, RegistryFault::ConnectionLost(upload.attempts, error));
            }
            response => response?,
        };
        match response.status {
            200 | 201 | 202 | 204 if is_last => check_digest(&response, upload.digest).map(|()| UploadStep::Done),
            200 | 201 | 202 | 204 if !is_last => {
                if let Some(url) = self.upload_location(&response)? {
                    upload.url = url;
                }
                // `Range` is not trusted: some registries answer with the range of this chunk,
                // others with that of the previous one. A registry that accepted fewer bytes
                // rejects the next chunk, and the digest is checked at the end.
                upload.offset = range.end;
                Ok(UploadStep::Continue)
            }
            413 if upload.shrink_chunks(&range, self.client().options.chunk_size) => Ok(UploadStep::Continue),
            416 => self.resume_upload(upload, RegistryFault::unexpected_status(&response)),
            // A digest mismatch also has this status, and a changed source explains it.
            400 if upload.source.is_changed().unwrap_or(false) => Err(RegistryFault::Changed),
            _ => Err(RegistryFault::unexpected_status(&response)),
        }
    }

    /// Requests the offset of an upload that failed with this fault, to continue there.
    fn resume_upload(
        &mut self,
        upload: &mut BlobUpload<'_>,
        fault: RegistryFault,
    ) -> Result<UploadStep, RegistryFault> {
        if upload.attempts >= self.client().options.max_attempts {
            return Err(fault);
        }
        self.wait(upload.attempts, None)?;
        let response = self.try_send(&mut ApiRequest::new(Method::GET, upload.url.clone()))?;
        let last = match response.status {
            200 | 202 | 204 => last_byte(&response),
            _ => None,
        };
        let len = upload.source.len();
        match last {
            Some(last) if last < len => {
                upload.attempts += 1;
                // `0-0` is ambiguous: registries use it for no bytes and for one byte.
                upload.offset = if last == 0 { 0 } else { last + 1 };
                if let Some(url) = self.upload_location(&response)? {
                    upload.url = url;
                }
                // Without chunks, an upload always begins at offset 0.
                upload.chunk_size = upload.chunk_size.or(Some(len.max(1)));
                Ok(UploadStep::Continue)
            }
            _ => Ok(UploadStep::Restart),
        }
    }
}

impl BlobUpload<'_> {
    /// Returns the range of the next request, and whether that request completes the upload.
    fn next_range(&self) -> (Range<u64>, bool) {
        let len = self.source.len();
        let is_single = self.offset == 0 && self.chunk_size.is_none_or(|size| size >= len);
        let end = self.chunk_size.map_or(len, |size| len.min(self.offset.saturating_add(size)));
        (self.offset..end, is_single || self.offset == len)
    }

    /// Reduces the size of chunks after a range was too large. Returns whether the new size is
    /// allowed.
    fn shrink_chunks(&mut self, range: &Range<u64>, default_size: u64) -> bool {
        let sent = range.end - range.start;
        let size = if self.chunk_size.is_none() && default_size < sent { default_size } else { sent / 2 };
        self.chunk_size = Some(size);
        size >= self.min_chunk_size
    }
}

/// Returns the inclusive end of the range that the registry has.
fn last_byte(response: &Response) -> Option<u64> {
    let range = response.field("range")?.trim();
    let (start, end) = range.strip_prefix("bytes=").unwrap_or(range).split_once('-')?;
    (start == "0").then(|| end.parse().ok()).flatten()
}

/// Checks the digest in a response, if it has one.
pub(super) fn check_digest(response: &Response, expected: Digest) -> Result<(), RegistryFault> {
    let Some(found) = response.field("docker-content-digest") else { return Ok(()) };
    // Digests of another algorithm cannot be compared.
    let is_other_algorithm = found.split_once(':').is_some_and(|(algorithm, _)| algorithm == "sha512");
    if is_other_algorithm || found.parse() == Ok(expected) {
        return Ok(());
    }
    Err(RegistryFault::OtherDigest { expected, found: quote_escaped(found) })
}
