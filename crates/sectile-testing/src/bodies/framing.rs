//! The contract with the reference, wasmparser's `Parser::parse_all`.
//!
//! - The scanner accepts everything that the reference accepts, with the same items, sections and
//!   ranges.
//! - The reference may reject more, but only inside a skipped body or for counts that must agree
//!   between sections.
//! - If both reject, both report the same before and fail at the same header or name.
//!
//! The offset of each error of the reference is checked, because the same message may come from a
//! body or from a header.

use std::ops::{Range, RangeInclusive};

use sectile::scan::{ItemKind, Section};

use super::outline::{CodeSection, Outline, OutlineEvent, Reference, ScanEvent};
use super::recorder::EnteredItem;

/// The verdicts on an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Both accept the input.
    Accepted,
    /// Only the reference rejects the input, because of a body.
    BrokenBody,
    /// Both reject the input.
    Rejected,
}

/// Compares the scanner with the reference.
///
/// # Panics
///
/// They violate the contract, or the scanner's events do not match the bytes.
#[track_caller]
pub fn framing(bytes: &[u8]) -> Verdict {
    crate::recorded::record_seed(bytes);
    let ours = Outline::of(bytes);
    let theirs = Reference::of(bytes);
    let case = Case { bytes, ours: &ours, theirs: &theirs };
    if let Err(complaint) = case.check() {
        let events = ours.outline_events();
        panic!("{complaint}\n bytes: {}\n ours: {events:x?}\n {:?}\n theirs: {theirs:x?}", hex(bytes), ours.error);
    }
    match (&ours.error, &theirs.error) {
        (None, None) => Verdict::Accepted,
        (None, Some(_)) => Verdict::BrokenBody,
        (Some(_), _) => Verdict::Rejected,
    }
}

fn hex(bytes: &[u8]) -> String {
    const MAX_SHOWN_BYTES: usize = 2_000;
    let hex = bytes.iter().take(MAX_SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    if bytes.len() > MAX_SHOWN_BYTES { format!("{hex}… ({} bytes)", bytes.len()) } else { hex }
}

struct Case<'a> {
    bytes: &'a [u8],
    ours: &'a Outline<'a>,
    theirs: &'a Reference<'a>,
}

type Disagreement = &'static str;

fn ensure(holds: bool, complaint: Disagreement) -> Result<(), Disagreement> {
    if holds { Ok(()) } else { Err(complaint) }
}

/// Messages of the reference for malformed bodies.
const BODY_MESSAGES: [&str; 6] = [
    "unexpected end-of-file",
    "invalid var_u32: integer representation too long",
    "invalid var_u32: integer too large",
    "unexpected content in the start section",
    "unexpected content in the data count section",
    "unexpected content in the component start section",
];

/// The maximum length of a LEB128 number.
const MAX_LEB128: u64 = 5;

