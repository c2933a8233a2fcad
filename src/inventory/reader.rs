//! The visitor that searches data sections.

use std::ops::Range;

use super::context::Context;
use super::data::{DataSection, HeadersRead};
use super::go::{self, GoBuild, ModInfoReader, ModInfoStep, Module};
use super::keys::{self, Extraction, Key};
use super::list::{Inventory, MAX_TEXT, PackageList};
use super::package::{Confidence, Ecosystem, Evidence, FoundPackage, Package};
use super::text::Text;
use super::window::{DataWindow, MAX_DISTANCE};
use super::{rust, versions};
use crate::finding::{FindingCode, Findings};
use crate::limits::Limits;
use crate::scan::{Collector, DataRequest, ItemPath, ItemStart, Section, SectionKind, Visitor};

/// A visitor that finds packages in the data sections of all items.
///
/// It requests windows of data sections, so its memory does not depend on their length. A truncated
/// section is searched up to its last byte.
///
/// ```
/// use sectile::{drive::PushDriver, inventory::InventoryReader};
///
/// // (module (memory 1) (data (i32.const 0) "… inflate 1.3.1 Copyright 1995-2024 Mark Adler …"))
/// let text = b" inflate 1.3.1 Copyright 1995-2024 Mark Adler ";
/// let data = [&[1, 0, 0x41, 0, 0x0b, text.len() as u8][..], text].concat();
/// let module = [&b"\0asm\x01\0\0\0\x05\x03\x01\0\x01\x0b"[..], &[data.len() as u8], &data].concat();
/// let mut push = PushDriver::new(InventoryReader::new());
/// push.push(&module)?;
/// let inventory = push.finish().complete()?;
/// let package = &inventory.packages()[0];
/// assert_eq!((&*package.name, &*package.version, package.offset), ("zlib", "1.3.1", 22));
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Debug)]
pub struct InventoryReader {
    limits: Limits,
    /// Number of bytes that a request adds.
    window: u64,
    /// Number and path of the current item; `None` until the root is entered.
    item: Option<(usize, ItemPath)>,
    /// Numbers of the items that enclose the current one.
    enclosing: Vec<usize>,
    list: PackageList,
    go_builds: Vec<GoBuild>,
    findings: Findings,
    bytes_searched: u64,
    /// The data section that is being read.
    section: Option<OpenSection>,
    /// Go's build information that is being read.
    mod_info: Option<ModInfoReader>,
}

/// A data section that is being read.
#[derive(Debug)]
struct OpenSection {
    data: DataSection,
    progress: Progress,
    /// Absolute start offset of the last request.
    needed: u64,
    /// Absolute end offset of the last window.
    read: u64,
}

/// The progress of the search in a section.
#[derive(Debug)]
struct Progress {
    /// Absolute offset from which keys are searched, or the next line of build information is read.
    position: u64,
    /// Absolute offset of the last extension of a source file. Anchors before it are found.
    source_file: u64,
}

/// Number of bytes that a request adds. They fit into the processor's cache.
const WINDOW: u64 = 256 << 10;

/// Maximum number of Go builds in one input.
const MAX_GO_BUILDS: usize = 64;

impl Default for InventoryReader {
    fn default() -> Self {
        Self::with_limits(Limits::default())
    }
}

