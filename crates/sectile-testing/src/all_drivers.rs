//! Runs one input through every driver, and asserts that all agree.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::time::Duration;

use sectile::drive::{self, FetchOptions, PushDriver};
use sectile::metadata::{Metadata, StreamReader};
use sectile::scan::{Collector, DataRequest, ItemStart, Section, Visitor};
use sectile::{Error, Limits};

use crate::bodies::{self, RequestPolicy};
pub use crate::bodies::{Event, push};
use crate::parts_of;
use crate::ranges::{Ranges, now};
use crate::recorded::record;

/// Requests the data of custom sections: first three bytes, then all of it.
#[derive(Debug, Default)]
pub struct TwoRequests(Option<Range<u64>>);

impl RequestPolicy for TwoRequests {
    fn of(&mut self, section: &Section<'_>) -> DataRequest {
        if !section.is_custom() {
            return DataRequest::Nothing;
        }
        let data = section.data();
        self.0 = Some(data.clone());
        DataRequest::Bytes(data.start..data.start + 3)
    }

    fn after(&mut self, _: Range<u64>) -> DataRequest {
        self.0.take().map_or(DataRequest::Nothing, DataRequest::Bytes)
    }
}

/// Records the events of a case.
pub type Recorder = bodies::Recorder<TwoRequests>;

/// Counts events and requests nothing.
#[derive(Debug, Default)]
pub struct EventCounter {
    pub entered: u64,
    pub sections: u64,
    pub left: u64,
}

impl Visitor<'_> for EventCounter {
    fn enter(&mut self, _: &ItemStart<'_>) {
        self.entered += 1;
    }

    fn section(&mut self, _: &Section<'_>) -> DataRequest {
        self.sections += 1;
        DataRequest::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.left += 1;
    }
}

/// The part of an error that must be the same for every driver: its message with the offset.
pub fn error_text(result: Result<(), Error>) -> Result<(), String> {
    result.map_err(|error| error.to_string())
}

/// The metadata after these first bytes of an input were pushed.
pub fn pushed_metadata(bytes: &[u8]) -> Option<Metadata<'static>> {
    let mut push = PushDriver::new(StreamReader::new());
    push.push(bytes).unwrap();
    push.into_visitor().finish()
}

/// The chunk sizes in which every case is pushed.
const CHUNKS: [&[usize]; 5] = [&[1], &[2], &[7, 1, 0, 64], &[4096], &[usize::MAX]];

/// Fetches the bytes by ranges. The sources report their length or not, answer in full or in part,
/// and have expensive or cheap requests.
fn fetch<V: for<'w> Visitor<'w>>(
    bytes: &[u8],
    visitor: impl Fn() -> V,
    limits: Limits,
    check: impl Fn(V, Result<(), Error>, &str),
) {
    let sources = [Ranges::of(bytes), Ranges::silent(bytes), Ranges { most: 5, ..Ranges::of(bytes) }];
    for (mut source, micros) in sources.into_iter().zip([50_000, 0, 60]) {
        let options = FetchOptions {
            latency: Duration::from_micros(micros),
            max_bytes: u64::MAX,
            max_requests: u64::MAX,
            ..Default::default()
        };
        let mut visitor = visitor();
        let (_, result, cost) = parts_of(now(drive::scan_fetch(&mut source, &mut visitor, options, limits)));
        assert_eq!(cost.reads, source.asked.len() as u64);
        check(visitor, result, &format!("ranges of {source:?}"));
    }
}

/// A temporary file with these bytes.
pub fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// Scans with every driver, asserts that all agree, and returns the events and the result.
pub fn scan(bytes: &[u8], limits: Limits) -> (Vec<Event>, Result<(), Error>) {
    let mut recorder = Recorder::default();
    let (_, result, cost) = parts_of(drive::scan_slice(bytes, &mut recorder, limits));
    assert!(cost.bytes <= bytes.len() as u64 + 3 * recorder.events.len() as u64);
    let expected = (&recorder.events, error_text(result));

    let mut read = Recorder::default();
    let (_, result, _) = parts_of(drive::scan_at(bytes, bytes.len() as u64, &mut read, limits));
    assert_eq!((&read.events, error_text(result)), expected, "positioned reads");

    for sizes in CHUNKS {
        let (pushed, result) = push(bytes, sizes, Recorder::default(), limits);
        assert_eq!((&pushed.events, error_text(result)), expected, "chunks of {sizes:?}");
    }
    fetch(bytes, Recorder::default, limits, |fetched, result, how| {
        assert_eq!((&fetched.events, error_text(result)), expected, "{how}");
    });
    let result = drive::scan_slice(bytes, &mut Recorder::default(), limits).complete();
    (recorder.events, result)
}

/// Reads metadata with every driver, including from a real file. Asserts that all agree, and
/// returns metadata and result.
#[track_caller]
pub fn read(bytes: &[u8], limits: Limits) -> (Option<Metadata<'_>>, Result<(), Error>) {
    record(bytes);
    let (metadata, result, _) = parts_of(sectile::read_slice_with(bytes, limits));
    let expected = (metadata, error_text(result));

    let (metadata, result, _) = parts_of(sectile::read_at_with(&file(bytes), bytes.len() as u64, limits));
    assert_eq!((metadata, error_text(result)), expected, "a file");

    for sizes in CHUNKS {
        let (reader, result) = push(bytes, sizes, StreamReader::with_limits(limits), limits);
        assert_eq!((reader.finish(), error_text(result)), expected, "chunks of {sizes:?}");
    }
    fetch(
        bytes,
        || StreamReader::with_limits(limits),
        limits,
        |reader, result, how| {
            assert_eq!((reader.finish(), error_text(result)), expected, "{how}");
        },
    );
    let (_, result, _) = parts_of(sectile::read_slice_with(bytes, limits));
    (expected.0, result)
}

/// [`read`] with the default limits, of an input that must be valid.
#[track_caller]
pub fn metadata(bytes: &[u8]) -> Metadata<'_> {
    let (metadata, result) = read(bytes, Limits::default());
    result.unwrap();
    metadata.unwrap()
}
