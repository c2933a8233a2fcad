//! Reads the facts of a binary.

use sectile::drive::{self, ReadAt};
use sectile::internal::{CHANGED, add_root_finding, collect_checked, outcome};
use sectile::metadata::StreamReader;
use sectile::scan::{Both, Collector, DataRequest, ItemStart, Section, Visitor};
use sectile::{FindingCode, Input, Limits, Outcome};

use super::SectionList;
use crate::{Policy, PolicyReader, Reading};

/// Collector of the data that [`BinaryFacts`](super::BinaryFacts) come from: metadata, packages, and the headers of all
/// sections.
#[derive(Debug)]
pub struct FactsReader(Both<PolicyReader<StreamReader>, SectionList>);

impl FactsReader {
    /// A reader within the limits of a policy. It reads the packages that the policy selects.
    pub fn new(policy: &Policy) -> Self {
        Self(Both::new(PolicyReader::stream(policy), SectionList::default()))
    }

    /// Reads imports and exports too.
    #[must_use]
    pub fn with_interface(self) -> Self {
        let (reader, sections) = self.0.into_parts();
        let limits = reader.limits();
        Self(Both::new(reader.with_interface(limits), sections))
    }

    /// Reads an open file. A change of the file during the read is a finding (`changed`).
    pub fn read_input(self, input: &Input) -> BinaryReading {
        collect_checked(input, self, |(reading, _)| {
            add_root_finding(reading.metadata_mut(), FindingCode::Changed, 0, None, CHANGED.to_owned());
        })
        .into()
    }

    /// Reads `len` bytes of a source with positioned reads.
    pub fn read_at<R: ReadAt + ?Sized>(mut self, source: &R, len: u64) -> BinaryReading {
        let limits = self.limits();
        // One scanner serves all sources and rare visitors: it is large.
        let visitor: &mut dyn for<'w> Visitor<'w> = &mut self;
        let source: &dyn ReadAt = &source;
        drive::scan_at(source, len, visitor, limits).and_then(|()| self.finish()).into()
    }
}

/// The result of a [`FactsReader`].
#[derive(Debug)]
pub struct BinaryReading {
    /// The data that a policy judges.
    pub outcome: Outcome<Reading<'static>>,
    /// The sections; empty if nothing was read.
    pub sections: SectionList,
}

impl From<Outcome<(Reading<'static>, SectionList)>> for BinaryReading {
    fn from(read: Outcome<(Reading<'static>, SectionList)>) -> Self {
        let (value, error, cost) = read.into_parts();
        let (reading, sections) = value.unzip();
        Self { outcome: outcome(reading, error, cost), sections: sections.unwrap_or_default() }
    }
}

impl Collector for FactsReader {
    type Value = (Reading<'static>, SectionList);

    fn limits(&self) -> Limits {
        self.0.first().limits()
    }

    fn finish(self) -> Option<Self::Value> {
        let (reader, sections) = self.0.into_parts();
        Some((reader.finish()?, sections))
    }
}

impl<'w> Visitor<'w> for FactsReader {
    fn enter(&mut self, item: &ItemStart<'_>) {
        self.0.enter(item);
    }

    fn section(&mut self, section: &Section<'w>) -> DataRequest {
        self.0.section(section)
    }

    fn data(&mut self, bytes: &'w [u8], start: u64) -> DataRequest {
        self.0.data(bytes, start)
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.0.leave(item, end);
    }
}
