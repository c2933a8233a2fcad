//! A window of a data section, and the texts that its segments put into linear memory.

use super::context::Context;
use super::data::Segment;
use super::text::{MAX_ZEROS, Text};

/// Bytes of a data section, and the segments that they hold, or parts of.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataWindow<'w> {
    pub(super) bytes: &'w [u8],
    /// Absolute offset of the bytes.
    pub(super) start: u64,
    pub(super) segments: &'w [Segment],
}

/// Maximum distance in the input between an anchor and its context. Headers of segments count.
pub(super) const MAX_DISTANCE: u64 = 4 << 10;

/// Number of bytes before a key: the longest path, and the context of its anchor.
const BEFORE_KEY: usize = Context::PATH + Context::BEFORE;

impl<'w> DataWindow<'w> {
    /// The bytes from an absolute offset on, with the headers of segments.
    pub(super) fn raw(&self, from: u64) -> Text<'w> {
        Text::part(&self.bytes[(from - self.start) as usize..], from)
    }

    /// The byte at an absolute offset.
    pub(super) fn byte(&self, at: u64) -> u8 {
        self.bytes[(at - self.start) as usize]
    }

    /// The contents from an absolute offset on.
    pub(super) fn contents(&self, from: u64) -> Text<'w> {
        let first = self.segments.partition_point(|segment| segment.end <= from);
        let mut text = Text::default();
        for (nth, segment) in self.segments[first..].iter().enumerate() {
            let (part, offset) = self.part(segment, from, u64::MAX);
            if nth > 0 {
                text.push_zeros(segment.zeros);
            }
            text.push(part, offset);
        }
        text
    }

    /// The text around an absolute offset in a segment, and the index of its byte in the text.
    pub(super) fn around(&self, at: u64, segment: usize) -> (Text<'w>, usize) {
        let Segment { start, end, .. } = self.segments[segment];
        let (before, after) = (BEFORE_KEY as u64, Context::AFTER as u64);
        if start + before <= at && at + after <= end.min(self.end()) {
            let bytes = &self.bytes[(at - before - self.start) as usize..(at + after - self.start) as usize];
            return (Text::part(bytes, at - before), BEFORE_KEY);
        }
        let (low, high) = (at.saturating_sub(MAX_DISTANCE).max(self.start), at.saturating_add(MAX_DISTANCE));
        let first = self.first_before(segment, at, low);
        let mut text = Text::with_capacity(2 * MAX_DISTANCE as usize);
        let mut index = 0;
        for (nth, next) in self.segments.iter().enumerate().skip(first) {
            let is_after = nth > segment;
            if next.start >= high || is_after && text.bytes().len() - index >= Context::AFTER {
                break;
            }
            let is_far = next.zeros == MAX_ZEROS;
            if nth > first || is_far && next.start >= low {
                text.push_zeros(next.zeros);
            }
            if is_after && is_far {
                break;
            }
            let (part, offset) = self.part(next, low, high);
            if nth == segment {
                index = text.bytes().len() + (at - offset) as usize;
            }
            text.push(part, offset);
        }
        (text, index)
    }

    /// The first segment with text before an absolute offset in a segment.
    fn first_before(&self, segment: usize, at: u64, low: u64) -> usize {
        let (mut first, mut len) = (segment, at - self.segments[segment].start.max(low).min(at));
        while len < BEFORE_KEY as u64 && self.segments[first].zeros < MAX_ZEROS {
            let Some(previous) = first.checked_sub(1).filter(|previous| self.segments[*previous].end > low) else {
                break;
            };
            let Segment { start, end, .. } = self.segments[previous];
            len += self.segments[first].zeros + (end - start.max(low));
            first = previous;
        }
        first
    }

    /// The text from an absolute offset up to the end of a line, or up to a limit on its length.
    pub(super) fn line(&self, at: u64, max_len: usize, is_end: impl Fn(&[u8]) -> bool) -> Text<'w> {
        let limit = at.saturating_add(max_len as u64);
        let first = self.segments.partition_point(|segment| segment.end <= at);
        let Some(segment) = self.segments.get(first) else { return Text::default() };
        if segment.start <= at && limit.min(self.end()) <= segment.end {
            return Text::part(self.part(segment, at, limit).0, at);
        }
        let mut text = Text::default();
        for segment in &self.segments[first..] {
            if segment.start >= limit {
                break;
            }
            if segment.start > at {
                text.push_zeros(segment.zeros);
            }
            let (part, offset) = self.part(segment, at, limit);
            text.push(part, offset);
            if memchr::memchr(b'\n', part).is_some() || is_end(text.bytes()) {
                break;
            }
        }
        text
    }

    /// Absolute offset of the last contents of this length.
    pub(super) fn last(&self, len: u64) -> u64 {
        let mut left = len;
        for segment in self.segments.iter().rev() {
            let end = segment.end.min(self.end());
            if segment.start + left <= end {
                return end - left;
            }
            left -= end.saturating_sub(segment.start);
        }
        self.start
    }

    /// The bytes of a segment in this window and in an absolute range, and their offset.
    fn part(&self, segment: &Segment, low: u64, high: u64) -> (&'w [u8], u64) {
        let start = segment.start.max(self.start).max(low);
        let end = segment.end.min(self.end()).min(high).max(start);
        let bytes = self.bytes.get((start - self.start) as usize..(end - self.start) as usize);
        (bytes.unwrap_or_default(), start)
    }

    /// Absolute offset of the end.
    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}
