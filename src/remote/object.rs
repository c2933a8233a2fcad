//! One object, and the state that it is read in.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
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
}

/// The state that an object was in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pin {
    len: u64,
    e_tag: Option<String>,
    version: Option<String>,
    /// In seconds, which is all that web servers say.
    modified: i64,
}

impl Pin {
    fn of(meta: &ObjectMeta) -> Self {
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
        let (store, path) = place::find(url, options)?;
        Ok(Self { store, path, pin: None })
    }

    /// The object of this path in a store of yours.
    ///
    /// # Errors
    ///
    /// The path is none that stores have.
    pub fn of(store: Arc<dyn ObjectStore>, path: &str) -> Result<Self, RemoteError> {
        let path = Path::parse(path).map_err(|error| RemoteError::Locator(error.to_string()))?;
        Ok(Self { store, path, pin: None })
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
        let pinned = self.pin.as_ref().map(Pin::options).unwrap_or_default();
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..pinned };
        let answer = match self.store.get_opts(&self.path, options).await {
            Ok(answer) => answer,
            // Of an object without bytes no part can be had.
            Err(error) if self.pin.is_none() && is_past_the_end(&error) => return self.nothing(range.start).await,
            Err(error) => return Err(RemoteError::of(&error)),
        };
        self.pin(&answer.meta)?;
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
        self.pin(&answer.meta)?;
        if answer.meta.size > start {
            return Err(RemoteError::NoRanges);
        }
        Ok(Fetched { bytes: Bytes::new(), len: Some(answer.meta.size) })
    }

    fn pin(&mut self, meta: &ObjectMeta) -> Result<(), RemoteError> {
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
