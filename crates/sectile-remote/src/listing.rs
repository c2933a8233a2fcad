//! Listings of the objects with a prefix.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::stream::{BoxStream, StreamExt};
use object_store::list::{PaginatedListOptions, PaginatedListResult, PaginatedListStore};
use object_store::path::{self, Path};
use object_store::{GetOptions, ListResult, ObjectMeta, ObjectStore};
use reqwest::Url;

use crate::error::RemoteError;
use crate::listed_keys::{UnrequestableKey, UnrequestableKeys, is_changed};
use crate::object::{ListingTime, Timeouts};
use crate::store_url::{self, PrefixLocation};
use crate::{Object, RemoteOptions};

/// The objects of a store whose keys begin with the same segments.
#[derive(Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// The same store, if it supports paged listings.
    pages: Option<Arc<dyn PaginatedListStore>>,
    /// The prefix of the keys without its last slash; empty for the whole store.
    prefix: Path,
    /// The URL of the store, which ends with a slash.
    base: Url,
    /// `None` for stores of the caller.
    timeouts: Option<Timeouts>,
    /// The objects, if the caller listed them.
    listed: Option<Arc<[ListedObject]>>,
}

/// An object in a listing of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// The whole key in its store, without the prefix removed.
    pub key: String,
    /// Length in bytes. Without it, the object is not requested, as if its key were not [requestable](Self::is_requestable).
    pub size: Option<u64>,
    /// The `ETag`, with or without quotes, if the store has one.
    pub etag: Option<String>,
    /// Time of the last modification. One before 1970 or after the year 9999 counts as the nearest of these.
    pub modified: SystemTime,
}

impl ListedObject {
    /// Whether a request can name this key. Some are changed on the way, such as `a//b`.
    pub fn is_requestable(&self) -> bool {
        self.location().is_some()
    }

    fn location(&self) -> Option<Path> {
        Path::parse(&self.key).ok().filter(|_| !is_changed(&self.key))
    }

    fn to_entry(&self) -> ListingEntry {
        let Self { key, size, etag, modified } = self;
        let since = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().min(LAST_TIME);
        match self.location().zip(*size) {
            Some((location, size)) => ListingEntry::Object(ObjectMeta {
                location,
                last_modified: (SystemTime::UNIX_EPOCH + since).into(),
                size,
                e_tag: etag.clone(),
                version: None,
            }),
            None => ListingEntry::InvalidKey { key: key.clone(), size: *size },
        }
    }
}

/// The end of the year 9999, since 1970.
const LAST_TIME: Duration = Duration::from_secs(253_402_300_799);

/// One entry of a listing.
#[derive(Debug)]
pub enum ListingEntry {
    /// An object.
    Object(ObjectMeta),
    /// An object that cannot be requested. Its key is not a valid path, or would be changed.
    InvalidKey {
        /// The key.
        key: String,
        /// Length in bytes, if known.
        size: Option<u64>,
    },
}

impl Objects {
    /// Opens the objects whose prefix a URL names, without a request.
    ///
    /// # Errors
    ///
    /// The URL does not name objects that can be listed, or the configuration in the environment is
    /// invalid.
    pub fn open(url: &str, options: &RemoteOptions) -> Result<Self, RemoteError> {
        let PrefixLocation { store, pages, path, base } = store_url::locate_prefix(url, options)?;
        let timeouts = Some(Timeouts::new(options));
        Ok(Self { store, pages: Some(pages), prefix: path, base, timeouts, listed: None })
    }

