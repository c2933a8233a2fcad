//! The machine.

use std::ops::Range;

use smallvec::SmallVec;

use super::fault::Fault;
use super::header::{Header, NameUnread, long_name, short_name};
use super::leb128::Leb128;
use super::preamble::{Preamble, root_kind};
use super::section::{Class, Classes, ItemKind, Section, kind_name};
use super::visitor::{Entry, Visitor, Want};
use super::window::Window;
use crate::error::Error;
use crate::limits::Limits;

/// The machine. See the [module](super) for what it is, and [`crate::drive`] for who feeds it.
#[derive(Debug)]
pub struct Scanner {
    limits: Limits,
    state: State,
    /// Where what is looked at next begins: a preamble or a section header.
    position: u64,
    /// The item that the position lies in, and those that enclose it, the root first.
    frame: Frame,
    enclosing: SmallVec<[Frame; 4]>,
    /// Where the last section begins, and its id.
    last: (u64, u8),
    items: u32,
    /// How many more sections the limit leaves. Signed, so that one instruction counts and tests.
    sections_left: i64,
    looked_at: u64,
    /// Up to here, the part of a custom section's name that was seen is UTF-8: it is looked at once, however it comes.
    utf8_until: u64,
}

#[derive(Debug)]
enum State {
    Preamble,
    Sections,
    /// A visitor waits for bytes of a section; the position is already behind it.
    Data {
        data: Range<u64>,
        wanted: Range<u64>,
    },
    /// It failed, of this, there: whatever is fed now, it says so again.
    Failed(Fault, u64),
}

