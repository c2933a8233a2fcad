//! Skipped data costs no memory: allocations are counted.

use sectile::Limits;
use sectile::drive::{self, PushDriver};
use sectile::scan::{DataRequest, Scanner, Section};

use sectile_testing::all_drivers::EventCounter;
use sectile_testing::binary::{COMPONENT, MODULE, chain, component, custom, module, nested, padded, section};
use sectile_testing::memory::{Allocated, measure};

const SECTIONS: u64 = 590;

/// The shape of a component of componentize-py: modules in components in a component, 590 sections
/// in total.
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
    let mut visitor = EventCounter::default();
    drive::scan_slice(bytes, &mut visitor, Limits::default()).complete().unwrap();
    visitor.sections
}

#[test]
fn scanning_a_slice_does_not_allocate() {
    let bytes = many();
    assert_eq!(measure(|| scan(&bytes)), (SECTIONS, Allocated::default()));
}

/// The scanner has room for four enclosing items. Deeper nesting takes some bytes for each item.
#[test]
fn nesting_deeper_than_four_allocates_a_frame_per_item() {
    let of = |items| {
        let bytes = chain(items, &COMPONENT);
        measure(|| scan(&bytes)).1
    };
    assert_eq!(of(5), Allocated::default());
    let deepest = of(1_000);
    assert!(deepest.requests <= 12 && deepest.peak <= 256 << 10, "{deepest:?}");
}

#[test]
fn pushing_chunks_does_not_allocate() {
    let bytes = many();
    assert_eq!(measure(|| push(bytes.chunks(bytes.len()))).1, Allocated::default());
    // Headers and names that span chunks are buffered in one allocation, which is reused.
    for size in [16 << 10, 1_000, 1] {
        let ((), allocated) = measure(|| push(bytes.chunks(size)));
        assert!(allocated.requests <= 8 && allocated.peak <= 64, "{size}: {allocated:?}");
    }
}

fn push<'a>(chunks: impl Iterator<Item = &'a [u8]>) {
    let mut push = PushDriver::with_limits(EventCounter::default(), Limits::default());
    chunks.for_each(|chunk| push.push(chunk).unwrap());
    let visitor = push.finish_visitor().complete().unwrap();
    assert_eq!(visitor.sections, SECTIONS);
}

#[test]
fn chunks_inside_a_body_do_not_allocate() {
    let head = [&MODULE[..], &[10], &padded(64 << 20, 4)].concat();
    let chunk = vec![0; 16 << 10];
    let mut push = PushDriver::with_limits(EventCounter::default(), Limits::default());
    push.push(&head).unwrap();
    let ((), allocated) = measure(|| (0..(64 << 20) / chunk.len()).for_each(|_| push.push(&chunk).unwrap()));
    assert_eq!(allocated, Allocated::default());
    let visitor = push.finish_visitor().complete().unwrap();
    assert_eq!(visitor.sections, 1);
}

/// The window grows to the largest size that a read uses. Sections allocate nothing.
#[test]
fn positioned_reads_allocate_one_window() {
    let bytes = many();
    let mut visitor = EventCounter::default();
    let (outcome, allocated) =
        measure(|| drive::scan_at(&bytes[..], bytes.len() as u64, &mut visitor, Limits::default()));
    let cost = outcome.cost();
    outcome.complete().unwrap();
    assert!(visitor.sections == SECTIONS && cost.reads > 100, "{cost:?}");
    assert!(allocated.peak == allocated.largest && allocated.peak <= 16 << 10, "{allocated:?}");
    assert!(allocated.total < 2 * allocated.peak && allocated.requests <= 5, "it doubles: {allocated:?}");
}

/// An upload gate runs thousands of scanners at once. The size of `Error` is tested in
/// `src/error.rs`.
#[test]
fn scanners_and_sections_are_small() {
    assert!(size_of::<Scanner>() <= 512, "{}", size_of::<Scanner>());
    assert!(size_of::<PushDriver<()>>() <= size_of::<Scanner>() + 64, "{}", size_of::<PushDriver<()>>());
    assert!(size_of::<Section<'_>>() <= 64, "{}", size_of::<Section<'_>>());
    assert!(size_of::<DataRequest>() <= 24, "{}", size_of::<DataRequest>());
}
