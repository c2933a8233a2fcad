//! Examines every block of a tar about which readers may disagree.
//!
//! Each block with a correct checksum is a header, also inside the data of another entry and after the end. Each size
//! that a reader may find gives a body. Entries of a file become ranges of it; those of a stream are held in memory, up
//! to the limit. The number of bodies that overlap is limited, so the work is linear in the length of the tar.

mod inspect;

use std::ops::Range;
use std::rc::Rc;

use super::extension::ExtensionType;
use super::header::HeaderBlock;
use super::member::{Doubt, Member, MemberKind};
use super::sparse::{SparseLayout, SparseMap};
use super::{ENDS_IN_DATA, ENDS_IN_HEADER, Extensions, HEAD_LEN, LARGE_EXTENSION, MAX_EXTENSION, NOT_A_HEADER, padded};
use crate::walk::archive::bytes::TarSource;
use crate::walk::archive::{ArchiveWalker, EntryPath, name};
use crate::walk::file_kind::{FileKind, TAR_BLOCK};
use sectile::{FindingCode, Input};

/// The first block of a survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A header that readers may read differently.
    Header,
    /// The first zeros after the last entry.
    End,
    /// A block in place of a header.
    Lost,
}

/// The examination of all blocks from one on.
pub(super) struct Survey<'s, 'a, 'p, 'r> {
    walker: &'s mut ArchiveWalker<'a>,
    path: &'s EntryPath<'s>,
    source: &'s mut TarSource<'r, 'p>,
    level: u32,
    /// The file and the range in it from the first block on, unless it is a stream.
    file: Option<(&'p Input, Range<u64>)>,
    /// Position of the first block in the stream.
    origin: u64,
    /// Offset of the current block from the first one.
    at: u64,
    /// Where most readers expect the next header.
    next: Option<u64>,
    /// Whether readers disagree for certain.
    is_disputed: bool,
    /// The extension for the header at an offset, and the global one.
    pending: Vec<(u64, Extensions)>,
    global: Rc<super::Extension>,
    open: Vec<Open>,
}

/// An open body or extension, whose data is in the next blocks.
struct Open {
    start: u64,
    /// Offset of its end, or of the furthest of its ends.
    end: u64,
    /// Whether most readers see it.
    is_on_path: bool,
    /// The bytes so far, unless they are in a file.
    held: Vec<u8>,
    content: OpenContent,
}

enum OpenContent {
    Extension(Box<OpenExtension>),
    /// Blocks that continue the map of a sparse entry.
    Map {
        member: Box<Member>,
        map: SparseMap,
    },
    Body {
        member: Box<Member>,
        sizes: Vec<u64>,
    },
    /// An extension that is not read. It is a finding unless the input ends inside it.
    LargeExtension,
    /// Data that is not inspected.
    Dropped,
}

struct OpenExtension {
    member: Member,
    extension: ExtensionType,
    /// Values of the headers before it.
    inherited: Extensions,
    size: u64,
}

/// Maximum number of bodies and extensions that overlap.
const MAX_OPEN: usize = 32;

const OVERLAPS: &str = "too many of its entries overlap";
const TOO_LARGE: &str = "readers disagree about it, and it is too large for memory to inspect each reading";
const INSIDE: &str = "the data of an entry contains the header of another entry";
const AFTER_END: &str = "entries follow the end of the archive";

impl<'s, 'a, 'p, 'r> Survey<'s, 'a, 'p, 'r> {
    /// Creates a survey that starts with the last block that was read.
    pub(super) fn new(
        walker: &'s mut ArchiveWalker<'a>,
        path: &'s EntryPath<'s>,
        source: &'s mut TarSource<'r, 'p>,
        extensions: Extensions,
        level: u32,
    ) -> Self {
        let (file, origin) = match source {
            TarSource::FileWindow(part) => (Some((part.input, part.at() - TAR_BLOCK as u64..part.range.end)), 0),
            TarSource::Stream(reader) => (None, reader.position() - TAR_BLOCK as u64),
        };
        let global = Rc::clone(&extensions.global);
        Self {
            walker,
            path,
            source,
            level,
            file,
            origin,
            at: 0,
            next: Some(0),
            is_disputed: false,
            pending: vec![(0, extensions)],
            global,
            open: Vec::new(),
        }
    }

