//! The state machine: framing only, no I/O.

use std::ops::Range;

use smallvec::SmallVec;

use super::error::ScanError;
use super::fault::Fault;
use super::frame::{Frame, item_path};
use super::header::{Header, NameError, read_name, short_ascii_name};
use super::leb128::Leb128;
use super::preamble::{Preamble, root_kind};
use super::section::{Class, ItemKind, Section, SectionKind};
use super::visitor::{DataRequest, ItemStart, Visitor};
use super::window::Window;
use crate::limits::Limits;

/// A state machine that reports the sections of a module or component, and of the items nested in
/// it.
///
/// See the [module](super) for the contract. The drivers in [`crate::drive`] feed it.
#[derive(Debug)]
pub struct Scanner {
    limits: Limits,
    state: ScanState,
    /// Absolute range that the next window must hold. Meaningless after a failure.
    needed: Range<u64>,
    progress: Progress,
    /// Id of the last section, for truncation errors. Updated once per call to `feed`, not once per
    /// section.
    last_id: u8,
    /// Class of the current module's last section with a required order. Not stored for each item,
    /// because modules contain no items and sections of components have no required order.
    rank: Class,
    /// The current item.
    frame: Frame,
    /// The items that enclose it, the root first.
    enclosing: SmallVec<[Frame; 4]>,
    /// Number of items entered so far.
    items: u32,
    /// Absolute end offset of the part of an incomplete name that is already validated as UTF-8.
    /// Prevents repeated validation.
    utf8_until: u64,
    /// Absolute end offset of the requested data so far. Requests may overlap; each byte counts
    /// once.
    data_until: u64,
}

#[derive(Debug)]
enum ScanState {
    /// A preamble is next.
    Preamble,
    /// A section header, or the end of an item, is next.
    Sections,
    /// Requested bytes are next. This variant holds the range of all data of the section, not only
    /// of the requested bytes. `Progress::position` is already at the section's end.
    Data(Range<u64>),
    /// The input ends inside the data of a section. The visitor may request data before the end.
    Truncated(Range<u64>),
    /// Failed at this offset. Every later call returns the same error.
    Failed(Fault, u64),
}

/// The fields that change with every section. The fast path keeps a copy in locals.
#[derive(Clone, Copy, Debug)]
struct Progress {
    /// Absolute offset of the next preamble or section header.
    position: u64,
    /// Absolute offset of the last section.
    last_section: u64,
    /// Number of sections until the limit is reached.
    sections_left: u64,
    /// Bytes examined.
    bytes_examined: u64,
}

impl Progress {
    /// Moves to the end of a section and counts the bytes before `data` as examined.
    #[inline(always)]
    fn advance(&mut self, data: u64, end: u64) {
        self.last_section = self.position;
        self.sections_left -= 1;
        self.bytes_examined += data - self.position;
        self.position = end;
    }
}

impl Frame {
    const ROOT: Self = Self {
        kind: ItemKind::Module, // until the preamble is read
        item: 0,
        index: 0,
        children: 0,
        end: ROOT_END,
        section: 0,
    };
}

/// Upper bound of the input length, so that an offset plus a 32-bit size cannot overflow.
const ROOT_END: u64 = i64::MAX as u64;

/// Largest payload of a section that contains an item. Source: `MAX_WASM_MODULE_SIZE` of
/// wasmparser.
const MAX_NESTED_SIZE: u32 = 1 << 30;

const PREAMBLE_LEN: usize = size_of::<Preamble>();

