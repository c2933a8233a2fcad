//! The machine.

use std::ops::Range;

use smallvec::SmallVec;

use super::error::ScanError;
use super::fault::Fault;
use super::frame::{Frame, path};
use super::header::{Header, NameUnread, any_name, short_name};
use super::leb128::Leb128;
use super::preamble::{Preamble, root_kind};
use super::section::{Class, ItemKind, Section, SectionKind};
use super::visitor::{DataRequest, ItemStart, Visitor};
use super::window::Window;
use crate::limits::Limits;

/// The machine. See the [module](super) for what it is, and [`crate::drive`] for who feeds it.
#[derive(Debug)]
pub struct Scanner {
    limits: Limits,
    state: ScanState,
    /// The absolute range that it pauses for, where it did not fail.
    needed: Range<u64>,
    now: Progress,
    /// The id of the last section, which the end of the input may name. It is taken from the window, once for all of its
    /// sections, and not kept by the loop.
    last_id: u8,
    /// The class of the last section that takes part in a module's order. (Only a component holds items, and has no such
    /// order: what is nested begins anew, and what encloses has lost nothing.)
    rank: Class,
    /// The item that the position lies in, and those that enclose it, the root first.
    frame: Frame,
    enclosing: SmallVec<[Frame; 4]>,
    items: u32,
    /// Up to here, the part of a custom section's name that was seen is UTF-8: it is looked at once, however it comes.
    utf8_until: u64,
}

#[derive(Debug)]
enum ScanState {
    Preamble,
    Sections,
    /// A visitor waits for bytes of a section's data, which are those that are needed; the position is already behind it.
    Data(Range<u64>),
    /// It failed, of this, there: whatever is fed now, it says so again.
    Failed(Fault, u64),
}

/// What changes with each section.
#[derive(Clone, Copy, Debug)]
struct Progress {
    /// Where what is looked at next begins: a preamble or a section header.
    position: u64,
    /// Where the last section begins.
    last: u64,
    /// How many more sections the limit leaves.
    sections_left: u64,
    looked_at: u64,
}

impl Progress {
    /// Goes on to the end of a section of which all before `data` was looked at.
    #[inline(always)]
    fn pass(&mut self, data: u64, end: u64) {
        self.last = self.position;
        self.sections_left -= 1;
        self.looked_at += data - self.position;
        self.position = end;
    }
}

impl Frame {
    const ROOT: Self = Self {
        kind: ItemKind::Module, // until the preamble says
        item: 0,
        index: 0,
        children: 0,
        end: ROOT_END,
        holder: 0,
    };
}

/// No input is longer, so that an offset and a 32-bit size never overflow.
const ROOT_END: u64 = i64::MAX as u64;

/// A nested item's section has at most this many bytes. Source: wasmparser's `MAX_WASM_MODULE_SIZE`.
const MAX_NESTED: u32 = 1 << 30;

const PREAMBLE_LEN: usize = size_of::<Preamble>();

