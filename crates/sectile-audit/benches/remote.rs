//! Reads remote objects, and audits of them. One run suffices, because waiting dominates.
//!
//! - Round trips for the metadata of one object by ranges. The target is the number of clusters of headers more than 64 KiB apart; for a component of 590 sections it is 8 round trips and 1 MiB.
//! - Metadata of 1,000 objects in a store with 20 ms per request: by ranges with 100 requests in flight, compared with one full GET after the other. The target is 50 times as fast.
//! - Audits of that store with different numbers of requests in flight, compared with the waiting time alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sectile::Limits;
use sectile::drive::FetchOptions;
use sectile_audit::{Audit, Format, Progress, Root, WalkOptions};
use sectile_policy::Policy;
use sectile_remote::object_store::memory::InMemory;
use sectile_remote::object_store::throttle::{ThrottleConfig, ThrottledStore};
use sectile_remote::object_store::{ObjectStore, ObjectStoreExt};
use sectile_remote::{Object, read_many};
use sectile_testing::bench::inputs::{COMPONENT, DUCKDB, Input, OPENCASCADE, RUBY_DEBUG, input};
use sectile_testing::bench::shapes;
use sectile_testing::clusters::clusters;

const OBJECTS: usize = 1_000;
const IN_FLIGHT: usize = 100;
const REQUEST: Duration = Duration::from_millis(20);
/// Target: the speed of ranges in flight relative to full GETs.
const FASTER: f64 = 50.0;

fn main() {
    // `cargo test --benches` runs it briefly.
    let objects = if std::env::args().any(|arg| arg == "--bench") { OBJECTS } else { 20 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let store = runtime.block_on(run(objects));
    audit(&store, objects);
}

/// Audits the whole store. Each object takes one request.
fn audit(store: &Arc<dyn ObjectStore>, objects: usize) {
    const THREADS: usize = 2;
    let roots = [Root::objects(Arc::clone(store), "", "memory://store/").expect("it is called by a URL")];
    for in_flight in [1, 4, 16, 50] {
        let mut options = WalkOptions::default();
        options.in_flight = in_flight;
        let audit = Audit::new(Policy::default()).with_threads(THREADS).with_walk(options);
        let begun = Instant::now();
        let mut answer = Vec::new();
        let outcome =
            audit.run(&roots, Some(Format::Jsonl), &mut answer, &Progress::new()).expect("memory can be written");
        let took = begun.elapsed();
        assert_eq!(outcome.summary.accepted, objects as u64);
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
    store.put(&id.as_str().into(), bytes.into()).await.expect("memory can be written");
    let mut object = Object::new(Arc::new(store), &id).expect("it is a path");
    let read = sectile::read_fetch_with(&mut object, FetchOptions::default(), Limits::default()).await;
    let cost = read.cost();
    read.complete().expect("the value is valid");
    let (most, bytes) = if name == COMPONENT { (8, 1 << 20) } else { (clusters, u64::MAX) };
    let verdict = if cost.reads <= most && cost.bytes <= bytes { "reached" } else { "MISSED" };
    println!(
        "| remote/{id}: {} round trips (to reach {most}; {clusters} clusters of headers), {} bytes of {size}: {verdict}",
        cost.reads, cost.bytes
    );
}

async fn many(objects: usize) -> Arc<dyn ObjectStore> {
    let bytes = shapes::many_sections(500);
    let inner = InMemory::new();
    for nth in 0..objects {
        inner.put(&path(nth).as_str().into(), bytes.clone().into()).await.expect("memory can be written");
    }
    let config = ThrottleConfig { wait_get_per_call: REQUEST, ..ThrottleConfig::default() };
    let store: Arc<dyn ObjectStore> = Arc::new(ThrottledStore::new(inner, config));

    let begun = Instant::now();
    for nth in 0..objects {
        let whole = store
            .get(&path(nth).as_str().into())
            .await
            .expect("the file exists")
            .bytes()
            .await
            .expect("the input is complete");
        sectile::read_slice(&whole).expect("the value is valid");
    }
    let one_by_one = begun.elapsed();

    let begun = Instant::now();
    let sources = (0..objects).map(|nth| Object::new(Arc::clone(&store), &path(nth)).expect("it is a path"));
    let mut read = 0;
    read_many(sources, IN_FLIGHT, FetchOptions::default(), Limits::default(), |_, reading| {
        reading.complete().expect("the value is valid");
        read += 1;
    })
    .await;
    let by_ranges = begun.elapsed();

    assert_eq!(read, objects);
    println!("{objects} objects: full GETs one by one {one_by_one:?}, by ranges {by_ranges:?}");
    let ratio = one_by_one.as_secs_f64() / by_ranges.as_secs_f64();
    // With few objects, few requests are in flight.
    let verdict = if objects < OBJECTS {
        "not measured"
    } else if ratio >= FASTER {
        "reached"
    } else {
        "MISSED"
    };
    println!("| remote/{objects} objects: {ratio:.1} x as fast as full GETs (to reach {FASTER}): {verdict}");
    store
}

fn path(nth: usize) -> String {
    format!("objects/{nth}.wasm")
}