impl InventoryReader {
    /// Creates a reader with the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a reader with these limits. The memory for packages has a limit of its own, which
    /// the [module](super) describes.
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            window: WINDOW,
            item: None,
            enclosing: Vec::new(),
            list: PackageList::new(),
            go_builds: Vec::new(),
            findings: Findings::with_limit(limits.max_findings_per_code),
            bytes_searched: 0,
            section: None,
            mod_info: None,
        }
    }

    /// Sets the number of bytes that a request adds. The result is the same for any length.
    #[doc(hidden)]
    #[must_use]
    pub fn with_window(self, window: u64) -> Self {
        Self { window: window.max(1), ..self }
    }

    /// The packages found so far; `None` before the root's preamble.
    pub fn so_far(&self) -> Option<Inventory> {
        self.item.as_ref()?;
        Some(self.inventory(self.list.packages().to_vec(), self.list.left_out()))
    }

    /// The inventory of these packages, without those that were left out.
    fn inventory(&self, packages: Vec<Package>, left_out: u64) -> Inventory {
        let mut findings = self.findings.clone();
        if left_out > 0 {
            let message =
                format!("{left_out} places name packages that were not kept: they exceed the limit on memory");
            findings.add(FindingCode::TooLarge, 0, 0, None, || (ItemPath::root(), message.into()));
        }
        Inventory { packages, go_builds: self.go_builds.clone(), findings, bytes_searched: self.bytes_searched }
    }

    fn find(&mut self, code: FindingCode, offset: u64, message: impl FnOnce() -> String) {
        let Some((item, path)) = &self.item else { return };
        self.findings.add(code, *item as u32, offset, None, || (path.clone(), message().into()));
    }

    /// Searches a window up to its end, or up to the first key whose context is incomplete. If the
    /// headers are partial, it ends at the next header.
    fn search(&mut self, data: &DataSection, progress: &mut Progress, bytes: &[u8], start: u64, is_partial: bool) {
        let end = start + bytes.len() as u64;
        let is_last = end == data.end() && !is_partial;
        // The bytes after it are a part of a header, or contents if the header is malformed.
        let end = end.min(data.position());
        let window = DataWindow { bytes: &bytes[..(end - start) as usize], start, segments: data.segments() };
        let mut segment = 0;
        let mut text = None;
        loop {
            if self.mod_info.is_some() {
                if !self.read_mod_info(progress, &window, is_last) {
                    break;
                }
                continue;
            }
            let text = text.get_or_insert_with(|| {
                let from = progress.position;
                if data.is_joined_after(from) { window.contents(from) } else { window.raw(from) }
            });
            let Some((at, key)) = keys::find(text.bytes(), text.index(progress.position)) else {
                progress.position = progress.position.max(window.last(keys::MAX_LEN as u64 - 1)); // a key may begin there
                break;
            };
            let at = text.offset(at);
            if !is_last && at + MAX_DISTANCE > end {
                progress.position = at;
                break;
            }
            progress.position = at + 1;
            let skipped = window.segments[segment..].iter().take_while(|segment| segment.end <= at).count();
            segment += skipped;
            let Some(found) = window.segments.get(segment).filter(|found| found.start <= at) else { continue };
            if at > found.start && !key.may_follow(window.byte(at - 1)) {
                continue;
            }
            if matches!(key.extraction, Extraction::SourceFile) && !data.is_joined_after(progress.source_file) {
                // Most source files have no anchor. In contents without joined segments, anchors are whole.
                let from = progress.source_file.max(at.saturating_sub(MAX_DISTANCE)).max(start);
                let anchor = rust::find_anchor(&window.bytes[(from - start) as usize..(at - start) as usize]);
                progress.source_file = anchor.map_or(at, |anchor| from + anchor as u64);
                if anchor.is_none() {
                    continue;
                }
            }
            let (text, index) = window.around(at, segment);
            self.extract(progress, key, &text, index);
        }
    }

    fn extract(&mut self, progress: &mut Progress, key: &Key, text: &Text<'_>, at: usize) {
        let Some((item, path)) = &self.item else { return };
        let range = at..at + key.text.len();
        if text.bytes().get(range.clone()) != Some(key.text) {
            return; // cut by the end of a segment
        }
        match key.extraction {
            Extraction::SourceFile => {
                let from = text.index(progress.source_file);
                progress.source_file = text.offset(at);
                rust::crates(text.bytes(), from, at, |anchor, package| {
                    self.list.add(package, *item, path, text.offset(anchor));
                });
            }
            Extraction::Package(extract) => {
                if let Some(package) = extract(&Context::new(text.bytes(), range)) {
                    self.list.add(&package, *item, path, text.offset(at));
                }
            }
            Extraction::VersionText => {
                if let Some((lead, package)) = versions::package(key.text, &Context::new(text.bytes(), range)) {
                    self.list.add(&package, *item, path, text.offset(at - lead));
                }
            }
            Extraction::GoModInfo => {
                let start = at.checked_sub(go::MODINFO_START.len() - key.text.len());
                if let Some(start) = start.filter(|start| text.bytes()[*start..].starts_with(&go::MODINFO_START)) {
                    self.mod_info = Some(ModInfoReader::new(*item, text.offset(start)));
                    progress.position = text.offset(range.end - 1) + 1;
                }
            }
        }
    }

    /// Reads one line of build information. Returns whether the window holds it.
    fn read_mod_info(&mut self, progress: &mut Progress, window: &DataWindow<'_>, is_last: bool) -> bool {
        let Some(reader) = &mut self.mod_info else { return false };
        let start = progress.position;
        let text = window.line(start, go::MAX_LINE, |text| text.starts_with(&go::MODINFO_END));
        let is_whole = is_last || start + go::MAX_LINE as u64 <= window.end();
        let (len, module, is_end) = match reader.step(text.bytes(), start, is_whole) {
            ModInfoStep::Incomplete => return false,
            ModInfoStep::Line(len, module) => (len, module, false),
            ModInfoStep::End(len, module) => (len, module, true),
        };
        if let Some(last) = len.checked_sub(1) {
            progress.position = text.offset(last) + 1;
        }
        self.add_module(module);
        if is_end {
            self.end_mod_info(start);
        }
        true
    }

    fn end_mod_info(&mut self, offset: u64) {
        let Some(ModInfoReader { build, .. }) = self.mod_info.take() else { return };
        if !build.complete {
            let message = || "Go's build information has no end marker; its modules may be incomplete".to_owned();
            self.find(FindingCode::MalformedInventory, offset, message);
        }
        if self.go_builds.len() < MAX_GO_BUILDS && build.path.len() <= MAX_TEXT {
            self.go_builds.push(build);
        }
    }

    fn add_module(&mut self, module: Option<Module>) {
        let (Some(module), Some((item, path))) = (module, &self.item) else { return };
        let found = FoundPackage {
            name: &module.path,
            version: &module.version,
            ecosystem: Ecosystem::Go,
            source: if module.is_local { "local" } else { "" },
            evidence: Evidence::GoModInfo,
            confidence: Confidence::High,
        };
        let is_short = |text: &String| text.len() <= MAX_TEXT;
        if let Some(package) = self.list.add(&found, *item, path, module.offset) {
            package.checksum = module.sum.filter(is_short);
            package.replaces = module.replaces.filter(is_short);
        }
    }
}

