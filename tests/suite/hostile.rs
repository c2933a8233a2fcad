//! Input from someone hostile, and surroundings that fail: what reading owes them, row by row.

use std::cell::Cell;
use std::thread;

use sectile::drive::{self, Push};
use sectile::metadata::{Field, Metadata, Reader};
use sectile::scan::{Section, Visitor, Want};
use sectile::{Code, Error, Escaped, Limits, read_at, read_slice};

use crate::support::binary::{
    MODULE, chain, component, custom, leb128, module, name, nested, padded, prefixed, producers, section,
};
#[cfg(feature = "dependencies")]
use crate::support::binary::{dependencies, zlib};
use crate::support::found::{self, codes, found, text};
use crate::support::memory::measure;
use crate::support::mouths;
use crate::support::sources::{Damaged, Dribble, Failing, Sparse};

/// Reads an input that breaks off.
#[track_caller]
fn partial(bytes: &[u8], limits: Limits) -> (Metadata<'_>, Error) {
    let (metadata, result) = mouths::read(bytes, limits);
    (metadata.expect("at least the root's preamble"), result.expect_err("a break"))
}

/// No limit at all.
const UNLIMITED: Limits = Limits {
    depth: u32::MAX,
    items: u32::MAX,
    sections: u64::MAX,
    name: u32::MAX,
    data: u32::MAX,
    kept: u64::MAX,
    interface: u32::MAX,
    inflated: u32::MAX,
    findings: u32::MAX,
};

/// Runs where recursion does not get far.
fn on_a_small_stack(work: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let small = thread::Builder::new().stack_size(256 << 10);
        small.spawn_scoped(scope, work).unwrap().join().unwrap();
    });
}

// LEB128, and sizes that lie

#[test]
fn a_leb128_that_overflows_or_is_too_long() {
    let before = module(&[custom("authors", "me")]);
    let size = before.len() as u64 + 1;
    for leb128 in [
        &b"\xff\xff\xff\xff\x1f"[..], // a bit beyond the 32nd
        b"\x80\x80\x80\x80\x10",      // that bit alone
        b"\x80\x80\x80\x80\x80\x00",  // a sixth byte
        b"\xff\xff\xff\xff\xff",      // no end
    ] {
        let bytes = [&before, &b"\0"[..], leb128].concat();
        let (metadata, error) = partial(&bytes, Limits::default());
        assert!(error.is_malformed() && !error.is_truncated(), "{error}");
        assert_eq!(error.offset(), Some(size), "{leb128:x?}");
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));

        // The same as the length of a custom section's name.
        let bytes = [&*before, &section(0, leb128)].concat();
        let (metadata, error) = partial(&bytes, Limits::default());
        assert!(error.is_malformed(), "{error}");
        assert_eq!(error.offset(), Some(size + 1), "{leb128:x?}");
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
    }
}

#[test]
fn a_size_past_the_end_of_the_input_costs_only_what_lies_behind() {
    let before = module(&[custom("authors", "me")]);
    for size in [12, 300, 1 << 30, u32::MAX] {
        for lie in [
            [&b"\x00"[..], &leb128(size), b"\x04note"].concat(), // data of no interest
            [&b"\x00"[..], &leb128(size), b"\x08licensesMI"].concat(), // data that is wanted
            [&b"\x0a"[..], &leb128(size), b"\x01"].concat(),     // code
            [&b"\x00"[..], &leb128(size.max(90)), b"\x50no"].concat(), // a name that breaks off
            [&b"\x7f"[..], &leb128(size)[..]].concat(),          // nothing follows
        ] {
            let bytes = [&before, &*lie].concat();
            let (metadata, error) = partial(&bytes, Limits::default());
            assert!(error.is_truncated() && error.is_malformed() && !error.is_not_wasm(), "{error}");
            assert_eq!(error.offset(), Some(bytes.len() as u64), "{error}");
            assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
            assert_eq!(metadata.root().annotation(Field::Licenses), None);
            assert_eq!(metadata.root().end(), None);
        }
    }
}

#[test]
fn a_child_past_its_parent_inside_the_file() {
    let mut inner = component(&[custom("authors", "inner")]);
    inner.extend(b"\x00\x20\x04note"); // 0x20 bytes, of which the parent has 5
    let behind = custom("vendor", "v".repeat(100));
    let bytes = component(&[custom("authors", "outer"), nested(&inner), behind]);
    let (metadata, error) = partial(&bytes, Limits::default());
    assert!(error.is_malformed() && !error.is_truncated(), "{error}");
    assert_eq!(error.path().to_string(), "0");
    let inner_end = metadata.items()[1].end().unwrap();
    assert_eq!(error.offset(), Some(inner_end - 6), "the size field");
    assert_eq!(text(metadata.root(), Field::Authors), Some("outer"));
    assert_eq!(text(&metadata.items()[1], Field::Authors), Some("inner"));
    assert_eq!(metadata.root().annotation(Field::Vendor), None, "lies behind the break");
}

// Depth, number, size

#[test]
fn a_hundred_thousand_nested_components_meet_the_depth_limit() {
    let bytes = chain(100_000, &component(&[]));
    on_a_small_stack(|| {
        let (metadata, error) = partial(&bytes, Limits::default());
        assert!(error.is_limit() && !error.is_malformed(), "{error}");
        assert_eq!(metadata.items().len(), 1000);
        assert_eq!(error.path().indexes().len(), 999);
        assert_eq!(error.offset(), Some(14 * 1000));
    });
}

#[test]
fn a_hundred_thousand_nested_components_need_no_recursion() {
    let bytes = chain(100_000, &component(&[custom("homepage", "example.com"), custom("authors", "the innermost")]));
    on_a_small_stack(|| {
        let limits = Limits { depth: u32::MAX, items: u32::MAX, ..Limits::default() };
        let metadata = read_slice(&bytes, limits).unwrap().complete().unwrap();
        assert_eq!(read_at(&*bytes, bytes.len() as u64, limits).unwrap().complete().unwrap(), metadata);
        let (reader, result) = mouths::push(&bytes, &[100], Reader::copying(limits), limits);
        result.unwrap();
        assert_eq!(reader.finish().unwrap(), metadata);
        assert_eq!(metadata.items().len(), 100_000);
        let last = metadata.items().last().unwrap();
        assert_eq!(text(last, Field::Authors), Some("the innermost"));
        let path = metadata.path(last);
        assert_eq!(path.indexes().len(), 99_999);
        assert!(std::ptr::eq(metadata.item(&path).unwrap(), last));
        assert_eq!(metadata.findings().iter().next().unwrap().path, path);
        let owned = metadata.clone().into_owned();
        assert_eq!(owned, metadata);
    });
}

/// Counts the calls, and wants nothing.
#[derive(Default)]
struct Deaf {
    entered: u64,
    sections: u64,
    left: u64,
}

