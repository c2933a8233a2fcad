//! The component types of a component and their exports, which identify a WIT package.
//!
//! All shapes are in one list and refer to each other by index. Chains of references have any
//! length, and must not be walked or dropped recursively.

use wasmparser::{
    BinaryReader, ComponentAlias, ComponentAliasSectionReader, ComponentExternalKind, ComponentOuterAliasKind,
    ComponentType, ComponentTypeDeclaration, ComponentTypeRef, ComponentTypeSectionReader, TypeBounds,
};

use super::decode::{Result, component_kind};
use super::externs::ExternKind;

/// A type: the index of its shape if it is a component type, otherwise `None`.
pub(super) type Type = Option<usize>;

/// The exports of a component type.
pub(super) type Shape = Vec<Export>;

/// An export of a component type.
#[derive(Debug)]
pub(super) struct Export {
    /// With the full version.
    pub(super) name: Box<str>,
    pub(super) kind: ExternKind,
    /// The type of an exported component.
    pub(super) shape: Type,
}

/// The types of the root, and of the component types that it declares.
#[derive(Debug)]
pub(super) struct Types {
    /// Types by index, for the root and for each component type that is being decoded, the
    /// innermost last.
    scopes: Vec<Vec<Type>>,
    shapes: Vec<Shape>,
    /// Approximate memory of the shapes in bytes.
    cost: u64,
}

/// Approximate memory in bytes of a type, of a shape, and of an export without its name.
const TYPE: u64 = size_of::<Type>() as u64;
const SHAPE: u64 = size_of::<Shape>() as u64;
const EXPORT: u64 = size_of::<Export>() as u64;

impl Types {
    pub(super) fn new() -> Self {
        Self { scopes: vec![Vec::new()], shapes: Vec::new(), cost: 0 }
    }

    /// Approximate memory in bytes.
    pub(super) fn cost(&self) -> u64 {
        self.cost + self.scopes[0].len() as u64 * TYPE
    }

    pub(super) fn shape(&self, index: usize) -> &Shape {
        &self.shapes[index]
    }

    /// Adds the types that a type section defines.
    pub(super) fn define(&mut self, payload: &[u8], start: u64) -> Result<()> {
        for ty in ComponentTypeSectionReader::new(BinaryReader::new(payload, start))? {
            let ty = self.decode(&ty?);
            self.push(ty);
        }
        Ok(())
    }

    /// Adds the types that an alias section refers to.
    pub(super) fn alias(&mut self, payload: &[u8], start: u64) -> Result<()> {
        for alias in ComponentAliasSectionReader::new(BinaryReader::new(payload, start))? {
            self.push_alias(&alias?);
        }
        Ok(())
    }

    /// The type with this index in the innermost scope.
    pub(super) fn at(&self, index: u32) -> Type {
        self.outer(0, index)
    }

    /// Adds a type to the innermost scope.
    pub(super) fn push(&mut self, ty: Type) {
        self.scopes.last_mut().expect("the scope of the root is never removed").push(ty);
    }

    fn outer(&self, count: u32, index: u32) -> Type {
        let scope = self.scopes.len().checked_sub(1)?.checked_sub(count as usize)?;
        self.scopes[scope].get(index as usize).copied().flatten()
    }

    fn push_alias(&mut self, alias: &ComponentAlias<'_>) {
        match *alias {
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Type, count, index } => {
                self.push(self.outer(count, index));
            }
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Type, .. } => self.push(None),
            _ => {}
        }
    }

    fn decode(&mut self, ty: &ComponentType<'_>) -> Type {
        match ty {
            ComponentType::Component(declarations) => Some(self.component(declarations)),
            _ => None,
        }
    }

    /// Decodes a component type. Recursion is bounded: `wasmparser` rejects types nested more than
    /// 100 deep.
    fn component(&mut self, declarations: &[ComponentTypeDeclaration<'_>]) -> usize {
        self.scopes.push(Vec::new());
        let mut shape = Shape::new();
        for declaration in declarations {
            match declaration {
                ComponentTypeDeclaration::Type(ty) => {
                    let ty = self.decode(ty);
                    self.push(ty);
                }
                ComponentTypeDeclaration::Alias(alias) => self.push_alias(alias),
                ComponentTypeDeclaration::Import(import) => self.bind(import.ty),
                ComponentTypeDeclaration::Export { name, ty } => {
                    let inner = if let ComponentTypeRef::Component(index) = *ty { self.at(index) } else { None };
                    shape.push(Export { name: name.full_name().into(), kind: component_kind(ty.kind()), shape: inner });
                    self.bind(*ty);
                }
                ComponentTypeDeclaration::CoreType(_) => {}
            }
        }
        self.scopes.pop();
        self.cost += SHAPE + shape.iter().map(|export| EXPORT + export.name.len() as u64).sum::<u64>();
        self.shapes.push(shape);
        self.shapes.len() - 1
    }

    /// Adds the type that an import or export of a type defines.
    fn bind(&mut self, ty: ComponentTypeRef) {
        if let ComponentTypeRef::Type(bounds) = ty {
            self.push(match bounds {
                TypeBounds::Eq(index) => self.at(index),
                TypeBounds::SubResource => None,
            });
        }
    }
}