    /// Examines all blocks to the end of the tar, or to a header where all readers agree again. Returns the values of
    /// the headers before that one.
    pub(super) fn run(mut self, first: &[u8; TAR_BLOCK], start: Start) -> Option<Extensions> {
        let mut block = *first;
        let mut len = TAR_BLOCK;
        if start == Start::Lost {
            (self.is_disputed, self.next) = (true, None);
        }
        loop {
            self.feed(&block[..len]);
            self.close(self.at + len as u64, false);
            if self.walker.should_stop() {
                return self.abandon();
            }
            if len < TAR_BLOCK {
                return self.end(len);
            }
            self.examine(&block);
            self.at += TAR_BLOCK as u64;
            if self.walker.should_stop() {
                return self.abandon();
            }
            if !self.is_disputed && self.next == Some(self.at) && self.open.is_empty() {
                return Some(self.take_pending());
            }
            let Ok(read) = self.source.block(&mut block) else {
                self.close(u64::MAX, true);
                return self.abandon();
            };
            len = read;
        }
    }

    /// Releases the memory of all bodies. The reason was reported before.
    fn abandon(mut self) -> Option<Extensions> {
        for open in std::mem::take(&mut self.open) {
            self.walker.budget.release(open.held.len() as u64);
        }
        None
    }

    /// Ends at the end of the input, whose last block has `len` bytes.
    fn end(mut self, len: usize) -> Option<Extensions> {
        let is_in_data = self.open.iter().any(|open| {
            open.is_on_path
                && !matches!(
                    open.content,
                    OpenContent::Extension(_) | OpenContent::LargeExtension | OpenContent::Map { .. }
                )
        });
        let is_expected = self.next.is_some_and(|next| next > self.at || len > 0);
        self.close(u64::MAX, false);
        if is_expected {
            let is_past_data = self.next.is_some_and(|next| next > self.at) && !is_in_data && self.open.is_empty();
            let what = if is_in_data || is_past_data { ENDS_IN_DATA } else { ENDS_IN_HEADER };
            self.walker.report(self.path, FindingCode::MalformedArchive, what.to_owned());
        }
        None
    }

    fn dispute(&mut self, path: &EntryPath<'_>, reason: &str) {
        self.is_disputed = true;
        self.walker.dispute(path, reason.to_owned());
    }

    /// Values of the headers before the current offset for the next one.
    fn take_pending(&mut self) -> Extensions {
        let mut next = super::Extension::default();
        let at = self.at;
        self.pending.retain_mut(|(offset, extensions)| {
            if *offset == at {
                next.merge(std::mem::take(&mut extensions.next));
            }
            *offset > at
        });
        Extensions { next, global: Rc::clone(&self.global) }
    }

    fn examine(&mut self, block: &[u8; TAR_BLOCK]) {
        let is_expected = self.next == Some(self.at);
        let header = HeaderBlock(block);
        if block[0] == 0 && *block == [0; TAR_BLOCK] {
            if is_expected {
                self.next = None;
            }
            return;
        }
        if !header.has_checksum() {
            if is_expected {
                self.next = None;
                self.is_disputed = true;
                self.walker.report(self.path, FindingCode::MalformedArchive, NOT_A_HEADER.to_owned());
            }
            return;
        }
        if !self.walker.budget.entry() {
            return; // reported at the end
        }
        let is_on_path = is_expected || self.next.is_none();
        if !is_expected && !self.is_disputed {
            let reason = if self.next.is_none() { AFTER_END } else { INSIDE };
            self.dispute(self.path, reason);
        }
        self.close_unsized();
        let extensions = self.take_pending();
        let member = Member::new(header, &extensions.next, &extensions.global);
        if let Some(Doubt::Certain(reason)) = member.doubt
            && is_on_path
        {
            let name = name(&member.name);
            self.dispute(&EntryPath::new(self.path, &name), reason);
        }
        self.enter(header, member, &extensions, is_on_path);
        if self.open.len() > MAX_OPEN || self.pending.len() > MAX_OPEN {
            self.walker.budget.report_limit(OVERLAPS.to_owned());
        }
    }

