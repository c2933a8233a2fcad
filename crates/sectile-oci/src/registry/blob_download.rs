//! Downloads of a blob, which continue after a lost connection. Source: the distribution
//! specification, "Pull".

use std::io::{self, Read};
use std::ops::DerefMut;
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::http::{Method, header};

use super::error::{RegistryError, RegistryFault};
use super::session::{ApiRequest, Session};
use super::transport::{Response, TransportError};
use sectile::digest::Digest;

/// Minimum rate of a download in bytes per second. A slower one is a timeout.
const MIN_RATE: u64 = 16 << 10;

/// The bytes of a blob as the registry sends them, from the start to the end. The caller checks
/// their digest.
pub(super) struct BlobDownload<S> {
    session: S,
    digest: Digest,
    size: u64,
    position: u64,
    stream: Option<Box<dyn Read + Send>>,
    /// Number of requests so far.
    attempts: u32,
}

impl<'c, S: DerefMut<Target = Session<'c>>> BlobDownload<S> {
    /// Requests a blob of this size.
    pub(super) fn begin(session: S, digest: Digest, size: u64) -> Result<Self, RegistryError> {
        Self::begin_at(session, digest, size, 0)
    }

    /// Requests the bytes of a blob of this size from a position on.
    pub(super) fn begin_at(mut session: S, digest: Digest, size: u64, position: u64) -> Result<Self, RegistryError> {
        let time = session.client().options.total_timeout;
        let time = time.saturating_add(Duration::from_secs(size / MIN_RATE));
        session.set_deadline(Instant::now().checked_add(time));
        let mut download = Self { session, digest, size, position, stream: None, attempts: 0 };
        download.request()?;
        Ok(download)
    }

    /// Requests the blob from the current position on. A range after the last byte would be an error.
    fn request(&mut self) -> Result<(), RegistryError> {
        if self.position > 0 && self.position >= self.size {
            self.stream = None;
            return Ok(());
        }
        let session = &mut *self.session;
        let url = session.url(&format!("blobs/{}", self.digest))?;
        let mut request = ApiRequest::new(Method::GET, url).with_field(header::ACCEPT_ENCODING, "identity");
        request.is_streamed = true;
        if self.position > 0 {
            request = request.with_field(header::RANGE, &format!("bytes={}-", self.position));
        }
        let name = request.name();
        let response = session.send(request)?;
        self.attempts += 1;
        let stream = continued(response, self.position);
        self.stream = Some(stream.map_err(|fault| session.error(Some(name), fault))?);
        Ok(())
    }

    /// Handles an error of the connection: continues if a retry may help.
    fn recover(&mut self, error: io::Error) -> io::Result<()> {
        let error = TransportError::from(Error::from(error));
        let session = &mut *self.session;
        let name = format!("downloading {}", self.digest);
        let can_retry =
            matches!(error, TransportError::ConnectionLost(_)) && self.attempts < session.client().options.max_attempts;
        let fault =
            if can_retry { session.wait(self.attempts, None).err() } else { Some(error.into_fault(self.attempts)) };
        match fault {
            Some(fault) => Err(io::Error::other(session.error(Some(name), fault))),
            None => self.request().map_err(io::Error::other),
        }
    }
}

/// Returns the body of a response from this position on.
fn continued(response: Response, position: u64) -> Result<Box<dyn Read + Send>, RegistryFault> {
    let starts_at = |field: &str| field.strip_prefix("bytes ")?.split_once('-')?.0.parse::<u64>().ok();
    let is_continued = match response.status {
        206 => response.field("content-range").and_then(starts_at) == Some(position),
        200 => false,
        _ => return Err(RegistryFault::unexpected_status(&response)),
    };
    if response.status == 206 && !is_continued {
        return Err(RegistryFault::malformed("the response is not the requested range of the blob"));
    }
    let Some(stream) = response.stream else { return Err(RegistryFault::malformed("the response has no body")) };
    if is_continued || position == 0 {
        return Ok(Box::new(stream));
    }
    // The registry does not support ranges: the first bytes come again.
    let mut stream = stream;
    match io::copy(&mut (&mut stream).take(position), &mut io::sink()) {
        Ok(skipped) if skipped == position => Ok(Box::new(stream)),
        Ok(_) => Err(RegistryFault::malformed("the blob is shorter than before")),
        Err(error) => Err(TransportError::from(Error::from(error)).into_fault(1)),
    }
}

impl<'c, S: DerefMut<Target = Session<'c>>> Read for BlobDownload<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(stream) = &mut self.stream else { return Ok(0) };
            match stream.read(buffer) {
                Ok(read) => {
                    self.position += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => self.recover(error)?,
            }
        }
    }
}
