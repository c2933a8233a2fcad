//! Every driver tells the same, whatever the chunks, the limits, and what the visitor wants; what it cost is what was
//! looked at; and the metadata is what the bytes say.

use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::time::Duration;

use arbitrary::Unstructured;

use sectile::drive::{self, Cost, FetchOptions, ReadAt};
use sectile::metadata::{Metadata, Reader, Value};
use sectile::scan::{Section, Visitor, Want};
use sectile::{Code, Limits};

use super::chunks::push;
use super::generate;
use super::ranges::{Pieces, now};
use super::recorder::{Asks, Event, Recorder};

/// Bytes of an input to the body that say how to read: limits, chunks, what is wanted. The others are what is read.
const CONTROLS: usize = 16;

/// Reads what the input says, as the input says, with every driver.
///
/// # Panics
///
/// The drivers disagree, or what they say does not fit the bytes.
pub fn drivers(input: &[u8]) {
    let Some((controls, rest)) = input.split_first_chunk() else { return };
    let case = Case::new(controls, rest);
    case.scan();
    case.read();
    #[cfg(feature = "interface")]
    super::interface::interface(&case.bytes, case.limits, case.chunks[case.chunks.len() - 1]);
}

struct Case {
    bytes: Vec<u8>,
    limits: Limits,
    chunks: Vec<usize>,
    /// Decides what is wanted of sections.
    whim: u8,
}

