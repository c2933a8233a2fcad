//! What is skipped costs no memory: requests to the allocator, counted.

use sectile::Limits;
use sectile::drive::{self, Push};
use sectile::scan::{Scanner, Section, Want};

use crate::support::binary::{COMPONENT, MODULE, chain, component, custom, module, nested, padded, section};
use crate::support::memory::{Allocated, measure};
use crate::support::mouths::Deaf;

const SECTIONS: u64 = 590;

/// As a component of componentize-py is: modules in components in a component, 590 sections in all.
fn many() -> Vec<u8> {
    let body = vec![0x80; 5_000];
    let inner = |sections: usize| {
        let custom = |nth: usize| custom(&format!("a section with a name {nth}"), &body);
        nested(&module(&(0..sections).map(custom).collect::<Vec<_>>()))
    };
    let middle = nested(&component(&[inner(100), inner(100), section(7, &body)]));
    let modules = (0..12).map(|_| inner(31));
    let bytes =
        component(&modules.chain([middle, section(10, &body)]).chain([custom("last", b"")]).collect::<Vec<_>>());
    assert_eq!(scan(&bytes), SECTIONS);
    bytes
}

fn scan(bytes: &[u8]) -> u64 {
    let mut visitor = Deaf::default();
    drive::slice(bytes, &mut visitor, Limits::default()).0.unwrap();
    visitor.sections
}

#[test]
fn a_slice_is_scanned_without_an_allocation() {
    let bytes = many();
    assert_eq!(measure(|| scan(&bytes)), (SECTIONS, Allocated::default()));
}

/// Items within four others stand in the scanner itself; a hostile depth takes some bytes for each.
#[test]
fn depth_takes_a_frame_for_each_item() {
    let of = |items| {
        let bytes = chain(items, &COMPONENT);
        measure(|| scan(&bytes)).1
    };
    assert_eq!(of(5), Allocated::default());
    let deepest = of(1_000);
    assert!(deepest.requests <= 12 && deepest.peak <= 256 << 10, "{deepest:?}");
}

#[test]
fn chunks_are_pushed_without_an_allocation() {
    let bytes = many();
    assert_eq!(measure(|| push(bytes.chunks(bytes.len()))).1, Allocated::default());
    // A header, and a name, that spans chunks is gathered: in one place, which stays.
    for size in [16 << 10, 1_000, 1] {
        let ((), allocated) = measure(|| push(bytes.chunks(size)));
        assert!(allocated.requests <= 8 && allocated.peak <= 64, "{size}: {allocated:?}");
    }
}

fn push<'a>(chunks: impl Iterator<Item = &'a [u8]>) {
    let mut push = Push::new(Deaf::default(), Limits::default());
    chunks.for_each(|chunk| push.push(chunk).unwrap());
    let (visitor, result) = push.finish();
    result.unwrap();
    assert_eq!(visitor.sections, SECTIONS);
}

#[test]
fn chunks_without_a_header_cost_nothing() {
    let head = [&MODULE[..], &[10], &padded(64 << 20, 4)].concat();
    let chunk = vec![0; 16 << 10];
    let mut push = Push::new(Deaf::default(), Limits::default());
    push.push(&head).unwrap();
    let ((), allocated) = measure(|| (0..(64 << 20) / chunk.len()).for_each(|_| push.push(&chunk).unwrap()));
    assert_eq!(allocated, Allocated::default());
    let (visitor, result) = push.finish();
    result.unwrap();
    assert_eq!(visitor.sections, 1);
}

/// The window, which grows to the largest that reading ever takes; nothing for a section.
#[test]
fn positioned_reads_allocate_one_window() {
    let bytes = many();
    let mut visitor = Deaf::default();
    let ((result, cost), allocated) =
        measure(|| drive::read_at(&bytes[..], bytes.len() as u64, &mut visitor, Limits::default()));
    result.unwrap();
    assert!(visitor.sections == SECTIONS && cost.reads > 100, "{cost:?}");
    assert!(allocated.peak == allocated.largest && allocated.peak <= 16 << 10, "{allocated:?}");
    assert!(allocated.total < 2 * allocated.peak && allocated.requests <= 5, "it doubles: {allocated:?}");
}

/// There is one scanner for each input, of which a gate watches thousands at once. (The size of the error is tested where
/// it stands.)
#[test]
fn scanners_and_sections_are_small() {
    assert!(size_of::<Scanner>() <= 512, "{}", size_of::<Scanner>());
    assert!(size_of::<Push<()>>() <= size_of::<Scanner>() + 64, "{}", size_of::<Push<()>>());
    assert!(size_of::<Section<'_>>() <= 64, "{}", size_of::<Section<'_>>());
    assert!(size_of::<Want>() <= 24, "{}", size_of::<Want>());
}
