//! Skipped data and declared sizes take no memory.

use sectile::drive::{self, PushDriver};
use sectile::metadata::{Field, StreamReader};
use sectile::{Limits, read_at_with, read_slice_with};

use sectile_testing::all_drivers::{self, EventCounter};
use sectile_testing::binary::{MODULE, component, custom, leb128, module, name, nested, section};
use sectile_testing::found::text;
use sectile_testing::memory::measure;

/// Limits at their maximum.
const UNLIMITED: Limits = Limits {
    max_depth: u32::MAX,
    max_items: u32::MAX,
    max_sections: u64::MAX,
    max_name_len: u32::MAX,
    max_section_data: u32::MAX,
    max_retained_bytes: u64::MAX,
    max_interface_section: u32::MAX,
    max_inflated: u32::MAX,
    max_findings_per_code: u32::MAX,
};

#[test]
fn skipped_sections_do_not_allocate() {
    let code = section(10, &[1; 100_000]);
    let long_name = custom(&"n".repeat(50_000), [2; 10_000]);
    let bytes = module(&[custom("authors", "me"), code, custom("name", name("x")), long_name]);
    let mut counter = EventCounter::default();
    let (outcome, allocated) = measure(|| drive::scan_slice(&bytes, &mut counter, Limits::default()));
    let cost = outcome.cost();
    outcome.complete().unwrap();
    assert_eq!((counter.sections, allocated.total), (4, 0));
    assert!(cost.bytes < 51_000);

    // Nor do a few levels of nesting.
    let tree = component(&[nested(&component(&[nested(&bytes), custom("x", "")])), nested(&bytes)]);
    let (outcome, allocated) = measure(|| drive::scan_slice(&tree, &mut counter, Limits::default()));
    outcome.complete().unwrap();
    assert_eq!(allocated.total, 0);

    // The other drivers buffer a window, or data that spans chunks: at most the longest name.
    for size in [1, 100, 4096, 200_000] {
        let mut push = PushDriver::with_limits(EventCounter::default(), Limits::default());
        let ((), allocated) = measure(|| {
            bytes.chunks(size).for_each(|chunk| push.push(chunk).unwrap());
            push.finish_visitor().complete().unwrap();
        });
        assert!(allocated.peak <= 2 * 50_100, "chunks of {size}: {allocated:?}");
    }
    let (outcome, allocated) = measure(|| drive::scan_at(&*bytes, bytes.len() as u64, &mut counter, Limits::default()));
    outcome.complete().unwrap();
    assert!(allocated.peak <= 2 * 50_100, "{allocated:?}");
}

#[test]
fn a_large_body_is_not_buffered() {
    let bytes = module(&[custom("authors", "me"), section(10, &vec![1; 8 << 20]), custom("version", "1")]);
    for size in [1000, 64 << 10, 1 << 30] {
        let mut push = PushDriver::new(StreamReader::new());
        let (metadata, allocated) = measure(|| {
            bytes.chunks(size).for_each(|chunk| push.push(chunk).unwrap());
            push.finish().complete().unwrap()
        });
        assert_eq!(text(metadata.root(), Field::Version), Some("1"));
        assert!(allocated.peak <= 4 << 10, "chunks of {size}: {allocated:?}");
    }
}

#[test]
fn a_declared_size_of_4_gib_does_not_allocate() {
    let section_of_size = |declared: u32, payload: &[u8]| [&b"\0"[..], &leb128(declared), payload].concat();
    let huge = leb128(u32::MAX);
    let sections = [
        section_of_size(u32::MAX, b"\x07authorsme"),
        section_of_size(u32::MAX, b"\x04name\x01"),
        section_of_size(u32::MAX, &[&b"\x04name\0"[..], &leb128(u32::MAX - 100), b"\x7f"].concat()),
        section_of_size(u32::MAX, b"\x09producers\x01"),
        section_of_size(u32::MAX, b"\x07.dep-v0\x78\x9c"),
        section_of_size(u32::MAX, b"\x11registry-metadata{"),
        section_of_size(u32::MAX, b"\x10sourceMappingURL\x01"),
        section_of_size(u32::MAX, &[&leb128(u32::MAX - 5)[..], b"long"].concat()), // the length of the name
        section_of_size(u32::MAX, &[&leb128(100_000)[..], b"long"].concat()),
        custom("producers", &huge),                                 // the number of fields
        custom("producers", [&b"\x01\x03sdk"[..], &huge].concat()), // the number of values
        custom("producers", [&b"\x01"[..], &huge].concat()),        // the length of a field's name
        custom("name", [&b"\0"[..], &huge].concat()),               // the size of a subsection
        custom("name", [&b"\0\x05"[..], &huge].concat()),           // the length of the name in it
        custom("build_id", &huge),
        [&b"\x0a"[..], &huge, b"\x01"].concat(),
    ];
    for section in sections {
        let bytes = module(&[section]);
        for limits in [Limits::default(), UNLIMITED] {
            let read = || drop(read_slice_with(&bytes, limits));
            let read_at = || drop(read_at_with(&*bytes, bytes.len() as u64, limits));
            let push = || drop(all_drivers::push(&bytes, &[3], StreamReader::with_limits(limits), limits));
            for (driver, work) in [("slice", &read as &dyn Fn()), ("read_at", &read_at), ("push", &push)] {
                let ((), allocated) = measure(work);
                assert!(allocated.peak <= 8 << 10, "{driver} of {bytes:x?}: {allocated:?}");
            }
        }
    }
}

#[test]
fn a_wrong_nested_size_does_not_allocate() {
    let bytes =
        [&component(&[])[..], b"\x01", &leb128(1 << 30), &MODULE, b"\x00\xff\xff\xff\xff\x03\x07authors"].concat();
    for limits in [Limits::default(), UNLIMITED] {
        let (outcome, allocated) = measure(|| read_at_with(&*bytes, bytes.len() as u64, limits));
        assert!(outcome.value().is_some() && !outcome.is_complete());
        assert!(allocated.peak <= 8 << 10, "{allocated:?}");
    }
}
