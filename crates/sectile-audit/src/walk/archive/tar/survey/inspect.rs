//! Inspects the data of an entry: as it is, and as its sparse maps expand it.

use std::io::Read;

use super::{Survey, TOO_LARGE};
use crate::fill::fill;
use crate::walk::archive::budget::BufferedDecoder;
use crate::walk::archive::bytes::{FileWindow, TarSource};
use crate::walk::archive::tar::HEAD_LEN;
use crate::walk::archive::tar::member::{Member, MemberKind};
use crate::walk::archive::tar::sparse::{self, Holes, Parts, SparseLayout, SparseReader};
use crate::walk::archive::{EntryPath, FailingReader, name};
use crate::walk::file_kind::FileKind;
use sectile::{FindingCode, Input};

/// Maximum number of sizes of data that neither is a binary nor starts as an archive does.
const MAX_OTHER_SIZES: usize = 4;

impl Survey<'_, '_, '_, '_> {
    /// Inspects the data of an entry, for each of its sizes.
    pub(super) fn inspect(&mut self, start: u64, member: &Member, sizes: &[u64], bytes: &[u8], is_cut_off: bool) {
        if let TarSource::Stream(reader) = &mut *self.source {
            let start = self.origin + start;
            reader.add_inspected(start..start + bytes.len() as u64);
        }
        let name = name(&member.name);
        let path = EntryPath { expects_wasm: member.expects_wasm, ..EntryPath::new(self.path, &name) };
        let most =
            self.file.as_ref().map_or(bytes.len() as u64, |(_, range)| (range.end - range.start).saturating_sub(start));
        let main = sizes.first().copied().unwrap_or(0);
        let longest = sizes.iter().copied().max().unwrap_or(0).min(most);
        let furthest = member.plain_sizes().iter().copied().max().unwrap_or(0).min(most).max(longest);
        let input = self.file.as_ref().map(|(input, range)| (*input, range.start + start));
        let mut window = input.map(|(input, at)| FileWindow::new(input, at..at + furthest, self.walker.budget));
        let head = match &mut window {
            Some(window) => match window.peek(HEAD_LEN) {
                Ok(head) => head,
                Err(_) => return, // reported by the window
            },
            None => &bytes[..bytes.len().min(HEAD_LEN)],
        };
        let data = Data { input, bytes, head };
        for layout in &member.other_layouts {
            self.inspect_sparse(&EntryPath::new(self.path, &name), layout, longest, &data);
        }
        if let Some(layout) = &member.layout
            && !layout.map().is_some_and(|map| map.is_identity(main) && map.is_plain(main))
        {
            let is_plain = self.inspect_sparse(&path, layout, main.min(most), &data);
            if longest > main.min(most) {
                self.inspect_sparse(&path, layout, longest, &data);
            }
            // Readers that do not know the old format reject it. They write out the data of the others.
            if is_plain && member.doubt.is_none() && matches!(layout, SparseLayout::Old { .. }) {
                return;
            }
            let path = EntryPath { expects_wasm: false, ..path };
            let mut seen = Vec::new();
            for &size in [main].iter().chain(member.plain_sizes()) {
                let len = size.min(most);
                if !seen.contains(&len) && seen.len() <= MAX_OTHER_SIZES {
                    seen.push(len);
                    self.inspect_data(&path, len, &data, is_cut_off && size > most);
                }
            }
            return;
        }
        let is_other = FileKind::detect(head) == FileKind::Other;
        if member.kind == MemberKind::Dump && !is_other {
            self.dispute(&path, "the dump of a directory is a file for some readers");
        }
        let mut seen = Vec::new();
        for &size in sizes.iter().chain(member.plain_sizes()) {
            let len = size.min(most);
            let is_main = size == main;
            let is_superfluous = !is_main && (len == 0 || is_other && seen.len() >= MAX_OTHER_SIZES);
            if seen.contains(&len) || is_superfluous || is_main && !member.kind.has_data() {
                continue;
            }
            seen.push(len);
            let expects_wasm = member.expects_wasm && is_main;
            let path = EntryPath { expects_wasm, ..EntryPath::new(self.path, &name) };
            self.inspect_data(&path, len, &data, is_cut_off && size > most);
        }
    }