    /// Begins the body or the extension after a header.
    fn enter(&mut self, header: HeaderBlock<'_>, member: Member, extensions: &Extensions, is_on_path: bool) {
        let start = self.at + TAR_BLOCK as u64;
        if is_on_path {
            self.next = padded(member.size).and_then(|whole| start.checked_add(whole));
            if self.next.is_none() {
                self.is_disputed = true;
                let why = "an entry's size is larger than any file".to_owned();
                self.walker.report(self.path, FindingCode::MalformedArchive, why);
            }
        }
        match member.kind {
            MemberKind::Extension(extension) => {
                if extensions.next.sparse.is_present || extensions.global.sparse.is_present {
                    // Some readers treat it as a file.
                    let (next, global) = (&extensions.next, &extensions.global);
                    let file = Member::with_kind(header, next, global, MemberKind::File);
                    self.open_body(start, Member { expects_wasm: false, ..file }, false);
                }
                let mut sizes = vec![member.size];
                sizes.extend(&member.other_sizes);
                for size in sizes {
                    if size > MAX_EXTENSION {
                        self.is_disputed = true;
                        let (end, content) = (start.saturating_add(size), OpenContent::LargeExtension);
                        self.open.push(Open { start, end, is_on_path, held: Vec::new(), content });
                        // Some readers treat it as a file.
                        let member = Member::new(header, &extensions.next, &extensions.global);
                        let file = Member { kind: MemberKind::File, expects_wasm: false, size, ..member };
                        self.open_body(start, Member { other_sizes: Vec::new(), ..file }, false);
                        continue;
                    }
                    let whole = size.next_multiple_of(TAR_BLOCK as u64);
                    let inherited = Extensions { next: extensions.next.clone(), global: Rc::clone(&self.global) };
                    let member = Member::new(header, &extensions.next, &extensions.global);
                    let is_on_path = is_on_path && size == member.size;
                    let content =
                        OpenContent::Extension(Box::new(OpenExtension { member, extension, inherited, size }));
                    self.open.push(Open { start, end: start + whole, is_on_path, held: Vec::new(), content });
                }
                self.close(start, false); // an empty one ends at once
            }
            MemberKind::File if matches!(member.layout, Some(SparseLayout::Old { is_continued: true, .. })) => {
                let Some(map) = member.layout.as_ref().and_then(SparseLayout::map).cloned() else { return };
                if is_on_path {
                    self.next = Some(u64::MAX); // known after the last block of the map
                }
                if member.doubt.is_some() {
                    // A reader that does not know the format reads the data at once.
                    let plain = Member { layout: None, ..Member::new(header, &extensions.next, &extensions.global) };
                    self.open_body(start, plain, false);
                }
                let content = OpenContent::Map { member: Box::new(member), map };
                self.open.push(Open { start, end: u64::MAX, is_on_path, held: Vec::new(), content });
            }
            MemberKind::File | MemberKind::Dump => self.open_body(start, member, is_on_path),
            MemberKind::Link | MemberKind::NoData => {
                if member.kind == MemberKind::Link && is_on_path {
                    self.walker.count(FindingCode::NotFollowed);
                }
                if !member.other_sizes.is_empty() {
                    self.open_body(start, Member { expects_wasm: false, ..member }, false);
                }
            }
        }
    }

    fn open_body(&mut self, start: u64, member: Member, is_on_path: bool) {
        let mut sizes = vec![member.size];
        sizes.extend(&member.other_sizes);
        if member.is_unsized {
            sizes.push(u64::MAX);
        }
        if let Some(layout) = &member.layout {
            sizes.truncate(1); // the other sizes are those of the content
            // Some readers read as much data as the map says.
            let layouts = [layout].into_iter().chain(&member.other_layouts);
            let data_lens = layouts.filter_map(SparseLayout::map).map(SparseMap::data_len);
            sizes.extend(data_lens.filter(|&len| len > member.size));
            sizes.extend(member.is_unsized.then_some(u64::MAX));
        }
        let furthest = sizes.iter().chain(member.plain_sizes()).copied().max().unwrap_or(0);
        let content = OpenContent::Body { member: Box::new(member), sizes };
        self.open.push(Open { start, end: start.saturating_add(furthest), is_on_path, held: Vec::new(), content });
        self.close(start, false); // an empty one ends at once
    }