impl Visitor<'_> for InventoryReader {
    fn enter(&mut self, start: &ItemStart<'_>) {
        let mut path = match self.item.take() {
            Some((item, path)) => {
                self.enclosing.push(item);
                path
            }
            None => ItemPath::root(),
        };
        if start.parent().is_some() {
            path.push(start.index());
        }
        self.item = Some((start.item() as usize, path));
    }

    #[inline]
    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if section.is_custom() || section.kind() != SectionKind::Data {
            return DataRequest::Nothing;
        }
        let Range { start, end } = section.data();
        let (data, progress) = (DataSection::new(start, end), Progress { position: start, source_file: start });
        self.section = Some(OpenSection { data, progress, needed: start, read: start });
        DataRequest::Bytes(start..end.min(start.saturating_add(self.window)))
    }

    fn data(&mut self, bytes: &[u8], start: u64) -> DataRequest {
        let Some(mut section) = self.section.take() else { return DataRequest::Nothing };
        let OpenSection { data, progress, read, .. } = &mut section;
        loop {
            let headers = data.read(bytes, start);
            if let HeadersRead::Malformed(offset) = headers {
                let message =
                    || "a data segment cannot be decoded; the rest of the section was searched as it is".to_owned();
                self.find(FindingCode::MalformedInventory, offset, message);
            }
            let is_partial = headers == HeadersRead::Some;
            self.search(data, progress, bytes, start, is_partial);
            if !is_partial {
                break;
            }
            data.discard(progress.position.saturating_sub(MAX_DISTANCE));
        }
        let end = start + bytes.len() as u64;
        self.bytes_searched += end.saturating_sub(*read);
        if end == data.end() {
            return DataRequest::Nothing;
        }
        let next = progress.position.saturating_sub(MAX_DISTANCE).max(start);
        data.discard(next);
        let request = next..data.end().min(end.saturating_add(self.window));
        self.section = Some(OpenSection { needed: next, read: end, ..section });
        DataRequest::Bytes(request)
    }

    fn truncated(&mut self, end: u64) -> DataRequest {
        let Some(section) = &mut self.section else { return DataRequest::Nothing };
        section.data.truncate(end);
        DataRequest::Bytes(section.needed..end)
    }

    fn leave(&mut self, _: u32, _: u64) {
        if let (Some(enclosing), Some((item, path))) = (self.enclosing.pop(), &mut self.item) {
            *item = enclosing;
            path.pop();
        }
    }
}

impl Collector for InventoryReader {
    type Value = Inventory;

    fn limits(&self) -> Limits {
        self.limits
    }

    fn finish(mut self) -> Option<Inventory> {
        self.item.as_ref()?;
        let (packages, left_out) = std::mem::replace(&mut self.list, PackageList::new()).finish();
        Some(self.inventory(packages, left_out))
    }
}