impl Visitor<'_> for Deaf {
    fn enter(&mut self, _: &sectile::scan::Entry) {
        self.entered += 1;
    }

    fn section(&mut self, _: &Section<'_>) -> Want {
        self.sections += 1;
        Want::Nothing
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.left += 1;
    }
}

/// A module of so many sections of three bytes each.
fn tiny_sections(number: usize, section: [u8; 3]) -> Vec<u8> {
    [&MODULE[..], &section.repeat(number)].concat()
}

#[test]
fn a_million_tiny_sections_take_one_call_and_three_bytes_each() {
    for number in [500_000, 1_000_000] {
        let bytes = tiny_sections(number, [0, 1, 0]); // custom, with an empty name
        let mut deaf = Deaf::default();
        let ((result, cost), allocated) = measure(|| drive::slice(&bytes, &mut deaf, Limits::default()));
        result.unwrap();
        assert_eq!((deaf.entered, deaf.sections, deaf.left), (1, number as u64, 1));
        assert_eq!(cost.bytes, bytes.len() as u64);
        assert_eq!(allocated.total, 0);
    }
}

#[test]
fn a_million_tiny_sections_are_streamed() {
    let bytes = tiny_sections(1_000_000, [0, 1, 0]);

    let mut deaf = Deaf::default();
    let ((result, cost), allocated) =
        measure(|| drive::read_at(&*bytes, bytes.len() as u64, &mut deaf, Limits::default()));
    result.unwrap();
    assert_eq!(deaf.sections, 1_000_000);
    assert_eq!(cost.bytes, bytes.len() as u64, "every byte is read once");
    assert!(cost.reads <= 16 + cost.bytes / 16_000, "{} reads", cost.reads);
    assert!(allocated.peak <= 64 << 10, "{allocated:?}");

    for size in [5, 1000] {
        let mut push = Push::new(Deaf::default(), Limits::default());
        let (deaf, allocated) = measure(|| {
            for chunk in bytes.chunks(size) {
                push.push(chunk).unwrap();
            }
            let (deaf, result) = push.finish();
            result.unwrap();
            deaf
        });
        assert_eq!(deaf.sections, 1_000_000);
        assert!(allocated.peak <= 64, "chunks of {size}: {allocated:?}");
    }
}

#[test]
fn a_million_sections_that_are_found_fault_with_are_one_finding() {
    let bytes = tiny_sections(1_000_000, [0x7f, 1, 0]);
    let (outcome, allocated) = measure(|| read_slice(&bytes, Limits::default()).unwrap());
    let metadata = outcome.complete().unwrap();
    assert_eq!(found(&metadata), ["unknown-section ×1000000"]);
    assert!(allocated.peak <= 16 << 10, "{allocated:?}");
}

#[test]
fn a_million_items_meet_the_limit_and_are_not_kept() {
    let tiny = nested(&MODULE);
    let bytes = component(&[tiny.repeat(1_000_000)]);
    let (outcome, allocated) = measure(|| read_slice(&bytes, Limits::default()).unwrap());
    assert!(outcome.broken.as_ref().unwrap().is_limit());
    assert_eq!(outcome.value.items().len(), 100_000);
    assert!(allocated.peak <= 256 << 20, "{allocated:?}");
    let (metadata, error) = partial(&bytes[..50_000], Limits { items: 100, ..Limits::default() });
    assert_eq!((metadata.items().len(), error.offset()), (100, Some(8 + 99 * 10 + 2)));
}

/// More than 4 GiB, three times over, with values behind each; and the offsets of those.
fn beyond_4_gib() -> (Sparse, [u64; 3]) {
    let huge = [&b"\0"[..], &leb128(u32::MAX), b"\x04bulk"].concat();
    let gap = u64::from(u32::MAX) - 5;
    let mut source = Sparse::default().bytes(MODULE);
    let mut values = [0; 3];
    for (value, (name, text)) in values.iter_mut().zip([("authors", "me"), ("version", "1"), ("homepage", "nowhere")]) {
        source = source.bytes(&*huge).zeros(gap);
        *value = source.len() + 2 + 1 + name.len() as u64;
        source = source.bytes(custom(name, text));
    }
    (source, values)
}

#[test]
fn a_file_over_4_gib() {
    let (source, offsets) = beyond_4_gib();
    assert!(source.len() > 3 << 32);
    let outcome = read_at(&source, source.len(), Limits::default()).unwrap();
    assert!(outcome.cost.bytes < 8 << 10, "{:?}", outcome.cost);
    let metadata = outcome.complete().unwrap();
    let root = metadata.root();
    assert_eq!(root.range(), Some(0..source.len()));
    for (field, (value, start)) in [Field::Authors, Field::Version, Field::Homepage]
        .into_iter()
        .zip(["me", "1", "nowhere"].into_iter().zip(offsets))
    {
        assert_eq!(text(root, field), Some(value));
        assert_eq!(root.annotation(field).unwrap().range(), start..start + value.len() as u64);
    }
    let finding = metadata.findings().iter().next().unwrap();
    assert_eq!((finding.code, finding.offset), (Code::NotUrl, offsets[2]));
    let bulk = root.shares().find(|share| share.kind == "custom").unwrap();
    assert_eq!((bulk.sections, bulk.bytes), (3, 3 * (u64::from(u32::MAX) + 6)));

    let (pushed, result) = source.pushed(Limits::default());
    result.unwrap();
    assert_eq!(pushed.unwrap(), metadata);
}

#[test]
fn an_error_beyond_4_gib_says_where() {
    let (source, _) = beyond_4_gib();
    let end = source.len();
    let source = source.bytes([0x80, 0]);
    let outcome = read_at(&source, source.len(), Limits::default()).unwrap();
    let (_, pushed) = source.pushed(Limits::default());
    for error in [outcome.broken.unwrap(), pushed.unwrap_err()] {
        assert!(error.is_malformed());
        assert_eq!(error.offset(), Some(end));
    }
    assert_eq!(text(outcome.value.root(), Field::Version), Some("1"));

    // Cut off inside the last of the huge sections.
    let short = end - (1 << 32);
    let outcome = read_at(&source, short, Limits::default()).unwrap();
    let error = outcome.broken.unwrap();
    assert!(error.is_truncated());
    assert_eq!(error.offset(), Some(short));
    assert_eq!(text(outcome.value.root(), Field::Version), Some("1"));
}

#[test]
fn a_nested_item_of_1_gib_and_no_more() {
    let holding = |size: u32| {
        let bulk = [&MODULE[..], b"\0", &padded(size - 8 - 6, 5), b"\x04bulk"].concat();
        let source = Sparse::default().bytes(component(&[])).bytes([&b"\x01"[..], &leb128(size), &bulk].concat());
        source.zeros(u64::from(size) - bulk.len() as u64).bytes(custom("authors", "behind"))
    };
    let source = holding(1 << 30);
    let metadata = read_at(&source, source.len(), Limits::default()).unwrap().complete().unwrap();
    assert_eq!(text(metadata.root(), Field::Authors), Some("behind"));
    assert_eq!(source.pushed(Limits::default()).0.unwrap(), metadata);

    let source = holding((1 << 30) + 1);
    let error = read_at(&source, source.len(), Limits::default()).unwrap().complete().unwrap_err();
    assert_eq!((error.offset(), error.is_malformed()), (Some(9), true));
}