impl Case {
    fn new(controls: &[u8; CONTROLS], rest: &[u8]) -> Self {
        let [flags, whim, limits_and_sizes @ ..] = controls;
        let (limits, sizes) = limits_and_sizes.split_at(8);
        let bytes = if flags & 1 == 0 { rest.to_vec() } else { generate::binary(&mut Unstructured::new(rest)) };
        // One chunk at least has bytes, or there would be no end.
        let chunks = if flags & 2 == 0 { sizes } else { &sizes[..1] };
        let chunks = [1].iter().chain(chunks).map(|size| usize::from(*size)).collect();
        Self { bytes, limits: pick_limits(limits), chunks, whim: *whim }
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn scan(&self) {
        let recorder = || Recorder::new(Whims::new(self.whim));
        let mut expected = recorder();
        let (result, cost) = drive::slice(&self.bytes, &mut expected, self.limits);
        let error = told(result);
        assert_eq!(cost, Cost { bytes: expected.looked_at(), reads: 0 }, "a slice costs what is looked at");
        within(self.limits, &expected.events);

        let mut read = recorder();
        let (result, cost) = drive::read_at(&self.bytes[..], self.len(), &mut read, self.limits);
        assert_eq!((&read, &told(result)), (&expected, &error), "positioned reads");
        self.check_reads(cost, expected.looked_at());

        let mut read = recorder();
        let (result, _) = drive::read_at(&Stingy::new(&self.bytes), self.len(), &mut read, self.limits);
        assert_eq!((&read, &told(result)), (&expected, &error), "short reads");

        for (tells_len, micros) in [(true, 50_000), (false, 0)] {
            let mut fetched = recorder();
            let mut source = Pieces::new(&self.bytes, &self.chunks, tells_len);
            let (result, cost) = now(drive::fetch(&mut source, &mut fetched, options(micros), self.limits));
            assert_eq!((&fetched, &told(result)), (&expected, &error), "ranges");
            assert!(!tells_len || cost.bytes <= self.len(), "{cost:?}: bytes are fetched again");
        }

        let (pushed, result) = push(&self.bytes, &self.chunks, recorder(), self.limits);
        assert_eq!((&pushed, &told(result)), (&expected, &error), "chunks of {:?}", self.chunks);
    }

    /// No byte is read twice, and little more is read than is looked at.
    fn check_reads(&self, cost: Cost, looked_at: u64) {
        const LARGEST_WINDOW: u64 = 16 << 10;
        assert!(cost.bytes <= self.len(), "{cost:?}: bytes are read again");
        let name = u64::from(self.limits.name) + 16; // one that turns out to be none
        assert!(cost.bytes <= cost.reads * LARGEST_WINDOW + looked_at + name, "{cost:?}: {looked_at} are looked at");
    }

    fn read(&self) {
        let mut reader = Reader::borrowing(self.limits);
        let error = told(drive::slice(&self.bytes, &mut reader, self.limits).0);
        let metadata = reader.finish();

        let mut reader = Reader::copying(self.limits);
        let (result, cost) = drive::read_at(&self.bytes[..], self.len(), &mut reader, self.limits);
        assert_eq!((reader.finish(), told(result)), (metadata.clone(), error.clone()), "metadata, positioned reads");
        assert!(cost.bytes <= self.len(), "bytes are read again");

        let mut reader = Reader::copying(self.limits);
        let mut source = Pieces::new(&self.bytes, &self.chunks, false);
        let (result, _) = now(drive::fetch(&mut source, &mut reader, options(100), self.limits));
        assert_eq!((reader.finish(), told(result)), (metadata.clone(), error.clone()), "metadata, ranges");

        let (reader, result) = push(&self.bytes, &self.chunks, Reader::copying(self.limits), self.limits);
        let pushed = reader.finish();
        assert_eq!((&pushed, &told(result)), (&metadata, &error), "metadata, chunks of {:?}", self.chunks);

        let Some(metadata) = metadata else {
            assert!(error.is_some(), "nothing was read, and nothing was wrong");
            return;
        };
        self.check_values(&metadata);
        self.check_findings(&metadata);
        self.check_shares(&metadata);
        assert_eq!(Some(metadata.into_owned()), pushed);
    }

    /// Every value is what stands where it says, inside the item that holds it.
    fn check_values(&self, metadata: &Metadata<'_>) {
        let mut kept = 0;
        for (place, item) in metadata.items().iter().enumerate() {
            assert_eq!(metadata.item(&metadata.path(item)).map(std::ptr::from_ref), Some(std::ptr::from_ref(item)));
            assert!(item.parent().is_none_or(|parent| parent < place));
            let values = (item.name().into_iter())
                .chain(item.annotations().map(|(_, value)| value))
                .chain(item.dependencies().map(|found| &found.raw))
                .chain(item.registry_metadata())
                .chain(item.debug_links().map(|(_, value)| value));
            for value in values {
                self.check_value(value, item.start());
                kept += value.as_bytes().len() as u64;
            }
            for range in item.producers().ranges() {
                assert!(item.start() <= range.start && range.end <= self.len());
                kept += range.end - range.start;
            }
            for field in item.producers().fields() {
                field.values().for_each(drop);
            }
        }
        assert!(kept <= self.limits.kept, "{kept} bytes are kept");
    }

    fn check_value(&self, value: &Value<'_>, item_start: u64) {
        let Range { start, end } = value.range();
        assert!(item_start <= start && end <= self.len(), "a value at {start}..{end}");
        assert_eq!(value.as_bytes(), &self.bytes[start as usize..end as usize]);
    }

    fn check_findings(&self, metadata: &Metadata<'_>) {
        for code in Code::ALL {
            let number = metadata.findings().iter().filter(|finding| finding.code == code).count();
            assert!(number <= self.limits.findings as usize + 1, "{number} of {code}");
        }
        for finding in metadata.findings() {
            let item = metadata.item(&finding.path);
            assert!(item.is_some_and(|item| item.start() <= finding.offset), "{finding:?}");
            assert!(finding.count > 0 && !finding.message.is_empty(), "{finding:?}");
            assert!(finding.offset <= self.len(), "{finding:?}");
        }
    }

    /// The shares of an item are its sections.
    fn check_shares(&self, metadata: &Metadata<'_>) {
        let mut tally = Tally(vec![(0, 0); metadata.items().len()]);
        _ = drive::slice(&self.bytes, &mut tally, self.limits);
        let shares = metadata
            .items()
            .iter()
            .map(|item| item.shares().fold((0, 0), |sum, share| (sum.0 + share.sections, sum.1 + share.bytes)));
        assert!(shares.eq(tally.0.iter().copied()), "the shares are not the sections");
    }
}

/// Without a budget: each byte may be an answer.
fn options(micros: u64) -> FetchOptions {
    let request = Duration::from_micros(micros);
    FetchOptions { request, max_bytes: u64::MAX, max_requests: u64::MAX, ..Default::default() }
}

/// Limits out of a few, small ones among them: two bits each.
fn pick_limits(bits: &[u8]) -> Limits {
    let defaults = Limits::default();
    let pick = |nth: usize, small: [u64; 3], large: u64| match bits[nth] & 3 {
        0 => large,
        choice => small[usize::from(choice) - 1],
    };
    let pick32 = |nth, small, large: u32| pick(nth, small, large.into()) as u32;
    Limits {
        depth: pick32(0, [1, 2, 4], defaults.depth),
        items: pick32(1, [0, 1, 3], defaults.items),
        sections: pick(2, [0, 1, 6], defaults.sections),
        name: pick32(3, [0, 4, 128], defaults.name),
        data: pick32(4, [0, 3, 20], defaults.data),
        interface: pick32(4, [0, 3, 20], defaults.interface),
        kept: pick(5, [0, 70, 200], defaults.kept),
        inflated: pick32(6, [0, 5, 100], defaults.inflated),
        findings: pick32(7, [0, 1, 3], defaults.findings),
    }
}

/// An error, as far as it must be the same from every driver.
pub fn told(result: Result<(), sectile::Error>) -> Option<String> {
    result.err().map(|error| format!("{error} {:?}", error.offset()))
}

/// Wants strange things: nothing, everything, overlapping pieces, ranges that are empty, turned round, or lie outside of the
/// data.
#[derive(Debug, PartialEq, Eq)]
struct Whims {
    whim: u8,
    /// The data of the last section, where the last want of it began, and how many there were.
    data: Range<u64>,
    from: u64,
    wants: u8,
}

impl Whims {
    fn new(whim: u8) -> Self {
        Self { whim, data: 0..0, from: 0, wants: 0 }
    }

