//! What is skipped, and what is only declared, takes no memory.

use sectile::drive::{self, Push};
use sectile::metadata::{Field, Reader};
use sectile::{Limits, read_at, read_slice};

use crate::support::binary::{MODULE, component, custom, leb128, module, name, nested, section};
use crate::support::found::text;
use crate::support::memory::measure;
use crate::support::mouths::{self, Deaf};

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