#[derive(Clone, Debug)]
struct Frame {
    kind: ItemKind,
    item: u32,
    /// Which child of the enclosing item this is.
    index: u32,
    children: u32,
    /// Of the preamble.
    start: u64,
    /// One past the last byte; the root's is out of reach.
    end: u64,
    /// Of the last section that takes part in a module's order.
    rank: Class,
    /// Of the kind.
    classes: &'static Classes,
    /// Where the section that holds it begins, and its id.
    holder: (u64, u8),
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
            state: State::Preamble,
            position: 0,
            frame: Frame {
                kind: ItemKind::Module, // until the preamble says
                item: 0,
                index: 0,
                children: 0,
                start: 0,
                end: ROOT_END,
                rank: Class::FREE,
                classes: ItemKind::Module.classes(),
                holder: (0, 0),
            },
            enclosing: SmallVec::new(),
            last: (0, 0),
            items: 0,
            sections_left: i64::try_from(limits.sections).unwrap_or(i64::MAX),
            looked_at: 0,
            utf8_until: 0,
        }
    }

    /// Bytes looked at so far: preambles, headers, names, and the data that the visitor wanted.
    pub fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// Hands over what the window holds, as far as it goes, and gives the absolute range that is needed next.
    ///
    /// Begin with a window at 0. The next window is to hold all of the range that was needed; with less, nothing
    /// is consumed and the same range is given again, unless what there is of it shows already that it is malformed.
    /// Where the input ends before the end of that range, no window can hold it: call [`finish`](Self::finish). A range
    /// never begins before the data of the last section that was handed over, and its length is bounded by the limits
    /// and by what the visitor wants.
    ///
    /// # Errors
    ///
    /// Malformed framing, or an exceeded limit. What was handed over before stays valid. After an error the
    /// scanner is spent: fed again, or told of the end, it gives the same error.
    pub fn feed<'w, V: Visitor<'w>>(&mut self, window: Window<'w>, visitor: &mut V) -> Result<Range<u64>, Error> {
        let pause = match &self.state {
            State::Preamble => self.preamble(window, visitor),
            State::Sections => Ok(None),
            State::Data { data, wanted } => {
                let (data, wanted) = (data.clone(), wanted.clone());
                Ok(self.serve(window, visitor, data, wanted))
            }
            State::Failed(fault, offset) => Err((*fault, *offset)),
        };
        match pause {
            Ok(None) => self.sections(window, visitor),
            Ok(Some(needed)) => Ok(needed),
            Err((fault, offset)) => Err(self.fail(fault, offset)),
        }
    }

    /// Whether what there is of the range that is needed may show already that it is malformed: it is a header, a name or
    /// a preamble, and not data.
    pub(crate) fn may_fail_early(&self) -> bool {
        matches!(self.state, State::Preamble | State::Sections)
    }

    /// Says that the input ends at the absolute offset `end`: there, and nowhere else, the root item ends.
    ///
    /// # Errors
    ///
    /// The input is not WebAssembly, or ends inside something.
    pub fn finish<'w, V: Visitor<'w>>(&mut self, end: u64, visitor: &mut V) -> Result<(), Error> {
        let at_joint = matches!(self.state, State::Sections) && self.position == end;
        if at_joint && self.enclosing.is_empty() {
            visitor.leave(self.frame.item, end);
            return Ok(());
        }
        Err(self.truncated(end))
    }

    /// An item's first eight bytes. Pauses where the window does not hold them.
    fn preamble<'w, V: Visitor<'w>>(&mut self, window: Window<'w>, visitor: &mut V) -> Result<Pause, (Fault, u64)> {
        let start = self.frame.start;
        let Some(bytes) = window.from(start).first_chunk::<PREAMBLE_LEN>() else {
            if !self.enclosing.is_empty() {
                cannot_begin(self.frame.kind, window, start)?;
            }
            self.state = State::Preamble;
            return Ok(Some(start..start + PREAMBLE_LEN as u64));
        };
        if self.enclosing.is_empty() {
            self.frame.kind = root_kind(*bytes)?;
            self.frame.classes = self.frame.kind.classes();
        } else if *bytes != self.frame.kind.preamble() {
            return Err((Fault::NestedPreamble(self.frame.kind), start));
        }
        if self.limits.depth == 0 {
            return Err((Fault::Limit { what: "items inside one another", max: 0 }, start));
        }
        if self.items == self.limits.items {
            return Err((Fault::Limit { what: "items", max: u64::from(self.limits.items) }, start));
        }
        self.frame.item = self.items;
        self.items += 1;
        self.looked_at += PREAMBLE_LEN as u64;
        self.position = start + PREAMBLE_LEN as u64;
        self.state = State::Sections;
        visitor.enter(&Entry {
            item: self.frame.item,
            kind: self.frame.kind,
            parent: self.enclosing.last().map(|parent| parent.item),
            index: self.frame.index,
            start,
            end: (!self.enclosing.is_empty()).then_some(self.frame.end),
        });
        Ok(None)
    }

    /// The sections. This is the loop that everything stands on: what changes with each section is in locals, and
    /// what is rare is behind a call.
    #[inline]
    fn sections<'w, V: Visitor<'w>>(&mut self, window: Window<'w>, visitor: &mut V) -> Result<Range<u64>, Error> {
        let max_name = self.limits.name;
        let mut position = self.position;

        let exit = loop {
            let Frame { kind: item_kind, item, end, classes, .. } = self.frame;
            if position == end {
                if self.leave(visitor) {
                    continue;
                }
                break Exit::Fail(Fault::Limit { what: "bytes in the input", max: ROOT_END }, position);
            }
            let Some(Header { id, size, len }) = Header::read(window.from(position)) else {
                break header_exit(window, position);
            };
            self.last = (position, id); // here it costs the loop less than beside the visitor's call
            let payload = position + len;
            let section_end = payload + size;
            if section_end > end {
                break past_parent(item_kind, id, size as u32, position, end);
            }
            let class = classes[usize::from(id)];
            let mut data = payload;
            let mut name = &[][..];
            if class == Class::FREE {
                if self.sections_left > 0 {
                    let wanted = self.free_run(window, &mut position, visitor);
                    match wanted.and_then(|(data, wanted)| self.serve(window, visitor, data, wanted)) {
                        Some(needed) => break Exit::Need(needed),
                        None => continue,
                    }
                }
            } else if class <= Class::LAST_RANKED {
                if class <= self.frame.rank {
                    break Exit::Fail(Fault::OutOfOrder(kind_name(item_kind, id)), position);
                }
                self.frame.rank = class;
            } else if class == Class::CUSTOM {
                let body = window.from(payload);
                match short_name(body, size as u32, max_name) {
                    Some(short) => {
                        name = short;
                        data = payload + 1 + short.len() as u64;
                    }
                    None => match long_name(body, size as u32, max_name) {
                        Ok((long, end)) => {
                            name = long;
                            data = payload + end as u64;
                        }
                        Err(unread) => break name_exit(unread, window, position, payload),
                    },
                }
                self.looked_at += data - payload;
            } else if class == Class::MALFORMED {
                break header_exit(window, position);
            } else if class != Class::UNKNOWN && size > u64::from(MAX_NESTED) {
                let kind = nested_kind(class);
                break Exit::Fail(Fault::NestedTooLarge { kind, size: size as u32 }, position + 1);
            }
            self.sections_left -= 1;
            if self.sections_left < 0 {
                self.looked_at -= data - payload; // is not handed over
                break Exit::Fail(Fault::Limit { what: "sections", max: self.limits.sections }, position);
            }
            self.looked_at += len;
            let want = visitor.section(&Section {
                item,
                item_kind,
                id,
                start: position,
                payload,
                data,
                end: section_end,
                class,
                name,
            });
            position = section_end;
            if let Want::Bytes(wanted) = want
                && class <= Class::UNKNOWN
            {
                if let Some(needed) = self.serve(window, visitor, data..section_end, wanted) {
                    break Exit::Need(needed);
                }
            } else if class > Class::UNKNOWN {
                match self.descend(nested_kind(class), payload..section_end, window, visitor) {
                    Ok(None) => position = payload + PREAMBLE_LEN as u64,
                    Ok(Some(needed)) => break Exit::Need(needed),
                    Err((fault, offset)) => break Exit::Fail(fault, offset),
                }
            }
        };

        self.position = position;
        match exit {
            Exit::Need(needed) => Ok(needed),
            exit => self.stop(exit, window),
        }
    }

    /// What the loop over sections gives where it does not simply need more.
    #[cold]
    #[inline(never)]
    fn stop(&mut self, exit: Exit, window: Window<'_>) -> Result<Range<u64>, Error> {
        match exit {
            Exit::Need(needed) => Ok(needed),
            Exit::NeedName(needed, payload) => match self.name_so_far(window, payload) {
                Ok(()) => Ok(needed),
                Err(offset) => Err(self.fail(Fault::NameNotUtf8, offset)),
            },
            Exit::Fail(fault, offset) => Err(self.fail(fault, offset)),
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

    /// Hands over the sections from `position` on that may stand in any order and number, as most of a component's may, as
    /// far as they are sound, and moves the position behind them. Stops at one of which bytes are wanted, and gives its
    /// data, and which. (A loop of its own, with what changes in locals, is measurably faster.)
    #[inline(always)]
    fn free_run<'w, V: Visitor<'w>>(
        &mut self,
        window: Window<'w>,
        position: &mut u64,
        visitor: &mut V,
    ) -> Option<(Range<u64>, Range<u64>)> {
        let Frame { kind: item_kind, item, end, classes, .. } = self.frame;
        let (mut last, mut sections_left, mut looked_at) = (self.last, self.sections_left, self.looked_at);
        let mut start = *position;
        let wanted = loop {
            let Some(Header { id, size, len }) = Header::read(window.from(start)) else { break None };
            let (payload, class) = (start + len, classes[usize::from(id)]);
            let section_end = payload + size;
            if class != Class::FREE || section_end > end || sections_left == 0 {
                break None;
            }
            sections_left -= 1;
            looked_at += len;
            last = (start, id);
            let (data, name) = (payload, &[][..]);
            let section = Section { item, item_kind, id, start, payload, data, end: section_end, class, name };
            start = section_end;
            if let Want::Bytes(wanted) = visitor.section(&section) {
                break Some((data..section_end, wanted));
            }
        };
        (self.last, self.sections_left, self.looked_at) = (last, sections_left, looked_at);
        *position = start;
        wanted
    }

    /// Goes up from an item that ends, unless it is the root.
    #[inline(never)]
    fn leave<'w, V: Visitor<'w>>(&mut self, visitor: &mut V) -> bool {
        let Some(parent) = self.enclosing.pop() else { return false };
        visitor.leave(self.frame.item, self.frame.end);
        self.last = self.frame.holder;
        self.frame = parent;
        true
    }

    /// Goes down into the item that a section holds.
    #[inline(never)]
    fn descend<'w, V: Visitor<'w>>(
        &mut self,
        kind: ItemKind,
        payload: Range<u64>,
        window: Window<'w>,
        visitor: &mut V,
    ) -> Result<Pause, (Fault, u64)> {
        let index = self.frame.children;
        self.frame.children += 1;
        let frame = Frame {
            kind,
            item: 0, // until it is entered
            index,
            children: 0,
            start: payload.start,
            end: payload.end,
            rank: Class::FREE,
            classes: kind.classes(),
            holder: self.last,
        };
        let depth = self.enclosing.len() as u64 + 2; // with this item and the root
        let max = u64::from(self.limits.depth);
        if depth > max {
            return Err((Fault::Limit { what: "items inside one another", max }, payload.start));
        }
        self.enclosing.push(std::mem::replace(&mut self.frame, frame));
        let size = payload.end - payload.start;
        if size < PREAMBLE_LEN as u64 {
            return Err((Fault::NestedShort { kind, size: size as u32 }, payload.start));
        }
        self.preamble(window, visitor)
    }

    /// Hands over what the visitor wants of a section's data, as long as the window holds it.
    #[inline(never)]
    fn serve<'w, V: Visitor<'w>>(
        &mut self,
        window: Window<'w>,
        visitor: &mut V,
        data: Range<u64>,
        mut wanted: Range<u64>,
    ) -> Pause {
        loop {
            let start = wanted.start.clamp(data.start, data.end);
            let end = wanted.end.clamp(start, data.end);
            let bytes = if start == end { Some(&[][..]) } else { window.range(&(start..end)) };
            let Some(bytes) = bytes else {
                self.state = State::Data { data, wanted: start..end };
                return Some(start..end);
            };
            self.looked_at += end - start;
            match visitor.data(bytes, start) {
                Want::Bytes(next) => wanted = next,
                Want::Nothing => break,
            }
        }
        self.state = State::Sections;
        None
    }

    /// Why an input that ends at `end` ends too early.
    #[cold]
    fn truncated(&self, end: u64) -> Error {
        let (start, id) = self.last;
        let section = kind_name(self.frame.kind, id);
        let fault = match self.state {
            State::Failed(fault, offset) => return self.error(fault, offset),
            State::Preamble if self.enclosing.is_empty() && end == 0 => Fault::Empty,
            State::Preamble if self.enclosing.is_empty() => Fault::Short(end),
            State::Data { .. } => Fault::Truncated { section, start },
            State::Sections if end < self.position => Fault::Truncated { section, start },
            // The item ends inside the header, too: no more input would mend that.
            State::Sections if end > self.position && end >= self.frame.end => {
                return self.error(Fault::SectionSize, self.position + 1);
            }
            State::Sections if end > self.position => Fault::TruncatedHeader { start: self.position },
            State::Sections | State::Preamble => {
                Fault::TruncatedItem { kind: self.frame.kind, start: self.frame.holder.0, end: self.frame.end }
            }
        };
        self.error(fault, end)
    }

    #[cold]
    fn fail(&mut self, fault: Fault, offset: u64) -> Error {
        self.state = State::Failed(fault, offset);
        self.error(fault, offset)
    }

    #[cold]
    fn error(&self, fault: Fault, offset: u64) -> Error {
        let inside = self.enclosing.iter().skip(1).chain([&self.frame]);
        let inside = inside.take(self.enclosing.len());
        Error::new(fault, offset, inside.map(|frame| frame.index).collect())
    }
}

/// The absolute range that is needed to go on, where something is missing.
type Pause = Option<Range<u64>>;

/// What ends the loop over sections.
enum Exit {
    Need(Range<u64>),
    /// A name is not all there; with where the payload begins that it stands in.
    NeedName(Range<u64>, u64),
    Fail(Fault, u64),
}

/// Ends the loop over sections at a header that cannot be read.
#[cold]
fn header_exit(window: Window<'_>, position: u64) -> Exit {
    let rest = window.from(position);
    match rest {
        [id, ..] if *id >= 0x80 => Exit::Fail(Fault::SectionId(*id), position),
        [_, size @ ..] if !Leb128::may_go_on(size) => Exit::Fail(Fault::SectionSize, position + 1),
        _ => Exit::Need(position..position + rest.len() as u64 + 1),
    }
}

/// Ends the loop over sections at one that goes past the end of its item.
#[cold]
fn past_parent(item: ItemKind, id: u8, size: u32, position: u64, end: u64) -> Exit {
    if id >= 0x80 {
        return Exit::Fail(Fault::SectionId(id), position);
    }
    Exit::Fail(Fault::PastParent { section: kind_name(item, id), size, end }, position + 1)
}

/// Ends the loop over sections at a name that cannot be read.
#[cold]
fn name_exit(unread: NameUnread, window: Window<'_>, position: u64, payload: u64) -> Exit {
    match unread {
        NameUnread::Incomplete(needed) => Exit::NeedName(position..payload + needed as u64, payload),
        // `\0as` of a second `\0asm`, read as id, size and length of the name.
        NameUnread::Malformed(Fault::NamePastSection { .. }, _) if window.from(position).starts_with(b"\0as") => {
            Exit::Fail(Fault::SecondPreamble, position)
        }
        NameUnread::Malformed(fault, offset) => Exit::Fail(fault, payload + offset as u64),
    }
}

/// Says so where what there is of a nested item's preamble shows already that it is none.
#[cold]
#[inline(never)]
fn cannot_begin(kind: ItemKind, window: Window<'_>, start: u64) -> Result<(), (Fault, u64)> {
    let is_sound = kind.preamble().starts_with(window.from(start));
    if is_sound { Ok(()) } else { Err((Fault::NestedPreamble(kind), start)) }
}

fn nested_kind(class: Class) -> ItemKind {
    if class == Class::NESTED_MODULE { ItemKind::Module } else { ItemKind::Component }
}
