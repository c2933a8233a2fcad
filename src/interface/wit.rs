//! WIT packages: components that contain only types, in which `wit-component` encodes interfaces
//! and worlds.
//!
//! A WIT package has no imports, and exports at least one component type and nothing else. There
//! are two encodings:
//!
//! - v2: each export has the plain name of an interface or a world. Its type exports one thing
//!   under the qualified name: an instance, which is the interface, or a component, which is the
//!   world.
//! - v1: a single export, `namespace:package/wit`. Its type exports all interfaces and worlds.
//!
//! Sources: `is_wit_package` and the functions after it in wit-parser's `decoding.rs`, and
//! wit-component's `encoding/wit.rs`.

use std::collections::HashSet;

use super::externs::{Extern, ExternKind};
use super::types::{Export, Shape, Type, Types};
use crate::escape::quoted;

/// The definitions of a WIT package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitPackage {
    name: String,
    interfaces: Vec<String>,
    worlds: Vec<String>,
    exports: Vec<String>,
}

impl WitPackage {
    /// Name of the package, with its version if it has one: `wasi:http@0.2.0`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Qualified names of its interfaces, such as `wasi:http/types@0.2.0`, in the order of the
    /// binary.
    pub fn interfaces(&self) -> &[String] {
        &self.interfaces
    }

    /// Qualified names of its worlds, in the order of the binary.
    pub fn worlds(&self) -> &[String] {
        &self.worlds
    }

    /// Exports as the config of an OCI artifact lists them: its interfaces, its worlds, and the
    /// exports of those worlds, each once. The exports of a world come before the world. The names
    /// are those of `Component::from_package` in oci-wasm and wkg, whose order is random.
    pub fn exports(&self) -> &[String] {
        &self.exports
    }
}

/// Encoding of a WIT package.
#[derive(Clone, Copy)]
enum Encoding {
    V1,
    V2,
}

/// Identifies a WIT package by the exports of a component without imports, and by their types.
/// Returns `None` if the component is not one, and an error if it looks like one but is malformed.
pub(super) fn identify(exports: &[Extern], export_types: &[Type], types: &Types) -> Result<Option<WitPackage>, String> {
    let shapes: Option<Vec<&Shape>> = export_types.iter().map(|ty| ty.map(|index| types.shape(index))).collect();
    let (Some(shapes), Some(first)) = (shapes, exports.first()) else { return Ok(None) };
    let Some(encoding) = encoding(first.name()) else { return Ok(None) };
    let mut builder = PackageBuilder {
        types,
        package: None,
        exported: HashSet::new(),
        visited_worlds: HashSet::new(),
        result: WitPackage::empty(),
    };
    match (encoding, &shapes[..]) {
        (Encoding::V1, [shape]) => {
            builder.package = qualified(first.name()).map(|name| (name.package, name.version));
            shape.iter().try_for_each(|export| builder.define(export))?;
        }
        (Encoding::V1, _) => {
            return Err(format!("a WIT package exports {} and must not export anything else", quoted(first.name())));
        }
        (Encoding::V2, shapes) => {
            for (shape, export) in shapes.iter().zip(exports) {
                let [inner] = &shape[..] else {
                    let name = quoted(export.name());
                    return Err(format!("{name} in a WIT package has {} exports instead of one", shape.len()));
                };
                builder.define(inner)?;
            }
        }
    }
    Ok(Some(builder.finish()))
}

/// Detects the encoding by the name of the first export.
fn encoding(name: &str) -> Option<Encoding> {
    match qualified(name) {
        Some(qualified) if qualified.item == "wit" => Some(Encoding::V1),
        None if is_plain(name) => Some(Encoding::V2),
        Some(_) | None => None,
    }
}

/// Whether a name is words of letters and digits separated by `-`, unlike `[method]a.b` or
/// `url=<…>`.
fn is_plain(name: &str) -> bool {
    name.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The parts of `namespace:package/item@version`.
#[derive(Clone, Copy)]
struct Qualified<'a> {
    package: &'a str,
    item: &'a str,
    version: Option<&'a str>,
}

fn qualified(name: &str) -> Option<Qualified<'_>> {
    let (path, version) = match name.split_once('@') {
        Some((path, version)) => (path, Some(version)),
        None => (name, None),
    };
    let (package, item) = path.split_once('/')?;
    let is_qualified = package.contains(':') && package.split(':').all(is_plain) && is_plain(item);
    (is_qualified && version.is_none_or(|version| !version.is_empty())).then_some(Qualified { package, item, version })
}

/// Collects the definitions of a package.
struct PackageBuilder<'a> {
    types: &'a Types,
    /// Name and version of the package, once known.
    package: Option<(&'a str, Option<&'a str>)>,
    /// Names already in the exports.
    exported: HashSet<&'a str>,
    /// World shapes already visited. Worlds may share a shape, which is visited once to keep the
    /// time linear.
    visited_worlds: HashSet<usize>,
    result: WitPackage,
}

impl WitPackage {
    const fn empty() -> Self {
        Self { name: String::new(), interfaces: Vec::new(), worlds: Vec::new(), exports: Vec::new() }
    }
}

impl<'a> PackageBuilder<'a> {
    /// Adds an interface or a world.
    fn define(&mut self, definition: &'a Export) -> Result<(), String> {
        let name = &*definition.name;
        let Some(Qualified { package, version, .. }) = qualified(name) else {
            return Err(format!("{} in a WIT package is not a qualified name", quoted(name)));
        };
        if *self.package.get_or_insert((package, version)) != (package, version) {
            return Err(format!("{} belongs to another WIT package than the definitions before it", quoted(name)));
        }
        match (definition.kind, definition.shape) {
            (ExternKind::Instance, _) => self.result.interfaces.push(name.to_owned()),
            (ExternKind::Component, Some(world)) => {
                if self.visited_worlds.insert(world) {
                    let types = self.types;
                    types.shape(world).iter().for_each(|export| self.export(&export.name));
                }
                self.result.worlds.push(name.to_owned());
            }
            _ => return Err(format!("{} in a WIT package is neither an interface nor a world", quoted(name))),
        }
        self.export(name);
        Ok(())
    }

    fn export(&mut self, name: &'a str) {
        if self.exported.insert(name) {
            self.result.exports.push(name.to_owned());
        }
    }

    fn finish(mut self) -> WitPackage {
        if let Some((package, version)) = self.package {
            let version = version.map(|version| format!("@{version}")).unwrap_or_default();
            self.result.name = format!("{package}{version}");
        }
        self.result
    }
}
