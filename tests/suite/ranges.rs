//! Range requests: their cost, and sources that fail or contradict themselves. Tests that use
//! `sectile_testing::all_drivers` compare them with the other drivers.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use sectile::Cost;
use sectile::drive::{self, Fetch, FetchOptions, Fetched, PrefetchedHead};
use sectile::metadata::StreamReader;
use sectile::{Error, Limits, Metadata, Outcome, read_fetch, read_fetch_with, read_slice};
use sectile_testing::parts_of;

use sectile_testing::all_drivers;
use sectile_testing::binary::{COMPONENT, MODULE, component, custom, module, section};
use sectile_testing::clusters::clusters;
use sectile_testing::ranges::{Ranges, now};
use sectile_testing::shapes;

/// The file of the corpus, if it was fetched, and a binary of the same shape.
fn real_and_synthetic(name: &str, like: Vec<u8>) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/corpus/files").join(name);
    fs::read(path).into_iter().chain([like]).collect()
}

/// Reads with the default options, asserts that a slice has the same metadata, and returns the
/// cost.
fn cost_of(bytes: &[u8]) -> Cost {
    let outcome = now(read_fetch_with(&mut Ranges::of(bytes), FetchOptions::default(), Limits::default()));
    let cost = outcome.cost();
    assert_eq!(outcome.complete().unwrap(), read_slice(bytes).unwrap());
    cost
}

#[test]
fn a_module_costs_one_request_per_cluster_of_headers() {
    for (name, parts, most) in [
        ("opencascade.wasm", &shapes::OPENCASCADE[..], 4),
        // 10 clusters of section headers and one of subsections of the name section.
        ("ruby.debug-stdlib.wasm", &shapes::RUBY_DEBUG, 11),
        ("duckdb-mvp.wasm", &shapes::DUCKDB, 6),
    ] {
        for bytes in real_and_synthetic(name, shapes::module(parts)) {
            let cost = cost_of(&bytes);
            assert!(cost.reads <= clusters(&bytes) && cost.reads <= most, "{name}: {cost:?}");
            assert!(cost.bytes <= cost.reads * (256 << 10), "{name}: {cost:?}");
        }
    }
}

#[test]
fn a_component_costs_eight_requests_and_a_mebibyte() {
    for bytes in real_and_synthetic("componentize-py.component.wasm", shapes::component()) {
        let cost = cost_of(&bytes);
        assert!(cost.reads <= 8 && cost.bytes <= 1 << 20, "{cost:?}");
    }
}

#[test]
fn a_small_input_costs_one_request() {
    let bytes = module(&[custom("licenses", "MIT"), section(10, &[0; 9_000]), custom("vendor", "v")]);
    assert_eq!(cost_of(&bytes), Cost { bytes: bytes.len() as u64, reads: 1 });
    // A source of unknown length is read until an empty answer.
    let mut silent = Ranges::silent(&bytes);
    let outcome = now(read_fetch_with(&mut silent, FetchOptions::default(), Limits::default()));
    assert_eq!((outcome.cost(), outcome.is_complete()), (Cost { bytes: bytes.len() as u64, reads: 2 }, true));
}

#[test]
fn a_large_section_costs_one_request() {
    let body = section(10, &vec![0; 300_000]);
    for sections in 0..20 {
        let bodies: Vec<Vec<u8>> = (0..sections).map(|_| custom("large", &body)).collect();
        let cost = cost_of(&module(&bodies));
        assert!(cost.reads <= (sections as u64).max(1), "{sections}: {cost:?}");
    }
}

#[test]
fn expensive_requests_fetch_more_at_once() {
    let bytes = shapes::component();
    let cost = |micros| {
        let options = FetchOptions { latency: std::time::Duration::from_micros(micros), ..Default::default() };
        let outcome = now(read_fetch_with(&mut Ranges::of(&bytes), options, Limits::default()));
        assert!(outcome.is_complete());
        outcome.cost()
    };
    let costs = [1_000, 10_000, 50_000, 1_000_000].map(cost);
    assert!(costs.is_sorted_by_key(|cost| cost.bytes), "{costs:?}");
    assert!(costs.iter().rev().is_sorted_by_key(|cost| cost.reads), "{costs:?}");
}