    /// Creates the objects with a prefix from a store of the caller and the URL of that store.
    ///
    /// # Errors
    ///
    /// The prefix is invalid for stores, or the URL is invalid or does not end with a slash.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: &str, base_url: &str) -> Result<Self, RemoteError> {
        let prefix = Path::parse(prefix).map_err(|error| RemoteError::InvalidUrl(error.to_string()))?;
        let base = Url::parse(base_url).map_err(|error| RemoteError::InvalidUrl(error.to_string()))?;
        if base.cannot_be_a_base() || !base.path().ends_with('/') {
            return Err(RemoteError::InvalidUrl("the URL of a store must end with a slash".to_owned()));
        }
        Ok(Self { store, pages: None, prefix, base, timeouts: None, listed: None })
    }

    /// Returns the URL of the object with a key. [`Object::open`] accepts it if the key is a valid
    /// path.
    pub fn url(&self, key: &str) -> String {
        let mut url = self.base.as_str().to_owned();
        for (index, segment) in key.split('/').enumerate() {
            if index > 0 {
                url.push('/');
            }
            match segment {
                // Without encoding, these would be resolved as relative segments.
                "." => url.push_str("%2E"),
                ".." => url.push_str("%2E%2E"),
                _ => segment.bytes().for_each(|byte| encode(byte, &mut url)),
            }
        }
        url
    }

    /// Returns the URL of the prefix.
    pub fn root_url(&self) -> String {
        if self.prefix.as_ref().is_empty() { self.base.clone().into() } else { self.url(self.prefix.as_ref()) + "/" }
    }

    /// Returns an object of the store.
    pub fn object(&self, path: Path) -> Object {
        Object::with_timeouts(Arc::clone(&self.store), path, self.timeouts)
    }

    /// Uses this listing instead of that of the store.
    #[must_use]
    pub fn with_listing(self, objects: impl IntoIterator<Item = ListedObject>) -> Self {
        Self { listed: Some(objects.into_iter().collect()), ..self }
    }

    /// Lists the objects in the order of the store, or of the caller's listing.
    pub fn list(&self) -> Listing {
        if let Some(listed) = &self.listed {
            return Listing(ListingSource::Listed(Arc::clone(listed), 0));
        }
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        Listing(match &self.pages {
            None => ListingSource::Stream(self.store.list(prefix), HashSet::new()),
            Some(store) => ListingSource::Pages(PagedListing {
                store: Arc::clone(store),
                prefix: prefix.map(|prefix| format!("{prefix}/")),
                next: Some(PaginatedListOptions::default()),
                listed: VecDeque::new(),
                time: self.timeouts.map(Timeouts::listing_time),
            }),
        })
    }

    /// Returns the object whose key is the prefix itself.
    ///
    /// # Errors
    ///
    /// The object does not exist or cannot be read.
    pub async fn object_at_prefix(&self) -> Result<ObjectMeta, RemoteError> {
        let head = GetOptions { head: true, ..GetOptions::default() };
        let response = self.store.get_opts(&self.prefix, head).await;
        Ok(response.map_err(|error| RemoteError::from_store(&error))?.meta)
    }

    /// Returns whether the prefix may be the key of an object, if the listing is empty.
    pub fn may_be_one_object(&self) -> bool {
        !self.prefix.as_ref().is_empty() && self.listed.is_none()
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Objects").field(&self.root_url()).finish()
    }
}

