//! Checks that every driver reports the same for any chunks, limits and requests. The cost is the
//! bytes examined, and the metadata matches the bytes.

use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::time::Duration;

use arbitrary::Unstructured;

use crate::parts_of;
use sectile::Cost;
use sectile::drive::{self, FetchOptions, ReadAt};
use sectile::metadata::{Item, Metadata, SliceReader, StreamReader, Value};
use sectile::scan::{Collector, DataRequest, Section, Visitor};
use sectile::{FindingCode, Limits};

use super::chunks::push;
use super::generate;
use super::ranges::{Pieces, now};
use super::recorder::{Event, Recorder, RequestPolicy, error_text};

/// Bytes of the fuzz input that choose limits, chunks and requests. The rest is the binary.
const CONTROLS: usize = 16;

/// Reads the binary with every driver, as chosen by the control bytes.
///
/// # Panics
///
/// The drivers disagree, or their reports do not match the bytes.
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
    /// Chooses the requests for sections.
    choice: u8,
}

impl Case {
    fn new(controls: &[u8; CONTROLS], rest: &[u8]) -> Self {
        let [flags, choice, limits_and_sizes @ ..] = controls;
        let (limits, sizes) = limits_and_sizes.split_at(8);
        let bytes = if flags & 1 == 0 { rest.to_vec() } else { generate::binary(&mut Unstructured::new(rest)) };
        // At least one chunk is not empty, so that the loop ends.
        let chunks = if flags & 2 == 0 { sizes } else { &sizes[..1] };
        let chunks = [1].iter().chain(chunks).map(|size| usize::from(*size)).collect();
        Self { bytes, limits: pick_limits(limits), chunks, choice: *choice }
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn scan(&self) {
        let recorder = || Recorder::new(RandomRequests::new(self.choice));
        let mut expected = recorder();
        let (_, result, cost) = parts_of(drive::scan_slice(&self.bytes, &mut expected, self.limits));
        let error = error_text(result);
        assert_eq!(
            cost,
            Cost { bytes: expected.bytes_examined(), reads: 0 },
            "the cost of a slice is the bytes examined"
        );
        assert_within(self.limits, &expected.events);

        let mut read = recorder();
        let (_, result, cost) = parts_of(drive::scan_at(&self.bytes[..], self.len(), &mut read, self.limits));
        assert_eq!((&read, &error_text(result)), (&expected, &error), "positioned reads");
        self.check_reads(cost, expected.bytes_examined());

        let mut read = recorder();
        let (_, result, _) =
            parts_of(drive::scan_at(&ShortReads::new(&self.bytes), self.len(), &mut read, self.limits));
        assert_eq!((&read, &error_text(result)), (&expected, &error), "short reads");

        for (reports_len, micros) in [(true, 50_000), (false, 0)] {
            let mut fetched = recorder();
            let mut source = Pieces::new(&self.bytes, &self.chunks, reports_len);
            let (_, result, cost) =
                parts_of(now(drive::scan_fetch(&mut source, &mut fetched, options(micros), self.limits)));
            assert_eq!((&fetched, &error_text(result)), (&expected, &error), "ranges");
            assert!(!reports_len || cost.bytes <= self.len(), "{cost:?}: bytes are fetched again");
        }

        let (pushed, result) = push(&self.bytes, &self.chunks, recorder(), self.limits);
        assert_eq!((&pushed, &error_text(result)), (&expected, &error), "chunks of {:?}", self.chunks);
    }

    /// Asserts that no byte is read twice, and that little more is read than examined.
    fn check_reads(&self, cost: Cost, bytes_examined: u64) {
        const LARGEST_WINDOW: u64 = 16 << 10;
        assert!(cost.bytes <= self.len(), "{cost:?}: bytes are read again");
        let name = u64::from(self.limits.max_name_len) + 16; // a name that turns out to be malformed
        assert!(
            cost.bytes <= cost.reads * LARGEST_WINDOW + bytes_examined + name,
            "{cost:?}: {bytes_examined} bytes are examined"
        );
    }

    fn read(&self) {
        let mut reader = SliceReader::with_limits(self.limits);
        let error = error_text(drive::scan_slice(&self.bytes, &mut reader, self.limits).complete());
        let metadata = reader.finish();

        let mut reader = StreamReader::with_limits(self.limits);
        let (_, result, cost) = parts_of(drive::scan_at(&self.bytes[..], self.len(), &mut reader, self.limits));
        assert_eq!(
            (reader.finish(), error_text(result)),
            (metadata.clone(), error.clone()),
            "metadata, positioned reads"
        );
        assert!(cost.bytes <= self.len(), "bytes are read again");

        let mut reader = StreamReader::with_limits(self.limits);
        let mut source = Pieces::new(&self.bytes, &self.chunks, false);
        let (_, result, _) = parts_of(now(drive::scan_fetch(&mut source, &mut reader, options(100), self.limits)));
        assert_eq!((reader.finish(), error_text(result)), (metadata.clone(), error.clone()), "metadata, ranges");

        let (reader, result) = push(&self.bytes, &self.chunks, StreamReader::with_limits(self.limits), self.limits);
        let pushed = reader.finish();
        assert_eq!((&pushed, &error_text(result)), (&metadata, &error), "metadata, chunks of {:?}", self.chunks);

        let Some(metadata) = metadata else {
            assert!(error.is_some(), "neither metadata nor an error");
            return;
        };
        self.check_values(&metadata);
        self.check_findings(&metadata);
        self.check_section_sizes(&metadata);
        assert_eq!(Some(metadata.into_owned()), pushed);
    }

    /// Asserts that every value is the bytes at its range, inside its item.
    fn check_values(&self, metadata: &Metadata<'_>) {
        let mut kept = 0;
        for (place, item) in metadata.items().enumerate() {
            assert_eq!(metadata.item(&item.path()).map(Item::number), Some(place));
            assert!(item.number() == place && item.parent().is_none_or(|parent| parent.number() < place));
            let values = (item.name().into_iter())
                .chain(item.annotations().map(|(_, value)| value))
                .chain(item.dependencies().map(|found| found.raw()))
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
        assert!(kept <= self.limits.max_retained_bytes, "{kept} bytes are kept");
    }

    fn check_value(&self, value: &Value<'_>, item_start: u64) {
        let Range { start, end } = value.range();
        assert!(item_start <= start && end <= self.len(), "a value at {start}..{end}");
        assert_eq!(value.as_bytes(), &self.bytes[start as usize..end as usize]);
    }

    fn check_findings(&self, metadata: &Metadata<'_>) {
        for code in FindingCode::ALL {
            let number = metadata.findings().iter().filter(|finding| finding.code() == code).count();
            assert!(number <= self.limits.max_findings_per_code as usize + 1, "{number} of {code}");
        }
        for finding in metadata.findings() {
            let item = metadata.item(finding.path());
            assert!(item.is_some_and(|item| item.start() <= finding.offset()), "{finding:?}");
            assert!(finding.count() > 0 && !finding.message().is_empty(), "{finding:?}");
            assert!(finding.offset() <= self.len(), "{finding:?}");
        }
    }

    /// Asserts that the section sizes of an item are the sums over its sections.
    fn check_section_sizes(&self, metadata: &Metadata<'_>) {
        let mut tally = Tally(vec![(0, 0); metadata.items().len()]);
        _ = drive::scan_slice(&self.bytes, &mut tally, self.limits);
        let sizes = metadata.items().map(|item| {
            item.section_sizes().fold((0, 0), |sum, share| (sum.0 + share.sections(), sum.1 + share.bytes()))
        });
        assert!(sizes.eq(tally.0.iter().copied()), "the section sizes do not match the sections");
    }
}

/// Options without a budget, because an answer may have one byte.
fn options(micros: u64) -> FetchOptions {
    let latency = Duration::from_micros(micros);
    FetchOptions { latency, max_bytes: u64::MAX, max_requests: u64::MAX, ..Default::default() }
}

/// Limits chosen by two bits each, including small ones.
fn pick_limits(bits: &[u8]) -> Limits {
    let defaults = Limits::default();
    let pick = |nth: usize, small: [u64; 3], large: u64| match bits[nth] & 3 {
        0 => large,
        choice => small[usize::from(choice) - 1],
    };
    let pick32 = |nth, small, large: u32| pick(nth, small, large.into()) as u32;
    Limits {
        max_depth: pick32(0, [1, 2, 4], defaults.max_depth),
        max_items: pick32(1, [0, 1, 3], defaults.max_items),
        max_sections: pick(2, [0, 1, 6], defaults.max_sections),
        max_name_len: pick32(3, [0, 4, 128], defaults.max_name_len),
        max_section_data: pick32(4, [0, 3, 20], defaults.max_section_data),
        max_interface_section: pick32(4, [0, 3, 20], defaults.max_interface_section),
        max_retained_bytes: pick(5, [0, 70, 200], defaults.max_retained_bytes),
        max_inflated: pick32(6, [0, 5, 100], defaults.max_inflated),
        max_findings_per_code: pick32(7, [0, 1, 3], defaults.max_findings_per_code),
    }
}

/// Makes unusual requests: nothing, everything, overlapping pieces, and ranges that are empty,
/// reversed or outside the data.
#[derive(Debug, PartialEq, Eq)]
struct RandomRequests {
    choice: u8,
    /// The data of the last section, the start of its last request, and the number of its requests.
    data: Range<u64>,
    from: u64,
    wants: u8,
}

impl RandomRequests {
    fn new(choice: u8) -> Self {
        Self { choice, data: 0..0, from: 0, wants: 0 }
    }

    fn next_request(&mut self) -> DataRequest {
        let Range { start, end } = self.data;
        let from = self.from;
        let mix = self.choice.wrapping_mul(37).wrapping_add(start as u8).wrapping_add(self.wants.wrapping_mul(11));
        self.wants += 1;
        if self.wants > 4 {
            return DataRequest::Nothing;
        }
        let wanted = match mix % 9 {
            0 => return DataRequest::Nothing,
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
        DataRequest::Bytes(wanted)
    }
}

impl RequestPolicy for RandomRequests {
    fn of(&mut self, section: &Section<'_>) -> DataRequest {
        self.data = section.data();
        // The first request may start before the data: the scanner cuts it.
        self.from = if self.choice & 0x80 == 0 { self.data.start } else { section.range().start };
        self.wants = 0;
        self.next_request()
    }

    fn after(&mut self, data: Range<u64>) -> DataRequest {
        assert!(self.data.start <= data.start && data.end <= self.data.end, "data from outside the section");
        self.next_request()
    }
}

/// Asserts that the events are within the limits.
fn assert_within(limits: Limits, events: &[Event]) {
    let (mut items, mut depth, mut sections) = (0, 0, 0);
    for event in events {
        match event {
            Event::Enter(_) => (items, depth) = (items + 1, depth + 1),
            Event::Leave(..) => depth -= 1,
            Event::Data(..) => {}
            Event::Section { name, .. } => {
                sections += 1;
                assert!(name.len() <= limits.max_name_len as usize, "a long name");
            }
        }
        assert!(
            items <= limits.max_items && depth <= limits.max_depth && sections <= limits.max_sections,
            "{limits:?}"
        );
    }
}

/// The number and the bytes of the sections of each item.
struct Tally(Vec<(u64, u64)>);

impl Visitor<'_> for Tally {
    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        let (sections, bytes) = &mut self.0[section.item() as usize];
        *sections += 1;
        *bytes += section.range().end - section.range().start;
        DataRequest::Nothing
    }
}

/// Returns fewer bytes than requested, and is sometimes interrupted.
struct ShortReads<'a> {
    bytes: &'a [u8],
    reads: Cell<usize>,
}

impl<'a> ShortReads<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, reads: Cell::new(0) }
    }
}

impl ReadAt for ShortReads<'_> {
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
