//! Other decoders agree: `wasmparser` for every binary, `wit-component` for components.

use std::collections::BTreeSet;

use sectile::interface::{Interface, WitPackage};
use wasmparser::{Parser, Payload};
use wit_component::DecodedWasm;
use wit_parser::{PackageId, Resolve, WorldId};

use super::{interface, listed};
use sectile_testing::files;

/// `offset module name` or `offset name` of the root's imports and exports, in the order of
/// wasmparser's parser.
fn parsed(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.unwrap() {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ImportSection(section) if depth == 1 => {
                let names = section.into_imports_with_offsets().map(|import| import.unwrap());
                imports.extend(names.map(|(at, import)| format!("{at} {} {}", import.module, import.name)));
            }
            Payload::ExportSection(section) if depth == 1 => {
                let names = section.into_iter_with_offsets().map(|export| export.unwrap());
                exports.extend(names.map(|(at, export)| format!("{at} {}", export.name)));
            }
            Payload::ComponentImportSection(section) if depth == 1 => {
                let names = section.into_iter_with_offsets().map(|import| import.unwrap());
                imports.extend(names.map(|(at, import)| format!("{at} {}", import.name.full_name())));
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                let names = section.into_iter_with_offsets().map(|export| export.unwrap());
                exports.extend(names.map(|(at, export)| format!("{at} {}", export.name.full_name())));
            }
            _ => {}
        }
    }
    (imports, exports)
}

fn names(externs: &[sectile::interface::Extern]) -> Vec<String> {
    let strip = |listed: String| listed.rsplit_once(' ').unwrap().0.to_owned();
    listed(externs).into_iter().map(strip).collect()
}

/// The names with their offsets.
fn placed(externs: &[sectile::interface::Extern]) -> Vec<String> {
    externs.iter().zip(names(externs)).map(|(found, name)| format!("{} {name}", found.offset())).collect()
}

/// Imports and exports as oci-wasm's `Component::from_world` lists them.
fn world(resolve: &Resolve, world: WorldId) -> (Vec<String>, Vec<String>) {
    let world = &resolve.worlds[world];
    let imports = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    let exports = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    (imports, exports)
}

/// Exports as oci-wasm's `Component::from_package` lists them, in random order.
fn package(resolve: &Resolve, package: PackageId) -> BTreeSet<String> {
    let package = &resolve.packages[package];
    let mut exports = BTreeSet::new();
    for id in package.worlds.values() {
        exports.extend(world(resolve, *id).1);
        exports.insert(package.name.interface_id(&resolve.worlds[*id].name));
    }
    exports.extend(package.interfaces.values().filter_map(|id| resolve.id_of(*id)));
    exports
}

#[track_caller]
fn agrees(name: &str, bytes: &[u8], interface: &Interface) {
    assert_eq!((placed(interface.imports()), placed(interface.exports())), parsed(bytes), "{name}");
    if interface.kind() != sectile::scan::ItemKind::Component {
        return;
    }
    match wit_component::decode(bytes).unwrap() {
        DecodedWasm::WitPackage(resolve, id) => {
            let found = interface.wit_package().unwrap_or_else(|| panic!("{name} is a WIT package"));
            assert_eq!(found.name(), resolve.packages[id].name.to_string(), "{name}");
            let exports: BTreeSet<String> = found.exports().iter().cloned().collect();
            assert_eq!(exports.len(), found.exports().len(), "{name}");
            assert_eq!(exports, package(&resolve, id), "{name}");
        }
        DecodedWasm::Component(resolve, id) => {
            assert_eq!(interface.wit_package(), None, "{name}");
            assert_eq!((names(interface.imports()), names(interface.exports())), world(&resolve, id), "{name}");
        }
    }
}

#[test]
fn real_files() {
    for (name, bytes) in files::real_files() {
        agrees(&name, &bytes, &interface(&bytes));
    }
}

/// A WIT package that wit-component encodes from its text, with and without a split version. Both
/// must be read the same.
fn encoded(wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let id = resolve.push_str("test.wit", wit).unwrap();
    let [plain, canonical] = [false, true].map(|canonical| wit_component::encode(&resolve, id, canonical).unwrap());
    assert_eq!(wit_package(&plain), wit_package(&canonical));
    plain
}

#[track_caller]
fn wit_package(bytes: &[u8]) -> WitPackage {
    let interface = interface(bytes);
    agrees("a WIT package", bytes, &interface);
    interface.wit_package().unwrap().clone()
}

#[test]
fn wit_packages() {
    let found = wit_package(&encoded(
        "package ab:cd-ef@1.2.3-rc.1;
         interface types { record r { a: u32 } resource x { constructor(); } }
         interface more { use types.{r}; f: func() -> r; }
         world w { import types; import log: func(s: string); export more; export run: func(); export inner: interface { g: func(); } }
         world empty {}",
    ));
    assert_eq!(found.name(), "ab:cd-ef@1.2.3-rc.1");
    assert_eq!(found.interfaces(), ["ab:cd-ef/types@1.2.3-rc.1", "ab:cd-ef/more@1.2.3-rc.1"]);
    assert_eq!(found.worlds(), ["ab:cd-ef/w@1.2.3-rc.1", "ab:cd-ef/empty@1.2.3-rc.1"]);
    let own = ["ab:cd-ef/types@1.2.3-rc.1", "ab:cd-ef/more@1.2.3-rc.1", "run", "inner", "ab:cd-ef/w@1.2.3-rc.1"];
    assert_eq!(found.exports(), [&own[..], &["ab:cd-ef/empty@1.2.3-rc.1"]].concat());

    let found = wit_package(&encoded("package a:b; interface i {}"));
    assert_eq!((found.name(), found.exports()), ("a:b", &["a:b/i".to_owned()][..]));
}

