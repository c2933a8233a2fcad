//! WIT packages: components that carry nothing but types, as `wit-component` encodes interfaces and worlds.
//!
//! Source: `is_wit_package` and what follows it in wit-parser's `decoding.rs`, and wit-component's `encoding/wit.rs`. A WIT
//! package imports nothing, and all that it exports are component types, one at least. In the encoding of today (v2) each
//! is under the plain name of an interface or a world, and exports one thing under its qualified name: an instance, which
//! is the interface, or a component, which is the world. In the older one (v1) there is one, `namespace:package/wit`,
//! which exports all interfaces and worlds.

use std::collections::HashSet;

use super::externs::{Extern, ExternKind};
use super::types::{Export, Shape, Type, Types};
use crate::escape::quoted;

/// What a WIT package defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitPackage {
    name: String,
    interfaces: Vec<String>,
    worlds: Vec<String>,
    exports: Vec<String>,
}

impl WitPackage {
    /// The package, with its version if it has one: `wasi:http@0.2.0`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its interfaces, by qualified names such as `wasi:http/types@0.2.0`, in the order of the binary.
    pub fn interfaces(&self) -> &[String] {
        &self.interfaces
    }

    /// Its worlds, by qualified names, in the order of the binary.
    pub fn worlds(&self) -> &[String] {
        &self.worlds
    }

    /// What the config of an OCI artifact calls its exports: its interfaces, its worlds, and what those worlds export, each
    /// once. Where a world exports something, that stands before the world. It is what oci-wasm's
    /// `Component::from_package` gives, and with it wkg, in another order: theirs is random.
    pub fn exports(&self) -> &[String] {
        &self.exports
    }
}

/// How a WIT package is encoded.
#[derive(Clone, Copy)]
enum Encoding {
    V1,
    V2,
}

/// The WIT package that these exports, with their types, make of a component that imports nothing; `None` if it is none.
/// The error says why it looks like one, and is not.
pub(super) fn identify(exports: &[Extern], of_exports: &[Type], types: &Types) -> Result<Option<WitPackage>, String> {
    let shapes: Option<Vec<&Shape>> = of_exports.iter().map(|ty| ty.map(|place| types.shape(place))).collect();
    let (Some(shapes), Some(first)) = (shapes, exports.first()) else { return Ok(None) };
    let Some(encoding) = encoding(first.name()) else { return Ok(None) };
    let mut naming =
        Naming { types, package: None, seen: HashSet::new(), worlds_seen: HashSet::new(), found: WitPackage::empty() };
    match (encoding, &shapes[..]) {
        (Encoding::V1, [shape]) => {
            naming.package = qualified(first.name()).map(|name| (name.package, name.version));
            shape.iter().try_for_each(|export| naming.define(export))?;
        }
        (Encoding::V1, _) => return Err(format!("a WIT package exports {} and more", quoted(first.name()))),
        (Encoding::V2, shapes) => {
            for (shape, export) in shapes.iter().zip(exports) {
                let [inner] = &shape[..] else {
                    let name = quoted(export.name());
                    return Err(format!("{name} of a WIT package exports {} things, and not one", shape.len()));
                };
                naming.define(inner)?;
            }
        }
    }
    Ok(Some(naming.finish()))
}

/// By the name of the first export.
fn encoding(name: &str) -> Option<Encoding> {
    match qualified(name) {
        Some(qualified) if qualified.item == "wit" => Some(Encoding::V1),
        None if is_plain(name) => Some(Encoding::V2),
        Some(_) | None => None,
    }
}

/// Words of letters and digits, divided by `-`, and nothing like `[method]a.b` or `url=<…>`.
fn is_plain(name: &str) -> bool {
    name.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// `namespace:package/item@version`, taken apart.
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

/// Collects what a package defines.
struct Naming<'a> {
    types: &'a Types,
    /// The package that all belongs to, and its version.
    package: Option<(&'a str, Option<&'a str>)>,
    /// What is among the exports.
    seen: HashSet<&'a str>,
    /// The shapes of worlds whose exports are. Worlds may share one: it is walked once.
    worlds_seen: HashSet<usize>,
    found: WitPackage,
}

impl WitPackage {
    const fn empty() -> Self {
        Self { name: String::new(), interfaces: Vec::new(), worlds: Vec::new(), exports: Vec::new() }
    }
}

impl<'a> Naming<'a> {
    /// An interface, or a world.
    fn define(&mut self, definition: &'a Export) -> Result<(), String> {
        let name = &*definition.name;
        let Some(Qualified { package, version, .. }) = qualified(name) else {
            return Err(format!("{} in a WIT package is no qualified name", quoted(name)));
        };
        if *self.package.get_or_insert((package, version)) != (package, version) {
            return Err(format!("{} belongs to another WIT package than what stands before it", quoted(name)));
        }
        match (definition.kind, definition.shape) {
            (ExternKind::Instance, _) => self.found.interfaces.push(name.to_owned()),
            (ExternKind::Component, Some(world)) => {
                if self.worlds_seen.insert(world) {
                    let types = self.types;
                    types.shape(world).iter().for_each(|export| self.export(&export.name));
                }
                self.found.worlds.push(name.to_owned());
            }
            _ => return Err(format!("{} in a WIT package is neither an interface nor a world", quoted(name))),
        }
        self.export(name);
        Ok(())
    }

    fn export(&mut self, name: &'a str) {
        if self.seen.insert(name) {
            self.found.exports.push(name.to_owned());
        }
    }

    fn finish(mut self) -> WitPackage {
        if let Some((package, version)) = self.package {
            let version = version.map(|version| format!("@{version}")).unwrap_or_default();
            self.found.name = format!("{package}{version}");
        }
        self.found
    }
}
