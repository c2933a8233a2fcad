//! A driver with a collector returns what the same driver returns with a visitor: one case, every
//! driver.

use std::fmt::Debug;

use sectile::drive::{self, FetchOptions, PushDriver};
use sectile::metadata::{SliceReader, StreamReader};
use sectile::scan::{Collector, DataRequest, ItemStart, Section, Visitor};
use sectile::{Cost, Input, Limits, Outcome};

use sectile_testing::all_drivers::file;
use sectile_testing::binary::{chain, component, custom, module, name, nested, producers, section};
use sectile_testing::files::real_files;
use sectile_testing::ranges::{Ranges, now};

fn sample() -> Vec<u8> {
    let inner = module(&[custom("name", name("inner")), section(10, &[7; 300]), custom("homepage", "nowhere")]);
    let producers = custom("producers", producers(&[("sdk", &[("kit", "1")])]));
    component(&[custom("authors", "outer"), nested(&inner), section(2, &[7; 300]), producers])
}

/// Complete, truncated, malformed and foreign input, and input that exceeds a limit below.
fn inputs() -> Vec<Vec<u8>> {
    let sample = sample();
    let cuts = (0..sample.len()).step_by(13).map(|cut| sample[..cut].to_vec());
    let malformed = [&sample[..], &[0x80, 1]].concat();
    let small = real_files().into_iter().map(|(_, bytes)| bytes).filter(|bytes| bytes.len() < 20_000);
    let deep = chain(5, &module(&[custom("authors", "deep")]));
    cuts.chain([sample.clone(), malformed, b"\x7fELF....".to_vec(), deep]).chain(small).collect()
}

fn limits() -> [Limits; 3] {
    let limits = Limits::default();
    [limits, Limits { max_depth: 3, ..limits }, Limits { max_section_data: 3, max_sections: 4, ..limits }]
}

type OutcomeParts<T> = (Option<T>, Option<String>, Cost);

fn parts<T>(outcome: Outcome<T>) -> OutcomeParts<T> {
    let (value, error, cost) = outcome.into_parts();
    (value, error.map(|error| error.to_string()), cost)
}

/// The outcome of a driver with a visitor, with the value that the visitor collected.
fn scanned<C: Collector>(outcome: Outcome<()>, collector: C) -> OutcomeParts<C::Value> {
    let (_, error, cost) = parts(outcome);
    (collector.finish(), error, cost)
}

/// Runs every driver with a collector and with the same collector as a visitor. All values and
/// errors must be the same.
fn agree<C>(what: &str, bytes: &[u8], limits: Limits, make: impl Fn() -> C)
where
    C: Collector<Value: PartialEq + Debug> + for<'w> Visitor<'w>,
{
    let len = bytes.len() as u64;
    let what = |driver: &str| format!("{what}, {driver}, {len} bytes, {limits:?}");
    assert_eq!(make().limits(), limits, "{}", what("limits"));

    let mut visitor = make();
    let slice = scanned(drive::scan_slice(bytes, &mut visitor, limits), visitor);
    assert_eq!(parts(drive::collect_slice(bytes, make())), slice, "{}", what("slice"));
    let same = |parts: &OutcomeParts<C::Value>, driver: &str| {
        assert_eq!((&parts.0, &parts.1), (&slice.0, &slice.1), "{}", what(driver));
    };

    let mut visitor = make();
    let read = scanned(drive::scan_at(bytes, len, &mut visitor, limits), visitor);
    assert_eq!(parts(drive::collect_at(bytes, len, make())), read, "{}", what("positioned reads"));
    same(&read, "positioned reads");

    let input = Input::from_file(file(bytes)).unwrap();
    let mut visitor = make();
    let of_file = scanned(input.scan(&mut visitor, limits), visitor);
    assert_eq!(parts(input.collect(make())), of_file, "{}", what("file"));
    assert_eq!(of_file, read, "{}", what("file"));

    for options in [FetchOptions::default(), FetchOptions { latency: std::time::Duration::ZERO, ..Default::default() }]
    {
        let mut visitor = make();
        let scan = now(drive::scan_fetch(&mut Ranges::of(bytes), &mut visitor, options, limits));
        let fetched = scanned(scan, visitor);
        let mut source = Ranges::of(bytes);
        let collected = parts(now(drive::collect_fetch(&mut source, make(), options)));
        assert_eq!(collected, fetched, "{}", what("ranges"));
        assert_eq!(collected.2.reads, source.asked.len() as u64, "{}", what("ranges"));
        same(&fetched, "ranges");
    }

    for size in [1, 7, 4096] {
        let mut collecting = PushDriver::new(make());
        let mut visiting = PushDriver::with_limits(make(), limits);
        for chunk in bytes.chunks(size) {
            let results =
                [collecting.push(chunk), visiting.push(chunk)].map(|result| result.map_err(|error| error.to_string()));
            assert_eq!(results[0], results[1], "{}", what("chunks"));
            assert_eq!((collecting.cost(), collecting.needed()), (visiting.cost(), visiting.needed()));
        }
        let (visitor, error, cost) = parts(visiting.finish_visitor());
        let visited = (visitor.unwrap().finish(), error, cost);
        assert_eq!(parts(collecting.finish()), visited, "{}", what("chunks"));
        same(&visited, "chunks");
    }
}

