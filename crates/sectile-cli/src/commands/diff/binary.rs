//! One of two binaries that are compared.

use sectile::digest::Digests;
use sectile::{Input, Limits, internal};
use sectile_policy::JudgeContext;
use sectile_policy::diff::{BinaryFacts, BinaryReading, FactsReader, SectionHasher, SectionList};
use sectile_policy::report::Report;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::{self, InputReader};
use crate::judge::Judge;
use crate::output::Output;
use crate::reading::SizedReading;
use crate::source::InputSource;

/// A binary, and how it was read.
pub struct Binary {
    pub facts: BinaryFacts,
    reading: SizedReading<sectile_policy::Reading<'static>>,
}

impl Binary {
    /// Reads a binary: its headers and metadata, or all of it.
    pub fn read(source: &InputSource, opened: Option<Input>, reads_all: bool, judge: &Judge) -> Result<Self, Failure> {
        let mut input = match opened {
            Some(input) => InputReader::Local(input),
            None if reads_all => InputReader::Local(input::open_whole(source)?),
            None => input::open(source, false)?,
        };
        let size = input.len();
        let BinaryReading { outcome, mut sections } =
            input.read_facts(FactsReader::new(&judge.policy).with_interface());
        let (value, error, cost) = outcome.into_parts();
        let outcome = match (value, error) {
            (None, Some(error)) => return Err(error.into()),
            (value, error) => internal::outcome(value, error, cost),
        };
        let digests = match &input {
            InputReader::Local(input) if reads_all => Some(read_content(input, judge.policy.limits, &mut sections)?),
            _ => None,
        };
        let reading = SizedReading::new(size, outcome);
        let report = Report::for_policy(source.name(), reading.size, &reading.outcome);
        let locations = [source.name()];
        let context = JudgeContext::new().with_day(judge.today).with_locations(&locations);
        let verdict = judge.policy.judge_with_context(&report, &context);
        let facts = BinaryFacts::new(&report, Some(verdict.findings()), Some(&sections));
        let facts = match &digests {
            Some(digests) => facts.with_digests(digests),
            None => facts,
        };
        Ok(Self { facts, reading })
    }

    /// The binary as a line of a report.
    pub fn read_line(source: &InputSource, opened: Option<Input>, judge: &Judge) -> Result<Vec<u8>, Failure> {
        let Self { reading, .. } = Self::read(source, opened, false, judge)?;
        let mut line = Vec::new();
        Report::for_policy(source.name(), reading.size, &reading.outcome).write_json(&mut line)?;
        Ok(line)
    }

    /// Prints the error that ended the reading, if any, and returns the exit status.
    pub fn finish(self, source: &InputSource, output: &mut Output) -> Exit {
        self.reading.finish(source, output)
    }
}

/// Reads all of a binary: the data of its custom sections, and its digests.
fn read_content(input: &Input, limits: Limits, sections: &mut SectionList) -> Result<Digests, Failure> {
    let mut hasher = SectionHasher::new(|_, _| true);
    _ = input.scan(&mut hasher, limits); // the error of a truncated binary is already known
    sections.add_digests(hasher);
    let (digests, error, _) = input.digests_with(limits).into_parts();
    digests.ok_or_else(|| error.map_or_else(|| Failure::Other("it has no content".to_owned()), Failure::Input))
}