impl Case<'_> {
    fn check(&self) -> Result<(), Disagreement> {
        TilingCheck::default().check(self.bytes, self.ours)?;
        let ours = self.ours.outline_events();
        let theirs = &self.theirs.events;
        let Some(error) = &self.theirs.error else {
            ensure(self.ours.error.is_none(), "the reference accepts it, the scanner does not")?;
            return ensure(ours == *theirs, "both accept it, but report different sections");
        };
        ensure(ours.starts_with(theirs), "the reference reports events that the scanner does not")?;
        let (message, offset) = (error.message(), error.offset());
        if let Some(code) = &self.theirs.code {
            return ensure(
                is_in_code(code, message, offset),
                "the reference fails in a code section, but not at a body",
            );
        }
        match (ours.get(theirs.len()), &self.ours.error) {
            (Some(next @ OutlineEvent::Section { payload, .. }), error) if payload.end > self.len() => {
                let is_truncated = message == "unexpected end-of-file" && offset == payload.start;
                ensure(
                    is_truncated || is_in_body(next, message, offset),
                    "the reference rejects more than the truncation",
                )?;
                let at_end = |error: &sectile::Error| error.is_truncated() && error.offset() == Some(self.len());
                ensure(
                    error.as_ref().is_some_and(at_end),
                    "the input truncates a section, but the scanner does not report it",
                )
            }
            (Some(next), _) => {
                ensure(is_in_body(next, message, offset), "the scanner reports a section that the reference rejects")
            }
            (None, Some(error)) => self.same_place(error, message, offset),
            (None, None) => Err("the reference reached the root's end, but rejects the input"),
        }
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Checks that both reject the next header at the same offset.
    fn same_place(&self, error: &sectile::Error, message: &str, offset: u64) -> Result<(), Disagreement> {
        let head = self.head();
        if error.is_truncated() {
            ensure(error.offset() == Some(self.len()), "the error of a truncated input is not at its end")?;
            ensure(self.is_truncated(), "the scanner reports truncation, but the input is not truncated")?;
            // The scanner reads a preamble at once, the reference in two steps.
            let is_truncated =
                message == "unexpected end-of-file" || self.is_preamble_next() && message.contains("magic");
            ensure(is_truncated, "the scanner reports truncation, but the reference reports another error")?;
            return ensure((*head.start()..=self.len()).contains(&offset), "the reference fails at another offset");
        }
        ensure(
            error.is_malformed() || message == "string size out of bounds" || self.is_truncated_name(message),
            "a limit",
        )?;
        let place = error.offset().ok_or("an error without an offset")?;
        ensure(head.contains(&place), "the scanner's error is outside the malformed header")?;
        ensure(head.contains(&offset), "the reference fails at another offset")
    }

    /// Whether the input ends inside the preamble, header or name that starts where the scanner
    /// stopped. The item may also end there.
    fn is_truncated(&self) -> bool {
        let start = self.position();
        let left = self.len() - start;
        if self.is_preamble_next() {
            return left < 8;
        }
        match Header::read(self.bytes, start) {
            None => left <= MAX_LEB128 && self.bytes[start as usize..].iter().skip(1).all(|byte| *byte >= 0x80),
            Some(Header { id, payload }) => {
                let name = leb128(self.bytes, payload.start);
                let name_end = name.map(|(len, width)| payload.start + width + u64::from(len));
                let is_name_cut = name_end.is_none_or(|end| (self.len() + 1..=payload.end).contains(&end));
                id == 0 && payload.end > self.len() && is_name_cut
            }
        }
    }

    /// Whether the reference got no name, because the input is truncated inside the section.
    fn is_truncated_name(&self, message: &str) -> bool {
        let payload = Header::read(self.bytes, self.position()).map(|header| header.payload);
        message == "unexpected end-of-file" && payload.is_some_and(|payload| payload.end > self.len())
    }

    /// The offset of the first bytes that the scanner did not report.
    fn position(&self) -> u64 {
        match self.ours.events.last() {
            None => 0,
            Some(ScanEvent::Enter(entry)) => entry.start + 8,
            Some(ScanEvent::Section(section)) if holds_item(section) => section.payload().start,
            Some(ScanEvent::Section(section)) => section.range().end,
            Some(ScanEvent::Leave { end, .. }) => *end,
        }
    }

    fn is_preamble_next(&self) -> bool {
        match self.ours.events.last() {
            None => true,
            Some(ScanEvent::Section(section)) => holds_item(section),
            Some(_) => false,
        }
    }

    /// The readable part of the preamble, or of the header and name, that starts where the scanner
    /// stopped. Includes one byte more: the reference reports a missing byte there.
    fn head(&self) -> RangeInclusive<u64> {
        let start = self.position();
        if self.is_preamble_next() {
            return start..=start + 4;
        }
        let Some(Header { id, payload }) = Header::read(self.bytes, start) else {
            return start..=start + MAX_LEB128;
        };
        if id != 0 {
            return start..=payload.start;
        }
        let name = leb128(self.bytes, payload.start).map_or(MAX_LEB128, |(len, width)| width + u64::from(len));
        start..=(payload.start + name).min(payload.end)
    }
}

/// Whether this is an error of the reference about the current function body. The reference reads
/// the length of a body before it checks the end of the section.
fn is_in_code(code: &CodeSection, message: &str, offset: u64) -> bool {
    let trailing = message == "trailing bytes at end of section" && code.bodies == 0 && offset == code.position;
    let broken = message.starts_with("invalid var_u32") || message == "unexpected end-of-file";
    trailing || broken && code.bodies > 0 && (code.position..=code.position + MAX_LEB128).contains(&offset)
}

