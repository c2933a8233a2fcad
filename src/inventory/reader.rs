//! The visitor that searches data sections.

use super::anchors::{self, AnchorMatch, Extraction};
use super::context::Context;
use super::data::DataSection;
use super::go::{GoBuild, ModInfoReader, ModInfoStep, Module};
use super::list::{Inventory, MAX_TEXT, PackageList};
use super::package::{Confidence, Ecosystem, Evidence, FoundPackage, Package};
use super::text::Text;
use super::versions::TEXTS;
use crate::finding::{FindingCode, Findings};
use crate::limits::Limits;
use crate::scan::{Collector, DataRequest, ItemPath, ItemStart, Section, SectionKind, Visitor};

/// A visitor that finds packages in the data sections of all items.
///
/// It requests windows of data sections, so its memory does not depend on their length. The last
/// window of a truncated section is not searched.
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
/// assert_eq!((&*package.name, &*package.version, package.offset), ("zlib", "1.3.1", 35));
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Debug)]
pub struct InventoryReader {
    limits: Limits,
    /// Length of a request.
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
    section: Option<DataSection>,
    text: Text,
    /// Index in the text from which anchors are searched.
    searched: usize,
    /// Go's build information that is being read.
    mod_info: Option<ModInfoReader>,
}

/// Length of a request. It fits into the processor's cache together with its copy.
const WINDOW: u64 = 64 << 10;

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
            text: Text::default(),
            searched: 0,
            mod_info: None,
        }
    }

    /// Sets the length of a request. The result is the same for any length.
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

    /// Searches the text up to its end, or up to the last anchor whose context is incomplete.
    fn search(&mut self, is_last: bool) {
        let mut at = self.searched;
        loop {
            if self.mod_info.is_some() {
                match self.read_mod_info(at, is_last) {
                    Some(len) => at += len,
                    None => break,
                }
                continue;
            }
            let text = self.text.bytes();
            let Some(found) = anchors::find(text, at) else {
                // An anchor may begin in the last bytes.
                at = at.max(text.len().saturating_sub(anchors::MAX_LEN - 1));
                break;
            };
            if !is_last && found.range.end + Context::AFTER > text.len() {
                at = at.max(found.range.start);
                break;
            }
            at = found.range.end;
            self.extract(&found);
        }
        let kept = at.saturating_sub(Context::BEFORE);
        self.text.discard(kept);
        self.searched = at - kept;
    }

    fn extract(&mut self, found: &AnchorMatch) {
        let offset = self.text.offset(found.range.start);
        let context = Context::new(self.text.bytes(), found.range.clone());
        let Some((item, path)) = &self.item else { return };
        match found.extraction {
            Extraction::GoModInfo => self.mod_info = Some(ModInfoReader::new(*item, offset)),
            Extraction::Package(extract) => {
                if let Some(package) = extract(&context) {
                    self.list.add(&package, *item, path, offset);
                }
            }
            Extraction::VersionText => {
                let mut rows = TEXTS.iter().filter(|row| row.anchor.as_bytes() == found.anchor);
                if let Some(package) = rows.find_map(|row| row.find(&context)) {
                    self.list.add(&package, *item, path, offset);
                }
            }
        }
    }

    /// Reads one line of build information at an index of the text. Returns its length, or `None`
    /// if more text is needed.
    fn read_mod_info(&mut self, at: usize, is_last: bool) -> Option<usize> {
        let reader = self.mod_info.as_mut()?;
        let offset = self.text.offset(at);
        match reader.step(&self.text.bytes()[at..], offset, is_last) {
            ModInfoStep::Incomplete => None,
            ModInfoStep::Line(len, module) => {
                self.add_module(module);
                Some(len)
            }
            ModInfoStep::End(len, module) => {
                self.add_module(module);
                self.end_mod_info(offset);
                Some(len)
            }
        }
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

    fn end_section(&mut self) {
        self.section = None;
        self.text.clear();
        self.searched = 0;
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
        let data = section.data();
        self.section = Some(DataSection::new(data.end));
        DataRequest::Bytes(data.start..data.end.min(data.start.saturating_add(self.window)))
    }

    fn data(&mut self, bytes: &[u8], start: u64) -> DataRequest {
        let Some(section) = &mut self.section else { return DataRequest::Nothing };
        let reading = section.read(bytes, start, &mut self.text);
        let (next, end) = (start + reading.consumed as u64, section.end());
        self.bytes_searched += reading.consumed as u64;
        if let Some(offset) = reading.malformed {
            let message =
                || "a data segment cannot be decoded; the rest of the section was searched as it is".to_owned();
            self.find(FindingCode::MalformedInventory, offset, message);
        }
        self.search(next == end);
        if next == end {
            self.end_section();
            return DataRequest::Nothing;
        }
        // A window that holds no complete header must grow.
        let window = if reading.consumed == 0 { 2 * bytes.len() as u64 } else { self.window };
        DataRequest::Bytes(next..end.min(next.saturating_add(window)))
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