    fn want(&mut self) -> Want {
        let Range { start, end } = self.data;
        let from = self.from;
        let mix = self.whim.wrapping_mul(37).wrapping_add(start as u8).wrapping_add(self.wants.wrapping_mul(11));
        self.wants += 1;
        if self.wants > 4 {
            return Want::Nothing;
        }
        let wanted = match mix % 9 {
            0 => return Want::Nothing,
            1 => from..end,
            2 => from..from + 3,
            3 => from + 1..from + 6,
            4 => from..from,
            5 => from + 2..from + 1,
            6 => end + 5..end + 9,
            7 => from..u64::MAX,
            _ => from + (end.saturating_sub(from)) / 2..end,
        };
        self.from = from.max(wanted.start);
        Want::Bytes(wanted)
    }
}

impl Asks for Whims {
    fn of(&mut self, section: &Section<'_>) -> Want {
        self.data = section.data();
        // The first may begin before the data: it is cut to it.
        self.from = if self.whim & 0x80 == 0 { self.data.start } else { section.range().start };
        self.wants = 0;
        self.want()
    }

    fn after(&mut self, data: Range<u64>) -> Want {
        assert!(self.data.start <= data.start && data.end <= self.data.end, "data from outside of the section");
        self.want()
    }
}

/// What was handed over keeps the limits.
fn within(limits: Limits, events: &[Event]) {
    let (mut items, mut depth, mut sections) = (0, 0, 0);
    for event in events {
        match event {
            Event::Enter(_) => (items, depth) = (items + 1, depth + 1),
            Event::Leave(..) => depth -= 1,
            Event::Data(..) => {}
            Event::Section { name, .. } => {
                sections += 1;
                assert!(name.len() <= limits.name as usize, "a long name");
            }
        }
        assert!(items <= limits.items && depth <= limits.depth && sections <= limits.sections, "{limits:?}");
    }
}

/// The number and the bytes of the sections of each item.
struct Tally(Vec<(u64, u64)>);

impl Visitor<'_> for Tally {
    fn section(&mut self, section: &Section<'_>) -> Want {
        let (sections, bytes) = &mut self.0[section.item as usize];
        *sections += 1;
        *bytes += section.range().end - section.range().start;
        Want::Nothing
    }
}

/// Gives fewer bytes than it is asked for, and is interrupted now and then.
struct Stingy<'a> {
    bytes: &'a [u8],
    reads: Cell<usize>,
}

impl<'a> Stingy<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, reads: Cell::new(0) }
    }
}

impl ReadAt for Stingy<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let nth = self.reads.get();
        self.reads.set(nth + 1);
        if nth % 3 == 1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = buffer.len().min(nth % 61 + 1);
        self.bytes.read_at(&mut buffer[..len], offset)
    }
}