/// Whether the reference failed inside the body of the next section, or at its counts.
fn is_in_body(next: &OutlineEvent<'_>, message: &str, offset: u64) -> bool {
    use ItemKind::{Component, Module};
    match next {
        OutlineEvent::Enter { .. } => false,
        OutlineEvent::Leave { end } => {
            offset == *end
                && matches!(
                    message,
                    "function section has non-zero count but code section is absent"
                        | "data count is non-zero but data section is absent"
                )
        }
        OutlineEvent::Section { kind, id, payload, .. } => {
            let counted = match (kind, id) {
                (Module, 10) => [
                    "function and code section have inconsistent lengths",
                    "function section is absent but code section has non-zero count",
                ]
                .contains(&message)
                .then_some(payload.start),
                (Module, 11) => {
                    (message == "data count and data section have inconsistent lengths").then_some(payload.end)
                }
                (Component, 9) => {
                    (message == "component cannot have more than one start function").then_some(payload.start)
                }
                _ => None,
            };
            let count = payload.start..=payload.end.min(payload.start + MAX_LEB128);
            let examined = match (kind, id) {
                // The reference does not look into custom sections, unknown sections and sections
                // that hold an item.
                (_, 0) | (Module, 14..) | (Component, 1 | 4 | 12..) => return false,
                // Parsed as a whole.
                (Module, 8 | 12) | (Component, 9) => payload.start..=payload.end,
                // The reference reads the count before it checks the end of the section.
                (Module, 10) => payload.start..=payload.start + MAX_LEB128,
                _ => count,
            };
            let bad_list = (kind, *id) == (&Component, 9) && message.ends_with("size is out of bounds");
            counted == Some(offset) || (BODY_MESSAGES.contains(&message) || bad_list) && examined.contains(&offset)
        }
    }
}

fn holds_item(section: &Section<'_>) -> bool {
    section.item_kind() == ItemKind::Component && matches!(section.id(), 1 | 4)
}

/// A section header, parsed independently of the scanner.
struct Header {
    id: u8,
    payload: Range<u64>,
}

impl Header {
    fn read(bytes: &[u8], start: u64) -> Option<Self> {
        let id = *bytes.get(usize::try_from(start).ok()?)?;
        let (size, width) = leb128(bytes, start + 1)?;
        let payload = start + 1 + width;
        Some(Self { id, payload: payload..payload + u64::from(size) })
    }
}

/// The LEB128 number of at most 32 bits at this offset, and its width: the textbook loop.
fn leb128(bytes: &[u8], at: u64) -> Option<(u32, u64)> {
    let mut value = 0;
    let mut width = 0;
    for byte in bytes.get(usize::try_from(at).ok()?..)?.iter().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * width);
        width += 1;
        if byte & 0x80 == 0 {
            return Some((u32::try_from(value).ok()?, width));
        }
    }
    None
}

/// Checks that the scanner's events tile the input. Every item and section starts at the end of the
/// previous one and matches the bytes.
#[derive(Default)]
struct TilingCheck {
    open: Vec<Open>,
    items: u32,
    /// The last section, if it holds an item that was not entered yet.
    holds: Option<(Range<u64>, ItemKind)>,
}

struct Open {
    entry: EnteredItem,
    children: u32,
    position: u64,
}

impl TilingCheck {
    fn check(mut self, bytes: &[u8], ours: &Outline<'_>) -> Result<(), Disagreement> {
        for event in &ours.events {
            match event {
                ScanEvent::Enter(entry) => self.enter(bytes, entry)?,
                ScanEvent::Section(section) => self.section(bytes, section)?,
                ScanEvent::Leave { item, end } => self.leave(bytes, *item, *end)?,
            }
        }
        let Some(error) = &ours.error else {
            return ensure(self.items > 0 && self.open.is_empty(), "accepted before the end");
        };
        ensure(!error.is_io(), "an I/O error from a slice")?;
        let inner = self.holds.and(self.open.last()).map(|open| open.children);
        let path = self.open.iter().skip(1).map(|open| open.entry.index).chain(inner);
        ensure(path.eq(error.path().indexes().iter().copied()), "the error names another item")
    }

