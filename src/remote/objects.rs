//! The objects of a store whose keys begin alike.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::{self, Path};
use object_store::{GetOptions, ObjectMeta, ObjectStore};
use reqwest::Url;

use super::error::RemoteError;
use super::place::{self, Found};
use super::{Object, RemoteOptions};

/// The objects of a store whose keys begin with the same segments.
#[derive(Clone)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    /// The same store, where it lists page by page.
    pages: Option<Arc<dyn PaginatedListStore>>,
    /// What their keys begin with, and a slash behind it; all of the store where it is empty.
    prefix: Path,
    /// The store, as a URL that ends with a slash.
    base: Url,
    /// So long a part of an object may take; of a store of somebody's own, as long as it takes.
    patience: Option<Duration>,
}

/// What a listing gives.
#[derive(Debug)]
pub(crate) enum Listed {
    Object(ObjectMeta),
    /// A key that objects can have, and that nothing can be asked for by.
    Odd(String),
}

impl Objects {
    /// Those that a URL names; no request is made.
    pub(crate) fn at(url: &str, options: &RemoteOptions) -> Result<Self, RemoteError> {
        let Found { store, pages, path, base } = place::find_all(url, options)?;
        Ok(Self { store, pages: Some(pages), prefix: path, base, patience: Some(options.patience) })
    }

    /// Those of a store of somebody's own, which is called by this URL.
    pub(crate) fn of(store: Arc<dyn ObjectStore>, prefix: &str, called: &str) -> Result<Self, RemoteError> {
        let no = |why: String| RemoteError::Locator(why);
        let prefix = Path::parse(prefix).map_err(|error| no(error.to_string()))?;
        let base = Url::parse(called).map_err(|error| no(error.to_string()))?;
        if base.cannot_be_a_base() || !base.path().ends_with('/') {
            return Err(no("a store is called by a URL that ends with a slash".to_owned()));
        }
        Ok(Self { store, pages: None, prefix, base, patience: None })
    }

    /// How what has this key is called: a URL, which [`Object::open`] takes where the key is a path.
    pub(crate) fn name(&self, key: &str) -> String {
        let mut name = self.base.as_str().to_owned();
        for (nth, segment) in key.split('/').enumerate() {
            if nth > 0 {
                name.push('/');
            }
            match segment {
                // Written out, they would lead elsewhere.
                "." => name.push_str("%2E"),
                ".." => name.push_str("%2E%2E"),
                _ => segment.bytes().for_each(|byte| encode(byte, &mut name)),
            }
        }
        name
    }

    /// How all of them are called.
    pub(crate) fn root(&self) -> String {
        if self.prefix.as_ref().is_empty() { self.base.clone().into() } else { self.name(self.prefix.as_ref()) + "/" }
    }

    /// An object of the store.
    pub(crate) fn object(&self, path: Path) -> Object {
        Object::at(Arc::clone(&self.store), path, self.patience)
    }

    /// Lists them, in the order that the store has.
    pub(crate) fn list(&self) -> Listing {
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        match &self.pages {
            None => Listing::Stream(self.store.list(prefix)),
            Some(store) => Listing::Pages(Box::new(Pages {
                store: Arc::clone(store),
                prefix: prefix.map(|prefix| format!("{prefix}/")),
                next: Some(PaginatedListOptions::default()),
                listed: VecDeque::new(),
            })),
        }
    }

    /// The object whose whole key all were to begin with, if there is one.
    pub(crate) async fn single(&self) -> Result<ObjectMeta, RemoteError> {
        let head = GetOptions { head: true, ..GetOptions::default() };
        let answer = self.store.get_opts(&self.prefix, head).await;
        Ok(answer.map_err(|error| RemoteError::of(&error))?.meta)
    }

    /// Whether it is the whole store.
    pub(crate) fn is_all(&self) -> bool {
        self.prefix.as_ref().is_empty()
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Objects").field(&self.root()).finish()
    }
}

/// Writes a byte of a segment. Source: RFC 3986, section 3.3.
fn encode(byte: u8, name: &mut String) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
        name.push(char::from(byte));
    } else {
        name.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// A listing on its way.
pub(crate) enum Listing {
    Stream(BoxStream<'static, object_store::Result<ObjectMeta>>),
    Pages(Box<Pages>),
}

impl Listing {
    /// What comes next. Behind an error, nothing does.
    pub(crate) async fn next(&mut self) -> Option<Result<Listed, RemoteError>> {
        match self {
            Self::Stream(stream) => {
                let next = stream.next().await?;
                if next.is_err() {
                    *stream = futures_util::stream::empty().boxed();
                }
                Some(next.map(Listed::Object).map_err(|error| RemoteError::of(&error)))
            }
            Self::Pages(pages) => pages.next().await.transpose(),
        }
    }
}

/// A listing page by page. A key that is no path fails its whole page, and could hide all that is listed behind it: so the
/// page is asked for again in smaller ones, until the key stands alone, and then what follows it.
pub(crate) struct Pages {
    store: Arc<dyn PaginatedListStore>,
    prefix: Option<String>,
    /// How the next page is asked for; `None` where there is none.
    next: Option<PaginatedListOptions>,
    listed: VecDeque<ObjectMeta>,
}

/// Keys of a page, where nothing else is said.
const PAGE: usize = 1000;

impl Pages {
    async fn next(&mut self) -> Result<Option<Listed>, RemoteError> {
        loop {
            if let Some(meta) = self.listed.pop_front() {
                return Ok(Some(Listed::Object(meta)));
            }
            let Some(asked) = self.next.take() else { return Ok(None) };
            match self.store.list_paginated(self.prefix.as_deref(), asked.clone()).await {
                Ok(page) => {
                    self.listed = page.result.objects.into();
                    let max_keys = asked.max_keys.map(|keys| 2 * keys).filter(|&keys| keys < PAGE);
                    self.next = page.page_token.map(|token| PaginatedListOptions {
                        page_token: Some(token),
                        max_keys,
                        ..PaginatedListOptions::default()
                    });
                }
                Err(error) => {
                    let key = odd(&error).ok_or_else(|| RemoteError::of(&error))?;
                    let keys = asked.max_keys.unwrap_or(PAGE);
                    if keys > 1 {
                        self.next = Some(PaginatedListOptions { max_keys: Some(keys / 2), ..asked });
                        continue;
                    }
                    if asked.offset.as_deref() == Some(key) {
                        return Err(RemoteError::of(&error)); // the store does not go on behind a key
                    }
                    self.next = Some(PaginatedListOptions {
                        offset: Some(key.to_owned()),
                        max_keys: Some(1),
                        ..PaginatedListOptions::default()
                    });
                    return Ok(Some(Listed::Odd(key.to_owned())));
                }
            }
        }
    }
}

/// The key that is no path, and for which a page failed.
fn odd(error: &object_store::Error) -> Option<&str> {
    match error {
        object_store::Error::InvalidPath {
            source: path::Error::EmptySegment { path } | path::Error::BadSegment { path, .. },
        } => Some(path),
        _ => None,
    }
}
