//! Malformed sections cost only themselves, and declared counts allocate nothing.

use sectile::interface::Interface;
use sectile::{FindingCode, Limits, interface as library};

use super::{listed, read};
use sectile_testing::binary::{self, leb128, nested, prefixed, section};
use sectile_testing::memory;

/// An import of a function.
pub fn function(module: &[u8], name: &[u8]) -> Vec<u8> {
    [prefixed(module), prefixed(name), vec![0, 0]].concat()
}

/// An import section that declares this many imports.
pub fn imports(count: u32, imports: &[Vec<u8>]) -> Vec<u8> {
    section(2, &[leb128(count), imports.concat()].concat())
}

/// A module's export section with one function.
pub fn exports(name: &str) -> Vec<u8> {
    section(7, &[leb128(1), prefixed(name), vec![0, 0]].concat())
}

/// Reads an input that must be complete, and returns the interface with the codes of its findings.
#[track_caller]
fn found(bytes: &[u8]) -> (Interface, Vec<FindingCode>) {
    let interface = read(bytes, Limits::default()).complete().unwrap();
    let codes = interface.findings().iter().map(|finding| finding.code()).collect();
    (interface, codes)
}

#[test]
fn a_malformed_import_section_keeps_earlier_imports() {
    let good = function(b"env", b"good");
    let not_utf8 = function(b"env", b"\xff\xfe");
    let cut = function(b"env", b"good")[..6].to_vec();
    let unknown_kind = [prefixed("env"), prefixed("f"), vec![0x55, 0]].concat();
    let endless_name = [prefixed("env"), vec![0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
    let long_name = function(b"env", &[b'x'; 100_001]);
    for (what, section, offset) in [
        ("not UTF-8", imports(2, &[good.clone(), not_utf8]), 26),
        ("cut", imports(2, &[good.clone(), cut]), 28),
        ("an unknown kind", imports(2, &[good.clone(), unknown_kind]), 28),
        ("a name past the end", imports(2, &[good.clone(), endless_name]), 31),
        ("a name that is too long", imports(2, &[good.clone(), long_name]), 30),
        ("a count of 4 billion", imports(u32::MAX, std::slice::from_ref(&good)), 26),
        ("trailing bytes", imports(1, &[good.clone(), vec![1]]), 22),
        ("a huge group", imports(2, &[good.clone(), [prefixed("m"), vec![0, 0x7f], leb128(u32::MAX)].concat()]), 31),
    ] {
        let (interface, codes) = found(&binary::module(&[section, exports("f")]));
        assert_eq!(codes, [FindingCode::MalformedInterface], "{what}");
        assert_eq!(listed(interface.imports()), ["env good function"], "{what}");
        assert_eq!(listed(interface.exports()), ["f function"], "{what}");
        let finding = interface.findings().iter().next().unwrap();
        assert!(
            finding.path().is_root() && finding.message().contains("import section"),
            "{what}: {}",
            finding.message()
        );
        assert!(finding.offset().abs_diff(offset) <= 8, "{what}: {} at {}", finding.message(), finding.offset());
    }
}

#[test]
fn an_empty_section_is_malformed() {
    let (_, codes) = found(&binary::module(&[section(2, &[]), section(7, &[])]));
    assert_eq!(codes, [FindingCode::MalformedInterface]); // folded
    for part in [6, 7, 10, 11] {
        let (interface, codes) = found(&binary::component(&[section(part, &[])]));
        assert_eq!(codes.len(), usize::from(part > 7), "{part}");
        assert!(interface.wit_package().is_none());
    }
}

#[test]
fn truncated_input_keeps_earlier_values() {
    let bytes = binary::module(&[imports(1, &[function(b"env", b"good")]), exports("f")]);
    let outcome = read(&bytes[..bytes.len() - 1], Limits::default());
    let interface = outcome.value().unwrap();
    assert_eq!(listed(interface.imports()), ["env good function"]);
    assert!(interface.exports().is_empty() && outcome.error().is_some_and(|error| error.is_truncated()));
    let other = read(b"\x7fELF\0\0\0\0", Limits::default());
    assert!(other.value().is_none() && other.error().unwrap().is_not_wasm());

    let package = wat::parse_str(PACKAGE).unwrap();
    let broken = [&package[..], &[0, 9]].concat();
    let outcome = read(&broken, Limits::default());
    let interface = outcome.value().unwrap();
    assert_eq!((interface.exports().len(), interface.wit_package()), (1, None)); // the rest is unknown
    assert!(!outcome.is_complete());
}

const PACKAGE: &str =
    r#"(component (type (component (type (instance)) (export "a:b/i" (instance (type 0))))) (export "i" (type 0)))"#;

#[test]
fn nested_items_cannot_impersonate_the_root() {
    let evil = binary::module(&[imports(1, &[function(b"env", b"evil")]), exports("evil")]);
    let package = wat::parse_str(PACKAGE).unwrap();
    let (interface, codes) = found(&binary::component(&[nested(&evil), nested(&package)]));
    assert!(interface.imports().is_empty() && interface.exports().is_empty() && codes.is_empty());
    assert_eq!(interface.wit_package(), None);
}

#[test]
fn a_section_beyond_the_limit_is_not_decoded() {
    let limits = Limits { max_interface_section: 16, ..Limits::default() };
    let bytes = binary::module(&[imports(1, &[function(b"environment", b"function")]), exports("f")]);
    let interface = read(&bytes, limits).complete().unwrap();
    assert!(interface.imports().is_empty());
    assert_eq!(listed(interface.exports()), ["f function"]);
    assert_eq!(interface.findings().iter().map(|finding| finding.code()).collect::<Vec<_>>(), [FindingCode::TooLarge]);

    // Types are decoded as a whole, within a limit of their own.
    let package = wat::parse_str(PACKAGE).unwrap();
    let interface = read(&package, Limits { max_section_data: 8, ..Limits::default() }).complete().unwrap();
    assert_eq!((interface.exports().len(), interface.wit_package()), (1, None));
    assert_eq!(interface.findings().iter().map(|finding| finding.code()).collect::<Vec<_>>(), [FindingCode::TooLarge]);

    let limits = Limits { max_retained_bytes: 200, ..Limits::default() };
    let many = imports(3, &[function(b"a", b"1"), function(b"a", b"2"), function(b"a", b"3")]);
    let interface = read(&binary::module(&[many]), limits).complete().unwrap();
    assert_eq!(listed(interface.imports()), ["a 1 function", "a 2 function", "a 3 function"]);
    let limits = Limits { max_retained_bytes: 150, ..Limits::default() };
    let many = imports(3, &[function(b"a", b"1"), function(b"a", b"2"), function(b"a", b"3")]);
    let interface = read(&binary::module(&[many]), limits).complete().unwrap();
    assert_eq!(listed(interface.imports()), ["a 1 function", "a 2 function"]);
    assert_eq!(interface.findings().iter().map(|finding| finding.code()).collect::<Vec<_>>(), [FindingCode::TooLarge]);
}

/// A compact group with one long module name for hundreds of thousands of imports.
#[test]
fn compact_import_groups_share_their_module_name() {
    let module = "m".repeat(90_000);
    let names = 200_000;
    for (encoding, import) in [(0x7f, &[0, 0, 0][..]), (0x7e, &[0][..])] {
        let ty = if encoding == 0x7e { &[0, 0][..] } else { &[] };
        let group =
            [&prefixed(&module)[..], &[0, encoding], ty, &leb128(names), &import.repeat(names as usize)].concat();
        let bytes = binary::module(&[imports(1, &[group])]);
        let (interface, allocated) = memory::measure(|| library::read_slice_with(&bytes, Limits::default()));
        let interface = interface.complete().unwrap();
        assert_eq!((interface.imports().len(), interface.findings().is_empty()), (names as usize, true));
        assert_eq!(interface.imports()[7].module(), Some(&*module));
        assert!(allocated.peak < 64 << 20, "{allocated:?}");
    }
}

/// Decoded types take a bounded multiple of their encoded size.
#[test]
fn types_take_bounded_memory() {
    let declarations = 500_000;
    let ty = [&[0x41][..], &leb128(declarations), &[1, 0x7f].repeat(declarations as usize)].concat();
    let bytes = binary::component(&[types(&[ty])]);
    let (interface, allocated) = memory::measure(|| library::read_slice_with(&bytes, Limits::default()));
    assert!(interface.complete().unwrap().findings().is_empty());
    assert!(allocated.peak < 128 << 20, "{allocated:?}");

    // Types of one byte each, in many sections: the limit on retained bytes stops them.
    let section = section(7, &[leb128(1_000_000), vec![0x7f; 1_000_000]].concat());
    let bytes = binary::component(&[vec![section; 16].concat(), type_exports(&[("i".to_owned(), 0)])]);
    let (interface, allocated) = memory::measure(|| library::read_slice_with(&bytes, Limits::default()));
    let interface = interface.complete().unwrap();
    assert_eq!((interface.exports().len(), interface.wit_package()), (1, None));
    assert!(allocated.peak < 512 << 20, "{allocated:?}");
}

/// A component type that exports one component, of the outer scope's type with this index.
fn wrapper(name: &str, of: u32) -> Vec<u8> {
    let alias = [&[2, 3, 2, 1][..], &leb128(of)].concat();
    [&[0x41, 2][..], &alias, &[4, 0], &prefixed(name), &[4, 0]].concat()
}

fn types(types: &[Vec<u8>]) -> Vec<u8> {
    section(7, &[leb128(types.len() as u32), types.concat()].concat())
}

/// An export section of types: names and type indexes.
fn type_exports(exports: &[(String, u32)]) -> Vec<u8> {
    let each = exports.iter().map(|(name, index)| [&[0][..], &prefixed(name), &[3], &leb128(*index), &[0]].concat());
    section(11, &[leb128(exports.len() as u32), each.collect::<Vec<_>>().concat()].concat())
}

#[test]
fn a_long_chain_of_types_is_resolved() {
    let empty = vec![0x41, 0];
    let chain: Vec<Vec<u8>> = [empty].into_iter().chain((0..40_000).map(|of| wrapper("a:b/w", of))).collect();
    let (interface, codes) = found(&binary::component(&[types(&chain), type_exports(&[("w".to_owned(), 40_000)])]));
    assert_eq!(codes, []);
    assert_eq!(interface.wit_package().unwrap().exports(), ["a:b/w"]);
}

#[test]
fn shared_worlds_are_visited_once() {
    const WORLDS: usize = 5_000;
    let exports = (0..20_000).map(|nth| [&[4, 0][..], &prefixed(format!("f{nth}")), &[1, 0]].concat());
    let world = [&[0x41][..], &leb128(20_001), &[1, 0x40, 0, 1, 0], &exports.collect::<Vec<_>>().concat()].concat();
    let wrappers = (0..WORLDS).map(|nth| wrapper(&format!("a:b/w{nth}"), 0));
    let all: Vec<Vec<u8>> = [world].into_iter().chain(wrappers).collect();
    let named: Vec<_> = (0..WORLDS).map(|nth| (format!("w{nth}"), nth as u32 + 1)).collect();
    let bytes = binary::component(&[types(&all), type_exports(&named)]);
    let interface = library::read_slice(&bytes).unwrap();
    let package = interface.wit_package().unwrap();
    assert_eq!((package.worlds().len(), package.exports().len()), (WORLDS, WORLDS + 20_000));
}

#[test]
fn malformed_types_matter_only_for_wit_packages() {
    let broken = section(7, &[1, 0x77, 0x77]);
    let (interface, codes) = found(&binary::component(&[broken.clone(), type_exports(&[("i".to_owned(), 0)])]));
    assert_eq!((codes, interface.wit_package()), (vec![FindingCode::MalformedInterface], None));
    let import = section(10, &[&[1, 0][..], &prefixed("f"), &[1, 0]].concat());
    let (interface, codes) = found(&binary::component(&[broken, import]));
    assert_eq!((codes, listed(interface.imports())), (vec![], vec!["f function".to_owned()]));
}

#[test]
fn malformed_wit_packages_are_findings() {
    let instance = |name: &str| [&[0x41, 2, 1, 0x42, 0, 4, 0][..], &prefixed(name), &[5, 0]].concat();
    let function = |name: &str| [&[0x41, 2, 1, 0x40, 0, 1, 0, 4, 0][..], &prefixed(name), &[1, 0]].concat();
    let called = |names: [&str; 2], [first, second]: [Vec<u8>; 2]| {
        let named = [(names[0].to_owned(), 0), (names[1].to_owned(), 1)];
        found(&binary::component(&[types(&[first, second]), type_exports(&named)]))
    };
    let two = |first, second| called(["i", "j"], [first, second]);
    let (interface, codes) = two(instance("a:b/i@1.0.0"), instance("a:b/j@1.0.0"));
    assert_eq!((codes, interface.wit_package().unwrap().name()), (vec![], "a:b@1.0.0"));
    for (what, first, second) in [
        ("two packages", instance("a:b/i"), instance("a:c/j")),
        ("two versions", instance("a:b/i@1.0.0"), instance("a:b/j@1.0.1")),
        ("a plain name", instance("a:b/i"), instance("j")),
        ("no export", instance("a:b/i"), vec![0x41, 0]),
        ("a function", instance("a:b/i"), function("a:b/j")),
    ] {
        let (interface, codes) = two(first, second);
        assert_eq!((codes, interface.wit_package()), (vec![FindingCode::MalformedInterface], None), "{what}");
        assert_eq!(interface.exports().len(), 2, "{what}");
    }
    // In the older encoding, a single export contains everything.
    let (interface, codes) = called(["a:b/wit", "j"], [instance("a:b/i"), instance("a:b/j")]);
    assert_eq!((codes, interface.wit_package()), (vec![FindingCode::MalformedInterface], None));
}
