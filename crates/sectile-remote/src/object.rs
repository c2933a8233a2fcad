//! Objects, and the version of an object that is read.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore};

use crate::RemoteOptions;
use crate::error::{self, RemoteError};
use crate::store_url::{self, ObjectLocation};
use sectile::drive::{Fetch, Fetched};

/// An object in a store.
///
/// All requests read the version of the first response, identified by its version or its `ETag`. A
/// change of the object in the meantime is an error.
#[derive(Clone, Debug)]
pub struct Object {
    store: Arc<dyn ObjectStore>,
    path: Path,
    fingerprint: Option<ObjectFingerprint>,
    /// `None` for local files and for stores of the caller.
    timeouts: Option<Timeouts>,
    /// Deadline for all requests for ranges, set by the first one.
    deadline: Option<Instant>,
}

/// Timeouts of an object's requests for ranges, including their retries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    request: Duration,
    object: Duration,
}

impl Timeouts {
    pub(super) fn new(options: &RemoteOptions) -> Self {
        Self { request: options.total_timeout, object: options.object_timeout }
    }

    pub(super) fn listing_time(self) -> ListingTime {
        ListingTime { request: self.request, left: self.object }
    }

    /// Deadline for a download of this many bytes.
    fn download_deadline(self, len: u64) -> Instant {
        after(self.object.saturating_add(Duration::from_secs(len / MIN_RATE)))
    }
}

/// The remaining time in which a listing may wait for the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListingTime {
    request: Duration,
    left: Duration,
}

/// Time that each listed key adds. A slow store lists a few hundred keys per second.
const TIME_PER_KEY: Duration = Duration::from_millis(10);

impl ListingTime {
    /// Waits for a page.
    pub(super) async fn wait<T>(&mut self, page: impl Future<Output = T>) -> Result<T, RemoteError> {
        let begun = Instant::now();
        let page = tokio::time::timeout(self.left.min(self.request), page).await;
        self.left = self.left.saturating_sub(begun.elapsed());
        page.map_err(|_| RemoteError::TimedOut)
    }

    pub(super) fn add_keys(&mut self, keys: usize) {
        let more = TIME_PER_KEY.saturating_mul(u32::try_from(keys).unwrap_or(u32::MAX));
        self.left = self.left.saturating_add(more);
    }
}

/// Minimum rate in bytes per second of a download that exceeds the timeout of an object.
const MIN_RATE: u64 = 16 << 10;

/// The time after a duration, at most a century from now.
fn after(duration: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);
    Instant::now() + duration.min(CENTURY)
}

/// Identifies the version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectFingerprint {
    len: u64,
    e_tag: Option<String>,
    version: Option<String>,
    /// In seconds, the resolution of HTTP dates.
    modified: i64,
}

impl ObjectFingerprint {
    /// Creates the fingerprint of an object in a listing or a response.
    pub fn new(meta: &ObjectMeta) -> Self {
        Self {
            len: meta.size,
            e_tag: meta.e_tag.clone(),
            version: meta.version.clone(),
            modified: meta.last_modified.timestamp(),
        }
    }

    /// Returns whether a listing and a response may describe the same version.
    ///
    /// Listings do not contain versions, and some stores list `ETag`s without quotes.
    pub fn agrees(&self, other: &Self) -> bool {
        let same = match (self.bare_tag(), other.bare_tag()) {
            (Some(tag), Some(other)) => tag == other,
            _ => self.modified == other.modified,
        };
        self.len == other.len && same
    }

    /// Returns length, modification time and `ETag` as text.
    pub fn text(&self) -> String {
        format!("{}:{}:{}", self.len, self.modified, self.bare_tag().unwrap_or_default())
    }

    /// Returns whether any later change must change the fingerprint. This is so if the object has
    /// an `ETag`, or if its modification time is not in the current second, the resolution of HTTP
    /// dates.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.e_tag.is_some() || self.modified.saturating_add(2) <= now.cast_signed()
    }

    fn bare_tag(&self) -> Option<&str> {
        let tag = self.e_tag.as_deref()?;
        Some(tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"'))
    }

    /// Returns the options that request the same version. Weak `ETag`s cannot be used. Source: RFC
    /// 9110, section 13.1.1.
    fn get_options(&self) -> GetOptions {
        let if_match = self.e_tag.clone().filter(|tag| !tag.starts_with("W/"));
        GetOptions { if_match, version: self.version.clone(), ..GetOptions::default() }
    }
}

impl Object {
    /// Opens the object that a URL names, without a request.
    ///
    /// | URL | credentials |
    /// | --- | --- |
    /// | `s3://bucket/key` | `AWS_ACCESS_KEY_ID` and other variables of the AWS tools; `AWS_ENDPOINT_URL` for other providers |
    /// | `gs://bucket/key` | `GOOGLE_SERVICE_ACCOUNT` and other variables of Google Cloud Storage |
    /// | `az://container/key` | `AZURE_STORAGE_ACCOUNT_NAME` and other variables of Azure |
    /// | `https://host/path?query`, `http://…` | only those in the query |
    /// | `file:///path` | none |
    ///
    /// # Errors
    ///
    /// The URL does not name an object, or the configuration of the store in the environment is
    /// missing or invalid.
    pub fn open(url: &str, options: &RemoteOptions) -> Result<Self, RemoteError> {
        let ObjectLocation { store, path, is_remote } = store_url::locate_object(url, options)?;
        Ok(Self::with_timeouts(store, path, is_remote.then(|| Timeouts::new(options))))
    }