impl Scanner {
    /// Creates a scanner for a new input.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: ScanState::Preamble,
            needed: 0..1,
            progress: Progress { position: 0, last_section: 0, sections_left: limits.max_sections, bytes_examined: 0 },
            last_id: 0,
            rank: Class::FREE,
            frame: Frame::ROOT,
            enclosing: SmallVec::new(),
            items: 0,
            utf8_until: 0,
            data_until: 0,
        }
    }

    /// Number of bytes examined so far: preambles, section headers, names, and requested data.
    pub fn bytes_examined(&self) -> u64 {
        self.progress.bytes_examined
    }

    /// Scans a window, reports its sections to the visitor, and returns the absolute range that is
    /// needed next.
    ///
    /// The first window starts at offset 0. Each later window must hold the whole range that the
    /// previous call returned. If a window holds less, the call returns the same range again, or a
    /// prefix of it. The call fails if the bytes present are already malformed. If the input ends
    /// before the end of the range, call [`finish`](Self::finish).
    ///
    /// A returned range never starts before the data of the last reported section. The limits and
    /// the visitor's requests bound the length of the range.
    ///
    /// # Errors
    ///
    /// Malformed framing, or an exceeded limit. Sections reported before the error are valid. Every
    /// later call to `feed` or `finish` returns the same error.
    pub fn feed<'w, V: Visitor<'w> + ?Sized>(
        &mut self,
        window: Window<'w>,
        visitor: &mut V,
    ) -> Result<Range<u64>, ScanError> {
        let continues = match &self.state {
            ScanState::Preamble if self.enclosing.is_empty() => self.read_root_preamble(window, visitor),
            ScanState::Preamble => self.read_nested_preamble(window, visitor),
            ScanState::Sections => true,
            ScanState::Data(data) | ScanState::Truncated(data) => {
                let (data, requested) = (data.clone(), self.needed.clone());
                self.deliver_data(window, visitor, data, requested)
            }
            ScanState::Failed(..) => false,
        };
        if continues {
            self.read_sections(window, visitor);
        }
        match self.state {
            ScanState::Failed(fault, offset) => Err(self.error(fault, offset)),
            _ => Ok(self.needed.clone()),
        }
    }

    /// Declares that the input ends at the absolute offset `end`, inside the needed range. If the
    /// visitor requests data before the end, returns the range that is needed for it. Call
    /// [`finish`](Self::finish) after it is scanned.
    pub fn truncate<'w, V: Visitor<'w> + ?Sized>(&mut self, end: u64, visitor: &mut V) -> Option<Range<u64>> {
        let ScanState::Data(data) = &self.state else { return None };
        let data = data.start..data.end.min(end);
        self.state = ScanState::Truncated(data.clone());
        let DataRequest::Bytes(requested) = visitor.truncated(end) else { return None };
        self.needed = clip(&requested, &data);
        Some(self.needed.clone())
    }

    /// Whether a prefix of the needed range can already be malformed. True for preambles, headers
    /// and names; false for data.
    pub(crate) fn may_fail_early(&self) -> bool {
        matches!(self.state, ScanState::Preamble | ScanState::Sections)
    }

    /// Declares that the input ends at the absolute offset `end`, which is also the end of the root
    /// item.
    ///
    /// # Errors
    ///
    /// The input is shorter than a preamble, or ends inside a section or a nested item. After
    /// an earlier failure, `finish` returns the same error.
    pub fn finish<'w, V: Visitor<'w> + ?Sized>(&mut self, end: u64, visitor: &mut V) -> Result<(), ScanError> {
        let at_boundary = matches!(self.state, ScanState::Sections) && self.progress.position == end;
        if at_boundary && self.enclosing.is_empty() {
            visitor.leave(0, end);
            return Ok(());
        }
        Err(self.truncation_error(end))
    }

    // Functions below that return a `bool` return whether the scan continues. The reason for a stop
    // is stored in `state` and `needed`. A returned flag fits in a register; a returned reason would
    // not.

    /// Reads the root's preamble.
    #[inline(never)]
    fn read_root_preamble<'w, V: Visitor<'w> + ?Sized>(&mut self, window: Window<'w>, visitor: &mut V) -> bool {
        let Some(bytes) = window.from(0).first_chunk() else {
            return self.pause(0..PREAMBLE_LEN as u64);
        };
        match root_kind(*bytes) {
            Ok(kind) => self.frame.kind = kind,
            Err((fault, offset)) => return self.fail(fault, offset),
        }
        if self.limits.max_depth == 0 {
            return self.fail(Fault::Limit { what: "levels of nested items", max: 0 }, 0);
        }
        self.enter_item(visitor, None, None)
    }

    /// Reads a nested item's preamble.
    #[inline]
    fn read_nested_preamble<'w, V: Visitor<'w> + ?Sized>(&mut self, window: Window<'w>, visitor: &mut V) -> bool {
        let Frame { kind, end, .. } = self.frame;
        let bytes = window.from(self.progress.position);
        if bytes.first_chunk() != Some(&kind.preamble()) {
            return self.incomplete_preamble(bytes);
        }
        let parent = self.enclosing.last().map(|parent| parent.item);
        self.enter_item(visitor, parent, Some(end))
    }

    /// Reports an item and moves past its preamble.
    #[inline(always)]
    fn enter_item<'w, V: Visitor<'w> + ?Sized>(
        &mut self,
        visitor: &mut V,
        parent: Option<u32>,
        end: Option<u64>,
    ) -> bool {
        let (start, item) = (self.progress.position, self.items);
        if item == self.limits.max_items {
            return self.fail(Fault::Limit { what: "items", max: u64::from(item) }, start);
        }
        self.items += 1;
        self.frame.item = item;
        self.progress.bytes_examined += PREAMBLE_LEN as u64;
        self.progress.position = start + PREAMBLE_LEN as u64;
        self.state = ScanState::Sections;
        let Frame { kind, index, .. } = self.frame;
        self.rank = Class::FREE;
        visitor.enter(&ItemStart { item, kind, parent, index, start, end, enclosing: &self.enclosing });
        true
    }

    /// Pauses for the rest of a nested item's preamble, or fails if the bytes present do not match
    /// it.
    #[cold]
    #[inline(never)]
    fn incomplete_preamble(&mut self, bytes: &[u8]) -> bool {
        let (start, kind) = (self.progress.position, self.frame.kind);
        if !kind.preamble().starts_with(bytes) {
            return self.fail(Fault::NestedPreamble(kind), start);
        }
        self.state = ScanState::Preamble;
        self.pause(start..start + PREAMBLE_LEN as u64)
    }

    /// Reads sections up to the end of the window.
    #[inline]
    fn read_sections<'w, V: Visitor<'w> + ?Sized>(&mut self, window: Window<'w>, visitor: &mut V) {
        while self.fast_path(window, visitor) {}
        if let Some(id) = window.from(self.progress.last_section).first() {
            self.last_id = *id;
        }
    }

    /// Fast path: complete header, short ASCII name, nothing nested, nothing malformed. Every other
    /// section goes to [`slow_path`](Self::slow_path).
    ///
    /// The loop keeps the progress in locals. Until it exits, it calls only [`Visitor::section`],
    /// from two call sites. Other calls, or one call site for both branches, would spill registers.
    /// Measured (`scan` bench).
    #[inline(always)]
    fn fast_path<'w, V: Visitor<'w> + ?Sized>(&mut self, window: Window<'w>, visitor: &mut V) -> bool {
        let Frame { kind: item_kind, item, end, .. } = self.frame;
        let classes = item_kind.classes();
        let max_name = self.limits.max_name_len;
        let (mut progress, mut rank) = (self.progress, self.rank);
        while let Some(bytes) = window.from(progress.position).first_chunk::<{ Header::MAX_LEN }>() {
            let Some(Header { id, size, len }) = Header::read(bytes) else { break };
            let (start, payload, class) = (progress.position, progress.position + len, classes[usize::from(id)]);
            let section_end = payload + size;
            if section_end > end || progress.sections_left == 0 {
                break;
            }
            if class == Class::CUSTOM {
                let Some(name) = short_ascii_name(window.from(payload), size as u32, max_name) else { break };
                let data = payload + 1 + name.len() as u64;
                progress.advance(data, section_end);
                let section = Section { item, item_kind, id, start, payload, data, end: section_end, class, name };
                if let DataRequest::Bytes(requested) = visitor.section(&section) {
                    (self.progress, self.rank) = (progress, rank);
                    return self.deliver_data(window, visitor, data..section_end, requested);
                }
                continue;
            }
            if class != Class::FREE {
                if class <= rank || class > Class::LAST_RANKED {
                    break;
                }
                rank = class;
            }
            progress.advance(payload, section_end);
            let (data, name) = (payload, &[][..]);
            let section = Section { item, item_kind, id, start, payload, data, end: section_end, class, name };
            if let DataRequest::Bytes(requested) = visitor.section(&section) {
                (self.progress, self.rank) = (progress, rank);
                return self.deliver_data(window, visitor, data..section_end, requested);
            }
        }
        (self.progress, self.rank) = (progress, rank);
        self.slow_path(window, visitor)
    }

    /// Slow path: reads one section with all checks and enters its nested item, if any. At the end
    /// of an item, leaves the item.
    #[inline(never)]
    fn slow_path<'w, V: Visitor<'w> + ?Sized>(&mut self, window: Window<'w>, visitor: &mut V) -> bool {
        let Frame { kind: item_kind, item, end, .. } = self.frame;
        let start = self.progress.position;
        if start == end {
            return self.leave_item(visitor);
        }
        let Some(Header { id, size, len }) = Header::read(window.from(start)) else {
            return self.incomplete_header(window);
        };
        let (payload, class) = (start + len, item_kind.classes()[usize::from(id)]);
        let section_end = payload + size;
        if section_end > end {
            return self.fail_past_parent(id, size as u32);
        }
        let mut data = payload;
        let mut name = &[][..];
        if class > Class::UNKNOWN {
            if class == Class::MALFORMED {
                return self.fail(Fault::SectionId(id), start);
            }
            if size > u64::from(MAX_NESTED_SIZE) {
                let fault = Fault::NestedTooLarge { kind: nested_kind(class), size: size as u32 };
                return self.fail(fault, start + 1);
            }
        } else if class == Class::CUSTOM {
            match read_name(window.from(payload), size as u32, self.limits.max_name_len) {
                Ok((whole, end)) => {
                    name = whole;
                    data = payload + end as u64;
                }
                Err(error) => return self.incomplete_name(&error, payload, window),
            }
        } else if class != Class::UNKNOWN && class != Class::FREE {
            if class <= self.rank {
                return self.fail(Fault::OutOfOrder(SectionKind::new(item_kind, id).name()), start);
            }
            self.rank = class;
        }
        if self.progress.sections_left == 0 {
            return self.fail(Fault::Limit { what: "sections", max: self.limits.max_sections }, start);
        }
        self.progress.advance(data, section_end);
        let section = Section { item, item_kind, id, start, payload, data, end: section_end, class, name };
        let request = visitor.section(&section);
        if class > Class::UNKNOWN {
            return self.descend(nested_kind(class), payload..section_end, window, visitor);
        }
        if let DataRequest::Bytes(requested) = request {
            return self.deliver_data(window, visitor, data..section_end, requested);
        }
        true
    }

    /// Pauses for the rest of a section header, or fails if the bytes present are malformed.
    #[cold]
    #[inline(never)]
    fn incomplete_header(&mut self, window: Window<'_>) -> bool {
        let start = self.progress.position;
        match window.from(start) {
            [id, ..] if *id >= 0x80 => self.fail(Fault::SectionId(*id), start),
            [_, size @ ..] if !Leb128::may_be_incomplete(size) => self.fail(Fault::SectionSize, start + 1),
            rest => self.pause(start..start + rest.len() as u64 + 1),
        }
    }

    /// Fails on a section that extends past the end of its item.
    #[cold]
    #[inline(never)]
    fn fail_past_parent(&mut self, id: u8, size: u32) -> bool {
        let start = self.progress.position;
        let Frame { kind, end, .. } = self.frame;
        if id >= 0x80 {
            return self.fail(Fault::SectionId(id), start);
        }
        self.fail(Fault::PastParent { section: SectionKind::new(kind, id).name(), size, end }, start + 1)
    }

    /// Pauses for the rest of a custom section's name, or fails if it is malformed.
    #[cold]
    #[inline(never)]
    fn incomplete_name(&mut self, error: &NameError, payload: u64, window: Window<'_>) -> bool {
        let start = self.progress.position;
        match *error {
            NameError::Incomplete(needed) => match self.check_partial_name(window, payload) {
                Ok(()) => self.pause(start..payload + needed as u64),
                Err(offset) => self.fail(Fault::NameNotUtf8, offset),
            },
            // A second `\0asm` preamble parses as id 0, size 97 and a name of 115 bytes.
            NameError::Malformed(Fault::NamePastSection { .. }, _) if window.from(start).starts_with(b"\0as") => {
                self.fail(Fault::SecondPreamble, start)
            }
            NameError::Malformed(fault, offset) => self.fail(fault, payload + offset as u64),
        }
    }

    /// Validates the available part of a name as UTF-8. The error is the offset of the first
    /// invalid byte. An incomplete character at the end is not an error.
    #[cold]
    fn check_partial_name(&mut self, window: Window<'_>, payload: u64) -> Result<(), u64> {
        let Leb128 { len: len_width @ 1.., .. } = Leb128::read(window.from(payload)) else { return Ok(()) };
        let from = self.utf8_until.max(payload + u64::from(len_width));
        if let Err(error) = std::str::from_utf8(window.from(from)) {
            self.utf8_until = from + error.valid_up_to() as u64;
            return if error.error_len().is_some() { Err(self.utf8_until) } else { Ok(()) };
        }
        self.utf8_until = from + window.from(from).len() as u64;
        Ok(())
    }

    /// Leaves a nested item that ends here. Fails in the root: its end is [`ROOT_END`], so the
    /// input is too long.
    #[inline]
    fn leave_item<'w, V: Visitor<'w> + ?Sized>(&mut self, visitor: &mut V) -> bool {
        let Some(parent) = self.enclosing.pop() else {
            return self.fail(Fault::Limit { what: "bytes in the input", max: ROOT_END }, ROOT_END);
        };
        let Frame { kind, item, end, section, .. } = std::mem::replace(&mut self.frame, parent);
        visitor.leave(item, end);
        self.progress.last_section = section;
        self.last_id = nesting_section_id(kind);
        self.rank = Class::FREE;
        true
    }

    /// Enters the item in a section's payload.
    #[inline]
    fn descend<'w, V: Visitor<'w> + ?Sized>(
        &mut self,
        kind: ItemKind,
        payload: Range<u64>,
        window: Window<'w>,
        visitor: &mut V,
    ) -> bool {
        let depth = self.enclosing.len() as u64 + 2; // the current item and the new one
        let max = u64::from(self.limits.max_depth);
        if depth > max {
            return self.fail(Fault::Limit { what: "levels of nested items", max }, payload.start);
        }
        let index = self.frame.children;
        self.frame.children += 1;
        self.enclosing.push(self.frame);
        self.frame = Frame {
            kind,
            item: 0, // until the preamble is read
            index,
            children: 0,
            end: payload.end,
            section: self.progress.last_section,
        };
        self.progress.position = payload.start;
        let size = payload.end - payload.start;
        if size < PREAMBLE_LEN as u64 {
            return self.fail(Fault::NestedShort { kind, size: size as u32 }, payload.start);
        }
        self.read_nested_preamble(window, visitor)
    }

    /// Passes requested data to the visitor until the visitor requests no more. Pauses if the
    /// window lacks the data.
    #[inline(never)]
    fn deliver_data<'w, V: Visitor<'w> + ?Sized>(
        &mut self,
        window: Window<'w>,
        visitor: &mut V,
        data: Range<u64>,
        mut requested: Range<u64>,
    ) -> bool {
        let is_truncated = matches!(self.state, ScanState::Truncated(_));
        loop {
            let Range { start, end } = clip(&requested, &data);
            let bytes = if start == end { Some(&[][..]) } else { window.range(&(start..end)) };
            let Some(bytes) = bytes else {
                if !is_truncated {
                    self.state = ScanState::Data(data);
                }
                return self.pause(start..end);
            };
            self.progress.bytes_examined += end.saturating_sub(self.data_until.max(start));
            self.data_until = self.data_until.max(end);
            match visitor.data(bytes, start) {
                DataRequest::Bytes(next) => requested = next,
                DataRequest::Nothing => break,
            }
        }
        if is_truncated {
            return self.pause(data.end..data.end + 1); // past the end of the input
        }
        self.state = ScanState::Sections;
        true
    }

    fn pause(&mut self, needed: Range<u64>) -> bool {
        self.needed = needed;
        false
    }

    #[cold]
    #[inline(never)]
    fn fail(&mut self, fault: Fault, offset: u64) -> bool {
        self.state = ScanState::Failed(fault, offset);
        false
    }

    /// Returns the error for an input that ends at `end`, inside a section or an item.
    #[cold]
    fn truncation_error(&self, end: u64) -> ScanError {
        let (start, id) = (self.progress.last_section, self.last_id);
        let frame = self.frame;
        let section = SectionKind::new(frame.kind, id).name();
        let fault = match self.state {
            ScanState::Failed(fault, offset) => return self.error(fault, offset),
            ScanState::Preamble if self.enclosing.is_empty() && end == 0 => Fault::Empty,
            ScanState::Preamble if self.enclosing.is_empty() => Fault::Short(end),
            ScanState::Data(_) | ScanState::Truncated(_) => Fault::Truncated { section, start },
            ScanState::Sections if end < self.progress.position => Fault::Truncated { section, start },
            // The header extends past the end of its item, so more input cannot complete it.
            ScanState::Sections if end > self.progress.position && end >= frame.end => {
                return self.error(Fault::SectionSize, self.progress.position + 1);
            }
            ScanState::Sections if end > self.progress.position => {
                Fault::TruncatedHeader { start: self.progress.position }
            }
            ScanState::Sections | ScanState::Preamble => {
                Fault::TruncatedItem { kind: frame.kind, start: frame.section, end: frame.end }
            }
        };
        self.error(fault, end)
    }

    #[cold]
    fn error(&self, fault: Fault, offset: u64) -> ScanError {
        ScanError::new(fault, offset, item_path(&self.enclosing, self.frame.index))
    }
}

/// The part of a request inside the data of a section.
fn clip(requested: &Range<u64>, data: &Range<u64>) -> Range<u64> {
    let start = requested.start.clamp(data.start, data.end);
    start..requested.end.clamp(start, data.end)
}

/// Id of the component section that contains an item of this kind.
fn nesting_section_id(kind: ItemKind) -> u8 {
    match kind {
        ItemKind::Module => 1,
        ItemKind::Component => 4,
    }
}

fn nested_kind(class: Class) -> ItemKind {
    if class == Class::NESTED_MODULE { ItemKind::Module } else { ItemKind::Component }
}
