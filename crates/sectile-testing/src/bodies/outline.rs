//! The outline of an input from the scanner and from the reference: items and sections in order,
//! and the final error.

use std::ops::Range;

use super::recorder::EnteredItem;
use sectile::scan::{DataRequest, ItemKind, ItemStart, Section, Visitor};
use sectile::{Limits, drive};
use wasmparser::{Encoding, Parser, Payload, WasmFeatures};

/// An event that both report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutlineEvent<'a> {
    /// An item of this kind begins.
    Enter { kind: ItemKind, start: u64 },
    /// A section of an item of this kind.
    Section { kind: ItemKind, id: u8, payload: Range<u64>, custom: Option<Custom<'a>> },
    /// An item ends.
    Leave { end: u64 },
}

/// Name and data of a custom section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custom<'a> {
    pub name: &'a str,
    pub data: Range<u64>,
}

/// An event of the scanner with all details.
#[derive(Clone, Debug)]
pub enum ScanEvent<'a> {
    Enter(EnteredItem),
    Section(Section<'a>),
    Leave { item: u32, end: u64 },
}

/// The scanner's events for an input.
#[derive(Debug)]
pub struct Outline<'a> {
    pub events: Vec<ScanEvent<'a>>,
    pub error: Option<sectile::Error>,
}

impl<'a> Outline<'a> {
    /// Scans a slice without the limits that the reference does not have.
    pub fn of(bytes: &'a [u8]) -> Self {
        let limits = Limits { max_depth: u32::MAX, max_items: u32::MAX, max_sections: u64::MAX, ..Limits::default() };
        let mut outline = Self { events: Vec::new(), error: None };
        outline.error = drive::scan_slice(bytes, &mut outline, limits).complete().err();
        outline
    }

    /// Only the sections.
    pub fn sections(&self) -> impl Iterator<Item = &Section<'a>> {
        self.events.iter().filter_map(|event| match event {
            ScanEvent::Section(section) => Some(section),
            ScanEvent::Enter(_) | ScanEvent::Leave { .. } => None,
        })
    }

    pub fn outline_events(&self) -> Vec<OutlineEvent<'a>> {
        self.events.iter().map(ScanEvent::outline_event).collect()
    }
}

impl<'a> Visitor<'a> for Outline<'a> {
    fn enter(&mut self, item: &ItemStart<'_>) {
        self.events.push(ScanEvent::Enter(item.into()));
    }

    fn section(&mut self, section: &Section<'a>) -> DataRequest {
        self.events.push(ScanEvent::Section(*section));
        DataRequest::Nothing
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.events.push(ScanEvent::Leave { item, end });
    }
}

impl<'a> ScanEvent<'a> {
    fn outline_event(&self) -> OutlineEvent<'a> {
        match self {
            Self::Enter(entry) => OutlineEvent::Enter { kind: entry.kind, start: entry.start },
            Self::Section(section) => OutlineEvent::Section {
                kind: section.item_kind(),
                id: section.id(),
                payload: section.payload(),
                custom: section.is_custom().then(|| Custom { name: section.name(), data: section.data() }),
            },
            Self::Leave { end, .. } => OutlineEvent::Leave { end: *end },
        }
    }
}

/// The reference's events for an input.
#[derive(Debug)]
pub struct Reference<'a> {
    pub events: Vec<OutlineEvent<'a>>,
    pub error: Option<wasmparser::Error>,
    /// The state of the current code section; `None` outside.
    pub code: Option<CodeSection>,
}

/// The state of a code section.
#[derive(Debug)]
pub struct CodeSection {
    /// Remaining function bodies.
    pub bodies: u32,
    /// Offset of the next function body.
    pub position: u64,
    pub end: u64,
}

impl<'a> Reference<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        let mut reference = Self { events: Vec::new(), error: None, code: None };
        // The kinds of the open items.
        let mut open = Vec::new();
        let mut parser = Parser::new(0);
        parser.set_features(WasmFeatures::all());
        for payload in parser.parse_all(bytes) {
            match payload {
                Ok(payload) => reference.add(&payload, &mut open),
                Err(error) => reference.error = Some(error),
            }
        }
        reference
    }

    fn add(&mut self, payload: &Payload<'a>, open: &mut Vec<ItemKind>) {
        let is_new = match payload {
            Payload::Version { encoding, range, .. } => {
                let kind = item_kind(*encoding);
                open.push(kind);
                self.events.push(OutlineEvent::Enter { kind, start: range.start });
                true
            }
            Payload::End(end) => {
                open.pop();
                self.events.push(OutlineEvent::Leave { end: *end });
                true
            }
            Payload::CodeSectionEntry(body) => {
                let code = self.code.as_mut().expect("bodies occur only in code sections");
                code.bodies -= 1;
                code.position = body.range().end;
                false
            }
            section => {
                let (id, payload) = section.as_section().expect("all other payloads are sections");
                let kind = *open.last().expect("sections occur only in items");
                let custom = match section {
                    Payload::CustomSection(reader) => Some(Custom { name: reader.name(), data: reader.data_range() }),
                    _ => None,
                };
                self.events.push(OutlineEvent::Section { kind, id, payload, custom });
                true
            }
        };
        if is_new {
            self.code = None;
        }
        if let Payload::CodeSectionStart { count, unchecked_range, size } = payload {
            let end = unchecked_range.end;
            self.code = Some(CodeSection { bodies: *count, position: end - u64::from(*size), end });
        }
        // A completed code section cannot fail any more.
        self.code.take_if(|code| code.bodies == 0 && code.position == code.end);
    }
}

fn item_kind(encoding: Encoding) -> ItemKind {
    match encoding {
        Encoding::Module => ItemKind::Module,
        Encoding::Component => ItemKind::Component,
    }
}
