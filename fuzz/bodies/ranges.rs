//! Sources of ranges: one that says the truth in pieces, and one that does not.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use sectile::drive::{self, Fetch, FetchOptions, Fetched};
use sectile::metadata::Reader;
use sectile::{Error, Limits};

use super::drivers::told;

/// The outcome of what never has to wait.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("it waits"),
    }
}

/// Gives what it is asked for in pieces of these sizes, of which one at least is not 0.
pub struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: &'a [usize],
    tells_len: bool,
    asked: usize,
}

impl<'a> Pieces<'a> {
    pub fn new(bytes: &'a [u8], sizes: &'a [usize], tells_len: bool) -> Self {
        Self { bytes, sizes, tells_len, asked: 0 }
    }
}

impl Fetch for Pieces<'_> {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        let most = self.sizes[self.asked % self.sizes.len()].max(1);
        self.asked += 1;
        let bytes = part(self.bytes, &range);
        let len = self.tells_len.then_some(self.bytes.len() as u64);
        Ok(Fetched::new(bytes[..bytes.len().min(most)].to_vec(), len))
    }
}

fn part<'a>(bytes: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    let len = bytes.len() as u64;
    &bytes[range.start.min(len) as usize..range.end.min(len) as usize]
}

/// Answers as it is told to: with less, with more, with something else, with nothing, with lies about the length.
struct Liar<'a> {
    bytes: &'a [u8],
    whims: &'a [u8],
    requests: u64,
    asked: u64,
    /// Whether each answer was the truth, and there was one.
    is_honest: bool,
}

impl Fetch for Liar<'_> {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        assert!(range.start < range.end, "nothing is asked for: {range:?}");
        let whim = self.whims[self.requests as usize % self.whims.len()];
        self.requests += 1;
        self.asked += range.end - range.start;
        let asked = (range.end - range.start).min(1 << 20) as usize;
        let honest = part(self.bytes, &range).to_vec();
        let len = self.bytes.len() as u64;
        let told = match whim >> 5 {
            0..4 => Some(len),
            4 => None,
            5 => Some(len + u64::from(whim & 3)),
            6 => Some(u64::MAX - u64::from(whim & 7)),
            _ => Some(len / 2),
        };
        let bytes = match whim % 9 {
            0..4 => honest.clone(),
            4 => honest[..honest.len() / 2].to_vec(),
            5 => [&*honest, &[whim; 3]].concat(),
            6 => vec![whim; asked],
            7 => Vec::new(),
            _ => {
                self.is_honest = false;
                return Err(io::Error::other("it will not"));
            }
        };
        self.is_honest &= bytes == honest && told == Some(len);
        Ok(Fetched::new(bytes, told))
    }
}

/// Bytes of an input to the body that say how the source lies.
const WHIMS: usize = 24;

/// Reads from a source that may lie in any way: within the budget, to an end; and where it did not lie, what there is.
///
/// # Panics
///
/// The reading passes its budget, or an honest source is taken for another.
pub fn fetches(input: &[u8]) {
    let Some((whims, bytes)) = input.split_first_chunk::<WHIMS>() else { return };
    let [dear, budget, requests, ..] = *whims;
    let options = FetchOptions {
        request: Duration::from_micros(u64::from(dear) * 8),
        bytes_per_second: 1 << 20,
        max_bytes: if budget & 1 == 0 { 1 << 20 } else { u64::from(budget) * 4 },
        max_requests: if requests & 1 == 0 { 5_000 } else { u64::from(requests) },
    };
    let limits = Limits::default();
    let mut liar = Liar { bytes, whims: &whims[3..], requests: 0, asked: 0, is_honest: true };
    let mut reader = Reader::copying(limits);
    let (result, cost) = now(drive::fetch(&mut liar, &mut reader, options, limits));
    assert_eq!(cost.reads, liar.requests);
    assert!(cost.bytes <= liar.asked && liar.requests <= options.max_requests, "{cost:?} of {options:?}");
    assert!(cost.bytes <= options.max_bytes, "{cost:?} of {options:?}");
    let is_budget = result.as_ref().is_err_and(Error::is_limit);
    if liar.is_honest && !is_budget {
        let mut expected = Reader::copying(limits);
        let of_slice = drive::slice(bytes, &mut expected, limits).0;
        assert_eq!(told(result), told(of_slice));
        assert_eq!(reader.finish(), expected.finish());
    }
}
