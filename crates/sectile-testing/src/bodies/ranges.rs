//! Sources of ranges: a correct one that answers in pieces, and a faulty one.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::parts_of;
use sectile::drive::{self, Fetch, FetchOptions, Fetched};
use sectile::metadata::StreamReader;
use sectile::scan::Collector;
use sectile::{Error, Limits};

use super::recorder::error_text;

/// Polls a future that never waits.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("it waits"),
    }
}

/// Answers in pieces of these sizes. At least one size must not be 0.
pub struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: &'a [usize],
    reports_len: bool,
    asked: usize,
}

impl<'a> Pieces<'a> {
    pub fn new(bytes: &'a [u8], sizes: &'a [usize], reports_len: bool) -> Self {
        Self { bytes, sizes, reports_len, asked: 0 }
    }
}

impl Fetch for Pieces<'_> {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        let most = self.sizes[self.asked % self.sizes.len()].max(1);
        self.asked += 1;
        let bytes = part(self.bytes, &range);
        let len = self.reports_len.then_some(self.bytes.len() as u64);
        Ok(Fetched::new(bytes[..bytes.len().min(most)].to_vec(), len))
    }
}

fn part<'a>(bytes: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    let len = bytes.len() as u64;
    &bytes[range.start.min(len) as usize..range.end.min(len) as usize]
}

/// Answers with less, with more, with other bytes, with nothing, or with a wrong length.
struct FaultySource<'a> {
    bytes: &'a [u8],
    choices: &'a [u8],
    requests: u64,
    asked: u64,
    /// Whether every answer was correct and not an error.
    is_correct: bool,
}

impl Fetch for FaultySource<'_> {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        assert!(range.start < range.end, "empty request: {range:?}");
        let fault = self.choices[self.requests as usize % self.choices.len()];
        self.requests += 1;
        self.asked += range.end - range.start;
        let asked = (range.end - range.start).min(1 << 20) as usize;
        let correct = part(self.bytes, &range).to_vec();
        let len = self.bytes.len() as u64;
        let reported_len = match fault >> 5 {
            0..4 => Some(len),
            4 => None,
            5 => Some(len + u64::from(fault & 3)),
            6 => Some(u64::MAX - u64::from(fault & 7)),
            _ => Some(len / 2),
        };
        let bytes = match fault % 9 {
            0..4 => correct.clone(),
            4 => correct[..correct.len() / 2].to_vec(),
            5 => [&*correct, &[fault; 3]].concat(),
            6 => vec![fault; asked],
            7 => Vec::new(),
            _ => {
                self.is_correct = false;
                return Err(io::Error::other("refused"));
            }
        };
        self.is_correct &= bytes == correct && reported_len == Some(len);
        Ok(Fetched::new(bytes, reported_len))
    }
}

/// Bytes of the fuzz input that choose the faults. The rest is the binary.
const FAULT_BYTES: usize = 24;

/// Reads from a source that may be faulty. The read must end within its budget. If all answers were
/// correct, the result must be correct.
///
/// # Panics
///
/// The read exceeds its budget, or differs from a slice for a correct source.
pub fn fetches(input: &[u8]) {
    let Some((choices, bytes)) = input.split_first_chunk::<FAULT_BYTES>() else { return };
    let [latency, budget, requests, ..] = *choices;
    let options = FetchOptions {
        latency: Duration::from_micros(u64::from(latency) * 8),
        bytes_per_second: 1 << 20,
        max_bytes: if budget & 1 == 0 { 1 << 20 } else { u64::from(budget) * 4 },
        max_requests: if requests & 1 == 0 { 5_000 } else { u64::from(requests) },
    };
    let limits = Limits::default();
    let mut source = FaultySource { bytes, choices: &choices[3..], requests: 0, asked: 0, is_correct: true };
    let mut reader = StreamReader::with_limits(limits);
    let (_, result, cost) = parts_of(now(drive::scan_fetch(&mut source, &mut reader, options, limits)));
    assert_eq!(cost.reads, source.requests);
    assert!(cost.bytes <= source.asked && source.requests <= options.max_requests, "{cost:?} of {options:?}");
    assert!(cost.bytes <= options.max_bytes, "{cost:?} of {options:?}");
    let is_budget = result.as_ref().is_err_and(Error::is_limit);
    if source.is_correct && !is_budget {
        let mut expected = StreamReader::with_limits(limits);
        let of_slice = drive::scan_slice(bytes, &mut expected, limits).complete();
        assert_eq!(error_text(result), error_text(of_slice));
        assert_eq!(reader.finish(), expected.finish());
    }
}