impl Scanner {
    /// A scanner at the beginning of an input.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: ScanState::Preamble,
            needed: 0..1,
            now: Progress { position: 0, last: 0, sections_left: limits.max_sections, looked_at: 0 },
            last_id: 0,
            rank: Class::FREE,
            frame: Frame::ROOT,
            enclosing: SmallVec::new(),
            items: 0,
            utf8_until: 0,
        }
    }

    /// Bytes looked at so far: preambles, headers, names, and the data that the visitor wanted.
    pub fn looked_at(&self) -> u64 {
        self.now.looked_at
    }

    /// Hands over what the window holds, as far as it goes, and gives the absolute range that is needed next.
    ///
    /// Begin with a window at 0. The next window is to hold all of the range that was needed; with less, nothing
    /// is consumed and that range, or a beginning of it, is given again, unless what there is shows already that it is
    /// malformed.
    /// Where the input ends before the end of that range, no window can hold it: call [`finish`](Self::finish). A range
    /// never begins before the data of the last section that was handed over, and its length is bounded by the limits
    /// and by what the visitor wants.
    ///
    /// # Errors
    ///
    /// Malformed framing, or an exceeded limit. What was handed over before stays valid. After an error the
    /// scanner is spent: fed again, or told of the end, it gives the same error.
    pub fn feed<'w, V: Visitor<'w>>(&mut self, window: Window<'w>, visitor: &mut V) -> Result<Range<u64>, ScanError> {
        let goes_on = match &self.state {
            ScanState::Preamble if self.enclosing.is_empty() => self.root(window, visitor),
            ScanState::Preamble => self.nested(window, visitor),
            ScanState::Sections => true,
            ScanState::Data(data) => {
                let (data, wanted) = (data.clone(), self.needed.clone());
                self.serve(window, visitor, data, wanted)
            }
            ScanState::Failed(..) => false,
        };
        if goes_on {
            self.sections(window, visitor);
        }
        match self.state {
            ScanState::Failed(fault, offset) => Err(self.error(fault, offset)),
            _ => Ok(self.needed.clone()),
        }
    }

    /// Whether what there is of the range that is needed may show already that it is malformed: it is a header, a name or
    /// a preamble, and not data.
    pub(crate) fn may_fail_early(&self) -> bool {
        matches!(self.state, ScanState::Preamble | ScanState::Sections)
    }

    /// Says that the input ends at the absolute offset `end`: there, and nowhere else, the root item ends.
    ///
    /// # Errors
    ///
    /// The input is not WebAssembly, or ends inside something.
    pub fn finish<'w, V: Visitor<'w>>(&mut self, end: u64, visitor: &mut V) -> Result<(), ScanError> {
        let at_joint = matches!(self.state, ScanState::Sections) && self.now.position == end;
        if at_joint && self.enclosing.is_empty() {
            visitor.leave(0, end);
            return Ok(());
        }
        Err(self.truncated(end))
    }

    // Each of the functions below gives whether the scan goes on. Where it does not, `state` says why, and `needed` what it
    // waits for: a flag stays in a register, where a reason would not.

    /// The first eight bytes of all.
    #[inline(never)]
    fn root<'w, V: Visitor<'w>>(&mut self, window: Window<'w>, visitor: &mut V) -> bool {
        let Some(bytes) = window.from(0).first_chunk() else {
            return self.pause(0..PREAMBLE_LEN as u64);
        };
        match root_kind(*bytes) {
            Ok(kind) => self.frame.kind = kind,
            Err((fault, offset)) => return self.fail(fault, offset),
        }
        if self.limits.max_depth == 0 {
            return self.fail(Fault::Limit { what: "items inside one another", max: 0 }, 0);
        }
        self.enter(visitor, None, None)
    }

    /// A nested item's first eight bytes.
    #[inline]
    fn nested<'w, V: Visitor<'w>>(&mut self, window: Window<'w>, visitor: &mut V) -> bool {
        let Frame { kind, end, .. } = self.frame;
        let bytes = window.from(self.now.position);
        if bytes.first_chunk() != Some(&kind.preamble()) {
            return self.preamble_so_far(bytes);
        }
        let parent = self.enclosing.last().map(|parent| parent.item);
        self.enter(visitor, parent, Some(end))
    }

    /// Enters an item at its preamble.
    #[inline(always)]
    fn enter<'w, V: Visitor<'w>>(&mut self, visitor: &mut V, parent: Option<u32>, end: Option<u64>) -> bool {
        let (start, item) = (self.now.position, self.items);
        if item == self.limits.max_items {
            return self.fail(Fault::Limit { what: "items", max: u64::from(item) }, start);
        }
        self.items += 1;
        self.frame.item = item;
        self.now.looked_at += PREAMBLE_LEN as u64;
        self.now.position = start + PREAMBLE_LEN as u64;
        self.state = ScanState::Sections;
        let Frame { kind, index, .. } = self.frame;
        self.rank = Class::FREE;
        visitor.enter(&ItemStart { item, kind, parent, index, start, end, enclosing: &self.enclosing });
        true
    }

    /// Waits for a nested item's preamble, unless what there is of it shows already that it is none.
    #[cold]
    #[inline(never)]
    fn preamble_so_far(&mut self, bytes: &[u8]) -> bool {
        let (start, kind) = (self.now.position, self.frame.kind);
        if !kind.preamble().starts_with(bytes) {
            return self.fail(Fault::NestedPreamble(kind), start);
        }
        self.state = ScanState::Preamble;
        self.pause(start..start + PREAMBLE_LEN as u64)
    }

    /// The sections, as far as the window goes.
    #[inline]
    fn sections<'w, V: Visitor<'w>>(&mut self, window: Window<'w>, visitor: &mut V) {
        while self.run(window, visitor) {}
        if let Some(id) = window.from(self.now.last).first() {
            self.last_id = *id;
        }
    }

    /// Hands over the sections of an item as long as they are like most: whole headers, short names, nothing wrong, no items
    /// inside. What is not like most, [`special`](Self::special) looks at. This is the loop that everything stands on: what
    /// changes with each section is in locals, and nothing in it is called but the visitor. (Measured: any other call, and
    /// any branch that joins the way again, costs it registers. So two places hand a section over.)
    #[inline(always)]
    fn run<'w, V: Visitor<'w>>(&mut self, window: Window<'w>, visitor: &mut V) -> bool {
        let Frame { kind: item_kind, item, end, .. } = self.frame;
        let classes = item_kind.classes();
        let max_name = self.limits.max_name_len;
        let (mut now, mut rank) = (self.now, self.rank);
        while let Some(bytes) = window.from(now.position).first_chunk::<{ Header::MAX_LEN }>() {
            let Some(Header { id, size, len }) = Header::read(bytes) else { break };
            let (start, payload, class) = (now.position, now.position + len, classes[usize::from(id)]);
            let section_end = payload + size;
            if section_end > end || now.sections_left == 0 {
                break;
            }
            if class == Class::CUSTOM {
                let Some(name) = short_name(window.from(payload), size as u32, max_name) else { break };
                let data = payload + 1 + name.len() as u64;
                now.pass(data, section_end);
                let section = Section { item, item_kind, id, start, payload, data, end: section_end, class, name };
                if let DataRequest::Bytes(wanted) = visitor.section(&section) {
                    (self.now, self.rank) = (now, rank);
                    return self.serve(window, visitor, data..section_end, wanted);
                }
                continue;
            }
            if class != Class::FREE {
                if class <= rank || class > Class::LAST_RANKED {
                    break;
                }
                rank = class;
            }
            now.pass(payload, section_end);
            let (data, name) = (payload, &[][..]);
            let section = Section { item, item_kind, id, start, payload, data, end: section_end, class, name };
            if let DataRequest::Bytes(wanted) = visitor.section(&section) {
                (self.now, self.rank) = (now, rank);
                return self.serve(window, visitor, data..section_end, wanted);
            }
        }
        (self.now, self.rank) = (now, rank);
        self.special(window, visitor)
    }

    /// Hands over any section, by all of the rules, and goes down into the item that it holds; or up from one that ends.
    #[inline(never)]
    fn special<'w, V: Visitor<'w>>(&mut self, window: Window<'w>, visitor: &mut V) -> bool {
        let Frame { kind: item_kind, item, end, .. } = self.frame;
        let start = self.now.position;
        if start == end {
            return self.leave(visitor);
        }
        let Some(Header { id, size, len }) = Header::read(window.from(start)) else {
            return self.unreadable(window);
        };
        let (payload, class) = (start + len, item_kind.classes()[usize::from(id)]);
        let section_end = payload + size;
        if section_end > end {
            return self.past_parent(id, size as u32);
        }
        let mut data = payload;
        let mut name = &[][..];
        if class > Class::UNKNOWN {
            if class == Class::MALFORMED {
                return self.fail(Fault::SectionId(id), start);
            }
            if size > u64::from(MAX_NESTED) {
                let fault = Fault::NestedTooLarge { kind: nested_kind(class), size: size as u32 };
                return self.fail(fault, start + 1);
            }
        } else if class == Class::CUSTOM {
            match any_name(window.from(payload), size as u32, self.limits.max_name_len) {
                Ok((whole, end)) => {
                    name = whole;
                    data = payload + end as u64;
                }
                Err(unread) => return self.unread(&unread, payload, window),
            }
        } else if class != Class::UNKNOWN && class != Class::FREE {
            if class <= self.rank {
                return self.fail(Fault::OutOfOrder(SectionKind::new(item_kind, id).name()), start);
            }
            self.rank = class;
        }
        if self.now.sections_left == 0 {
            return self.fail(Fault::Limit { what: "sections", max: self.limits.max_sections }, start);
        }
        self.now.pass(data, section_end);
        let section = Section { item, item_kind, id, start, payload, data, end: section_end, class, name };
        let want = visitor.section(&section);
        if class > Class::UNKNOWN {
            return self.descend(nested_kind(class), payload..section_end, window, visitor);
        }
        if let DataRequest::Bytes(wanted) = want {
            return self.serve(window, visitor, data..section_end, wanted);
        }
        true
    }

    /// Pauses for a header that is not all there, or fails of it.
    #[cold]
    #[inline(never)]
    fn unreadable(&mut self, window: Window<'_>) -> bool {
        let start = self.now.position;
        match window.from(start) {
            [id, ..] if *id >= 0x80 => self.fail(Fault::SectionId(*id), start),
            [_, size @ ..] if !Leb128::may_go_on(size) => self.fail(Fault::SectionSize, start + 1),
            rest => self.pause(start..start + rest.len() as u64 + 1),
        }
    }

    /// Fails of a section that goes past the end of its item.
    #[cold]
    #[inline(never)]
    fn past_parent(&mut self, id: u8, size: u32) -> bool {
        let start = self.now.position;
        let Frame { kind, end, .. } = self.frame;
        if id >= 0x80 {
            return self.fail(Fault::SectionId(id), start);
        }
        self.fail(Fault::PastParent { section: SectionKind::new(kind, id).name(), size, end }, start + 1)
    }

    /// Pauses for a name that is not all there, or fails of it.
    #[cold]
    #[inline(never)]
    fn unread(&mut self, unread: &NameUnread, payload: u64, window: Window<'_>) -> bool {
        let start = self.now.position;
        match *unread {
            NameUnread::Incomplete(needed) => match self.name_so_far(window, payload) {
                Ok(()) => self.pause(start..payload + needed as u64),
                Err(offset) => self.fail(Fault::NameNotUtf8, offset),
            },
            // `\0as` of a second `\0asm`, read as id, size and length of the name.
            NameUnread::Malformed(Fault::NamePastSection { .. }, _) if window.from(start).starts_with(b"\0as") => {
                self.fail(Fault::SecondPreamble, start)
            }
            NameUnread::Malformed(fault, offset) => self.fail(fault, payload + offset as u64),
        }
    }

    /// Looks at a name of which the window holds the beginning; gives where it is no UTF-8, whatever comes behind.
    #[cold]
    fn name_so_far(&mut self, window: Window<'_>, payload: u64) -> Result<(), u64> {
        let Leb128 { len: len_len @ 1.., .. } = Leb128::read(window.from(payload)) else { return Ok(()) };
        let from = self.utf8_until.max(payload + u64::from(len_len));
        if let Err(error) = std::str::from_utf8(window.from(from)) {
            self.utf8_until = from + error.valid_up_to() as u64;
            return if error.error_len().is_some() { Err(self.utf8_until) } else { Ok(()) };
        }
        self.utf8_until = from + window.from(from).len() as u64;
        Ok(())
    }

    /// Goes up from an item that ends. The root's end is not known, and so far off that no input has it.
    #[inline]
    fn leave<'w, V: Visitor<'w>>(&mut self, visitor: &mut V) -> bool {
        let Some(parent) = self.enclosing.pop() else {
            return self.fail(Fault::Limit { what: "bytes in the input", max: ROOT_END }, ROOT_END);
        };
        let Frame { kind, item, end, holder, .. } = std::mem::replace(&mut self.frame, parent);
        visitor.leave(item, end);
        self.now.last = holder;
        self.last_id = holder_id(kind);
        self.rank = Class::FREE;
        true
    }

    /// Goes down into the item that a section holds.
    #[inline]
    fn descend<'w, V: Visitor<'w>>(
        &mut self,
        kind: ItemKind,
        payload: Range<u64>,
        window: Window<'w>,
        visitor: &mut V,
    ) -> bool {
        let depth = self.enclosing.len() as u64 + 2; // with this item and the root
        let max = u64::from(self.limits.max_depth);
        if depth > max {
            return self.fail(Fault::Limit { what: "items inside one another", max }, payload.start);
        }
        let index = self.frame.children;
        self.frame.children += 1;
        self.enclosing.push(self.frame);
        self.frame = Frame {
            kind,
            item: 0, // until it is entered
            index,
            children: 0,
            end: payload.end,
            holder: self.now.last,
        };
        self.now.position = payload.start;
        let size = payload.end - payload.start;
        if size < PREAMBLE_LEN as u64 {
            return self.fail(Fault::NestedShort { kind, size: size as u32 }, payload.start);
        }
        self.nested(window, visitor)
    }

    /// Hands over what the visitor wants of a section's data, as long as the window holds it.
    #[inline(never)]
    fn serve<'w, V: Visitor<'w>>(
        &mut self,
        window: Window<'w>,
        visitor: &mut V,
        data: Range<u64>,
        mut wanted: Range<u64>,
    ) -> bool {
        loop {
            let start = wanted.start.clamp(data.start, data.end);
            let end = wanted.end.clamp(start, data.end);
            let bytes = if start == end { Some(&[][..]) } else { window.range(&(start..end)) };
            let Some(bytes) = bytes else {
                self.state = ScanState::Data(data);
                return self.pause(start..end);
            };
            self.now.looked_at += end - start;
            match visitor.data(bytes, start) {
                DataRequest::Bytes(next) => wanted = next,
                DataRequest::Nothing => break,
            }
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

    /// Why an input that ends at `end` ends too early.
    #[cold]
    fn truncated(&self, end: u64) -> ScanError {
        let (start, id) = (self.now.last, self.last_id);
        let frame = self.frame;
        let section = SectionKind::new(frame.kind, id).name();
        let fault = match self.state {
            ScanState::Failed(fault, offset) => return self.error(fault, offset),
            ScanState::Preamble if self.enclosing.is_empty() && end == 0 => Fault::Empty,
            ScanState::Preamble if self.enclosing.is_empty() => Fault::Short(end),
            ScanState::Data(_) => Fault::Truncated { section, start },
            ScanState::Sections if end < self.now.position => Fault::Truncated { section, start },
            // The item ends inside the header, too: no more input would mend that.
            ScanState::Sections if end > self.now.position && end >= frame.end => {
                return self.error(Fault::SectionSize, self.now.position + 1);
            }
            ScanState::Sections if end > self.now.position => Fault::TruncatedHeader { start: self.now.position },
            ScanState::Sections | ScanState::Preamble => {
                Fault::TruncatedItem { kind: frame.kind, start: frame.holder, end: frame.end }
            }
        };
        self.error(fault, end)
    }

    #[cold]
    fn error(&self, fault: Fault, offset: u64) -> ScanError {
        ScanError::new(fault, offset, path(&self.enclosing, self.frame.index))
    }
}

/// The id of the section that holds an item.
fn holder_id(kind: ItemKind) -> u8 {
    match kind {
        ItemKind::Module => 1,
        ItemKind::Component => 4,
    }
}

fn nested_kind(class: Class) -> ItemKind {
    if class == Class::NESTED_MODULE { ItemKind::Module } else { ItemKind::Component }
}