// Memory

#[test]
fn nothing_is_allocated_for_what_is_skipped() {
    let code = section(10, &[1; 100_000]);
    let long_name = custom(&"n".repeat(50_000), [2; 10_000]);
    let bytes = module(&[custom("authors", "me"), code, custom("name", name("x")), long_name]);
    let mut deaf = Deaf::default();
    let ((result, cost), allocated) = measure(|| drive::slice(&bytes, &mut deaf, Limits::default()));
    result.unwrap();
    assert_eq!((deaf.sections, allocated.total), (4, 0));
    assert!(cost.bytes < 51_000);

    // A few levels are no reason either.
    let tree = component(&[nested(&component(&[nested(&bytes), custom("x", "")])), nested(&bytes)]);
    let ((result, _), allocated) = measure(|| drive::slice(&tree, &mut deaf, Limits::default()));
    result.unwrap();
    assert_eq!(allocated.total, 0);

    // The other mouths hold a window, or what spans chunks: no more than the longest name, which they must show.
    for size in [1, 100, 4096, 200_000] {
        let mut push = Push::new(Deaf::default(), Limits::default());
        let ((), allocated) = measure(|| {
            bytes.chunks(size).for_each(|chunk| push.push(chunk).unwrap());
            push.finish().1.unwrap();
        });
        assert!(allocated.peak <= 2 * 50_100, "chunks of {size}: {allocated:?}");
    }
    let ((result, _), allocated) =
        measure(|| drive::read_at(&*bytes, bytes.len() as u64, &mut deaf, Limits::default()));
    result.unwrap();
    assert!(allocated.peak <= 2 * 50_100, "{allocated:?}");
}

#[test]
fn a_large_body_passes_by_unheld() {
    let bytes = module(&[custom("authors", "me"), section(10, &vec![1; 8 << 20]), custom("version", "1")]);
    for size in [1000, 64 << 10, 1 << 30] {
        let mut push = Push::new(Reader::copying(Limits::default()), Limits::default());
        let (metadata, allocated) = measure(|| {
            bytes.chunks(size).for_each(|chunk| push.push(chunk).unwrap());
            push.finish().0.finish().unwrap()
        });
        assert_eq!(text(metadata.root(), Field::Version), Some("1"));
        assert!(allocated.peak <= 4 << 10, "chunks of {size}: {allocated:?}");
    }
}

#[test]
fn a_declared_size_of_4_gib_allocates_nothing() {
    let lie = |declared: u32, payload: &[u8]| [&b"\0"[..], &leb128(declared), payload].concat();
    let huge = leb128(u32::MAX);
    let sections = [
        lie(u32::MAX, b"\x07authorsme"),
        lie(u32::MAX, b"\x04name\x01"),
        lie(u32::MAX, &[&b"\x04name\0"[..], &leb128(u32::MAX - 100), b"\x7f"].concat()),
        lie(u32::MAX, b"\x09producers\x01"),
        lie(u32::MAX, b"\x07.dep-v0\x78\x9c"),
        lie(u32::MAX, b"\x11registry-metadata{"),
        lie(u32::MAX, b"\x10sourceMappingURL\x01"),
        lie(u32::MAX, &[&leb128(u32::MAX - 5)[..], b"long"].concat()), // the name's length
        lie(u32::MAX, &[&leb128(100_000)[..], b"long"].concat()),
        custom("producers", &huge),                                 // the number of fields
        custom("producers", [&b"\x01\x03sdk"[..], &huge].concat()), // of values
        custom("producers", [&b"\x01"[..], &huge].concat()),        // the length of a field's name
        custom("name", [&b"\0"[..], &huge].concat()),               // the size of a subsection
        custom("name", [&b"\0\x05"[..], &huge].concat()),           // the length of the name in it
        custom("build_id", &huge),
        [&b"\x0a"[..], &huge, b"\x01"].concat(),
    ];
    for section in sections {
        let bytes = module(&[section]);
        for limits in [Limits::default(), UNLIMITED] {
            let read = || drop(read_slice(&bytes, limits));
            let read_at = || drop(read_at(&*bytes, bytes.len() as u64, limits));
            let push = || drop(mouths::push(&bytes, &[3], Reader::copying(limits), limits));
            for (mouth, work) in [("slice", &read as &dyn Fn()), ("read_at", &read_at), ("push", &push)] {
                let ((), allocated) = measure(work);
                assert!(allocated.peak <= 8 << 10, "{mouth} of {bytes:x?}: {allocated:?}");
            }
        }
    }
}

#[test]
fn a_nested_size_that_lies_allocates_nothing() {
    let bytes =
        [&component(&[])[..], b"\x01", &leb128(1 << 30), &MODULE, b"\x00\xff\xff\xff\xff\x03\x07authors"].concat();
    for limits in [Limits::default(), UNLIMITED] {
        let (outcome, allocated) = measure(|| read_at(&*bytes, bytes.len() as u64, limits).unwrap());
        assert!(outcome.broken.is_some());
        assert!(allocated.peak <= 8 << 10, "{allocated:?}");
    }
}

// Texts

/// Texts that move the cursor, overwrite, recolour, reorder, hide or end.
const DECEPTIVE: [&str; 10] = [
    "\x1b[2J",
    "good\rbad",
    "\u{9b}31m",
    "\u{202e}gnp.exe",
    "\u{2066}isolated\u{2069}",
    "\u{61c}mark",
    "nul\0",
    "\x08\x7f",
    "\u{85}",
    "a\u{200f}b",
];

