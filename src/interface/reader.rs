//! The visitor that picks the root's own sections and has them decoded.

use std::sync::Arc;

use super::decode;
use super::externs::{Extern, ExternKind};
use super::types::{Type, Types};
use super::wit::{self, WitPackage};
use crate::finding::{FindingCode, Findings};
use crate::limits::Limits;
use crate::scan::{Collector, DataRequest, ItemKind, ItemPath, ItemStart, Section, Visitor};

/// Reads imports and exports from whatever drives it.
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
    /// Of the root, once it was entered.
    kind: Option<ItemKind>,
    /// What was read so far; its kind once there is one, its package at the end.
    read: Interface,
    package: Package,
    /// What is kept takes so many bytes, with a flat charge for each import and export.
    kept: u64,
    /// The section whose data is wanted, and where it begins.
    waiting: Option<(RootSection, u64)>,
}

/// Imports and exports of the root item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    kind: ItemKind,
    imports: Vec<Extern>,
    exports: Vec<Extern>,
    wit_package: Option<WitPackage>,
    findings: Findings,
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

    /// The definitions, if it is a WIT package: a component that only contains types.
    pub fn wit_package(&self) -> Option<&WitPackage> {
        self.wit_package.as_ref()
    }

    /// Findings about data that cannot be decoded. If there are any, imports and exports may be missing.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    pub(crate) fn find_in_root(&mut self, code: FindingCode, message: &'static str) {
        self.findings.add(code, 0, 0, None, || (ItemPath::root(), message.into()));
    }
}

/// What tells whether a component is a WIT package.
#[derive(Debug)]
enum Package {
    /// It is none: it imports something, or exports something else than a type.
    Not,
    /// It may be one. Of each export, the type.
    Maybe(Types, Vec<Type>),
    /// It may be one, and nobody can say, for this reason.
    Unknown(FindingCode, u64, String),
}

/// A section that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RootSection {
    Imports,
    Exports,
    Types,
    Aliases,
}

impl RootSection {
    /// By the id. Source: the core specification's *Modules*, and the component model's binary format.
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

/// What keeping an import or an export costs beside its names, roughly.
const FLAT_CHARGE: u64 = 64;

/// Why decoding a section ended before its end.
enum DecodeStop {
    Malformed(wasmparser::Error),
    /// Nothing more may be kept.
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

