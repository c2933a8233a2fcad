//! One object, and the state that it is read in.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
#[cfg(feature = "audit")]
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore};

use super::RemoteOptions;
use super::error::{self, RemoteError};
use super::place;
use crate::drive::{Fetch, Fetched};

/// An object in a store. From its first answer on it is read in the state that it had then, by its version or its `ETag`:
/// one that changes meanwhile is an error.
#[derive(Clone, Debug)]
pub struct Object {
    store: Arc<dyn ObjectStore>,
    path: Path,
    pin: Option<Pin>,
    /// So long one part may take, where that is not up to this machine.
    patience: Option<Duration>,
}

/// The state that an object was in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin {
    len: u64,
    e_tag: Option<String>,
    version: Option<String>,
    /// In seconds, which is all that web servers say.
    modified: i64,
}

impl Pin {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        Self {
            len: meta.size,
            e_tag: meta.e_tag.clone(),
            version: meta.version.clone(),
            modified: meta.last_modified.timestamp(),
        }
    }

    /// What a request for the same state says. A weak `ETag` cannot be asked for. Source: RFC 9110, section 13.1.1.
    fn options(&self) -> GetOptions {
        let if_match = self.e_tag.clone().filter(|tag| !tag.starts_with("W/"));
        GetOptions { if_match, version: self.version.clone(), ..GetOptions::default() }
    }
}

#[cfg(feature = "audit")]
impl Pin {
    /// Whether a listing and an answer mean the same state. The listing says less: no version, of some stores an `ETag`
    /// without its quotes.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let same = match (self.bare_tag(), other.bare_tag()) {
            (Some(tag), Some(other)) => tag == other,
            _ => self.modified == other.modified,
        };
        self.len == other.len && same
    }

    /// As a text: length, when it was written to, and its `ETag` if it has one.
    pub(crate) fn text(&self) -> String {
        format!("{}:{}:{}", self.len, self.modified, self.bare_tag().unwrap_or_default())
    }

    fn bare_tag(&self) -> Option<&str> {
        let tag = self.e_tag.as_deref()?;
        Some(tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"'))
    }
}

impl Object {
    /// The object that a URL names; no request is made.
    ///
    /// | URL | credentials |
    /// | --- | --- |
    /// | `s3://bucket/key` | `AWS_ACCESS_KEY_ID` and its like, as the AWS tools know them; `AWS_ENDPOINT_URL` for others |
    /// | `gs://bucket/key` | `GOOGLE_SERVICE_ACCOUNT` and its like |
    /// | `az://container/key` | `AZURE_STORAGE_ACCOUNT_NAME` and its like |
    /// | `https://host/path?query`, `http://…` | none, but what the query says |
    /// | `file:///path` | none |
    ///
    /// # Errors
    ///
    /// It names none; or the environment does not say how the store is to be spoken to.
    pub fn open(url: &str, options: &RemoteOptions) -> Result<Self, RemoteError> {
        let place::One { store, path, is_far } = place::find(url, options)?;
        Ok(Self { store, path, pin: None, patience: is_far.then_some(options.patience) })
    }

    /// The object of this path in a store of yours.
    ///
    /// # Errors
    ///
    /// The path is none that stores have.
    pub fn of(store: Arc<dyn ObjectStore>, path: &str) -> Result<Self, RemoteError> {
        let path = Path::parse(path).map_err(|error| RemoteError::Locator(error.to_string()))?;
        Ok(Self { store, path, pin: None, patience: None })
    }

    /// The object of a path.
    #[cfg(feature = "audit")]
    pub(super) fn at(store: Arc<dyn ObjectStore>, path: Path, patience: Option<Duration>) -> Self {
        Self { store, path, pin: None, patience }
    }

    /// The state that it is read in, as soon as an answer said it.
    #[cfg(feature = "audit")]
    pub(crate) fn pin(&self) -> Option<&Pin> {
        self.pin.as_ref()
    }