#[test]
fn the_future_is_send() {
    fn sent<T: Send>(future: T) -> T {
        future
    }
    let bytes = module(&[custom("licenses", "MIT")]);
    let mut source = Ranges::of(&bytes);
    now(sent(read_fetch(&mut source))).unwrap();
    let mut source = Ranges::of(&bytes);
    let future = sent(read_fetch_with(&mut source, FetchOptions::default(), Limits::default()));
    now(future).complete().unwrap();
}

/// A tree of items with metadata, and with skipped bodies between them.
fn sample() -> Vec<u8> {
    let body = section(2, &[7; 3_000]);
    component(&[custom("licenses", "MIT"), body.clone(), custom("component-name", [0; 0]), body, custom("vendor", "v")])
}

/// Requests without latency, so that nothing is fetched in advance.
fn no_latency() -> FetchOptions {
    FetchOptions { latency: std::time::Duration::ZERO, ..Default::default() }
}

#[test]
fn truncation_anywhere_is_the_error_of_a_slice() {
    let bytes = sample();
    for cut in (0..bytes.len()).filter(|cut| cut % 7 == 0 || *cut < 100) {
        _ = all_drivers::scan(&bytes[..cut], Limits::default());
    }
}

/// A source whose function gets the number of the request and the range.
struct FakeSource<F>(u64, F);

impl<F: FnMut(u64, Range<u64>) -> io::Result<Fetched> + Send> Fetch for FakeSource<F> {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        self.0 += 1;
        (self.1)(self.0 - 1, range)
    }
}

fn read<'a>(
    options: FetchOptions,
    answer: impl FnMut(u64, Range<u64>) -> io::Result<Fetched> + Send + 'a,
) -> Outcome<Metadata<'static>> {
    now(read_fetch_with(&mut FakeSource(0, answer), options, Limits::default()))
}

fn correct(bytes: &[u8], range: &Range<u64>) -> Fetched {
    let len = bytes.len() as u64;
    let bytes = bytes[range.start.min(len) as usize..range.end.min(len) as usize].to_vec();
    Fetched::new(bytes, Some(len))
}

/// The error that ended a pass early.
fn error_of<T>(outcome: Outcome<T>) -> Error {
    outcome.into_parts().1.unwrap()
}

#[test]
fn each_failing_request_keeps_earlier_values() {
    let bytes = sample();
    let whole = read(no_latency(), |_, range| Ok(correct(&bytes, &range)));
    assert!(whole.is_complete() && whole.cost().reads >= 10);
    for failing in 0..whole.cost().reads {
        let mut failed = 0;
        let outcome = read(no_latency(), |nth, range| {
            if nth < failing {
                return Ok(correct(&bytes, &range));
            }
            failed = range.start;
            Err(io::Error::other("EIO"))
        });
        let pushed_metadata = all_drivers::pushed_metadata(&bytes[..failed as usize]);
        assert_eq!(outcome.value(), pushed_metadata.as_ref(), "request {failing}");
        let error = error_of(outcome);
        assert!(error.is_io() && error.message().contains("EIO"), "{error}");
    }
}

#[test]
fn a_length_that_changes_is_an_error() {
    let bytes = sample();
    for (is, nth_wrong) in [(bytes.len() as u64 + 1, 1), (40, 2), (0, 3), (u64::MAX, 1)] {
        let error = error_of(read(no_latency(), |nth, range| {
            let len = if nth < nth_wrong { bytes.len() as u64 } else { is };
            Ok(Fetched::new(correct(&bytes, &range).bytes().clone(), Some(len)))
        }));
        assert!(error.is_io() && error.to_string().contains("changed while it was read"), "{error}");
    }
}