    /// Returns the interface. Only a component that was read to its end can be identified as a WIT package.
    fn finish(self) -> Option<Interface> {
        self.kind.map(|_| self.read)
    }
}

impl InterfaceReader {
    /// A reader with the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// A reader with these limits. Of the limits hold those on import and export sections (`interface`), on types
    /// (`data`) and on what is kept: a larger section is not decoded, and what goes beyond is not kept.
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
            },
            package: Package::Not,
            kept: 0,
            waiting: None,
        }
    }

    /// What was read so far, of an input that may go on. `None` where not even the root's preamble was read.
    pub fn so_far(&self) -> Option<&Interface> {
        self.kind.map(|_| &self.read)
    }

    /// The root was read to its end: says whether it is a WIT package.
    fn identify(&mut self) {
        // Without its exports, or without all of them, nothing is known.
        if self.read.exports.is_empty() || !self.read.findings.is_empty() {
            return;
        }
        match std::mem::replace(&mut self.package, Package::Not) {
            Package::Not => {}
            Package::Maybe(types, of_exports) => match wit::identify(&self.read.exports, &of_exports, &types) {
                Ok(package) => self.read.wit_package = package,
                Err(why) => self.find(FindingCode::MalformedInterface, 0, why),
            },
            Package::Unknown(code, offset, why) => self.find(code, offset, why),
        }
    }

    #[cold]
    fn find(&mut self, code: FindingCode, offset: u64, message: String) {
        self.read.findings.add(code, 0, offset, None, || (ItemPath::root(), message.into()));
    }

    fn wants(&self, part: RootSection) -> bool {
        match part {
            RootSection::Imports | RootSection::Exports => true,
            RootSection::Types | RootSection::Aliases => matches!(self.package, Package::Maybe(..)),
        }
    }

    /// A section of which nothing more can be said.
    fn lose(&mut self, part: RootSection, code: FindingCode, offset: u64, why: String) {
        match part {
            RootSection::Imports | RootSection::Exports => {
                self.package = Package::Not;
                self.find(code, offset, why);
            }
            // Nobody asked for types: they matter if it turns out that there is nothing else.
            RootSection::Types | RootSection::Aliases => self.package = Package::Unknown(code, offset, why),
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
            // A group of imports may name its module once, and may be large: they share it.
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
            self.package = Package::Not;
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
                self.package = Package::Not;
            } else if let Package::Maybe(types, of_exports) = &mut self.package {
                // An export of a type makes a new one.
                let ty = types.at(export.index);
                types.push(ty);
                of_exports.push(ty);
            }
            self.keep_export(Extern { module: None, name, implements, kind, offset })?;
        }
        Ok(())
    }

    fn types(&mut self, read: impl FnOnce(&mut Types) -> decode::Result<()>) -> Result<(), DecodeStop> {
        let Package::Maybe(types, _) = &mut self.package else { return Ok(()) };
        read(types)?;
        if types.cost() > self.limits.max_retained_bytes { Err(DecodeStop::Full) } else { Ok(()) }
    }

    fn keep_export(&mut self, export: Extern) -> Result<(), DecodeStop> {
        self.charge(export.name.len() + export.implements.as_ref().map_or(0, |implements| implements.len()))?;
        self.read.exports.push(export);
        Ok(())
    }

    fn charge(&mut self, len: usize) -> Result<(), DecodeStop> {
        self.kept += len as u64 + FLAT_CHARGE;
        if self.kept > self.limits.max_retained_bytes { Err(DecodeStop::Full) } else { Ok(()) }
    }
}

impl Visitor<'_> for InterfaceReader {
    fn enter(&mut self, entry: &ItemStart<'_>) {
        if entry.parent().is_none() {
            self.kind = Some(entry.kind());
            self.read.kind = entry.kind();
            if entry.kind() == ItemKind::Component {
                self.package = Package::Maybe(Types::new(), Vec::new());
            }
        }
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if section.item != 0 {
            return DataRequest::Nothing;
        }
        let Some(part) = RootSection::new(section.item_kind, section.id).filter(|part| self.wants(*part)) else {
            return DataRequest::Nothing;
        };
        let data = section.data();
        let len = data.end - data.start;
        let max = match part {
            RootSection::Imports | RootSection::Exports => self.limits.max_interface_section,
            RootSection::Types | RootSection::Aliases => self.limits.max_section_data, // decoded, they take many times their bytes
        };
        if len > u64::from(max) {
            let why = format!("the {} section has {len} bytes; more than {max} are not decoded", part.name());
            self.lose(part, FindingCode::TooLarge, section.range().start, why);
            return DataRequest::Nothing;
        }
        self.waiting = Some((part, data.start));
        DataRequest::Bytes(data)
    }

    fn data(&mut self, bytes: &[u8], start: u64) -> DataRequest {
        if let Some((part, section)) = self.waiting.take() {
            match self.decode(part, bytes, start) {
                Ok(()) => {}
                Err(DecodeStop::Malformed(error)) => {
                    let why = format!("the {} section cannot be decoded: {}", part.name(), error.message());
                    self.lose(part, FindingCode::MalformedInterface, error.offset(), why);
                }
                Err(DecodeStop::Full) => {
                    let why = format!(
                        "not kept: more than {} bytes of imports, exports and types",
                        self.limits.max_retained_bytes
                    );
                    self.lose(part, FindingCode::TooLarge, section, why);
                }
            }
        }
        DataRequest::Nothing
    }

    fn leave(&mut self, item: u32, _: u64) {
        if item == 0 {
            self.identify();
        }
    }
}
