//! A component's types, as far as they tell a WIT package: which of them are component types, and what those export.
//!
//! Shapes lie in one list and name each other by their places in it: types may refer to one another in chains of any
//! length, and nothing is to walk, or to drop, such a chain by recursion.

use wasmparser::{
    BinaryReader, ComponentAlias, ComponentAliasSectionReader, ComponentExternalKind, ComponentOuterAliasKind,
    ComponentType, ComponentTypeDeclaration, ComponentTypeRef, ComponentTypeSectionReader, TypeBounds,
};

use super::decode::{Result, component_kind};
use super::externs::ExternKind;

/// A type: the place of its shape, if it is a component type.
pub(super) type Type = Option<usize>;

/// What a component type exports.
pub(super) type Shape = Vec<Export>;

/// An export of a component type.
#[derive(Debug)]
pub(super) struct Export {
    /// With the rest of its version.
    pub(super) name: Box<str>,
    pub(super) kind: ExternKind,
    /// Of a component, its type.
    pub(super) shape: Type,
}

/// The types of the root, and of what it declares inside.
#[derive(Debug)]
pub(super) struct Types {
    /// By index: the root's own types, and those of the component types that are being looked into, the innermost last.
    scopes: Vec<Vec<Type>>,
    shapes: Vec<Shape>,
    /// Roughly what the shapes take.
    cost: u64,
}

/// What a type, a shape, and an export beside its name, take.
const TYPE: u64 = size_of::<Type>() as u64;
const SHAPE: u64 = size_of::<Shape>() as u64;
const EXPORT: u64 = size_of::<Export>() as u64;

impl Types {
    pub(super) fn new() -> Self {
        Self { scopes: vec![Vec::new()], shapes: Vec::new(), cost: 0 }
    }

    /// Bytes that are kept, roughly.
    pub(super) fn cost(&self) -> u64 {
        self.cost + self.scopes[0].len() as u64 * TYPE
    }

    pub(super) fn shape(&self, place: usize) -> &Shape {
        &self.shapes[place]
    }

    /// The types that a type section defines.
    pub(super) fn define(&mut self, payload: &[u8], start: u64) -> Result<()> {
        for ty in ComponentTypeSectionReader::new(BinaryReader::new(payload, start))? {
            let ty = self.look_into(&ty?);
            self.push(ty);
        }
        Ok(())
    }

    /// The types that an alias section takes from elsewhere.
    pub(super) fn alias(&mut self, payload: &[u8], start: u64) -> Result<()> {
        for alias in ComponentAliasSectionReader::new(BinaryReader::new(payload, start))? {
            self.push_alias(&alias?);
        }
        Ok(())
    }

    /// The type of this index.
    pub(super) fn at(&self, index: u32) -> Type {
        self.outer(0, index)
    }

    /// The next type.
    pub(super) fn push(&mut self, ty: Type) {
        self.scopes.last_mut().expect("the root's is always there").push(ty);
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

    fn look_into(&mut self, ty: &ComponentType<'_>) -> Type {
        match ty {
            ComponentType::Component(declarations) => Some(self.component(declarations)),
            _ => None,
        }
    }

    /// The decoder lets types nest a hundred deep, so deep is this recursion.
    fn component(&mut self, declarations: &[ComponentTypeDeclaration<'_>]) -> usize {
        self.scopes.push(Vec::new());
        let mut shape = Shape::new();
        for declaration in declarations {
            match declaration {
                ComponentTypeDeclaration::Type(ty) => {
                    let ty = self.look_into(ty);
                    self.push(ty);
                }
                ComponentTypeDeclaration::Alias(alias) => self.push_alias(alias),
                ComponentTypeDeclaration::Import(import) => self.bind(import.ty),
                ComponentTypeDeclaration::Export { name, ty } => {
                    let of = if let ComponentTypeRef::Component(index) = *ty { self.at(index) } else { None };
                    shape.push(Export { name: name.full_name().into(), kind: component_kind(ty.kind()), shape: of });
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

    /// An import or export of a type makes a new one.
    fn bind(&mut self, ty: ComponentTypeRef) {
        if let ComponentTypeRef::Type(bounds) = ty {
            self.push(match bounds {
                TypeBounds::Eq(index) => self.at(index),
                TypeBounds::SubResource => None,
            });
        }
    }
}