#[test]
fn a_length_below_the_fetched_bytes_is_an_error() {
    let bytes = sample();
    let error = error_of(read(FetchOptions::default(), |_, range| {
        Ok(Fetched::new(correct(&bytes, &range).bytes().clone(), Some(9)))
    }));
    assert!(error.is_io() && error.to_string().contains("changed"), "{error}");
}

/// The length comes late and is below the bytes that were fetched.
#[test]
fn a_late_length_below_the_fetched_bytes_is_an_error() {
    let bytes = sample();
    let error = error_of(read(no_latency(), |nth, range| {
        let len = (nth > 1).then(|| range.start - 1);
        Ok(Fetched::new(correct(&bytes, &range).bytes().clone(), len))
    }));
    assert!(error.is_io() && error.to_string().contains("changed"), "{error}");
}

/// A borrowed source is used like an owned one. After a short answer with the length, nothing past
/// the end is requested.
#[test]
fn a_source_may_be_borrowed() {
    let bytes = &module(&[custom("licenses", "MIT")])[..12];
    let mut source = Ranges::of(bytes);
    let error = now(read_fetch(&mut &mut source)).unwrap_err();
    assert!(error.is_truncated() && error.partial().is_some());
    assert_eq!(source.asked.len(), 1, "{source:?}");
}

#[test]
fn an_empty_answer_is_the_end_or_an_error() {
    let error = error_of(read(no_latency(), |_, _| Ok(Fetched::new(vec![], Some(1_000)))));
    assert!(error.is_io() && error.to_string().contains("shrank"), "{error}");
    let error = error_of(read(no_latency(), |_, _| Ok(Fetched::default())));
    assert!(error.is_not_wasm(), "{error}");
}

#[test]
fn an_answer_that_is_too_long_is_refused() {
    let bytes = sample();
    let error = error_of(read(no_latency(), |_, range| Ok(correct(&bytes, &(range.start..range.end + 1)))));
    assert!(error.is_io() && error.to_string().contains("more bytes than requested"), "{error}");
}

#[test]
fn options_without_bounds_do_not_overflow() {
    let bytes = sample();
    let most = FetchOptions {
        bytes_per_second: u64::MAX,
        latency: Duration::MAX,
        max_bytes: u64::MAX,
        max_requests: u64::MAX,
    };
    for mut source in [Ranges::of(&bytes), Ranges::silent(&bytes)] {
        let outcome = now(read_fetch_with(&mut source, most, Limits::default()));
        assert_eq!(outcome.cost().bytes, bytes.len() as u64); // however much was requested
        assert_eq!(outcome.complete().unwrap(), read_slice(&bytes).unwrap());
    }
}

#[test]
fn budgets_are_respected() {
    let bytes = shapes::component();
    let whole = cost_of(&bytes);
    let read = |options| {
        let mut source = Ranges::of(&bytes);
        let mut reader = StreamReader::new();
        let (_, result, cost) = parts_of(now(drive::scan_fetch(&mut source, &mut reader, options, Limits::default())));
        let asked: u64 = source.asked.iter().map(|range| range.end - range.start).sum();
        assert_eq!((asked, source.asked.len() as u64), (cost.bytes, cost.reads));
        (result, cost)
    };
    for max_requests in 0..=whole.reads {
        let (result, cost) = read(FetchOptions { max_requests, ..Default::default() });
        assert_eq!((cost.reads, result.is_ok()), (max_requests, max_requests == whole.reads));
        assert!(result.is_ok() || result.is_err_and(|error| error.is_limit()));
    }
    for max_bytes in [0, 1, 7, 8, 1_000, 100_000, whole.bytes - 1, whole.bytes] {
        let (result, cost) = read(FetchOptions { max_bytes, ..Default::default() });
        assert!(cost.bytes <= max_bytes, "{max_bytes}: {cost:?}");
        assert!(result.is_ok() || result.is_err_and(|error| error.is_limit()));
    }
}

