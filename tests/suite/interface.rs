//! Imports, exports and WIT packages: every mouth gives the same, and what `wasmparser` and `wit-component` say is so.

mod hostile;
mod oracle;

use sectile::interface::{self, Extern, ExternKind, Interface, Reader};
use sectile::scan::ItemKind;
use sectile::{Error, Input, Limits, Outcome, drive};

use crate::support::{files, mouths};

/// Reads through every mouth, asserts that all give the same, and gives it.
#[track_caller]
fn read(bytes: &[u8], limits: Limits) -> Result<Outcome<Interface>, Error> {
    let told = |reading: Result<Outcome<Interface>, Error>| match reading {
        Ok(outcome) => (Some(outcome.value), outcome.broken.map(|error| error.to_string())),
        Err(error) => (None, Some(error.to_string())),
    };
    let slice = interface::read_slice(bytes, limits);
    let expected = told(interface::read_slice(bytes, limits));
    let len = bytes.len() as u64;
    assert_eq!(told(interface::read_at(bytes, len, limits)), expected, "positioned reads");
    let input = Input::of(mouths::file(bytes)).unwrap();
    assert_eq!(told(input.interface(limits)), expected, "a file");
    for sizes in [&[1][..], &[7, 1, 0, 64], &[4096]] {
        let (reader, result) = mouths::push(bytes, sizes, Reader::new(limits), limits);
        assert_eq!((reader.finish(), mouths::told(result).err()), expected, "chunks of {sizes:?}");
    }
    slice
}

/// The same with the default limits, of an input that must be sound.
#[track_caller]
fn interface(bytes: &[u8]) -> Interface {
    let interface = read(bytes, Limits::default()).unwrap().complete().unwrap();
    assert!(interface.findings().is_empty(), "{:?}", interface.findings());
    interface
}

/// `module name kind`, or `name kind`.
fn told(externs: &[Extern]) -> Vec<String> {
    let tell = |found: &Extern| {
        let module = found.module().map(|module| format!("{module} ")).unwrap_or_default();
        format!("{module}{} {}", found.name(), found.kind().name())
    };
    externs.iter().map(tell).collect()
}

#[test]
fn a_module_of_every_kind() {
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
        told(interface.imports()),
        ["env f function", "env t table", "env m memory", "other g global", " e tag"]
    );
    assert_eq!(told(interface.exports()), [" function", "t table", "memory memory", "g global", "e tag"]);
    assert!(interface.exports().iter().all(|export| export.module().is_none()));
    assert_eq!(interface.wit_package(), None);
}

#[test]
fn a_component_of_every_kind() {
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
    assert_eq!(told(interface.imports()), names(["m", "f", "ty", "a:b/i@1.2.3", "c", "v"]));
    assert_eq!(told(interface.exports()), names(["m2", "f2", "ty2", "a:b/j", "c2", "v2"]));
    assert_eq!(interface.imports()[3].kind(), ExternKind::Instance);
}

#[test]
fn nothing_is_imported_or_exported() {
    for bytes in [&b"\0asm\x01\0\0\0"[..], b"\0asm\x0d\0\x01\0"] {
        let interface = interface(bytes);
        assert!(interface.imports().is_empty() && interface.exports().is_empty() && interface.wit_package().is_none());
    }
}

#[test]
fn what_is_nested_is_not_the_roots() {
    let bytes = wat::parse_str(
        r#"(component
            (core module (import "evil" "f" (func)) (export "evil" (func 0)))
            (component (import "evil" (func)) (export "evil2" (func 0)))
            (import "good" (func)))"#,
    )
    .unwrap();
    let interface = interface(&bytes);
    assert_eq!(told(interface.imports()), ["good function"]);
    assert!(interface.exports().is_empty());
}

#[test]
fn bodies_are_not_read() {
    let body = [&b"\x0a\x80\x80\x80\x08"[..], &vec![0; 16 << 20]].concat();
    let bytes =
        [&wat::parse_str(r#"(module (import "env" "f" (func)) (export "f" (func 0)))"#).unwrap()[..], &body].concat();
    let outcome = interface::read_at(&bytes[..], bytes.len() as u64, Limits::default()).unwrap();
    assert_eq!(outcome.value.imports().len() + outcome.value.exports().len(), 2);
    assert!(outcome.cost.bytes < 4096 && outcome.broken.is_none(), "{:?}", outcome.cost);
    let (_, cost) = drive::slice(&bytes, &mut Reader::new(Limits::default()), Limits::default());
    assert!(cost.bytes < 64, "{cost:?}");
}

#[test]
fn with_the_metadata_in_one_pass() {
    for path in files::real_paths() {
        let input = Input::open(&path).unwrap();
        let (metadata, interface) = input.read_with_interface(Limits::default()).unwrap().complete().unwrap();
        assert_eq!(metadata, input.read(Limits::default()).unwrap().complete().unwrap(), "{}", path.display());
        assert_eq!(interface, input.interface(Limits::default()).unwrap().complete().unwrap(), "{}", path.display());
    }
}
