//! What is far away. The round trips that an input's metadata takes by ranges, against a full GET: to reach are as many as
//! there are clusters of headers more than 64 KiB apart, and for a component of 590 sections 8, and 1 MiB. And 1,000 objects
//! in a store that takes 20 ms a request: their metadata by ranges, 100 requests in flight, against a full GET of one after
//! the other: to reach is 50 times as fast; and audits of that store, with more and more in flight, against what the waiting
//! alone comes to. One run is enough: what is measured is the waiting.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sectile::Policy;
use sectile::audit::{Audit, Form, Progress, Root, WalkOptions};
use sectile::drive::FetchOptions;
use sectile::remote::object_store::memory::InMemory;
use sectile::remote::object_store::throttle::{ThrottleConfig, ThrottledStore};
use sectile::remote::object_store::{ObjectStore, ObjectStoreExt};
use sectile::remote::{Object, read_all};
use sectile::{Limits, read_fetch, read_slice};

use support::clusters::clusters;
use support::inputs::{COMPONENT, DUCKDB, Input, OPENCASCADE, RUBY_DEBUG, input};
use support::shapes;

mod support;

const OBJECTS: usize = 1_000;
const IN_FLIGHT: usize = 100;
const REQUEST: Duration = Duration::from_millis(20);
/// So many times as fast are ranges in flight to be as full GETs of one after the other.
const FASTER: f64 = 50.0;

fn main() {
    // `cargo test --benches` runs it for a moment.
    let objects = if std::env::args().any(|arg| arg == "--bench") { OBJECTS } else { 20 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let store = runtime.block_on(run(objects));
    audit(&store, objects);
}

/// Audits of the whole store, each object of which takes one request.
fn audit(store: &Arc<dyn ObjectStore>, objects: usize) {
    const THREADS: usize = 2;
    let roots = [Root::objects(Arc::clone(store), "", "memory://store/").expect("it is called by a URL")];
    for in_flight in [1, 4, 16, 50] {
        let mut options = WalkOptions::default();
        options.in_flight = in_flight;
        let audit = Audit::new(Policy::default()).on_threads(THREADS).with_walk(options);
        let begun = Instant::now();
        let mut answer = Vec::new();
        let audited = audit.run(&roots, Some(Form::Jsonl), &mut answer, &Progress::new()).expect("memory has room");
        let took = begun.elapsed();
        assert_eq!(audited.summary.accepted, objects as u64);
        let waits = REQUEST * objects as u32 / (THREADS * in_flight) as u32;
        let ratio = took.as_secs_f64() / waits.as_secs_f64();
        println!(
            "audit, {in_flight} in flight on each of {THREADS} threads: {took:?}; waits {waits:?}; ratio: {ratio:.2} x"
        );
    }
}

async fn run(objects: usize) -> Arc<dyn ObjectStore> {
    for name in [OPENCASCADE, RUBY_DEBUG, DUCKDB, COMPONENT] {
        round_trips(name).await;
    }
    many(objects).await
}

async fn round_trips(name: &str) {
    let Input { id, bytes } = input(name);
    let (size, clusters) = (bytes.len(), clusters(&bytes));
    let store = InMemory::new();
    store.put(&id.as_str().into(), bytes.into()).await.expect("memory has room");
    let mut object = Object::of(Arc::new(store), &id).expect("it is a path");
    let read = read_fetch(&mut object, FetchOptions::default(), Limits::default()).await.expect("it is WebAssembly");
    let cost = read.cost;
    read.complete().expect("it is sound");
    let (most, bytes) = if name == COMPONENT { (8, 1 << 20) } else { (clusters, u64::MAX) };
    let verdict = if cost.reads <= most && cost.bytes <= bytes { "reached" } else { "MISSED" };
    println!(
        "| {id}: {} round trips (to reach {most}; {clusters} clusters of headers), {} bytes of {size}: {verdict}",
        cost.reads, cost.bytes
    );
}

async fn many(objects: usize) -> Arc<dyn ObjectStore> {
    let bytes = shapes::many_sections(500);
    let inner = InMemory::new();
    for nth in 0..objects {
        inner.put(&path(nth).as_str().into(), bytes.clone().into()).await.expect("memory has room");
    }
    let config = ThrottleConfig { wait_get_per_call: REQUEST, ..ThrottleConfig::default() };
    let store: Arc<dyn ObjectStore> = Arc::new(ThrottledStore::new(inner, config));

    let begun = Instant::now();
    for nth in 0..objects {
        let whole =
            store.get(&path(nth).as_str().into()).await.expect("it is there").bytes().await.expect("it is whole");
        read_slice(&whole, Limits::default()).expect("it is WebAssembly").complete().expect("it is sound");
    }
    let one_by_one = begun.elapsed();

    let begun = Instant::now();
    let sources = (0..objects).map(|nth| Object::of(Arc::clone(&store), &path(nth)).expect("it is a path"));
    let mut read = 0;
    read_all(sources, IN_FLIGHT, FetchOptions::default(), Limits::default(), |_, reading| {
        reading.expect("it is WebAssembly").complete().expect("it is sound");
        read += 1;
    })
    .await;
    let by_ranges = begun.elapsed();

    assert_eq!(read, objects);
    println!("{objects} objects: full GETs one by one {one_by_one:?}, by ranges {by_ranges:?}");
    let ratio = one_by_one.as_secs_f64() / by_ranges.as_secs_f64();
    // (Of a few objects, no more than a few are in flight.)
    let verdict = if objects < OBJECTS {
        "not measured"
    } else if ratio >= FASTER {
        "reached"
    } else {
        "MISSED"
    };
    println!("  {ratio:.1} x as fast (to reach {FASTER}): {verdict}");
    store
}

fn path(nth: usize) -> String {
    format!("objects/{nth}.wasm")
}
