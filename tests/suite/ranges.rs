//! Ranged fetches: what they cost, and that a source that fails, or lies, costs no more. (That they give what every other
//! driver gives is in each test that goes through `support::mouths`.)

#[path = "../../benches/support/clusters.rs"]
mod clusters;
#[path = "../../benches/support/shapes.rs"]
#[allow(dead_code)]
mod shapes;

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use sectile::drive::{self, Cost, Fetch, FetchOptions, Fetched};
use sectile::metadata::Reader;
use sectile::{Error, Limits, Outcome, read_fetch, read_slice};

use self::clusters::clusters;
use crate::support::binary::{COMPONENT, MODULE, component, custom, module, section};
use crate::support::mouths;
use crate::support::ranges::{Ranges, now};

/// The file of the corpus where it was fetched, and what has its shape.
fn likenesses(name: &str, like: Vec<u8>) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/corpus/files").join(name);
    fs::read(path).into_iter().chain([like]).collect()
}

/// Reads the whole tree as it is read by default, asserts that a slice gives the same, and gives the cost.
fn cost_of(bytes: &[u8]) -> Cost {
    let outcome = now(read_fetch(&mut Ranges::of(bytes), FetchOptions::default(), Limits::default())).unwrap();
    assert_eq!(outcome.value, read_slice(bytes, Limits::default()).unwrap().value);
    let cost = outcome.cost;
    outcome.complete().unwrap();
    cost
}

#[test]
fn a_module_costs_a_round_trip_a_cluster_of_headers() {
    for (name, parts, most) in [
        ("opencascade.wasm", &shapes::OPENCASCADE[..], 4),
        // 10 of section headers, and one of the name section's subsections.
        ("ruby.debug-stdlib.wasm", &shapes::RUBY_DEBUG, 11),
        ("duckdb-mvp.wasm", &shapes::DUCKDB, 6),
    ] {
        for bytes in likenesses(name, shapes::module(parts)) {
            let cost = cost_of(&bytes);
            assert!(cost.reads <= clusters(&bytes) && cost.reads <= most, "{name}: {cost:?}");
            assert!(cost.bytes <= cost.reads * (256 << 10), "{name}: {cost:?}");
        }
    }
}

#[test]
fn a_component_with_all_its_items_costs_eight_round_trips_and_a_mebibyte() {
    for bytes in likenesses("componentize-py.component.wasm", shapes::component()) {
        let cost = cost_of(&bytes);
        assert!(cost.reads <= 8 && cost.bytes <= 1 << 20, "{cost:?}");
    }
}

#[test]
fn a_small_input_costs_one_request() {
    let bytes = module(&[custom("licenses", "MIT"), section(10, &[0; 9_000]), custom("vendor", "v")]);
    assert_eq!(cost_of(&bytes), Cost { bytes: bytes.len() as u64, reads: 1 });
    // Where nobody says how long it is, its end is met.
    let mut silent = Ranges::silent(&bytes);
    let outcome = now(read_fetch(&mut silent, FetchOptions::default(), Limits::default())).unwrap();
    assert_eq!((outcome.cost, outcome.is_complete()), (Cost { bytes: bytes.len() as u64, reads: 2 }, true));
}

#[test]
fn a_large_section_costs_a_round_trip_and_no_more() {
    let body = section(10, &vec![0; 300_000]);
    for sections in 0..20 {
        let bodies: Vec<Vec<u8>> = (0..sections).map(|_| custom("large", &body)).collect();
        let cost = cost_of(&module(&bodies));
        assert!(cost.reads <= (sections as u64).max(1), "{sections}: {cost:?}");
    }
}

#[test]
fn dear_requests_ask_for_more_and_cheap_ones_for_less() {
    let bytes = shapes::component();
    let cost = |micros| {
        let options = FetchOptions { request: std::time::Duration::from_micros(micros), ..Default::default() };
        now(read_fetch(&mut Ranges::of(&bytes), options, Limits::default())).unwrap().cost
    };
    let costs = [1_000, 10_000, 50_000, 1_000_000].map(cost);
    assert!(costs.is_sorted_by_key(|cost| cost.bytes), "{costs:?}");
    assert!(costs.iter().rev().is_sorted_by_key(|cost| cost.reads), "{costs:?}");
}