/// Appends a byte of a segment. Source: RFC 3986, section 3.3.
fn encode(byte: u8, url: &mut String) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
        url.push(char::from(byte));
    } else {
        url.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// A listing in progress.
pub struct Listing(ListingSource);

enum ListingSource {
    /// A store of the caller, and the hashes of its keys so far.
    ///
    /// Stores of `object_store` may list different keys as one path. Requests return the object of
    /// one of them.
    Stream(BoxStream<'static, object_store::Result<ObjectMeta>>, HashSet<u64>),
    Pages(PagedListing),
    /// The objects in a listing of the caller, and the number of the next one.
    Listed(Arc<[ListedObject]>, usize),
}

impl Listing {
    /// Returns the next entry. An error is the last item.
    pub async fn next(&mut self) -> Option<Result<ListingEntry, RemoteError>> {
        match &mut self.0 {
            ListingSource::Stream(stream, listed) => {
                let next = stream.next().await?;
                if next.is_err() {
                    *stream = futures_util::stream::empty().boxed();
                }
                Some(next.map_err(|error| RemoteError::from_listing(&error)).map(|meta| {
                    let mut hasher = DefaultHasher::new();
                    meta.location.hash(&mut hasher);
                    if listed.insert(hasher.finish()) {
                        ListingEntry::Object(meta)
                    } else {
                        ListingEntry::InvalidKey { key: meta.location.into(), size: Some(meta.size) }
                    }
                }))
            }
            ListingSource::Pages(pages) => pages.next().await.transpose(),
            ListingSource::Listed(listed, next) => {
                let object = listed.get(*next)?;
                *next += 1;
                Some(Ok(object.to_entry()))
            }
        }
    }
}

/// A listing in pages.
///
/// A key that is not a valid path fails its whole page, which could hide the keys after it. Smaller
/// pages are then requested until the key is alone, and the listing continues after it.
struct PagedListing {
    store: Arc<dyn PaginatedListStore>,
    prefix: Option<String>,
    /// The options of the next page; `None` after the last one.
    next: Option<PaginatedListOptions>,
    listed: VecDeque<ListingEntry>,
    /// `None` for stores of the caller.
    time: Option<ListingTime>,
}

/// Default number of keys in a page.
const PAGE_SIZE: usize = 1000;

impl PagedListing {
    async fn next(&mut self) -> Result<Option<ListingEntry>, RemoteError> {
        loop {
            if let Some(entry) = self.listed.pop_front() {
                return Ok(Some(entry));
            }
            let Some(options) = self.next.take() else { return Ok(None) };
            match self.page(options.clone()).await? {
                Ok(page) => {
                    self.listed = entries(page.result);
                    if let Some(time) = &mut self.time {
                        time.add_keys(self.listed.len());
                    }
                    let max_keys = options.max_keys.map(|keys| 2 * keys).filter(|&keys| keys < PAGE_SIZE);
                    self.next = page.page_token.map(|token| PaginatedListOptions {
                        page_token: Some(token),
                        max_keys,
                        ..PaginatedListOptions::default()
                    });
                }
                Err(error) => {
                    let key = invalid_key(&error).ok_or_else(|| RemoteError::from_listing(&error))?;
                    let keys = options.max_keys.unwrap_or(PAGE_SIZE);
                    if keys > 1 {
                        self.next = Some(PaginatedListOptions { max_keys: Some(keys / 2), ..options });
                        continue;
                    }
                    if options.offset.as_deref() == Some(key) {
                        return Err(RemoteError::from_listing(&error)); // the store does not continue after this key
                    }
                    self.next = Some(PaginatedListOptions {
                        offset: Some(key.to_owned()),
                        max_keys: Some(1),
                        ..PaginatedListOptions::default()
                    });
                    return Ok(Some(ListingEntry::InvalidKey { key: key.to_owned(), size: None }));
                }
            }
        }
    }
}

impl PagedListing {
    /// Requests a page within the remaining time of the listing.
    async fn page(
        &mut self,
        options: PaginatedListOptions,
    ) -> Result<object_store::Result<PaginatedListResult>, RemoteError> {
        let page = self.store.list_paginated(self.prefix.as_deref(), options);
        match &mut self.time {
            Some(time) => time.wait(page).await,
            None => Ok(page.await),
        }
    }
}

/// Returns the objects of a page, including those that cannot be requested, in their original
/// order.
fn entries(mut page: ListResult) -> VecDeque<ListingEntry> {
    let UnrequestableKeys(keys) = page.extensions.remove().unwrap_or_default();
    let mut entries = VecDeque::with_capacity(page.objects.len() + keys.len());
    let mut keys = keys.into_iter().peekable();
    let mut invalid = |position: usize| {
        let UnrequestableKey { key, size, .. } = keys.next_if(|key| key.position <= position)?;
        Some(ListingEntry::InvalidKey { key, size })
    };
    for (position, meta) in page.objects.into_iter().enumerate() {
        entries.extend(std::iter::from_fn(|| invalid(position)));
        entries.push_back(ListingEntry::Object(meta));
    }
    entries.extend(std::iter::from_fn(|| invalid(usize::MAX)));
    entries
}

/// Returns the key that failed its page because it is not a valid path.
fn invalid_key(error: &object_store::Error) -> Option<&str> {
    match error {
        object_store::Error::InvalidPath {
            source: path::Error::EmptySegment { path } | path::Error::BadSegment { path, .. },
        } => Some(path),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use object_store::memory::InMemory;

    use super::*;

    /// A store with endless pages of some keys.
    #[derive(Debug)]
    struct Endless {
        keys: usize,
        pause: Duration,
    }

    #[async_trait::async_trait]
    impl PaginatedListStore for Endless {
        async fn list_paginated(
            &self,
            _: Option<&str>,
            _: PaginatedListOptions,
        ) -> object_store::Result<PaginatedListResult> {
            tokio::time::sleep(self.pause).await;
            let meta = |nth: usize| ObjectMeta {
                location: Path::from(nth.to_string()),
                last_modified: std::time::SystemTime::UNIX_EPOCH.into(),
                size: 1,
                e_tag: None,
                version: None,
            };
            let objects = (0..self.keys).map(meta).collect();
            let result =
                ListResult { common_prefixes: Vec::new(), objects, extensions: object_store::Extensions::default() };
            Ok(PaginatedListResult { result, page_token: Some("next".to_owned()) })
        }
    }

    /// Lists up to this many entries. Returns their number, and the error that ended the listing.
    fn list(keys: usize, pause: Duration, most: usize) -> (usize, Option<RemoteError>) {
        let options = RemoteOptions { object_timeout: Duration::from_millis(200), ..RemoteOptions::default() };
        let objects = Objects {
            store: Arc::new(InMemory::new()),
            listed: None,
            pages: Some(Arc::new(Endless { keys, pause })),
            prefix: Path::default(),
            base: Url::parse("s3://bucket/").unwrap(),
            timeouts: Some(Timeouts::new(&options)),
        };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let mut listing = objects.list();
            for listed in 0..most {
                match listing.next().await {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return (listed, Some(error)),
                    None => return (listed, None),
                }
            }
            (most, None)
        })
    }

    #[test]
    fn pages_share_the_time_of_their_listing() {
        let begun = Instant::now();
        assert_eq!(list(0, Duration::from_millis(20), 1), (0, Some(RemoteError::TimedOut)));
        assert_eq!(list(1_000, Duration::from_secs(3_600), 1), (0, Some(RemoteError::TimedOut)));
        let (listed, error) = list(1, Duration::from_millis(40), 1_000);
        assert!(listed < 10 && error == Some(RemoteError::TimedOut), "{listed} {error:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        // Keys add time.
        assert_eq!(list(100, Duration::from_millis(20), 3_000), (3_000, None));
    }
}
