//! Records the events of a visitor, for any requests.

use std::ops::Range;

use sectile::scan::{DataRequest, ItemKind, ItemPath, ItemStart, Section, Visitor};

/// An event, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Enter(EnteredItem),
    Section { item: u32, id: u8, name: String, range: Range<u64>, payload: Range<u64>, data: Range<u64> },
    Data(u64, Vec<u8>),
    Leave(u32, u64),
}

/// The beginning of an item, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnteredItem {
    pub item: u32,
    pub kind: ItemKind,
    pub parent: Option<u32>,
    pub index: u32,
    pub depth: u32,
    /// `None` deeper than `DEEPEST_PATH`. The paths of a chain take memory in proportion to the
    /// square of its depth.
    pub path: Option<ItemPath>,
    pub start: u64,
    pub end: Option<u64>,
}

/// The deepest item under the default limits.
const DEEPEST_PATH: u32 = 1_000;

impl From<&ItemStart<'_>> for EnteredItem {
    fn from(start: &ItemStart<'_>) -> Self {
        Self {
            item: start.item(),
            kind: start.kind(),
            parent: start.parent(),
            index: start.index(),
            depth: start.depth(),
            path: (start.depth() <= DEEPEST_PATH).then(|| start.path()),
            start: start.start(),
            end: start.end(),
        }
    }
}

/// Chooses the requests for a section.
pub trait RequestPolicy {
    fn of(&mut self, section: &Section<'_>) -> DataRequest;

    /// The next request, after some data.
    fn after(&mut self, data: Range<u64>) -> DataRequest;
}

/// Requests nothing.
impl RequestPolicy for () {
    fn of(&mut self, _: &Section<'_>) -> DataRequest {
        DataRequest::Nothing
    }

    fn after(&mut self, _: Range<u64>) -> DataRequest {
        DataRequest::Nothing
    }
}

/// Records its events.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recorder<A> {
    pub events: Vec<Event>,
    policy: A,
}

impl<A: RequestPolicy> Recorder<A> {
    pub fn new(policy: A) -> Self {
        Self { events: Vec::new(), policy }
    }

    /// The bytes examined: preambles, headers, names and requested data. Requests may overlap; each
    /// byte counts once.
    pub fn bytes_examined(&self) -> u64 {
        let mut data_until = 0;
        let of = |event: &Event| match event {
            Event::Enter(_) => 8,
            Event::Section { range, data, .. } => data.start - range.start,
            Event::Data(start, bytes) => {
                let end = start + bytes.len() as u64;
                let counted = end.saturating_sub(data_until.max(*start));
                data_until = data_until.max(end);
                counted
            }
            Event::Leave(..) => 0,
        };
        self.events.iter().map(of).sum()
    }
}

impl<A: RequestPolicy> Visitor<'_> for Recorder<A> {
    fn enter(&mut self, entry: &ItemStart<'_>) {
        self.events.push(Event::Enter(entry.into()));
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        self.events.push(Event::Section {
            item: section.item(),
            id: section.id(),
            name: section.name().to_owned(),
            range: section.range(),
            payload: section.payload(),
            data: section.data(),
        });
        self.policy.of(section)
    }

    fn data(&mut self, bytes: &[u8], start: u64) -> DataRequest {
        self.events.push(Event::Data(start, bytes.to_vec()));
        self.policy.after(start..start + bytes.len() as u64)
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.events.push(Event::Leave(item, end));
    }
}

/// The message and the offset of an error, which every driver must report alike.
pub fn error_text(result: Result<(), sectile::Error>) -> Option<String> {
    result.err().map(|error| format!("{error} {:?}", error.offset()))
}
