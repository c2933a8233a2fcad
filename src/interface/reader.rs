//! The visitor that decodes the import, export, type and alias sections of the root.

use std::sync::Arc;

use super::decode;
use super::externs::{Extern, ExternKind};
use super::types::{Type, Types};
use super::wit::{self, WitPackage};
use crate::finding::{FindingCode, Findings};
use crate::limits::Limits;
use crate::scan::{Collector, DataRequest, ItemKind, ItemPath, ItemStart, Section, Visitor};

/// A visitor that reads the imports and exports of the root item.
///
/// ```
/// use sectile::{drive::PushDriver, interface::InterfaceReader};
///
/// let mut push = PushDriver::new(InterfaceReader::new());
/// push.push(b"\0asm\x01\0\0\0")?;
/// assert!(push.finish().complete()?.imports().is_empty());
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Debug)]
pub struct InterfaceReader {
    limits: Limits,
    /// Kind of the root, once it was entered.
    kind: Option<ItemKind>,
    /// The interface so far. The WIT package is set at the end.
    read: Interface,
    package: PackageCheck,
    /// Approximate bytes of the kept imports and exports.
    retained: u64,
    /// The section whose data was requested, and the absolute offset of the data.
    pending: Option<(RootSection, u64)>,
}

/// Imports and exports of the root item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    kind: ItemKind,
    imports: Vec<Extern>,
    exports: Vec<Extern>,
    wit_package: Option<WitPackage>,
    findings: Findings,
    /// Whether the report that it was rebuilt from lacks imports or exports.
    lacks_some: bool,
}

impl Interface {
    /// The kind of the root item.
    pub fn kind(&self) -> ItemKind {
        self.kind
    }

    /// The imports, in the order of the binary.
    pub fn imports(&self) -> &[Extern] {
        &self.imports
    }

    /// The exports, in the order of the binary.
    pub fn exports(&self) -> &[Extern] {
        &self.exports
    }

    /// The definitions, if the root is a WIT package: a component that contains only types.
    pub fn wit_package(&self) -> Option<&WitPackage> {
        self.wit_package.as_ref()
    }

    /// Findings about sections that were not decoded. If there are any, imports and exports may be
    /// missing.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Whether all imports and exports could be read.
    pub fn is_complete(&self) -> bool {
        !self.lacks_some && self.findings.iter().all(|finding| finding.code() == FindingCode::Changed)
    }

    /// An interface from a saved report, without findings.
    pub(crate) fn rebuilt(kind: ItemKind, imports: Vec<Extern>, is_complete: bool) -> Self {
        Self {
            kind,
            imports,
            exports: Vec::new(),
            wit_package: None,
            findings: Findings::with_limit(0),
            lacks_some: !is_complete,
        }
    }

    pub(crate) fn find_in_root(&mut self, code: FindingCode, message: &'static str) {
        self.findings.add(code, 0, 0, None, || (ItemPath::root(), message.into()));
    }
}

/// Whether a component is a WIT package, as far as it was read.
#[derive(Debug)]
enum PackageCheck {
    /// It is not: it has an import, or an export that is not a type.
    No,
    /// It may be. Holds its types, and the type of each export.
    Maybe(Types, Vec<Type>),
    /// It may be, but a section was not decoded. Holds the code, offset and message of the finding.
    Undecided(FindingCode, u64, String),
}

/// A section of the root that is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RootSection {
    Imports,
    Exports,
    Types,
    Aliases,
}

impl RootSection {
    /// Maps a section id. Sources: the core specification, *Binary Format / Modules*, and the
    /// component model's *Binary Format*.
    const fn new(item: ItemKind, id: u8) -> Option<Self> {
        match (item, id) {
            (ItemKind::Module, 2) | (ItemKind::Component, 10) => Some(Self::Imports),
            (ItemKind::Module, 7) | (ItemKind::Component, 11) => Some(Self::Exports),
            (ItemKind::Component, 7) => Some(Self::Types),
            (ItemKind::Component, 6) => Some(Self::Aliases),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Imports => "import",
            Self::Exports => "export",
            Self::Types => "type",
            Self::Aliases => "alias",
        }
    }
}

/// Approximate bytes that an import or export takes in addition to its names.
const FLAT_CHARGE: u64 = 64;

/// Why decoding a section ended before its end.
enum DecodeStop {
    Malformed(wasmparser::Error),
    /// The limit on retained bytes is reached.
    Full,
}

