//! Decoding of import and export sections with `wasmparser`.
//!
//! The readers take the payload and its absolute offset, and enable every feature: they accept
//! compact imports, and names with `implements` or a version suffix.

use wasmparser::{
    BinaryReader, ComponentExport, ComponentExportSectionReader, ComponentExternName, ComponentExternalKind,
    ComponentImport, ComponentImportSectionReader, ExportSectionReader, ExternalKind, ImportSectionReader, TypeRef,
};

use super::externs::ExternKind;

pub(super) type Result<T> = wasmparser::Result<T>;

/// The imports of a core module: offset, module, name, kind.
pub(super) fn module_imports(
    payload: &[u8],
    start: u64,
) -> Result<impl Iterator<Item = Result<(u64, &str, &str, ExternKind)>>> {
    let imports = ImportSectionReader::new(BinaryReader::new(payload, start))?.into_imports_with_offsets();
    Ok(imports.map(|import| import.map(|(at, import)| (at, import.module, import.name, type_kind(&import.ty)))))
}

/// The exports of a core module: offset, name, kind.
pub(super) fn module_exports(
    payload: &[u8],
    start: u64,
) -> Result<impl Iterator<Item = Result<(u64, &str, ExternKind)>>> {
    let exports = ExportSectionReader::new(BinaryReader::new(payload, start))?.into_iter_with_offsets();
    Ok(exports.map(|export| export.map(|(at, export)| (at, export.name, core_kind(export.kind)))))
}

/// The imports of a component, and their offsets.
pub(super) fn component_imports(
    payload: &[u8],
    start: u64,
) -> Result<impl Iterator<Item = Result<(u64, ComponentImport<'_>)>>> {
    Ok(ComponentImportSectionReader::new(BinaryReader::new(payload, start))?.into_iter_with_offsets())
}

/// The exports of a component, and their offsets.
pub(super) fn component_exports(
    payload: &[u8],
    start: u64,
) -> Result<impl Iterator<Item = Result<(u64, ComponentExport<'_>)>>> {
    Ok(ComponentExportSectionReader::new(BinaryReader::new(payload, start))?.into_iter_with_offsets())
}

/// The name, and the interface that it implements, each with its full version.
pub(super) fn names(name: &ComponentExternName<'_>) -> (Box<str>, Option<Box<str>>) {
    (name.full_name().into(), name.full_implements().map(Into::into))
}

pub(super) const fn component_kind(kind: ComponentExternalKind) -> ExternKind {
    match kind {
        ComponentExternalKind::Module => ExternKind::Module,
        ComponentExternalKind::Func => ExternKind::Function,
        ComponentExternalKind::Value => ExternKind::Value,
        ComponentExternalKind::Type => ExternKind::Type,
        ComponentExternalKind::Instance => ExternKind::Instance,
        ComponentExternalKind::Component => ExternKind::Component,
    }
}

const fn core_kind(kind: ExternalKind) -> ExternKind {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => ExternKind::Function,
        ExternalKind::Table => ExternKind::Table,
        ExternalKind::Memory => ExternKind::Memory,
        ExternalKind::Global => ExternKind::Global,
        ExternalKind::Tag => ExternKind::Tag,
    }
}

const fn type_kind(ty: &TypeRef) -> ExternKind {
    match ty {
        TypeRef::Func(_) | TypeRef::FuncExact(_) => ExternKind::Function,
        TypeRef::Table(_) => ExternKind::Table,
        TypeRef::Memory(_) => ExternKind::Memory,
        TypeRef::Global(_) => ExternKind::Global,
        TypeRef::Tag(_) => ExternKind::Tag,
    }
}
