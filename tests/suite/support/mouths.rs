//! One case, every mouth: an input goes through each driver, and all must agree.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::time::Duration;

use sectile::drive::{self, FetchOptions, Push};
use sectile::metadata::{Metadata, Reader};
use sectile::scan::{Entry, Section, Visitor, Want};
use sectile::{Error, Limits};

use super::ranges::{Ranges, now};
use crate::fuzz_bodies::bodies::{self, Asks};
pub use crate::fuzz_bodies::bodies::{Event, push};

/// Wants the data of custom sections: first three bytes, then all of it.
#[derive(Debug, Default)]
pub struct Twice(Option<Range<u64>>);

impl Asks for Twice {
    fn of(&mut self, section: &Section<'_>) -> Want {
        if !section.is_custom() {
            return Want::Nothing;
        }
        let data = section.data();
        self.0 = Some(data.clone());
        Want::Bytes(data.start..data.start + 3)
    }

    fn after(&mut self, _: Range<u64>) -> Want {
        self.0.take().map_or(Want::Nothing, Want::Bytes)
    }
}

/// Writes down what it is told of a case.
pub type Recorder = bodies::Recorder<Twice>;

/// Counts what it is told, and wants nothing.
#[derive(Debug, Default)]
pub struct Deaf {
    pub entered: u64,
    pub sections: u64,
    pub left: u64,
}

impl Visitor<'_> for Deaf {
    fn enter(&mut self, _: &Entry) {
        self.entered += 1;
    }

    fn section(&mut self, _: &Section<'_>) -> Want {
        self.sections += 1;
        Want::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.left += 1;
    }
}

/// An error as far as it must be the same from every mouth: what it says, and where.
pub fn told(result: Result<(), Error>) -> Result<(), String> {
    result.map_err(|error| error.to_string())
}

/// What was read when so much of the input had arrived.
pub fn arrived(bytes: &[u8]) -> Option<Metadata<'static>> {
    let mut push = Push::new(Reader::copying(Limits::default()), Limits::default());
    push.push(bytes).unwrap();
    push.into_visitor().finish()
}

/// The sizes of chunks that every case is pushed in.
const CHUNKS: [&[usize]; 5] = [&[1], &[2], &[7, 1, 0, 64], &[4096], &[usize::MAX]];

/// Fetches the bytes by ranges: from sources that say how long they are and that do not, that give what they are asked for
/// and that give less, for dear requests and for cheap ones.
fn fetch<V: for<'w> Visitor<'w>>(
    bytes: &[u8],
    visitor: impl Fn() -> V,
    limits: Limits,
    check: impl Fn(V, Result<(), Error>, &str),
) {
    let sources = [Ranges::of(bytes), Ranges::silent(bytes), Ranges { most: 5, ..Ranges::of(bytes) }];
    for (mut source, request) in sources.into_iter().zip([50_000, 0, 60]) {
        let options = FetchOptions {
            request: Duration::from_micros(request),
            max_bytes: u64::MAX,
            max_requests: u64::MAX,
            ..Default::default()
        };
        let mut visitor = visitor();
        let (result, cost) = now(drive::fetch(&mut source, &mut visitor, options, limits));
        assert_eq!(cost.reads, source.asked.len() as u64);
        check(visitor, result, &format!("ranges of {source:?}"));
    }
}

/// A real file that holds the bytes.
pub fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// Scans through every mouth, asserts that all tell the same, and gives it.
pub fn scan(bytes: &[u8], limits: Limits) -> (Vec<Event>, Result<(), Error>) {
    let mut recorder = Recorder::default();
    let (result, cost) = drive::slice(bytes, &mut recorder, limits);
    assert!(cost.bytes <= bytes.len() as u64 + 3 * recorder.events.len() as u64);
    let expected = (&recorder.events, told(result));

    let mut read = Recorder::default();
    let (result, _) = drive::read_at(bytes, bytes.len() as u64, &mut read, limits);
    assert_eq!((&read.events, told(result)), expected, "positioned reads");

    for sizes in CHUNKS {
        let (pushed, result) = push(bytes, sizes, Recorder::default(), limits);
        assert_eq!((&pushed.events, told(result)), expected, "chunks of {sizes:?}");
    }
    fetch(bytes, Recorder::default, limits, |fetched, result, how| {
        assert_eq!((&fetched.events, told(result)), expected, "{how}");
    });
    let result = drive::slice(bytes, &mut Recorder::default(), limits).0;
    (recorder.events, result)
}

/// Reads metadata through every mouth, a real file among them, asserts that all give the same, and gives it.
#[track_caller]
pub fn read(bytes: &[u8], limits: Limits) -> (Option<Metadata<'_>>, Result<(), Error>) {
    let mut reader = Reader::borrowing(limits);
    let result = drive::slice(bytes, &mut reader, limits).0;
    let expected = (reader.finish(), told(result));

    let mut reader = Reader::copying(limits);
    let (result, _) = drive::read_at(&file(bytes), bytes.len() as u64, &mut reader, limits);
    assert_eq!((reader.finish(), told(result)), expected, "a file");

    for sizes in CHUNKS {
        let (reader, result) = push(bytes, sizes, Reader::copying(limits), limits);
        assert_eq!((reader.finish(), told(result)), expected, "chunks of {sizes:?}");
    }
    fetch(
        bytes,
        || Reader::copying(limits),
        limits,
        |reader, result, how| {
            assert_eq!((reader.finish(), told(result)), expected, "{how}");
        },
    );
    let result = drive::slice(bytes, &mut Reader::borrowing(limits), limits).0;
    (expected.0, result)
}

/// [`read`] with the default limits, of an input that must be sound.
#[track_caller]
pub fn metadata(bytes: &[u8]) -> Metadata<'_> {
    let (metadata, result) = read(bytes, Limits::default());
    result.unwrap();
    metadata.unwrap()
}