#[test]
fn metadata_is_the_same_from_every_driver() {
    for bytes in inputs() {
        for limits in limits() {
            agree("metadata", &bytes, limits, || StreamReader::with_limits(limits));
            // The borrowing reader reads only slices.
            let borrowed = parts(drive::collect_slice(&bytes, SliceReader::with_limits(limits)));
            let mut visitor = SliceReader::with_limits(limits);
            assert_eq!(borrowed, scanned(drive::scan_slice(&bytes, &mut visitor, limits), visitor));
            let copied = parts(drive::collect_slice(&bytes, StreamReader::with_limits(limits)));
            assert_eq!(borrowed, copied);
            assert_eq!(borrowed, parts(sectile::read_slice_with(&bytes, limits)));
        }
    }
}

#[test]
#[cfg(feature = "interface")]
fn interfaces_are_the_same_from_every_driver() {
    use sectile::interface::{CombinedReader, InterfaceReader};

    for bytes in inputs() {
        for limits in limits() {
            agree("interface", &bytes, limits, || InterfaceReader::with_limits(limits));
            agree("both", &bytes, limits, || CombinedReader::with_limits(limits));
        }
    }
}

/// A custom collector: counts the sections of each item.
#[derive(Default)]
struct Counts(Vec<u64>, Limits);

impl Visitor<'_> for Counts {
    fn enter(&mut self, _: &ItemStart<'_>) {
        self.0.push(0);
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        self.0[section.item() as usize] += 1;
        DataRequest::Nothing
    }
}

impl Collector for Counts {
    type Value = Vec<u64>;

    fn limits(&self) -> Limits {
        self.1
    }

    fn finish(self) -> Option<Vec<u64>> {
        (!self.0.is_empty()).then_some(self.0)
    }
}

#[test]
fn custom_collectors_are_the_same_from_every_driver() {
    for bytes in inputs() {
        for limits in limits() {
            agree("counts", &bytes, limits, || Counts(Vec::new(), limits));
        }
    }
    assert_eq!(drive::collect_slice(&sample(), Counts::default()).complete().unwrap(), [4, 3]);
}

/// A collector without a value after a complete pass breaks its contract: an error, not a panic.
#[test]
fn a_collector_without_a_value_is_an_error() {
    struct Nothing;

    impl Visitor<'_> for Nothing {
        fn section(&mut self, _: &Section<'_>) -> DataRequest {
            DataRequest::Nothing
        }
    }

    impl Collector for Nothing {
        type Value = ();

        fn limits(&self) -> Limits {
            Limits::default()
        }

        fn finish(self) -> Option<()> {
            None
        }
    }

    let bytes = sample();
    let mut push = PushDriver::new(Nothing);
    push.push(&bytes).unwrap();
    for outcome in [drive::collect_slice(&bytes, Nothing), push.finish()] {
        assert!(!outcome.is_complete() && outcome.value().is_none());
        assert!(outcome.complete().is_err());
    }
}