impl From<wasmparser::Error> for DecodeStop {
    fn from(error: wasmparser::Error) -> Self {
        Self::Malformed(error)
    }
}

impl Default for InterfaceReader {
    fn default() -> Self {
        Self::with_limits(Limits::default())
    }
}

impl Collector for InterfaceReader {
    type Value = Interface;

    fn limits(&self) -> Limits {
        self.limits
    }

    /// Returns the interface. A WIT package is identified only if the component was read to its
    /// end.
    fn finish(self) -> Option<Interface> {
        self.kind.map(|_| self.read)
    }
}

impl InterfaceReader {
    /// Creates a reader with the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a reader with these limits. [`Limits::max_interface_section`] applies to import and
    /// export sections, [`Limits::max_section_data`] to type and alias sections, and
    /// [`Limits::max_retained_bytes`] to the values kept. Beyond a limit, sections are not decoded
    /// and values are not kept, with a finding (`too-large`).
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            kind: None,
            read: Interface {
                kind: ItemKind::Module, // until the root is entered
                imports: Vec::new(),
                exports: Vec::new(),
                wit_package: None,
                findings: Findings::with_limit(limits.max_findings_per_code),
                lacks_some: false,
            },
            package: PackageCheck::No,
            retained: 0,
            pending: None,
        }
    }

    /// The interface read so far; `None` before the root's preamble.
    pub fn so_far(&self) -> Option<&Interface> {
        self.kind.map(|_| &self.read)
    }

    /// Identifies a WIT package, at the end of the root.
    fn identify_package(&mut self) {
        // A WIT package is recognized by all of its exports.
        if self.read.exports.is_empty() || !self.read.findings.is_empty() {
            return;
        }
        match std::mem::replace(&mut self.package, PackageCheck::No) {
            PackageCheck::No => {}
            PackageCheck::Maybe(types, export_types) => {
                match wit::identify(&self.read.exports, &export_types, &types) {
                    Ok(package) => self.read.wit_package = package,
                    Err(why) => self.find(FindingCode::MalformedInterface, 0, why),
                }
            }
            PackageCheck::Undecided(code, offset, why) => self.find(code, offset, why),
        }
    }

    #[cold]
    fn find(&mut self, code: FindingCode, offset: u64, message: String) {
        self.read.findings.add(code, 0, offset, None, || (ItemPath::root(), message.into()));
    }

    fn is_needed(&self, part: RootSection) -> bool {
        match part {
            RootSection::Imports | RootSection::Exports => true,
            RootSection::Types | RootSection::Aliases => matches!(self.package, PackageCheck::Maybe(..)),
        }
    }

    /// Records a section that cannot be decoded completely.
    fn record_undecoded(&mut self, part: RootSection, code: FindingCode, offset: u64, why: String) {
        match part {
            RootSection::Imports | RootSection::Exports => {
                self.package = PackageCheck::No;
                self.find(code, offset, why);
            }
            // Types matter only if the component turns out to be a WIT package, so the finding is
            // deferred.
            RootSection::Types | RootSection::Aliases => self.package = PackageCheck::Undecided(code, offset, why),
        }
    }

    fn decode(&mut self, part: RootSection, payload: &[u8], start: u64) -> Result<(), DecodeStop> {
        match (part, self.kind) {
            (RootSection::Imports, Some(ItemKind::Module)) => self.module_imports(payload, start),
            (RootSection::Exports, Some(ItemKind::Module)) => {
                for export in decode::module_exports(payload, start)? {
                    let (offset, name, kind) = export?;
                    self.keep_export(Extern { module: None, name: name.into(), implements: None, kind, offset })?;
                }
                Ok(())
            }
            (RootSection::Imports, _) => self.component_imports(payload, start),
            (RootSection::Exports, _) => self.component_exports(payload, start),
            (RootSection::Types, _) => self.types(|types| types.define(payload, start)),
            (RootSection::Aliases, _) => self.types(|types| types.alias(payload, start)),
        }
    }

    fn module_imports(&mut self, payload: &[u8], start: u64) -> Result<(), DecodeStop> {
        let mut last: Option<Arc<str>> = None;
        for import in decode::module_imports(payload, start)? {
            let (offset, module, name, kind) = import?;
            // A large group of imports may name its module once, so its imports share one
            // allocation.
            let shared = last.take().filter(|last| **last == *module);
            self.charge(name.len() + if shared.is_some() { 0 } else { module.len() })?;
            let module = shared.unwrap_or_else(|| module.into());
            last = Some(Arc::clone(&module));
            self.read.imports.push(Extern { module: Some(module), name: name.into(), implements: None, kind, offset });
        }
        Ok(())
    }

    fn component_imports(&mut self, payload: &[u8], start: u64) -> Result<(), DecodeStop> {
        for import in decode::component_imports(payload, start)? {
            self.package = PackageCheck::No;
            let (offset, import) = import?;
            let (name, implements) = decode::names(&import.name);
            self.charge(name.len() + implements.as_ref().map_or(0, |implements| implements.len()))?;
            let kind = decode::component_kind(import.ty.kind());
            self.read.imports.push(Extern { module: None, name, implements, kind, offset });
        }
        Ok(())
    }

    fn component_exports(&mut self, payload: &[u8], start: u64) -> Result<(), DecodeStop> {
        for export in decode::component_exports(payload, start)? {
            let (offset, export) = export?;
            let (name, implements) = decode::names(&export.name);
            let kind = decode::component_kind(export.kind);
            if kind != ExternKind::Type {
                self.package = PackageCheck::No;
            } else if let PackageCheck::Maybe(types, export_types) = &mut self.package {
                // The export of a type defines a new type.
                let ty = types.at(export.index);
                types.push(ty);
                export_types.push(ty);
            }
            self.keep_export(Extern { module: None, name, implements, kind, offset })?;
        }
        Ok(())
    }

    fn types(&mut self, read: impl FnOnce(&mut Types) -> decode::Result<()>) -> Result<(), DecodeStop> {
        let PackageCheck::Maybe(types, _) = &mut self.package else { return Ok(()) };
        read(types)?;
        if types.cost() > self.limits.max_retained_bytes { Err(DecodeStop::Full) } else { Ok(()) }
    }

    fn keep_export(&mut self, export: Extern) -> Result<(), DecodeStop> {
        self.charge(export.name.len() + export.implements.as_ref().map_or(0, |implements| implements.len()))?;
        self.read.exports.push(export);
        Ok(())
    }

    fn charge(&mut self, len: usize) -> Result<(), DecodeStop> {
        self.retained += len as u64 + FLAT_CHARGE;
        if self.retained > self.limits.max_retained_bytes { Err(DecodeStop::Full) } else { Ok(()) }
    }
}