    /// Inspects data of this length. A tar in it is part of this survey.
    fn inspect_data(&mut self, path: &EntryPath<'_>, len: u64, data: &Data<'_>, is_cut_off: bool) {
        let level = self.level + 1;
        let head = &data.head[..usize::try_from(len).map_or(data.head.len(), |len| len.min(data.head.len()))];
        if FileKind::detect(head) == FileKind::Tar {
            return;
        }
        if let Some((input, start)) = data.input {
            return self.walker.part(path, input, start..start + len, head, level);
        }
        let bytes = &data.bytes[..len as usize];
        if is_cut_off {
            self.walker.stream(path, &mut bytes.chain(FailingReader), level);
        } else {
            self.walker.stream(path, &mut &*bytes, level);
        }
    }

    /// Inspects the content of a sparse entry. Returns whether all readers agree about its map.
    fn inspect_sparse(&mut self, path: &EntryPath<'_>, layout: &SparseLayout, len: u64, data: &Data<'_>) -> bool {
        let is_plain = self.inspect_content(path, layout, Parts::Adjacent, len, data);
        if !is_plain {
            self.dispute(path, "the map of a sparse entry is malformed");
            self.inspect_content(path, layout, Parts::InBlocks, len, data);
            // Some readers ignore the map, but not the size of the content.
            let size = layout.map().map_or(0, |map| map.size);
            if (1..len).contains(&size) {
                self.inspect_data(path, size, data, false);
            }
        }
        is_plain
    }

    /// Inspects the content that the map gives. Returns whether all readers agree about it.
    fn inspect_content(
        &mut self,
        path: &EntryPath<'_>,
        layout: &SparseLayout,
        parts: Parts,
        len: u64,
        data: &Data<'_>,
    ) -> bool {
        let (mut window, mut bytes);
        let reader: &mut dyn Read = if let Some((input, start)) = data.input {
            window = FileWindow::new(input, start..start + len, self.walker.budget);
            &mut window
        } else {
            bytes = &data.bytes[..len as usize];
            &mut bytes
        };
        let (map, map_len) = match layout {
            SparseLayout::Old { map, .. } | SparseLayout::Listed(map) => (map.clone(), 0),
            SparseLayout::InData(size) => match sparse::read_map(reader, *size) {
                Ok(Some(map)) => map,
                Ok(None) | Err(_) => return false, // the reader reports its errors
            },
        };
        let is_plain = map.is_plain(len - map_len);
        if map.is_in_order() {
            self.inspect_parts(path, SparseReader::new(reader, map, parts, self.walker.budget));
            return is_plain;
        }
        let budget = self.walker.budget;
        budget.add_sparse_data(len);
        let most = budget.available_memory().min(budget.available_zeros());
        let Some(content) = sparse::assemble(reader, &map, parts, most) else {
            self.walker.report(path, FindingCode::ArchiveLimit, TOO_LARGE.to_owned());
            return false;
        };
        budget.take_zeros(content.len() as u64);
        budget.reserve(content.len() as u64);
        self.walker.stream(path, &mut &*content, self.level + 1);
        budget.release(content.len() as u64);
        false
    }

    /// Inspects content whose parts are in order. Holes that cannot matter are shortened.
    fn inspect_parts(&mut self, path: &EntryPath<'_>, mut parts: SparseReader<'_, &mut dyn Read>) {
        let mut head = [0; HEAD_LEN];
        let len = fill(&mut parts, &mut head).unwrap_or(0); // the next read returns an error again
        let head = &head[..len];
        let kind = FileKind::detect(head);
        parts.set_holes(match kind {
            _ if kind == FileKind::Wasm || path.expects_wasm => Holes::Whole,
            _ if kind.is_container() => Holes::WholeBeforeData,
            _ => Holes::Short,
        });
        let mut content = BufferedDecoder::new(head.chain(&mut parts), self.walker.budget);
        self.walker.stream(path, &mut content, self.level + 1);
        self.walker.report_fault(path);
        drop(content);
        if parts.is_shortened && path.is_archive.get() {
            let why = "it contains an archive, and larger holes than are read".to_owned();
            self.walker.report(path, FindingCode::ArchiveLimit, why);
        }
    }
}

/// The data of an entry.
struct Data<'d> {
    /// The file and the offset in it, unless the bytes are held.
    input: Option<(&'d Input, u64)>,
    bytes: &'d [u8],
    head: &'d [u8],
}
