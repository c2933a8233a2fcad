//! A store in memory that counts requests and behaves like real stores.

use super::*;

/// A store in memory that counts requests and behaves like real stores.
#[derive(Debug, Default)]
pub(super) struct WatchedStore {
    pub(super) inner: InMemory,
    /// Number of requests for each object.
    pub(super) requests: Mutex<HashMap<String, usize>>,
    /// Number of bytes in all answers.
    pub(super) transferred: AtomicU64,
    pub(super) now: AtomicUsize,
    /// Maximum number of concurrent requests.
    pub(super) most: AtomicUsize,
    pub(super) listed: Arc<AtomicUsize>,
    /// Maximum number of listed objects without a request.
    pub(super) ahead: AtomicUsize,
    /// Whether requests take some milliseconds, depending on the path.
    pub(super) is_slow: bool,
    /// The object whose requests take until this many objects were requested.
    pub(super) is_held_until: Option<(&'static str, usize)>,
    /// Number of objects before the listing fails.
    pub(super) listing_fails_after: Option<usize>,
    /// The object that changes before its second request.
    pub(super) changes: Option<&'static str>,
    /// The object whose request panics.
    pub(super) panics: Option<&'static str>,
    /// The object that is deleted after the listing.
    pub(super) vanishes: Option<&'static str>,
    /// The object whose answers, except the first, are bad.
    pub(super) bad_answer: Option<(&'static str, BadAnswer)>,
    /// Whether objects have no tags, only a modification time in seconds.
    pub(super) is_untagged: bool,
    pub(super) written: AtomicU64,
    /// Whether the object was replaced.
    pub(super) is_done: AtomicBool,
}

/// A bad answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum BadAnswer {
    /// It ends early.
    Cut,
    /// It fails.
    Breaks,
    /// It has more bytes than it states.
    More,
    /// It is another range.
    Elsewhere,
    /// Its bytes never arrive.
    Hangs,
    /// The store never answers.
    Silent,
    Denied,
}

impl BadAnswer {
    fn of(self, mut answer: GetResult) -> Result<GetResult> {
        let empty = GetResultPayload::Stream(stream::empty().boxed());
        let GetResultPayload::Stream(chunks) = mem::replace(&mut answer.payload, empty) else { panic!("no stream") };
        let chunks: Vec<_> = wait_within(chunks.collect());
        let (last, most) =
            chunks.split_last().map(|(last, most)| (last.as_ref().unwrap().clone(), most.len())).unwrap();
        let most = stream::iter(chunks).take(most);
        answer.payload = GetResultPayload::Stream(match self {
            Self::Cut => most.boxed(),
            Self::Breaks => most.chain(stream::iter([Err(store_error())])).boxed(),
            Self::More => most.chain(stream::iter([Ok(last.clone()), Ok(last)])).boxed(),
            Self::Hangs => most.chain(stream::pending()).boxed(),
            Self::Elsewhere => {
                answer.range = answer.range.start + 1..answer.range.end + 1;
                most.chain(stream::iter([Ok(last)])).boxed()
            }
            Self::Silent => unreachable!("it has no answer"),
            Self::Denied => {
                return Err(Error::PermissionDenied { path: "5ec12e7".to_owned(), source: "5ec12e7".into() });
            }
        });
        Ok(answer)
    }
}

/// The metadata of an object without tags.
pub(super) fn untagged(meta: ObjectMeta, written: u64) -> ObjectMeta {
    let last_modified = (SystemTime::UNIX_EPOCH + Duration::from_secs(written)).into();
    ObjectMeta { e_tag: None, last_modified, ..meta }
}

pub(super) fn store_error() -> Error {
    Error::Generic { store: "watched", source: "it says http://me:5ec12e7@host/?key=5ec12e7".into() }
}

/// Splits an answer into chunks, some of them empty.
pub(super) fn in_chunks(mut answer: GetResult) -> GetResult {
    let empty = GetResultPayload::Stream(stream::empty().boxed());
    let GetResultPayload::Stream(whole) = mem::replace(&mut answer.payload, empty) else { panic!("no stream") };
    let chunks = whole.flat_map(|whole| {
        let whole = whole.unwrap();
        let chunks: Vec<_> = whole.chunks(40_000).map(|chunk| whole.slice_ref(chunk)).collect();
        stream::iter([whole.slice(..0)].into_iter().chain(chunks).map(Ok))
    });
    answer.payload = GetResultPayload::Stream(chunks.boxed());
    answer
}

impl fmt::Display for WatchedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("watched")
    }
}