    fn enter(&mut self, bytes: &[u8], entry: &EnteredItem) -> Result<(), Disagreement> {
        let preamble = match entry.kind {
            ItemKind::Module => b"\0asm\x01\0\0\0",
            ItemKind::Component => b"\0asm\x0d\0\x01\0",
        };
        let start = usize::try_from(entry.start).map_err(|_| "an item starts beyond the address space")?;
        ensure(bytes[start..].starts_with(preamble), "an item starts without its preamble")?;
        ensure(entry.item == self.items, "items are not numbered in the order of entering")?;
        ensure(entry.depth as usize == self.open.len(), "an item has the wrong depth")?;
        if let Some(path) = &entry.path {
            let inside = self.open.iter().skip(1).map(|open| open.entry.index);
            let indexes = inside.chain(entry.parent.map(|_| entry.index));
            ensure(indexes.eq(path.indexes().iter().copied()), "an item has the wrong path")?;
        }
        self.items += 1;
        let expected = match (self.open.last_mut(), self.holds.take()) {
            (None, None) => (None, 0, 0..0, entry.kind),
            (Some(parent), Some((payload, kind))) => {
                parent.children += 1;
                (Some(parent.entry.item), parent.children - 1, payload, kind)
            }
            _ => return Err("an item starts outside a section that contains one"),
        };
        let end = entry.end.unwrap_or_default();
        ensure(
            expected == (entry.parent, entry.index, entry.start..end, entry.kind),
            "an item has the wrong parent, index, range or kind",
        )?;
        self.open.push(Open { entry: entry.clone(), children: 0, position: entry.start + 8 });
        Ok(())
    }

    fn section(&mut self, bytes: &[u8], section: &Section<'_>) -> Result<(), Disagreement> {
        ensure(self.holds.is_none(), "a section precedes the preamble of its item")?;
        let open = self.open.last_mut().ok_or("a section outside any item")?;
        let holder = (open.entry.item, open.entry.kind);
        ensure((section.item(), section.item_kind()) == holder, "a section in the wrong item")?;
        ensure(section.range().start == open.position, "a section does not start at the end of the previous one")?;
        let header = Header::read(bytes, open.position).ok_or("a section has no header")?;
        ensure(
            (section.id(), section.payload()) == (header.id, header.payload),
            "a section does not match its header",
        )?;
        ensure(section.range().end == section.payload().end, "a section does not end with its payload")?;
        ensure(section.range().end <= open.entry.end.unwrap_or(u64::MAX), "a section goes past its item")?;
        let data = if section.is_custom() { data(bytes, section) } else { Some(section.payload()) };
        ensure(Some(section.data()) == data, "a section's data does not follow its name")?;
        ensure(section.name().as_bytes() == section.name_bytes(), "a name is not UTF-8")?;
        open.position = section.range().end;
        let kind = if section.id() == 1 { ItemKind::Module } else { ItemKind::Component };
        self.holds = holds_item(section).then(|| (section.payload(), kind));
        Ok(())
    }

    fn leave(&mut self, bytes: &[u8], item: u32, end: u64) -> Result<(), Disagreement> {
        ensure(self.holds.is_none(), "an item ends before its nested item")?;
        let Open { entry, position, .. } = self.open.pop().ok_or("an item ends that did not start")?;
        ensure(item == entry.item && end == position, "an item does not end with its last section")?;
        ensure(end == entry.end.unwrap_or(bytes.len() as u64), "an item ends at the wrong offset")
    }
}

/// The data of a custom section according to its bytes.
fn data(bytes: &[u8], section: &Section<'_>) -> Option<Range<u64>> {
    let payload = section.payload();
    let (len, width) = leb128(bytes, payload.start)?;
    let start = payload.start + width;
    let data = start + u64::from(len);
    let name = bytes.get(usize::try_from(start).ok()?..usize::try_from(data).ok()?)?;
    (name == section.name_bytes() && data <= payload.end).then_some(data..payload.end)
}
