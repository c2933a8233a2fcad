//! A source of byte ranges that records its requests.

use std::fmt;
use std::io;
use std::ops::Range;

use sectile::drive::{Fetch, Fetched};

pub use crate::bodies::now;

/// A source in memory.
pub struct Ranges<'a> {
    pub bytes: &'a [u8],
    /// Whether an answer has the length of the input.
    pub reports_len: bool,
    /// Maximum bytes of an answer.
    pub most: usize,
    /// The requested ranges.
    pub asked: Vec<Range<u64>>,
}

impl<'a> Ranges<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, reports_len: true, most: usize::MAX, asked: Vec::new() }
    }

    /// A source that does not report its length.
    pub fn silent(bytes: &'a [u8]) -> Self {
        Self { reports_len: false, ..Self::of(bytes) }
    }
}

impl Fetch for Ranges<'_> {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        assert!(range.start < range.end, "{range:?} is empty");
        self.asked.push(range.clone());
        let len = self.bytes.len() as u64;
        let bytes = &self.bytes[range.start.min(len) as usize..range.end.min(len) as usize];
        let bytes = bytes[..bytes.len().min(self.most)].to_vec();
        Ok(Fetched::new(bytes, self.reports_len.then_some(len)))
    }
}

impl fmt::Debug for Ranges<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, reports_len, most, asked } = self;
        write!(f, "{} bytes, at most {most} each, tells {reports_len}, asked for {asked:?}", bytes.len())
    }
}