    /// Creates an object from a store of the caller and a path.
    ///
    /// # Errors
    ///
    /// The path is invalid for stores.
    pub fn new(store: Arc<dyn ObjectStore>, path: &str) -> Result<Self, RemoteError> {
        let path = Path::parse(path).map_err(|error| RemoteError::InvalidUrl(error.to_string()))?;
        Ok(Self::with_timeouts(store, path, None))
    }

    pub(super) fn with_timeouts(store: Arc<dyn ObjectStore>, path: Path, timeouts: Option<Timeouts>) -> Self {
        Self { store, path, fingerprint: None, timeouts, deadline: None }
    }

    /// Returns the object's length in bytes, which is known after the first response.
    pub fn len(&self) -> Option<u64> {
        self.fingerprint.as_ref().map(|fingerprint| fingerprint.len)
    }

    /// Returns whether the object is known to be empty.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    async fn fetch_part(&mut self, range: Range<u64>) -> Result<Fetched, RemoteError> {
        let Some(timeouts) = self.timeouts else { return self.request_part(range).await };
        let deadline = *self.deadline.get_or_insert_with(|| after(timeouts.object));
        let left = deadline.saturating_duration_since(Instant::now()).min(timeouts.request);
        let part = tokio::time::timeout(left, self.request_part(range)).await;
        part.unwrap_or(Err(RemoteError::TimedOut))
    }

    async fn request_part(&mut self, range: Range<u64>) -> Result<Fetched, RemoteError> {
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..self.get_options() };
        let response = match self.store.get_opts(&self.path, options).await {
            Ok(response) => response,
            // Ranges of empty objects are errors.
            Err(error) if self.fingerprint.is_none() && is_maybe_past_end(&error) => {
                return self.request_len(range.start).await;
            }
            Err(error) => return Err(RemoteError::from_store(&error)),
        };
        self.check_version(&response.meta)?;
        if response.range.start != range.start || response.range.end > range.end {
            return Err(RemoteError::Malformed);
        }
        let len = Some(response.meta.size);
        let bytes = read_body(response).await?;
        Ok(Fetched::new(bytes, len))
    }

    /// Returns an empty part if the object ends at or before `start`.
    async fn request_len(&mut self, start: u64) -> Result<Fetched, RemoteError> {
        let head = GetOptions { head: true, ..GetOptions::default() };
        let response = self.store.get_opts(&self.path, head).await.map_err(|error| RemoteError::from_store(&error))?;
        self.check_version(&response.meta)?;
        if response.meta.size > start {
            return Err(RemoteError::NoRanges);
        }
        Ok(Fetched::new(Bytes::new(), Some(response.meta.size)))
    }

    fn get_options(&self) -> GetOptions {
        self.fingerprint.as_ref().map(ObjectFingerprint::get_options).unwrap_or_default()
    }

    /// Records the version of the first response, and rejects any other version.
    fn check_version(&mut self, meta: &ObjectMeta) -> Result<(), RemoteError> {
        let found = ObjectFingerprint::new(meta);
        match &self.fingerprint {
            Some(expected) if *expected != found => Err(RemoteError::Changed),
            _ => {
                self.fingerprint = Some(found);
                Ok(())
            }
        }
    }
}

/// Returns the fingerprint of the version that is read, which is known after the first response.
pub fn fingerprint(object: &Object) -> Option<&ObjectFingerprint> {
    object.fingerprint.as_ref()
}

/// Streams the object from an offset to its end, in one response. The offset must not be after the
/// last byte.
///
/// # Errors
///
/// The object changed or cannot be read.
pub async fn stream_from(
    object: &mut Object,
    start: u64,
) -> Result<BoxStream<'static, Result<Bytes, RemoteError>>, RemoteError> {
    let options = GetOptions { range: Some(GetRange::Offset(start)), ..object.get_options() };
    let response = object.store.get_opts(&object.path, options).await;
    let response = response.map_err(|error| RemoteError::from_store(&error))?;
    object.check_version(&response.meta)?;
    if response.range != (start..response.meta.size) {
        return Err(RemoteError::Malformed);
    }
    let deadline = object.timeouts.map(|timeouts| timeouts.download_deadline(response.meta.size - start));
    let checked = move |chunk: Result<Bytes, object_store::Error>| match deadline {
        Some(deadline) if Instant::now() > deadline => Err(RemoteError::TimedOut),
        _ => chunk.map_err(|error| RemoteError::from_store(&error)),
    };
    Ok(response.into_stream().map(checked).boxed())
}

/// Returns whether an error may mean that a range begins at or after the end of the object.
fn is_maybe_past_end(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::Generic { .. }) && matches!(error::status(error), None | Some(416))
}

/// Reads the body of a response, which must have the declared length.
async fn read_body(response: GetResult) -> Result<Bytes, RemoteError> {
    let len = response.range.end - response.range.start;
    let mut stream = response.into_stream();
    let mut joined = BytesMut::new();
    let mut first = Bytes::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| RemoteError::from_store(&error))?;
        if (first.len() + joined.len()) as u64 + chunk.len() as u64 > len {
            return Err(RemoteError::Malformed);
        }
        if first.is_empty() && joined.is_empty() {
            first = chunk; // not copied, because it often is the only chunk
        } else {
            joined.extend_from_slice(&std::mem::take(&mut first));
            joined.extend_from_slice(&chunk);
        }
    }
    let bytes = if joined.is_empty() { first } else { joined.freeze() };
    if bytes.len() as u64 == len { Ok(bytes) } else { Err(RemoteError::ConnectionLost) }
}

impl Fetch for Object {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        self.fetch_part(range).await.map_err(io::Error::other)
    }
}