/// As in hostile.md, written down once more: C0, DEL and C1, and what Unicode calls `Bidi_Control`.
fn is_control_or_bidi(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
fn assert_escaped(bytes: &[u8]) {
    let shown = Escaped::bytes(bytes).to_string();
    assert!(!shown.contains(is_control_or_bidi), "{shown:?}");
}

/// Asserts that the input has a finding of control characters, and that nothing of any finding reaches a terminal.
#[track_caller]
fn assert_control_characters(metadata: &Metadata<'_>) {
    assert!(codes(metadata).contains(&Code::ControlCharacters), "{:?}", metadata.findings());
    for finding in metadata.findings() {
        assert_escaped(finding.message.as_bytes());
        assert_escaped(finding.section.as_deref().unwrap_or_default().as_bytes());
    }
}

#[test]
fn control_characters_in_annotations() {
    for field in Field::ALL {
        for deceptive in DECEPTIVE {
            let bytes = module(&[custom(field.section(), deceptive)]);
            let metadata = mouths::metadata(&bytes);
            assert_control_characters(&metadata);
            assert_eq!(text(metadata.root(), field), Some(deceptive));
            assert_escaped(metadata.root().annotation(field).unwrap().as_bytes());
        }
        let bytes = module(&[custom(field.section(), "two\nlines")]);
        let is_text = field.expects() == sectile::metadata::Expects::Text;
        assert_eq!(codes(&mouths::metadata(&bytes)).contains(&Code::ControlCharacters), !is_text, "{field}");
    }
}

#[test]
fn control_characters_in_names() {
    for deceptive in DECEPTIVE.into_iter().chain(["two\nlines"]) {
        for (bytes, item) in [
            (module(&[custom("name", name(deceptive))]), 0),
            (component(&[custom("component-name", name(deceptive))]), 0),
            (component(&[nested(&module(&[custom("name", name(deceptive))]))]), 1),
        ] {
            let metadata = mouths::metadata(&bytes);
            assert_control_characters(&metadata);
            assert_eq!(found::name(&metadata.items()[item]), Some(deceptive));
        }
    }
}

#[test]
fn control_characters_in_names_of_custom_sections() {
    for deceptive in DECEPTIVE.into_iter().chain(["two\nlines"]) {
        assert_control_characters(&mouths::metadata(&module(&[custom(deceptive, "")])));
    }
}

/// What follows the prefix of a known name is as free as any other name.
#[test]
fn control_characters_behind_the_prefix_of_a_known_name() {
    for prefix in [".debug_", "reloc.", "metadata.code.", "component-type:", "icp:public ", "icp:private "] {
        let bytes = module(&[custom(&format!("{prefix}\x1b[2J"), "")]);
        assert_control_characters(&mouths::metadata(&bytes));
    }
}

#[test]
fn control_characters_in_producers() {
    for deceptive in DECEPTIVE.into_iter().chain(["two\nlines"]) {
        for fields in [
            [("sdk", &[(deceptive, "1")][..])],
            [("sdk", &[("kit", deceptive)])],
            [(deceptive, &[("kit", "1")])], // the field itself
            [(deceptive, &[])],
        ] {
            let bytes = module(&[custom("producers", producers(&fields))]);
            let metadata = mouths::metadata(&bytes);
            assert_eq!(found::producers(metadata.root()), fields.map(|(field, values)| (field, values.to_vec())));
            assert_control_characters(&metadata);
        }
    }
}

#[test]
fn control_characters_in_links_to_debugging_data() {
    for section in ["sourceMappingURL", "external_debug_info"] {
        for deceptive in DECEPTIVE {
            let bytes = module(&[custom(section, prefixed(deceptive))]);
            let metadata = mouths::metadata(&bytes);
            assert_control_characters(&metadata);
            assert_eq!(metadata.root().debug_links().next().unwrap().1.as_str(), Some(deceptive));
        }
    }
}

#[test]
fn control_characters_in_registry_metadata() {
    // JSON itself refuses what lies below U+0020.
    for deceptive in DECEPTIVE.into_iter().filter(|text| !text.contains(|character| character < ' ')) {
        let json = format!(r#"{{"description":"{deceptive}"}}"#);
        let bytes = component(&[custom("registry-metadata", &json)]);
        let metadata = mouths::metadata(&bytes);
        assert_eq!(metadata.root().registry_metadata().unwrap().as_str(), Some(&*json));
        assert_control_characters(&metadata);
    }
}

#[cfg(feature = "dependencies")]
#[test]
fn control_characters_in_dependencies() {
    for package in [
        r#"{"name":"\u001b[2J","version":"1.0.0","source":"git"}"#,
        "{\"name\":\"a\",\"version\":\"1.0.0\",\"source\":\"\u{202e}\"}",
    ] {
        let bytes = module(&[custom(".dep-v0", zlib(format!(r#"{{"packages":[{package}]}}"#)))]);
        let metadata = mouths::metadata(&bytes);
        assert_eq!(metadata.root().dependencies().unwrap().packages.len(), 1, "{:?}", metadata.findings());
        assert_control_characters(&metadata);
    }
}

#[test]
fn a_value_that_is_not_utf8_is_kept_as_bytes() {
    const LATIN_1: &[u8] = b"caf\xe9";
    for field in Field::ALL {
        let bytes = module(&[custom(field.section(), LATIN_1), custom("x", "")]);
        let metadata = mouths::metadata(&bytes);
        let value = metadata.root().annotation(field).unwrap();
        assert_eq!((value.as_bytes(), value.as_str()), (LATIN_1, None));
        assert_eq!(found(&metadata), [format!("not-utf8 {field}")]);
        assert_eq!(metadata.findings().iter().next().unwrap().offset, value.range().start + 3);
    }
    for (bytes, section) in [
        (module(&[custom("name", section(0, &prefixed(LATIN_1)))]), "name"),
        (component(&[custom("component-name", section(0, &prefixed(LATIN_1)))]), "component-name"),
    ] {
        let metadata = mouths::metadata(&bytes);
        let value = metadata.root().name().unwrap();
        assert_eq!((value.as_bytes(), value.as_str()), (LATIN_1, None));
        assert_eq!(found(&metadata), [format!("not-utf8 {section}")]);
    }
    for section in ["sourceMappingURL", "external_debug_info"] {
        let bytes = module(&[custom(section, prefixed(LATIN_1))]);
        let metadata = mouths::metadata(&bytes);
        let (_, value) = metadata.root().debug_links().next().unwrap();
        assert_eq!((value.as_bytes(), value.as_str()), (LATIN_1, None));
        assert_eq!(found(&metadata), [format!("not-utf8 {section}")]);
    }
    let bytes = module(&[custom("registry-metadata", LATIN_1)]);
    let metadata = mouths::metadata(&bytes);
    assert_eq!(metadata.root().registry_metadata().unwrap().as_bytes(), LATIN_1);
    assert_eq!(codes(&metadata), [Code::RetiredSection, Code::NotUtf8]);
}

#[test]
fn producers_that_are_not_utf8_cost_only_what_follows() {
    let mut data = producers(&[("language", &[("C", "17")]), ("sdk", &[("kit", "1"), ("caf_", "2")])]);
    let place = data.iter().position(|&byte| byte == b'_').unwrap();
    data[place] = 0xe9;
    let bytes = module(&[custom("producers", data), custom("authors", "me")]);
    let metadata = mouths::metadata(&bytes);
    assert_eq!(found::producers(metadata.root()), [("language", vec![("C", "17")]), ("sdk", vec![("kit", "1")])]);
    assert_eq!(found(&metadata), ["malformed-producers producers"]);
    assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
}

// Several, and posing

#[test]
fn of_duplicates_the_last_counts_and_a_finding_says_so() {
    for field in Field::ALL {
        let good = match field.expects() {
            sectile::metadata::Expects::DateTime => ["2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"],
            sectile::metadata::Expects::License => ["MIT", "Apache-2.0"],
            _ => ["https://example.com/a", "https://example.com/b"],
        };
        let section = field.section();
        let bytes = module(&[custom(section, good[0]), custom(section, good[1])]);
        let metadata = mouths::metadata(&bytes);
        assert_eq!(text(metadata.root(), field), Some(good[1]));
        assert_eq!(found(&metadata), [format!("duplicate-section {section}")]);
    }
}

#[test]
fn an_empty_duplicate_counts_too() {
    let bytes = module(&[custom("authors", "me"), custom("authors", "")]);
    let metadata = mouths::metadata(&bytes);
    assert_eq!(text(metadata.root(), Field::Authors), Some(""));
    assert_eq!(found(&metadata), ["duplicate-section authors", "empty-value authors"]);
}

#[test]
fn a_million_duplicates_are_one_finding() {
    let duplicates = custom("authors", "a").repeat(999_999);
    let bytes = module(&[duplicates, custom("authors", "the last")]);
    let (outcome, allocated) = measure(|| read_slice(&bytes, Limits::default()).unwrap());
    let metadata = outcome.complete().unwrap();
    assert_eq!(text(metadata.root(), Field::Authors), Some("the last"));
    assert_eq!(found(&metadata), ["duplicate-section authors ×999999"]);
    assert!(allocated.peak <= 16 << 10, "{allocated:?}");

    let bytes = module(&[custom("authors", "a").repeat(2000)]);
    assert_eq!(found(&mouths::metadata(&bytes)), ["duplicate-section authors ×1999"]);
}

#[test]
fn a_million_duplicates_of_changing_names_are_a_few_findings() {
    let pair = [custom("authors", "a"), custom("vendor", "b")].concat();
    let bytes = module(&[pair.repeat(100_000)]);
    let metadata = read_slice(&bytes, Limits::default()).unwrap().complete().unwrap();
    assert!(metadata.findings().iter().count() <= 65);
    assert_eq!(metadata.findings().iter().map(|finding| finding.count).sum::<u64>(), 199_998);
}

#[test]
fn what_a_nested_item_says_is_never_the_roots() {
    let posing = Field::ALL.map(|field| custom(field.section(), "posing")).concat();
    let posing = [
        posing,
        custom("name", name("posing")),
        custom("component-name", name("posing")),
        custom("producers", producers(&[("sdk", &[("posing", "1")])])),
        custom("registry-metadata", "{}"),
        custom("build_id", prefixed("posing")),
        custom(".dep-v0", ""),
    ]
    .concat();
    let posing = [posing];
    for inner in [module(&posing), component(&posing)] {
        for bytes in [
            component(&[nested(&inner)]),
            component(&[custom("x", ""), nested(&inner), custom("x", "")]),
            component(&[nested(&component(&[nested(&inner)]))]),
        ] {
            let (metadata, result) = mouths::read(&bytes, Limits::default());
            result.unwrap();
            let metadata = metadata.unwrap();
            let (poser, others) = metadata.items().split_last().unwrap();
            for item in others {
                assert_eq!((item.annotations().count(), item.name(), item.debug_links().count()), (0, None, 0));
                assert!(item.producers().is_empty() && item.producers().ranges().next().is_none());
                assert_eq!((item.dependencies(), item.registry_metadata()), (None, None));
            }
            assert_eq!(poser.annotations().count(), Field::ALL.len());
            assert_eq!(found::name(poser), Some("posing"));
            let path = metadata.path(poser);
            assert!(metadata.findings().iter().all(|finding| finding.path == path));
        }
    }
}

#[test]
fn the_same_section_in_several_items_is_no_duplicate() {
    let inner = |author| nested(&module(&[custom("authors", author), custom("name", name(author))]));
    let outer = [custom("authors", "root"), inner("first"), inner("second"), custom("component-name", name("root"))];
    let bytes = component(&outer);
    let metadata = mouths::metadata(&bytes);
    assert!(metadata.findings().is_empty(), "{:?}", metadata.findings());
    for (item, author) in metadata.items().iter().zip(["root", "first", "second"]) {
        assert_eq!((text(item, Field::Authors), found::name(item)), (Some(author), Some(author)));
    }
}

/// No path is made up for it, but nothing ends, either.
#[test]
fn the_path_of_an_item_of_another_tree() {
    let bytes = component(&[nested(&component(&[nested(&component(&[nested(&module(&[]))]))]))]);
    let deep = read_slice(&bytes, Limits::default()).unwrap().value;
    let other = module(&[]);
    let flat = read_slice(&other, Limits::default()).unwrap().value;
    let paths = deep.items().iter().map(|item| (deep.path(item), flat.path(item)));
    for (depth, (own, others)) in paths.enumerate() {
        assert_eq!(own.indexes().len(), depth);
        assert!(others.indexes().len() <= depth);
    }
}

// `.dep-v0`

#[cfg(feature = "dependencies")]
#[test]
fn dependencies_that_inflate_a_thousandfold_stop_at_the_limit() {
    let bomb = zlib(vec![b' '; 16 << 20]);
    assert!(bomb.len() < 200 << 10);
    let bytes = module(&[custom(".dep-v0", &bomb), custom("authors", "me")]);
    let (outcome, allocated) = measure(|| read_slice(&bytes, Limits::default()).unwrap());
    let metadata = outcome.complete().unwrap();
    let dependencies = metadata.root().dependencies().unwrap();
    assert!(dependencies.packages.is_empty());
    assert_eq!(dependencies.raw.as_bytes(), bomb);
    assert_eq!(found(&metadata), ["too-large .dep-v0"]);
    assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
    assert!(allocated.peak <= 24 << 20, "{allocated:?}");

    // A smaller limit, through every mouth.
    let limits = Limits { inflated: 100_000, ..Limits::default() };
    let (metadata, result) = mouths::read(&bytes, limits);
    result.unwrap();
    assert_eq!(found(&metadata.unwrap()), ["too-large .dep-v0"]);
}

/// Whether it is kept or not: eight kilobytes take as long as the eight megabytes that they become.
#[cfg(feature = "dependencies")]
#[test]
fn many_dependencies_are_inflated_within_a_limit_in_all() {
    let nothing = custom(".dep-v0", zlib(vec![b' '; 1 << 20]));
    let app = custom(".dep-v0", zlib(r#"{"packages":[{"name":"a","version":"1.0.0","source":"git"}]}"#));
    let limits = Limits { kept: 4 << 20, ..Limits::default() };
    let wrong = |metadata: &Metadata<'_>, code| -> u64 {
        metadata.findings().iter().filter(|finding| finding.code == code).map(|finding| finding.count).sum()
    };
    // In one item, where the last counts, and in many.
    let in_one = module(&[vec![nothing.clone(); 20], vec![app.clone()]].concat());
    let in_many =
        component(&[vec![nested(&module(&[nothing])); 20], vec![nested(&module(std::slice::from_ref(&app)))]].concat());
    for bytes in [in_one, in_many] {
        let (metadata, result) = mouths::read(&bytes, limits);
        result.unwrap();
        let metadata = metadata.unwrap();
        let last = metadata.items().last().unwrap().dependencies().unwrap();
        // Four are as much as may be kept, and the fifth is more.
        assert_eq!((wrong(&metadata, Code::MalformedDependencies), wrong(&metadata, Code::TooLarge)), (5, 16));
        assert!(last.packages.is_empty() && app.ends_with(last.raw.as_bytes()));
        let whole = read_slice(&bytes, Limits { kept: 20 << 20, ..limits }).unwrap().complete().unwrap();
        assert_eq!((wrong(&whole, Code::MalformedDependencies), wrong(&whole, Code::TooLarge)), (20, 0));
        assert_eq!(whole.items().last().unwrap().dependencies().unwrap().packages.len(), 1);
    }
}

/// Twelve kilobytes hold a key a million times.
#[cfg(feature = "dependencies")]
#[test]
fn keys_that_stand_a_million_times_are_not_all_remembered() {
    let json = format!(r#"{{{}"packages":[]}}"#, r#""a":0,"#.repeat(1_000_000));
    let bytes = module(&[custom(".dep-v0", zlib(json))]);
    let (outcome, allocated) = measure(|| read_slice(&bytes, Limits::default()).unwrap());
    let metadata = outcome.complete().unwrap();
    assert_eq!(found(&metadata), ["duplicate-json-key .dep-v0 ×999999"]);
    assert!(allocated.peak <= 24 << 20, "{allocated:?}");
}

/// What is kept is limited in all, and packages are kept: a few kilobytes each, that become megabytes each.
#[cfg(feature = "dependencies")]
#[test]
fn many_dependencies_that_inflate_are_kept_within_the_limit() {
    let packages = vec![r#"{"name":"a","version":"1.0.0","source":"git"}"#; 4000].join(",");
    let section = custom(".dep-v0", zlib(format!(r#"{{"packages":[{packages}]}}"#)));
    assert!(section.len() < 2000);
    let bytes = component(&vec![nested(&module(&[section])); 40]);
    let limits = Limits { kept: 1 << 20, ..Limits::default() };
    let (outcome, allocated) = measure(|| read_slice(&bytes, limits).unwrap());
    let metadata = outcome.complete().unwrap();
    let kept = metadata.items().iter().filter_map(|item| item.dependencies()).map(|found| found.packages.len());
    assert!(kept.sum::<usize>() * size_of::<sectile::metadata::Package>() <= 1 << 20);
    assert!(codes(&metadata).contains(&Code::TooLarge));
    assert!(allocated.peak <= 8 << 20, "{allocated:?}");
}

#[cfg(feature = "dependencies")]
#[test]
fn behind_the_dependencies_garbage_and_a_second_stream_are_findings() {
    let json = r#"{"packages":[{"name":"a","version":"1.0.0","source":"git"}]}"#;
    for behind in [b"\0".to_vec(), b"garbage".to_vec(), zlib(json), zlib("")] {
        let bytes = module(&[custom(".dep-v0", [zlib(json), behind].concat())]);
        let metadata = mouths::metadata(&bytes);
        assert_eq!(metadata.root().dependencies().unwrap().packages.len(), 1);
        assert_eq!(found(&metadata), ["malformed-dependencies .dep-v0"]);
    }
}

#[cfg(feature = "dependencies")]
#[test]
fn dependencies_are_found_in_nested_items() {
    let audited = |name| nested(&module(&[dependencies(name)]));
    let bytes = component(&[
        nested(&module(&[])), // at whose end cargo-auditable's own reader stops
        audited("first"),
        nested(&component(&[nested(&module(&[])), audited("second")])),
        dependencies("root"),
    ]);
    let metadata = mouths::metadata(&bytes);
    assert!(metadata.findings().is_empty());
    let packages: Vec<(String, &str)> = metadata
        .items()
        .iter()
        .filter_map(|item| Some((metadata.path(item).to_string(), &*item.dependencies()?.packages[0].name)))
        .collect();
    assert_eq!(packages, [(String::new(), "root"), ("1".into(), "first"), ("2/1".into(), "second")]);
}

#[cfg(feature = "dependencies")]
#[test]
fn dependencies_nested_100_000_deep_do_not_overflow_the_stack() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + "1" + &close.repeat(100_000);
    for nested in [deep("[", "]"), deep(r#"{"a":"#, "}")] {
        // It is refused wherever it stands, but for keys of a package that nobody knows: those are passed over.
        for (json, refused) in [
            (nested.clone(), true),
            (format!(r#"{{"packages":{nested}}}"#), true),
            (format!(r#"{{"packages":[{{"name":{nested}}}]}}"#), true),
            (format!(r#"{{"packages":[],"new":{nested}}}"#), true),
            (format!(r#"{{"packages":[{{"name":"a","version":"1.0.0","source":"git","new":{nested}}}]}}"#), false),
        ] {
            let bytes = module(&[custom(".dep-v0", zlib(&json))]);
            on_a_small_stack(|| {
                let metadata = read_slice(&bytes, Limits::default()).unwrap().complete().unwrap();
                let expected = if refused { vec![Code::MalformedDependencies] } else { vec![] };
                assert_eq!(codes(&metadata), expected, "{}", &json[..json.len().min(80)]);
            });
        }
    }
}

#[cfg(feature = "dependencies")]
#[test]
fn duplicate_keys_in_dependencies_are_found() {
    let package = r#"{"name":"a","version":"1.0.0","source":"git"}"#;
    let twice = r#"{"name":"a","version":"1.0.0","source":"git","source":"local"}"#;
    for json in [
        format!(r#"{{"packages":[{package}],"packages":[]}}"#),
        format!(r#"{{"packages":[{twice}]}}"#),
        format!(r#"{{"packages":[{package}],"format":1,"format":2}}"#),
    ] {
        let bytes = module(&[custom(".dep-v0", zlib(&json))]);
        assert!(!mouths::metadata(&bytes).findings().is_empty(), "{json}");
    }
}

// `registry-metadata`

#[cfg(feature = "json")]
#[test]
fn registry_metadata_nested_100_000_deep_is_refused() {
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let bytes = component(&[custom("registry-metadata", &deep), custom("authors", "me")]);
    on_a_small_stack(|| {
        let metadata = mouths::metadata(&bytes);
        assert_eq!(codes(&metadata), [Code::RetiredSection, Code::MalformedRegistryMetadata]);
        assert_eq!(metadata.root().registry_metadata().unwrap().as_str(), Some(&*deep));
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
    });
}

#[cfg(feature = "json")]
#[test]
fn duplicate_keys_in_registry_metadata_are_found() {
    for json in [r#"{"a":1,"a":2}"#, r#"{"a":{"b":1,"\u0062":2}}"#, r#"{"a":[{"b":1,"b":1}]}"#] {
        let bytes = component(&[custom("registry-metadata", json)]);
        let metadata = mouths::metadata(&bytes);
        assert_eq!(codes(&metadata), [Code::RetiredSection, Code::DuplicateJsonKey], "{json}");
    }
    let many = format!("{{{}}}", vec![r#""a":1"#; 100_000].join(","));
    let bytes = component(&[custom("registry-metadata", many)]);
    let (outcome, allocated) = measure(|| read_slice(&bytes, Limits::default()).unwrap());
    let found = found(&outcome.complete().unwrap());
    assert_eq!(found, ["retired-section registry-metadata", "duplicate-json-key registry-metadata ×99999"]);
    assert!(allocated.peak <= 32 << 20, "{allocated:?}");
}

// Long values

#[test]
fn a_licence_or_url_of_half_a_megabyte_is_kept_and_not_parsed() {
    let licence = "MIT OR ".repeat(75_000) + "MIT";
    let parens = "(".repeat(250_000) + "MIT" + &")".repeat(250_000);
    let url = format!("https://example.com/{}", "a".repeat(500_000));
    for (field, value) in [(Field::Licenses, licence), (Field::Licenses, parens), (Field::Homepage, url)] {
        let bytes = module(&[custom(field.section(), &value), custom("authors", "me")]);
        let (outcome, allocated) = measure(|| read_slice(&bytes, Limits::default()).unwrap());
        let metadata = outcome.complete().unwrap();
        assert_eq!(found(&metadata), [format!("too-large {field}")]);
        assert_eq!(text(metadata.root(), field), Some(&*value));
        assert_eq!(text(metadata.root(), Field::Authors), Some("me"));
        assert!(allocated.total <= 4 << 10, "{allocated:?}");
        assert_eq!(mouths::metadata(&bytes), metadata);
    }
}

#[test]
fn a_value_of_megabytes_is_not_kept() {
    for field in Field::ALL {
        let bytes = module(&[custom(field.section(), "a".repeat(3 << 20)), custom("name", name("x"))]);
        for size in [4096, 1 << 30] {
            let mut push = Push::new(Reader::copying(Limits::default()), Limits::default());
            let (metadata, allocated) = measure(|| {
                bytes.chunks(size).for_each(|chunk| push.push(chunk).unwrap());
                push.finish().0.finish().unwrap()
            });
            assert_eq!(found(&metadata), [format!("too-large {field}")]);
            assert_eq!(metadata.root().annotation(field), None);
            assert_eq!(found::name(metadata.root()), Some("x"));
            assert!(allocated.peak <= 4 << 10, "{allocated:?}");
        }
    }
}

#[test]
fn a_long_url_with_control_characters_has_both_findings() {
    let url = format!("https://example.com/{}\x1b[2J", "a".repeat(500_000));
    let bytes = module(&[custom("source", &url)]);
    let metadata = mouths::metadata(&bytes);
    assert_eq!(found(&metadata), ["control-characters source", "too-large source"]);
    assert_control_characters(&metadata);
}

#[test]
fn a_url_with_user_info_is_found() {
    for url in ["https://user@example.com/", "https://user:secret@example.com/", "https://:@example.com"] {
        for field in [Field::Homepage, Field::Documentation, Field::Source] {
            let bytes = module(&[custom(field.section(), url)]);
            let metadata = mouths::metadata(&bytes);
            assert_eq!(found(&metadata), [format!("url-credentials {field}")], "{url}");
            assert_eq!(text(metadata.root(), field), Some(url));
            let message = &metadata.findings().iter().next().unwrap().message;
            assert!(!message.contains("secret"), "{message}");
        }
    }
}

/// What a finding says of the input is the beginning of it, if it is long: findings are kept, beside the limit of values.
#[test]
fn a_message_does_not_quote_at_length() {
    let long = "x".repeat(500_000);
    let mut inputs = vec![
        ("an unknown field", custom("producers", producers(&[(&long, &[("a", "1")])]))),
        ("a field twice", custom("producers", producers(&[(&long[..250_000], &[]), (&long[..250_000], &[])]))),
        ("a name twice", custom("producers", producers(&[("sdk", &[(&long[..250_000], ""), (&long[..250_000], "")])]))),
        ("controls", custom("producers", producers(&[(&long, &[("\x1b", "1")])]))),
        ("a bad licence", custom("licenses", &long[..8000])),
        ("deprecated licences", custom("licenses", "GPL-2.0 AND GPL-3.0 AND ".repeat(300) + "MIT")),
        ("a bad URL", custom("homepage", &long[..8000])),
        ("a bad date", custom("created", &long[..8000])),
        ("JSON that is a string", custom("registry-metadata", format!("\"{long}\""))),
        ("a key twice", custom("registry-metadata", format!(r#"{{"{0}":1,"{0}":1}}"#, &long[..250_000]))),
    ];
    let depv0 = |json: String| custom(".dep-v0", miniz_oxide::deflate::compress_to_vec_zlib(json.as_bytes(), 1));
    inputs.extend([
        ("dependencies that are a string", depv0(format!("\"{long}\""))),
        ("packages that are a string", depv0(format!(r#"{{"packages":"{long}"}}"#))),
        ("an unknown kind", depv0(format!(r#"{{"packages":[{{"kind":"{long}"}}]}}"#))),
        ("a bad version", depv0(format!(r#"{{"packages":[{{"version":"{long}"}}]}}"#))),
    ]);
    let mut failed = Vec::new();
    for (what, section) in inputs {
        let bytes = module(&[section]);
        let metadata = read_slice(&bytes, Limits::default()).unwrap().complete().unwrap();
        let longest = metadata.findings().iter().map(|finding| finding.message.len()).max().unwrap_or(0);
        if longest > 1000 {
            failed.push((what, longest));
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// Many values, each with a flaw, beside one long text: the work must not be the product of the two. (It would take
/// minutes, where it takes milliseconds.)
#[test]
fn many_flaws_beside_a_long_text_take_linear_work() {
    let many = vec![("", ""); 250_000];
    for long in ["x".repeat(400_000), "\u{202e}".repeat(130_000)] {
        let bytes = module(&[custom("producers", producers(&[(&long, &many)]))]);
        let (outcome, allocated) = measure(|| read_slice(&bytes, Limits::default()).unwrap());
        let codes = codes(&outcome.complete().unwrap());
        assert!(codes.starts_with(&[Code::UnknownProducersField]) && codes.contains(&Code::DuplicateProducer));
        assert!(allocated.total <= 2048 * many.len() as u64, "{allocated:?} for {} bytes", bytes.len());
    }
}

// Surroundings that fail

/// A tree of metadata, with bodies between that nobody reads.
fn sample() -> Vec<u8> {
    let inner = module(&[
        custom("name", name("inner")),
        section(10, &[1; 5000]),
        custom("authors", "inner"),
        custom("producers", producers(&[("language", &[("C", "17")])])),
    ]);
    component(&[
        custom("authors", "outer"),
        nested(&inner),
        section(2, &[7; 3000]),
        custom("component-name", name("outer")),
        custom("licenses", "MIT"),
        nested(&module(&[custom("homepage", "nowhere"), section(11, &[2; 700])])),
        custom("version", "1.0.0"),
    ])
}

/// What was read when so much of the input had arrived.
fn arrived(bytes: &[u8]) -> Option<Metadata<'static>> {
    let mut push = Push::new(Reader::copying(Limits::default()), Limits::default());
    push.push(bytes).unwrap();
    push.into_visitor().finish()
}

#[test]
fn short_reads_and_interruptions_change_nothing() {
    let bytes = sample();
    let expected = read_at(&*bytes, bytes.len() as u64, Limits::default()).unwrap();
    let source = Dribble { bytes: &bytes, interrupted: Cell::new(false) };
    let dribbled = read_at(&source, bytes.len() as u64, Limits::default()).unwrap();
    assert!(dribbled.is_complete());
    assert_eq!(dribbled.value, expected.value);
    assert_eq!(dribbled.cost.bytes, expected.cost.bytes);
    assert_eq!(dribbled.cost.reads, dribbled.cost.bytes, "each of one byte");
}

#[test]
fn each_read_in_turn_fails() {
    let apart = section(2, &[7; 30_000]);
    let bytes = component(&[nested(&sample()), apart.clone(), custom("vendor", "v"), apart, custom("revision", "r")]);
    let len = bytes.len() as u64;
    let whole = read_at(&*bytes, len, Limits::default()).unwrap();
    assert!(whole.cost.reads >= 4, "{:?}", whole.cost);
    for reads in 0..whole.cost.reads {
        let source = Failing::after(reads, &bytes);
        let result = read_at(&source, len, Limits::default());
        let failed = source.failed.get();
        assert!(failed.is_some());
        let error = if reads == 0 {
            result.unwrap_err()
        } else {
            let outcome = result.unwrap();
            assert_eq!(Some(outcome.value), arrived(&bytes[..failed.unwrap() as usize]), "after {reads} reads");
            assert_eq!(outcome.cost.reads, reads);
            outcome.broken.unwrap()
        };
        assert!(error.is_io() && !error.is_malformed() && !error.is_truncated() && !error.is_limit());
        assert_eq!(error.offset(), failed);
        assert!(error.to_string().contains(&format!("{:#x}", failed.unwrap())), "{error}");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "EIO");
    }
    assert!(read_at(&Failing::after(whole.cost.reads, &bytes), len, Limits::default()).unwrap().is_complete());
}

/// What was read before the bad byte is not lost for having been asked for together with it.
#[test]
fn each_byte_in_turn_cannot_be_read() {
    let bytes = sample();
    let len = bytes.len() as u64;
    let whole = read_slice(&bytes, Limits::default()).unwrap().complete().unwrap();
    for at in 0..len {
        match read_at(&Damaged { bytes: &bytes, at }, len, Limits::default()) {
            Err(error) => assert!(at < 8 && error.is_io() && error.offset() == Some(at), "{error}"),
            Ok(outcome) => match outcome.broken {
                None => assert_eq!(outcome.value, whole, "{at}"),
                Some(error) => {
                    assert!(error.is_io());
                    assert_eq!(error.offset(), Some(at));
                    assert_eq!(Some(outcome.value), arrived(&bytes[..at as usize]), "{at}");
                }
            },
        }
    }
}

#[test]
fn a_file_that_shrank_says_so_and_keeps_what_came_before() {
    let bytes = sample();
    let len = bytes.len() as u64;
    for cut in 0..bytes.len() {
        let result = read_at(&bytes[..cut], len, Limits::default());
        let error = match result {
            Err(error) => error,
            Ok(outcome) => match outcome.broken {
                None => continue, // nothing that is missing was looked at
                Some(error) => {
                    assert_eq!(Some(outcome.value), arrived(&bytes[..cut]), "cut at {cut}");
                    error
                }
            },
        };
        assert!(error.is_io() && !error.is_malformed() && !error.is_not_wasm(), "{error}");
        // The first read that gives nothing may begin anywhere behind the cut.
        assert!(error.offset().unwrap() >= cut as u64, "{error}");
        assert!(error.to_string().contains("shrank"), "{error}");
    }
}

#[test]
fn a_file_that_grew_is_read_as_long_as_it_was() {
    let bytes = sample();
    let longer = [&*bytes, &custom("vendor", "late")].concat();
    let outcome = read_at(&*longer, bytes.len() as u64, Limits::default()).unwrap();
    assert_eq!(outcome.complete().unwrap(), read_slice(&bytes, Limits::default()).unwrap().value);
}

#[test]
fn a_read_of_nothing_is_the_end_and_no_endless_loop() {
    struct Empty;
    impl drive::ReadAt for Empty {
        fn read_at(&self, _: &mut [u8], _: u64) -> std::io::Result<usize> {
            Ok(0)
        }
    }
    let error = read_at(&Empty, 1000, Limits::default()).unwrap_err();
    assert!(error.is_io() && error.to_string().contains("shrank"), "{error}");
    let error = read_at(&Empty, 0, Limits::default()).unwrap_err();
    assert!(error.is_not_wasm(), "{error}");
}

#[test]
fn a_read_that_says_more_than_it_can_have_read_is_an_error() {
    struct Boasting<'a>(&'a [u8]);
    impl drive::ReadAt for Boasting<'_> {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
            self.0.read_at(buffer, offset)?;
            Ok(buffer.len() + 1)
        }
    }
    let bytes = module(&[custom("authors", "me")]);
    let len = bytes.len() as u64;
    let error = read_at(&Boasting(&bytes), len, Limits::default()).unwrap_err();
    assert!(error.is_io() && error.to_string().contains("more than it was asked for"), "{error}");
    #[cfg(feature = "digest")]
    {
        let error = sectile::digest::read_at(&Boasting(&bytes), len, Limits::default()).unwrap_err();
        assert!(error.is_io() && error.to_string().contains("more than it was asked for"), "{error}");
    }
}

#[test]
fn a_length_without_end_does_not_overflow() {
    for len in [u64::MAX, i64::MAX as u64, i64::MAX as u64 + 1] {
        let bytes = module(&[custom("authors", "me")]);
        let outcome = read_at(&*bytes, len, Limits::default());
        let error = outcome.map_or_else(|error| error, |outcome| outcome.broken.unwrap());
        assert!(error.is_io(), "{error}");
    }
}
