//! Counts the requests of an audit for the objects of a store that has the corpus many times, for different costs of a
//! request, and compares the time of an audit with the model of `docs/scale.md`.
//!
//! `SECTILE_OBJECTS` sets the number of objects; 2,000 by default. `docs/scale.md` has the results for 1,000,000.

use std::fmt;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use sectile_audit::{Audit, AuditOutcome, Format, InsideSearch, Progress, Root, WalkOptions};
use sectile_policy::Policy;
use sectile_remote::object_store::memory::InMemory;
use sectile_remote::object_store::path::Path;
use sectile_remote::object_store::throttle::{ThrottleConfig, ThrottledStore};
use sectile_remote::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use sectile_testing::bench::rounds::processor;
use sectile_testing::files::project;

/// Numbers of bytes that cost as much as a request.
const COSTS: [u64; 5] = [0, 64 << 10, 256 << 10, 1 << 20, 4 << 20];
const THREADS: usize = 2;
const IN_FLIGHT: usize = 16;
const DELAY: Duration = Duration::from_millis(20);
/// Target: time of an audit relative to the model.
const SLOWER: f64 = 1.25;

fn main() {
    // `cargo test --benches` runs it briefly.
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let objects = std::env::var("SECTILE_OBJECTS").ok().and_then(|objects| objects.parse().ok());
    let objects = objects.unwrap_or(if is_bench { 2_000 } else { 20 });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (kinds, inner) = runtime.block_on(kinds());
    println!("{objects} objects, {} kinds", kinds.len());
    for cost in COSTS {
        let store = Arc::new(RepeatedStore::new(&kinds, &inner, objects));
        let begun = processor();
        let outcome = audit(Arc::clone(&store) as _, cost);
        let microseconds = (processor() - begun) * 1e6 / objects as f64;
        assert_eq!(outcome.summary.rows, objects as u64, "each object is a binary");
        let (requests, bytes) = store.counts();
        let (requests, bytes) = (requests as f64 / objects as f64, bytes / objects as u64);
        println!(
            "| requests/cost-{cost}: {requests:.2} requests, {bytes} bytes and {microseconds:.0} µs of processor time for an object"
        );
    }
    model(&kinds, &inner, objects.min(2_000));
}

/// Compares an audit of a store that delays each request with the model.
fn model(kinds: &[ObjectMeta], inner: &Arc<InMemory>, objects: usize) {
    let store = Arc::new(RepeatedStore::new(kinds, inner, objects));
    let config = ThrottleConfig { wait_get_per_call: DELAY, ..ThrottleConfig::default() };
    let begun = Instant::now();
    audit(Arc::new(ThrottledStore::new(Arc::clone(&store), config)), WalkOptions::default().request_cost);
    let took = begun.elapsed().as_secs_f64();
    let (requests, _) = store.counts();
    let expected = DELAY.as_secs_f64() * requests as f64 / (THREADS * IN_FLIGHT) as f64;
    let ratio = took / expected;
    let verdict = if ratio <= SLOWER { "reached" } else { "MISSED" };
    println!("| requests/model: {took:.2} s, {ratio:.2} x the waits of the model (to reach {SLOWER}): {verdict}");
}

fn audit(store: Arc<dyn ObjectStore>, request_cost: u64) -> AuditOutcome {
    let mut options = WalkOptions::default();
    (options.in_flight, options.request_cost, options.inside) = (IN_FLIGHT, request_cost, InsideSearch::Never);
    let roots = [Root::objects(store, "", "memory://store/").expect("it is called by a URL")];
    let audit = Audit::new(Policy::default()).with_threads(THREADS).with_walk(options);
    audit.run(&roots, Some(Format::Jsonl), &mut std::io::sink(), &Progress::new()).expect("nothing is written")
}

/// A store of the files of the corpus, or of those of the tests if the corpus was not fetched.
async fn kinds() -> (Vec<ObjectMeta>, Arc<InMemory>) {
    let corpus = project().join("benches/corpus/files");
    let files = fs::read_dir(&corpus).or_else(|_| fs::read_dir(project().join("tests/files"))).expect("it exists");
    let store = InMemory::new();
    for file in files.flatten().filter(|file| file.path().extension().is_some_and(|extension| extension == "wasm")) {
        let (name, bytes) = (file.file_name(), fs::read(file.path()).expect("it can be read"));
        store.put(&Path::from(name.to_string_lossy().as_ref()), bytes.into()).await.expect("memory can be written");
    }
    let mut kinds: Vec<_> = store.list(None).map(|meta| meta.expect("memory can be listed")).collect().await;
    kinds.sort_by(|a, b| a.location.cmp(&b.location));
    // An object that was just written could still change.
    for kind in &mut kinds {
        kind.last_modified = SystemTime::UNIX_EPOCH.into();
    }
    (kinds, Arc::new(store))
}

/// A store that has the same objects under many names, and counts the requests for them.
#[derive(Debug)]
struct RepeatedStore {
    kinds: Vec<ObjectMeta>,
    inner: Arc<InMemory>,
    objects: usize,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl RepeatedStore {
    fn new(kinds: &[ObjectMeta], inner: &Arc<InMemory>, objects: usize) -> Self {
        let (requests, bytes) = Default::default();
        Self { kinds: kinds.to_vec(), inner: Arc::clone(inner), objects, requests, bytes }
    }

    fn counts(&self) -> (u64, u64) {
        (self.requests.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

impl fmt::Display for RepeatedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("repeated")
    }
}

fn only_read<T>() -> Result<T> {
    Err(Error::NotImplemented { operation: "another one".to_owned(), implementer: "repeated".to_owned() })
}

#[async_trait]
impl ObjectStore for RepeatedStore {
    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let kind = path.filename().map(Path::from).expect("it was listed");
        let mut answer = self.inner.get_opts(&kind, GetOptions { if_match: None, ..options }).await?;
        self.bytes.fetch_add(answer.range.end - answer.range.start, Ordering::Relaxed);
        answer.meta.location = path.clone();
        answer.meta.last_modified = SystemTime::UNIX_EPOCH.into();
        Ok(answer)
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let kinds = self.kinds.clone();
        let listed = (0..self.objects).map(move |nth| {
            let kind = &kinds[nth % kinds.len()];
            let location = Path::from(format!("{nth:09}/{}", kind.location));
            Ok(ObjectMeta { location, ..kind.clone() })
        });
        stream::iter(listed).boxed()
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        only_read()
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        only_read()
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::once(async { only_read() }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        only_read()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        only_read()
    }
}