#[test]
fn an_endless_source_ends_with_its_budget() {
    let options = FetchOptions { max_bytes: 1 << 20, max_requests: 300, ..no_latency() };
    // Endless unknown sections of 96 bytes, and endless empty sections.
    for (preamble, again) in [(MODULE, [0x60, 0x60]), (COMPONENT, [2, 0])] {
        let error = error_of(read(options, |_, range| {
            let forever = |at: u64| if at < 8 { preamble[at as usize] } else { again[(at % 2) as usize] };
            Ok(Fetched::new(range.map(forever).collect::<Vec<_>>(), None))
        }));
        assert!(error.is_limit(), "{error}");
    }
}

/// The requested ranges of a scan of a module after a head and a tail are prefetched.
fn requests_after_prefetch(bytes: &[u8], head: u64, tail: u64) -> Vec<Range<u64>> {
    let len = bytes.len() as u64;
    let mut source = now(PrefetchedHead::prefetch(Ranges::of(bytes), head)).unwrap();
    let prefetched = now(source.prefetch_tail(len - tail..len)).unwrap();
    assert_eq!(prefetched, &bytes[(len - tail) as usize..]);
    let outcome = now(read_fetch_with(&mut source, FetchOptions::default(), Limits::default()));
    assert_eq!(outcome.complete().unwrap(), read_slice(bytes).unwrap());
    let fetched: u64 = source.source().asked.iter().map(|range| range.end.min(len) - range.start).sum();
    assert_eq!(source.bytes_fetched(), fetched);
    source.source().asked.clone()
}

#[test]
fn prefetched_bytes_are_not_fetched_again() {
    let long = |sections: &[Vec<u8>]| module(&[sections, &[custom("vendor", "v")]].concat());
    let at_ends = long(&[section(10, &[0; 300_000])]);
    let len = at_ends.len() as u64;
    assert_eq!(requests_after_prefetch(&at_ends, 1 << 10, 4 << 10), [0..1 << 10, len - (4 << 10)..len]);
    // A value that crosses the ends of the head and of the tail.
    let value = long(&[custom("licenses", "MIT"), custom("description", "d".repeat(5_000))]);
    let len = value.len() as u64;
    assert_eq!(requests_after_prefetch(&value, 100, 100), [0..100, len - 100..len, 100..len - 100]);
    assert_eq!(requests_after_prefetch(&value, 100, len), [0..100, 100..len]);
    assert_eq!(requests_after_prefetch(&value, len, 100), vec![0..len; 1]);
    // After a short head, windows are as large as the first one.
    let distant = long(&[section(1, &[0; 5_000]), section(10, &[0; 300_000])]);
    let requests = requests_after_prefetch(&distant, 4 << 10, 100);
    assert_eq!((requests.len(), requests[2].clone()), (3, 5_011..5_011 + (64 << 10)));
}

#[test]
fn a_head_is_extended_by_its_missing_bytes() {
    let bytes = sample();
    let len = bytes.len() as u64;
    let mut source = now(PrefetchedHead::prefetch(Ranges { most: 3, ..Ranges::of(&bytes) }, 1)).unwrap();
    for (end, requests) in [(1, 1), (5, 3), (4, 3)] {
        now(source.extend_head(end)).unwrap();
        assert_eq!(
            (source.head().len(), source.source().asked.len()),
            (end.max(source.head().len() as u64) as usize, requests)
        );
    }
    now(source.extend_head(len + 10)).unwrap();
    assert_eq!((source.head(), source.bytes_fetched()), (&bytes::Bytes::from(bytes.clone()), len));
    // An input that is shorter than its source said.
    let mut cut = now(PrefetchedHead::prefetch(Ranges::silent(&bytes), 1)).unwrap();
    assert_eq!(now(cut.prefetch_tail(0..len + 1)).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}
