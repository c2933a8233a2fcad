//! What a visitor is told, written down, whatever it asks for.

use std::ops::Range;

use sectile::scan::{Entry, Section, Visitor, Want};

/// What a visitor was told, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Enter(Entry),
    Section { item: u32, id: u8, name: String, range: Range<u64>, payload: Range<u64>, data: Range<u64> },
    Data(u64, Vec<u8>),
    Leave(u32, u64),
}

/// Decides what is wanted of a section.
pub trait Asks {
    fn of(&mut self, section: &Section<'_>) -> Want;

    /// What is wanted next, when some data is there.
    fn after(&mut self, data: Range<u64>) -> Want;
}

/// Asks for nothing.
impl Asks for () {
    fn of(&mut self, _: &Section<'_>) -> Want {
        Want::Nothing
    }

    fn after(&mut self, _: Range<u64>) -> Want {
        Want::Nothing
    }
}

/// Writes down what it is told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recorder<A> {
    pub events: Vec<Event>,
    asks: A,
}

impl<A: Asks> Recorder<A> {
    pub fn new(asks: A) -> Self {
        Self { events: Vec::new(), asks }
    }

    /// The bytes of the preambles, the headers with the names, and the data that were handed over.
    pub fn looked_at(&self) -> u64 {
        let of = |event: &Event| match event {
            Event::Enter(_) => 8,
            Event::Section { range, data, .. } => data.start - range.start,
            Event::Data(_, bytes) => bytes.len() as u64,
            Event::Leave(..) => 0,
        };
        self.events.iter().map(of).sum()
    }
}

impl<A: Asks> Visitor<'_> for Recorder<A> {
    fn enter(&mut self, entry: &Entry) {
        self.events.push(Event::Enter(*entry));
    }

    fn section(&mut self, section: &Section<'_>) -> Want {
        self.events.push(Event::Section {
            item: section.item,
            id: section.id,
            name: section.name().to_owned(),
            range: section.range(),
            payload: section.payload(),
            data: section.data(),
        });
        self.asks.of(section)
    }

    fn data(&mut self, bytes: &[u8], start: u64) -> Want {
        self.events.push(Event::Data(start, bytes.to_vec()));
        self.asks.after(start..start + bytes.len() as u64)
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.events.push(Event::Leave(item, end));
    }
}