    /// Adds a block to everything that it belongs to.
    fn feed(&mut self, block: &[u8]) {
        let mut mapped = Vec::new();
        let mut nth = 0;
        while nth < self.open.len() {
            let at = self.at;
            let budget = self.walker.budget;
            let is_file = self.file.is_some();
            let open = &mut self.open[nth];
            let len = usize::try_from(open.end - at).map_or(block.len(), |left| left.min(block.len()));
            match &mut open.content {
                OpenContent::Map { map, .. } => {
                    let is_last = block.first_chunk().is_none_or(|block| !map.add_block(block));
                    if is_last {
                        let Open { is_on_path, content, .. } = self.open.remove(nth);
                        if let OpenContent::Map { mut member, map } = content {
                            member.layout = Some(SparseLayout::Old { map, is_continued: false });
                            mapped.push((*member, is_on_path));
                        }
                        continue; // the next one has the same index now
                    }
                }
                OpenContent::Body { .. } if is_file => {}
                OpenContent::LargeExtension | OpenContent::Dropped => {}
                OpenContent::Body { .. } | OpenContent::Extension(_) => {
                    if budget.available_memory() < len as u64 {
                        self.drop_body(nth);
                    } else if at >= open.start {
                        budget.reserve(len as u64);
                        open.held.extend_from_slice(&block[..len]);
                    }
                }
            }
            nth += 1;
        }
        let start = self.at + TAR_BLOCK as u64;
        for (member, is_on_path) in mapped {
            if is_on_path {
                self.next = padded(member.size).and_then(|whole| start.checked_add(whole));
            }
            self.open_body(start, member, is_on_path);
        }
    }

    /// Inspects the start of a body that cannot be held, and drops it.
    fn drop_body(&mut self, nth: usize) {
        let open = &mut self.open[nth];
        let content = std::mem::replace(&mut open.content, OpenContent::Dropped);
        let (bytes, start) = (std::mem::take(&mut open.held), open.start);
        let kind = FileKind::detect(&bytes[..bytes.len().min(HEAD_LEN)]);
        match content {
            OpenContent::Body { member, sizes } => {
                if self.is_disputed || kind != FileKind::Other || member.expects_wasm {
                    let name = name(&member.name);
                    let path = EntryPath::new(self.path, &name);
                    self.walker.report(&path, FindingCode::ArchiveLimit, TOO_LARGE.to_owned());
                }
                self.inspect(start, &member, &sizes, &bytes, true);
            }
            _ => self.walker.report(self.path, FindingCode::ArchiveLimit, LARGE_EXTENSION.to_owned()),
        }
        self.walker.budget.release(bytes.len() as u64);
    }

    /// Ends the bodies that extend to the next header.
    fn close_unsized(&mut self) {
        let at = self.at;
        for open in &mut self.open {
            if let OpenContent::Body { sizes, .. } = &mut open.content
                && open.end == u64::MAX
            {
                sizes
                    .iter_mut()
                    .filter(|size| **size == u64::MAX)
                    .for_each(|size| *size = at.saturating_sub(open.start));
                open.end = open.start + sizes.iter().copied().max().unwrap_or(0).min(u64::MAX - open.start);
            }
        }
        // The block of the header belongs to their further sizes, and was added.
        self.close(at + TAR_BLOCK as u64, false);
    }

    /// Inspects everything that ends at or before an offset, in the order of the headers.
    fn close(&mut self, offset: u64, is_cut_off: bool) {
        let mut nth = 0;
        while nth < self.open.len() {
            let is_cut = offset == u64::MAX;
            if self.open[nth].end > offset && !is_cut {
                nth += 1;
                continue;
            }
            let Open { start, end, held, content, .. } = self.open.remove(nth);
            match content {
                OpenContent::Extension(open) => {
                    let OpenExtension { member, extension, mut inherited, size } = *open;
                    if let Some((data, padding)) = held.split_at_checked(size as usize).filter(|_| !is_cut) {
                        let path = self.path;
                        let before = inherited.next.doubt;
                        let parts = (&*member.name, data, padding);
                        self.walker.extend(path, &mut inherited, extension, parts, self.level);
                        if before != inherited.next.doubt && inherited.next.doubt.is_some() {
                            self.is_disputed |= super::is_content(data);
                        }
                        if extension == ExtensionType::Global {
                            self.global = Rc::clone(&inherited.global);
                        }
                        self.pending.push((end, inherited));
                    } else {
                        self.walker.truncated_extension(self.path, &member.name, &held, self.level);
                    }
                }
                OpenContent::Body { member, sizes } => self.inspect(start, &member, &sizes, &held, is_cut_off),
                OpenContent::Map { member, .. } => {
                    let name = name(&member.name);
                    let path = EntryPath::new(self.path, &name);
                    self.walker.report(&path, FindingCode::MalformedArchive, ENDS_IN_HEADER.to_owned());
                }
                OpenContent::LargeExtension if is_cut => {}
                OpenContent::LargeExtension => {
                    self.walker.report(self.path, FindingCode::ArchiveLimit, LARGE_EXTENSION.to_owned());
                }
                OpenContent::Dropped => {}
            }
            self.walker.budget.release(held.len() as u64);
        }
    }
}