impl WatchedStore {
    pub(super) fn with(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.keep(path, bytes);
        self
    }

    pub(super) fn keep(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = Path::parse(path).unwrap();
        wait(self.inner.put(&path, PutPayload::from(bytes.as_ref().to_vec()))).unwrap();
    }

    /// Adds all files of a directory.
    pub(super) fn filled(self, directory: &FilePath) -> Self {
        for entry in walkdir::WalkDir::new(directory).into_iter().map(std::result::Result::unwrap) {
            if entry.file_type().is_file() {
                let path = entry.path().strip_prefix(directory).unwrap().to_str().unwrap();
                self.keep(path, fs::read(entry.path()).unwrap());
            }
        }
        self
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.lock().unwrap().values().sum()
    }

    pub(super) fn requests_for(&self, path: &str) -> usize {
        self.requests.lock().unwrap().get(path).copied().unwrap_or(0)
    }

    pub(super) fn forget(&self) {
        self.requests.lock().unwrap().clear();
    }
}

#[async_trait]
impl ObjectStore for WatchedStore {
    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let (nth, all) = {
            let mut requests = self.requests.lock().unwrap();
            let nth = requests.entry(path.to_string()).or_default();
            *nth += 1;
            (*nth, requests.len())
        };
        self.ahead.fetch_max(self.listed.load(Ordering::SeqCst).saturating_sub(all), Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        if self.is_slow {
            let hash = path.as_ref().bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            tokio::time::sleep(Duration::from_millis(hash % 12)).await;
        }
        if let Some((_, all)) = self.is_held_until.filter(|(held, _)| *held == path.as_ref()) {
            let begun = Instant::now();
            while self.requests.lock().unwrap().len() < all {
                assert!(begun.elapsed() < Duration::from_secs(60), "fewer than {all} objects are requested");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        assert_ne!(self.panics, Some(path.as_ref()), "as this store does");
        if self.changes == Some(path.as_ref()) && nth > 1 && !self.is_done.swap(true, Ordering::SeqCst) {
            self.inner.put(path, PutPayload::from(large_module(1))).await?;
        }
        let answer = self.inner.get_opts(path, options).await.map(in_chunks);
        self.now.fetch_sub(1, Ordering::SeqCst);
        let mut answer = answer?;
        self.transferred.fetch_add(answer.range.end - answer.range.start, Ordering::SeqCst);
        if self.is_untagged {
            answer.meta = untagged(answer.meta, self.written.load(Ordering::SeqCst));
        }
        match self.bad_answer.filter(|(of, _)| nth > 1 && *of == path.as_ref()) {
            None => Ok(answer),
            Some((_, BadAnswer::Silent)) => std::future::pending().await,
            Some((_, bad_answer)) => bad_answer.of(answer),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let listed: Vec<_> = wait_within(self.inner.list(prefix).collect());
        let count = Arc::clone(&self.listed);
        let is_untagged = self.is_untagged;
        let written = self.written.load(Ordering::SeqCst);
        let listed = stream::iter(listed)
            .map(move |meta| if is_untagged { meta.map(|meta| untagged(meta, written)) } else { meta });
        let counted = listed.inspect(move |_| _ = count.fetch_add(1, Ordering::SeqCst));
        if let Some(path) = self.vanishes {
            wait_within(self.inner.delete(&path.into())).unwrap();
        }
        match self.listing_fails_after {
            None => counted.boxed(),
            Some(many) => counted.take(many).chain(stream::iter([Err(store_error())])).boxed(),
        }
    }

    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented { operation: "put".to_owned(), implementer: "watched".to_owned() })
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