#[test]
fn a_wit_package_that_refers_to_others() {
    let found = wit_package(&encoded(
        "package a:b@0.1.0;
         package c:d@2.0.0 { interface far { type t = u8; } }
         interface near { use c:d/far@2.0.0.{t}; f: func() -> t; }
         world w { import c:d/far@2.0.0; export c:d/far@2.0.0; export near; }",
    ));
    assert_eq!(found.interfaces(), ["a:b/near@0.1.0"]);
    assert!(found.exports().contains(&"c:d/far@2.0.0".to_owned()));
}

#[test]
fn a_wit_package_in_the_older_encoding() {
    let bytes = wat::parse_str(
        r#"(component
            (type (component
                (type (instance (type (func)) (export "f" (func (type 0)))))
                (export "a:b/i@1.0.0" (instance (type 0)))
                (type (component (type (func)) (export "run" (func (type 0)))))
                (export "a:b/w@1.0.0" (component (type 1)))))
            (export "a:b/wit@1.0.0" (type 0)))"#,
    )
    .unwrap();
    let found = wit_package(&bytes);
    assert_eq!((found.name(), found.interfaces().len(), found.worlds().len()), ("a:b@1.0.0", 1, 1));
    assert_eq!(found.exports(), ["a:b/i@1.0.0", "run", "a:b/w@1.0.0"]);
}

/// The decoder counts type indexes correctly if the type of a world has declarations of every kind
/// before its exports.
#[test]
fn a_wit_package_whose_worlds_declare_every_kind() {
    let bytes = wat::parse_str(
        r#"(component
            (type (component
                (type $world (component
                    (core type $core (module))
                    (import "r" (type $r (sub resource)))
                    (type $i (instance (export "t" (type (sub resource))) (export "f" (func))))
                    (import "a:b/i@1.0.0" (instance $instance (type $i)))
                    (alias export $instance "t" (type $t))
                    (type $run (func (result (own $t))))
                    (export "same" (type (eq $r)))
                    (export "run" (func (type $run)))))
                (export "a:b/w@1.0.0" (component (type $world)))))
            (export "w" (type 0)))"#,
    )
    .unwrap();
    let interface = interface(&bytes);
    let found = interface.wit_package().unwrap();
    assert_eq!((found.name(), found.exports()), ("a:b@1.0.0", &["same", "run", "a:b/w@1.0.0"].map(str::to_owned)[..]));
}

#[test]
fn a_wit_package_has_no_other_exports() {
    let wit = r#"(type $t (component (type (instance)) (export "a:b/i" (instance (type 0)))))"#;
    for rest in [
        r#"(import "f" (func)) (export "i" (type $t))"#,
        r#"(export "i" (type $t)) (import "f" (func))"#,
        r#"(export "i" (type $t)) (type $r (record (field "a" u8))) (export "r" (type $r))"#,
        r#"(export "i" (type $t)) (instance $e) (export "e" (instance $e))"#,
        r#"(export "a:b/other" (type $t))"#,
    ] {
        let bytes = wat::parse_str(format!("(component {wit} {rest})")).unwrap();
        assert_eq!(interface(&bytes).wit_package(), None, "{rest}");
        assert!(!matches!(wit_component::decode(&bytes), Ok(DecodedWasm::WitPackage(..))), "{rest}");
    }
    let only =
        wat::parse_str(format!(r#"(component {wit} (core module) (component) (export "i" (type $t)))"#)).unwrap();
    assert_eq!(wit_package(&only).name(), "a:b"); // wit-parser ignores its siblings
}

/// Imports and exports that a world cannot express are listed here.
#[test]
fn imports_that_a_world_cannot_express_are_listed() {
    let importing =
        |import: &str| wat::parse_str(format!(r#"(component (import "f" (func)) (import {import}))"#)).unwrap();
    let mut decoded = Vec::new();
    for import in [r#""m" (core module)"#, r#""c" (component)"#, r#""v" (value u8)"#] {
        let bytes = importing(import);
        assert_eq!(interface(&bytes).imports().len(), 2, "{import}");
        if let Ok(DecodedWasm::Component(resolve, id)) = wit_component::decode(&bytes) {
            assert_eq!(world(&resolve, id).0, ["f"], "{import}");
            decoded.push(import);
        }
    }
    assert_eq!(decoded.len(), 2, "wit-component does not list values: {decoded:?}");
    let exporting = [
        r#"(core module $m) (export "m" (core module $m))"#,
        r#"(component $c) (export "c" (component $c))"#,
        r#"(type $t (record (field "a" u8))) (export "t" (type $t))"#,
    ];
    for export in exporting {
        let bytes = wat::parse_str(format!("(component {export})")).unwrap();
        assert_eq!(interface(&bytes).exports().len(), 1, "{export}");
        assert!(wit_component::decode(&bytes).is_err(), "{export}");
    }
}

#[test]
#[ignore = "needs benches/corpus/fetch"]
fn the_corpus() {
    let files = files::files("benches/corpus/files");
    assert!(files.len() > 70, "{}", files.len());
    for (name, bytes) in files {
        agrees(&name, &bytes, &interface(&bytes));
    }
}
