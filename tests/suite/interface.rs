//! Imports, exports and WIT packages: every driver agrees, and `wasmparser` and `wit-component`
//! agree.

mod combined;
mod hostile;
mod oracle;

use sectile::interface::{self, Extern, ExternKind, Interface, InterfaceReader};
use sectile::scan::Collector;
use sectile::scan::ItemKind;
use sectile::{Input, Limits, Outcome, drive};

use sectile_testing::ranges::{Ranges, now};
use sectile_testing::{all_drivers, files};

/// Reads with every driver, asserts that all agree, and returns the outcome.
#[track_caller]
fn read(bytes: &[u8], limits: Limits) -> Outcome<Interface> {
    let parts = |outcome: Outcome<Interface>| {
        let (interface, error, _) = outcome.into_parts();
        (interface, error.map(|error| error.to_string()))
    };
    let slice = interface::read_slice_with(bytes, limits);
    let expected = parts(interface::read_slice_with(bytes, limits));
    let len = bytes.len() as u64;
    let reader = || InterfaceReader::with_limits(limits);
    assert_eq!(parts(drive::collect_at(bytes, len, reader())), expected, "positioned reads");
    let input = Input::from_file(all_drivers::file(bytes)).unwrap();
    assert_eq!(parts(input.interface_with(limits)), expected, "a file");
    let mut source = Ranges::of(bytes);
    let fetched = drive::collect_fetch(&mut source, reader(), drive::FetchOptions::default());
    assert_eq!(parts(now(fetched)), expected, "ranges");
    for sizes in [&[1][..], &[7, 1, 0, 64], &[4096]] {
        let (reader, result) = all_drivers::push(bytes, sizes, reader(), limits);
        assert_eq!((reader.finish(), all_drivers::error_text(result).err()), expected, "chunks of {sizes:?}");
    }
    slice
}

/// [`read`] with the default limits of an input that must be valid.
#[track_caller]
fn interface(bytes: &[u8]) -> Interface {
    let interface = read(bytes, Limits::default()).complete().unwrap();
    assert!(interface.findings().is_empty(), "{:?}", interface.findings());
    interface
}

/// `module name kind`, or `name kind`.
fn listed(externs: &[Extern]) -> Vec<String> {
    let tell = |found: &Extern| {
        let module = found.module().map(|module| format!("{module} ")).unwrap_or_default();
        format!("{module}{} {}", found.name(), found.kind().name())
    };
    externs.iter().map(tell).collect()
}

#[test]
fn every_kind_of_module_import_and_export() {
    let bytes = wat::parse_str(
        r#"(module
            (import "env" "f" (func)) (import "env" "t" (table 0 funcref)) (import "env" "m" (memory 1))
            (import "other" "g" (global i32)) (import "" "e" (tag))
            (func) (export "" (func 1)) (export "t" (table 0)) (export "memory" (memory 0)) (export "g" (global 0))
            (export "e" (tag 0)))"#,
    )
    .unwrap();
    let interface = interface(&bytes);
    assert_eq!(interface.kind(), ItemKind::Module);
    assert_eq!(
        listed(interface.imports()),
        ["env f function", "env t table", "env m memory", "other g global", " e tag"]
    );
    assert_eq!(listed(interface.exports()), [" function", "t table", "memory memory", "g global", "e tag"]);
    assert!(interface.exports().iter().all(|export| export.module().is_none()));
    assert_eq!(interface.wit_package(), None);
}

#[test]
fn every_kind_of_component_import_and_export() {
    let bytes = wat::parse_str(
        r#"(component
            (import "m" (core module)) (import "f" (func)) (import "ty" (type (sub resource)))
            (import "a:b/i@1.2.3" (instance)) (import "c" (component)) (import "v" (value string))
            (export "m2" (core module 0)) (export "f2" (func 0)) (export "ty2" (type 0))
            (export "a:b/j" (instance 0)) (export "c2" (component 0)) (export "v2" (value 0)))"#,
    )
    .unwrap();
    let interface = interface(&bytes);
    assert_eq!(interface.kind(), ItemKind::Component);
    let kinds = ["module", "function", "type", "instance", "component", "value"];
    let names = |names: [&str; 6]| Vec::from_iter(names.iter().zip(kinds).map(|(name, kind)| format!("{name} {kind}")));
    assert_eq!(listed(interface.imports()), names(["m", "f", "ty", "a:b/i@1.2.3", "c", "v"]));
    assert_eq!(listed(interface.exports()), names(["m2", "f2", "ty2", "a:b/j", "c2", "v2"]));
    assert_eq!(interface.imports()[3].kind(), ExternKind::Instance);
}

#[test]
fn empty_items_import_and_export_nothing() {
    for bytes in [&b"\0asm\x01\0\0\0"[..], b"\0asm\x0d\0\x01\0"] {
        let interface = interface(bytes);
        assert!(interface.imports().is_empty() && interface.exports().is_empty() && interface.wit_package().is_none());
    }
}

#[test]
fn nested_imports_and_exports_are_not_the_roots() {
    let bytes = wat::parse_str(
        r#"(component
            (core module (import "evil" "f" (func)) (export "evil" (func 0)))
            (component (import "evil" (func)) (export "evil2" (func 0)))
            (import "good" (func)))"#,
    )
    .unwrap();
    let interface = interface(&bytes);
    assert_eq!(listed(interface.imports()), ["good function"]);
    assert!(interface.exports().is_empty());
}

#[test]
fn bodies_are_not_read() {
    let body = [&b"\x0a\x80\x80\x80\x08"[..], &vec![0; 16 << 20]].concat();
    let bytes =
        [&wat::parse_str(r#"(module (import "env" "f" (func)) (export "f" (func 0)))"#).unwrap()[..], &body].concat();
    let outcome = drive::collect_at(&bytes[..], bytes.len() as u64, InterfaceReader::new());
    let cost = outcome.cost();
    let interface = outcome.complete().unwrap();
    assert_eq!(interface.imports().len() + interface.exports().len(), 2);
    assert!(cost.bytes < 4096, "{cost:?}");
    let cost = drive::scan_slice(&bytes, &mut InterfaceReader::new(), Limits::default()).cost();
    assert!(cost.bytes < 64, "{cost:?}");
}

#[test]
fn metadata_and_interface_in_one_pass() {
    for path in files::real_paths() {
        let input = Input::open(&path).unwrap();
        let (metadata, interface) = input.read_with_interface(Limits::default()).complete().unwrap();
        assert_eq!(metadata, input.read().unwrap(), "{}", path.display());
        assert_eq!(interface, input.interface().unwrap(), "{}", path.display());
    }
}
