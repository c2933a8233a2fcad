//! The data sections of a binary, in which other binaries may be.

use std::io::{self, Read};
use std::ops::Range;

use super::budget::Budget;
use sectile::drive::{self, PushDriver, ReadAt};
use sectile::scan::{DataRequest, Section, SectionKind, Visitor};
use sectile::{Input, Limits};

/// Collects the ranges of the data sections of all items.
#[derive(Default)]
struct DataSections(Vec<Range<u64>>);

/// Maximum number of data sections that are searched.
const MAX_SECTIONS: usize = 100_000;

impl Visitor<'_> for DataSections {
    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if section.kind() == SectionKind::Data && self.0.len() < MAX_SECTIONS {
            self.0.push(section.payload());
        }
        DataRequest::Nothing
    }
}

/// The data sections of the binary in a range of a file, in the file. Damaged binaries have those before the damage.
pub(super) fn in_file(input: &Input, range: &Range<u64>, budget: &Budget) -> Vec<Range<u64>> {
    let mut sections = DataSections::default();
    let source = PartOfFile { input, start: range.start, len: range.end - range.start };
    let outcome = drive::scan_at(&source, source.len, &mut sections, Limits::default());
    budget.read(outcome.cost().bytes);
    let absolute = |section: Range<u64>| range.start + section.start..(range.start + section.end).min(range.end);
    sections.0.into_iter().map(absolute).collect()
}

/// The data sections of a binary in memory.
pub(super) fn in_memory(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut sections = DataSections::default();
    _ = drive::scan_slice(bytes, &mut sections, Limits::default());
    let clip = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    sections.0.into_iter().map(|section| clip(section.start)..clip(section.end)).collect()
}

/// A range of a file.
struct PartOfFile<'i> {
    input: &'i Input,
    start: u64,
    len: u64,
}

impl ReadAt for PartOfFile<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        self.input.read_at(&mut buffer[..most], self.start + offset)
    }
}

/// A stream of a binary whose data sections are kept while it is read.
pub(super) struct KeptData<'r, 'b> {
    reader: &'r mut dyn Read,
    budget: &'b Budget,
    push: PushDriver<DataSections>,
    position: u64,
    kept: Vec<(u64, Vec<u8>)>,
    reserved: u64,
    /// Whether there was more data than may be held.
    pub(super) is_over_limit: bool,
}

impl<'r, 'b> KeptData<'r, 'b> {
    pub(super) fn new(reader: &'r mut dyn Read, budget: &'b Budget) -> Self {
        let push = PushDriver::with_limits(DataSections::default(), Limits::default());
        Self { reader, budget, push, position: 0, kept: Vec::new(), reserved: 0, is_over_limit: false }
    }

    /// The data sections that were read, each with its offset.
    pub(super) fn into_sections(mut self) -> Vec<(u64, Vec<u8>)> {
        std::mem::take(&mut self.kept)
    }

    fn keep(&mut self, chunk: &[u8]) {
        let (start, end) = (self.position, self.position + chunk.len() as u64);
        self.position = end;
        _ = self.push.push(chunk); // a damaged binary has a row that says so
        let sections = &self.push.visitor().0;
        let first = sections.partition_point(|section| section.end <= start);
        for section in sections[first..].iter().take_while(|section| section.start < end) {
            let part = &chunk[(section.start.max(start) - start) as usize..(section.end.min(end) - start) as usize];
            if part.is_empty() || self.is_over_limit {
                continue;
            }
            if part.len() as u64 > self.budget.available_memory() {
                self.is_over_limit = true;
                continue;
            }
            self.budget.reserve(part.len() as u64);
            self.reserved += part.len() as u64;
            match self.kept.last_mut() {
                Some((at, bytes)) if *at == section.start => bytes.extend_from_slice(part),
                _ => self.kept.push((section.start, part.to_vec())),
            }
        }
    }
}

impl Drop for KeptData<'_, '_> {
    fn drop(&mut self) {
        self.budget.release(self.reserved);
    }
}

impl Read for KeptData<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.keep(&buffer[..read]);
        Ok(read)
    }
}