    /// Its bytes from an offset on, which is not behind its last one, in one answer.
    #[cfg(feature = "audit")]
    pub(crate) async fn rest(
        &mut self,
        start: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, RemoteError>>, RemoteError> {
        let pinned = self.pin.as_ref().map(Pin::options).unwrap_or_default();
        let options = GetOptions { range: Some(GetRange::Offset(start)), ..pinned };
        let answer = self.store.get_opts(&self.path, options).await.map_err(|error| RemoteError::of(&error))?;
        self.hold(&answer.meta)?;
        if answer.range != (start..answer.meta.size) {
            return Err(RemoteError::Malformed);
        }
        Ok(answer.into_stream().map(|chunk| chunk.map_err(|error| RemoteError::of(&error))).boxed())
    }

    /// The object's length in bytes, as soon as an answer said it.
    pub fn len(&self) -> Option<u64> {
        self.pin.as_ref().map(|pin| pin.len)
    }

    /// Whether it is known that the object has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    async fn part(&mut self, range: Range<u64>) -> Result<Fetched, RemoteError> {
        match self.patience {
            None => self.part_in_time(range).await,
            Some(patience) => {
                let part = tokio::time::timeout(patience, self.part_in_time(range)).await;
                part.unwrap_or(Err(RemoteError::TimedOut))
            }
        }
    }

    async fn part_in_time(&mut self, range: Range<u64>) -> Result<Fetched, RemoteError> {
        let pinned = self.pin.as_ref().map(Pin::options).unwrap_or_default();
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..pinned };
        let answer = match self.store.get_opts(&self.path, options).await {
            Ok(answer) => answer,
            // Of an object without bytes no part can be had.
            Err(error) if self.pin.is_none() && is_past_the_end(&error) => return self.nothing(range.start).await,
            Err(error) => return Err(RemoteError::of(&error)),
        };
        self.hold(&answer.meta)?;
        if answer.range.start != range.start || answer.range.end > range.end {
            return Err(RemoteError::Malformed);
        }
        let len = Some(answer.meta.size);
        let bytes = body(answer).await?;
        Ok(Fetched { bytes, len })
    }

    /// What there is at an offset where no part can be had.
    async fn nothing(&mut self, start: u64) -> Result<Fetched, RemoteError> {
        let head = GetOptions { head: true, ..GetOptions::default() };
        let answer = self.store.get_opts(&self.path, head).await.map_err(|error| RemoteError::of(&error))?;
        self.hold(&answer.meta)?;
        if answer.meta.size > start {
            return Err(RemoteError::NoRanges);
        }
        Ok(Fetched { bytes: Bytes::new(), len: Some(answer.meta.size) })
    }

    fn hold(&mut self, meta: &ObjectMeta) -> Result<(), RemoteError> {
        let is = Pin::of(meta);
        match &self.pin {
            Some(was) if *was != is => Err(RemoteError::Changed),
            _ => {
                self.pin = Some(is);
                Ok(())
            }
        }
    }
}

/// Whether a part was refused for beginning where the object ends, or for a reason that nobody can tell from that.
fn is_past_the_end(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::Generic { .. }) && matches!(error::status(error), None | Some(416))
}

/// The bytes of an answer, which are no more than it says.
async fn body(answer: GetResult) -> Result<Bytes, RemoteError> {
    let len = answer.range.end - answer.range.start;
    let mut stream = answer.into_stream();
    let mut whole = BytesMut::new();
    let mut first = Bytes::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| RemoteError::of(&error))?;
        if (first.len() + whole.len()) as u64 + chunk.len() as u64 > len {
            return Err(RemoteError::Malformed);
        }
        if first.is_empty() && whole.is_empty() {
            first = chunk; // often the only one
        } else {
            whole.extend_from_slice(&std::mem::take(&mut first));
            whole.extend_from_slice(&chunk);
        }
    }
    let bytes = if whole.is_empty() { first } else { whole.freeze() };
    if bytes.len() as u64 == len { Ok(bytes) } else { Err(RemoteError::Broken) }
}

impl Fetch for Object {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        self.part(range).await.map_err(io::Error::other)
    }
}