#[test]
fn the_future_can_go_to_another_thread() {
    fn sent<T: Send>(future: T) -> T {
        future
    }
    let bytes = module(&[custom("licenses", "MIT")]);
    let mut source = Ranges::of(&bytes);
    let future = sent(read_fetch(&mut source, FetchOptions::default(), Limits::default()));
    now(future).unwrap().complete().unwrap();
}

/// A tree of metadata, with bodies between that nobody reads.
fn sample() -> Vec<u8> {
    let body = section(2, &[7; 3_000]);
    component(&[custom("licenses", "MIT"), body.clone(), custom("component-name", [0; 0]), body, custom("vendor", "v")])
}

/// So cheap are requests that nothing is asked for in advance.
fn frugal() -> FetchOptions {
    FetchOptions { request: std::time::Duration::ZERO, ..Default::default() }
}

#[test]
fn every_cut_is_the_error_that_a_slice_gives() {
    let bytes = sample();
    for cut in (0..bytes.len()).filter(|cut| cut % 7 == 0 || *cut < 100) {
        _ = mouths::scan(&bytes[..cut], Limits::default());
    }
}

/// Does as a function says, which is told the number of the request and the range.
struct Whim<F>(u64, F);

impl<F: FnMut(u64, Range<u64>) -> io::Result<Fetched> + Send> Fetch for Whim<F> {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        self.0 += 1;
        (self.1)(self.0 - 1, range)
    }
}

fn read<'a>(
    options: FetchOptions,
    whim: impl FnMut(u64, Range<u64>) -> io::Result<Fetched> + Send + 'a,
) -> Result<Outcome<sectile::metadata::Metadata<'static>>, Error> {
    now(read_fetch(&mut Whim(0, whim), options, Limits::default()))
}

fn honest(bytes: &[u8], range: &Range<u64>) -> Fetched {
    let len = bytes.len() as u64;
    let bytes = bytes[range.start.min(len) as usize..range.end.min(len) as usize].to_vec();
    Fetched::new(bytes, Some(len))
}

/// The error that broke a reading off, or that left nothing.
fn broken<T>(result: Result<Outcome<T>, Error>) -> Error {
    match result {
        Ok(outcome) => outcome.broken.unwrap(),
        Err(error) => error,
    }
}

#[test]
fn each_request_in_turn_fails_and_what_came_before_is_kept() {
    let bytes = sample();
    let whole = read(frugal(), |_, range| Ok(honest(&bytes, &range))).unwrap();
    assert!(whole.is_complete() && whole.cost.reads >= 10);
    for failing in 0..whole.cost.reads {
        let mut failed = 0;
        let result = read(frugal(), |nth, range| {
            if nth < failing {
                return Ok(honest(&bytes, &range));
            }
            failed = range.start;
            Err(io::Error::other("EIO"))
        });
        let error = match result {
            Err(error) => {
                assert_eq!(mouths::arrived(&bytes[..failed as usize]), None, "request {failing}");
                error
            }
            Ok(outcome) => {
                assert_eq!(Some(outcome.value), mouths::arrived(&bytes[..failed as usize]), "request {failing}");
                outcome.broken.unwrap()
            }
        };
        assert!(error.is_io() && error.message().contains("EIO"), "{error}");
    }
}

#[test]
fn a_length_that_changes_is_an_error_that_says_so() {
    let bytes = sample();
    for (is, nth_lie) in [(bytes.len() as u64 + 1, 1), (40, 2), (0, 3), (u64::MAX, 1)] {
        let error = broken(read(frugal(), |nth, range| {
            let len = if nth < nth_lie { bytes.len() as u64 } else { is };
            Ok(Fetched::new(honest(&bytes, &range).bytes, Some(len)))
        }));
        assert!(error.is_io() && error.to_string().contains("changed while it was read"), "{error}");
    }
}