impl Visitor<'_> for InterfaceReader {
    fn enter(&mut self, entry: &ItemStart<'_>) {
        if entry.parent().is_none() {
            self.kind = Some(entry.kind());
            self.read.kind = entry.kind();
            if entry.kind() == ItemKind::Component {
                self.package = PackageCheck::Maybe(Types::new(), Vec::new());
            }
        }
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if section.item != 0 {
            return DataRequest::Nothing;
        }
        let Some(part) = RootSection::new(section.item_kind, section.id).filter(|part| self.is_needed(*part)) else {
            return DataRequest::Nothing;
        };
        let data = section.data();
        let len = data.end - data.start;
        let max = match part {
            RootSection::Imports | RootSection::Exports => self.limits.max_interface_section,
            // Decoded types take many times the memory of their bytes.
            RootSection::Types | RootSection::Aliases => self.limits.max_section_data,
        };
        if len > u64::from(max) {
            let why = format!("the {} section was not decoded: its {len} bytes exceed the limit of {max}", part.name());
            self.record_undecoded(part, FindingCode::TooLarge, section.range().start, why);
            return DataRequest::Nothing;
        }
        self.pending = Some((part, data.start));
        DataRequest::Bytes(data)
    }

    fn data(&mut self, bytes: &[u8], start: u64) -> DataRequest {
        if let Some((part, section)) = self.pending.take() {
            match self.decode(part, bytes, start) {
                Ok(()) => {}
                Err(DecodeStop::Malformed(error)) => {
                    let why = format!("the {} section cannot be decoded: {}", part.name(), error.message());
                    self.record_undecoded(part, FindingCode::MalformedInterface, error.offset(), why);
                }
                Err(DecodeStop::Full) => {
                    let why = format!(
                        "imports, exports or types were not kept: they exceed the limit of {} bytes",
                        self.limits.max_retained_bytes
                    );
                    self.record_undecoded(part, FindingCode::TooLarge, section, why);
                }
            }
        }
        DataRequest::Nothing
    }

    fn leave(&mut self, item: u32, _: u64) {
        if item == 0 {
            self.identify_package();
        }
    }
}