#[test]
fn a_length_that_is_less_than_what_came_is_an_error() {
    let bytes = sample();
    let error =
        broken(read(FetchOptions::default(), |_, range| Ok(Fetched::new(honest(&bytes, &range).bytes, Some(9)))));
    assert!(error.is_io() && error.to_string().contains("changed"), "{error}");
}

/// The length is told late, and at once lies before what has come.
#[test]
fn a_length_that_is_told_late_and_is_too_little_is_an_error() {
    let bytes = sample();
    let error = broken(read(frugal(), |nth, range| {
        let len = (nth > 1).then(|| range.start - 1);
        Ok(Fetched::new(honest(&bytes, &range).bytes, len))
    }));
    assert!(error.is_io() && error.to_string().contains("changed"), "{error}");
}

/// What is lent is asked as what is owned, and where it tells its length while it gives less than was needed, nobody asks
/// for what lies behind.
#[test]
fn a_source_may_be_lent() {
    let bytes = &module(&[custom("licenses", "MIT")])[..12];
    let mut source = Ranges::of(bytes);
    let outcome = now(read_fetch(&mut &mut source, FetchOptions::default(), Limits::default())).unwrap();
    assert!(outcome.broken.unwrap().is_truncated());
    assert_eq!(source.asked.len(), 1, "{source:?}");
}

#[test]
fn an_answer_of_nothing_is_an_end_where_it_can_be_and_an_error_elsewhere() {
    let error = broken(read(frugal(), |_, _| Ok(Fetched::new(vec![], Some(1_000)))));
    assert!(error.is_io() && error.to_string().contains("shrank"), "{error}");
    let error = broken(read(frugal(), |_, _| Ok(Fetched::default())));
    assert!(error.is_not_wasm(), "{error}");
}

#[test]
fn an_answer_of_too_much_is_refused() {
    let bytes = sample();
    let error = broken(read(frugal(), |_, range| Ok(honest(&bytes, &(range.start..range.end + 1)))));
    assert!(error.is_io() && error.to_string().contains("more than it was asked for"), "{error}");
}

#[test]
fn options_without_bounds_do_not_overflow() {
    let bytes = sample();
    let most = FetchOptions {
        bytes_per_second: u64::MAX,
        request: Duration::MAX,
        max_bytes: u64::MAX,
        max_requests: u64::MAX,
    };
    for mut source in [Ranges::of(&bytes), Ranges::silent(&bytes)] {
        let outcome = now(read_fetch(&mut source, most, Limits::default())).unwrap();
        assert_eq!(outcome.cost.bytes, bytes.len() as u64); // however much was asked for
        assert_eq!(outcome.complete().unwrap(), read_slice(&bytes, Limits::default()).unwrap().value);
    }
}

#[test]
fn budgets_are_kept() {
    let bytes = shapes::component();
    let whole = cost_of(&bytes);
    let read = |options| {
        let mut source = Ranges::of(&bytes);
        let mut reader = Reader::copying(Limits::default());
        let (result, cost) = now(drive::fetch(&mut source, &mut reader, options, Limits::default()));
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
fn a_source_that_never_ends_ends_with_its_budget() {
    let options = FetchOptions { max_bytes: 1 << 20, max_requests: 300, ..frugal() };
    // Sections of 96 bytes that nobody knows, and sections of nothing, for ever.
    for (preamble, again) in [(MODULE, [0x60, 0x60]), (COMPONENT, [2, 0])] {
        let error = broken(read(options, |_, range| {
            let forever = |at: u64| if at < 8 { preamble[at as usize] } else { again[(at % 2) as usize] };
            Ok(Fetched::new(range.map(forever).collect::<Vec<_>>(), None))
        }));
        assert!(error.is_limit(), "{error}");
    }
}
