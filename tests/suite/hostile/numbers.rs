//! Depth, counts and sizes.

use sectile::drive::{self, PushDriver};
use sectile::metadata::{Field, StreamReader};
use sectile::scan::Collector;
use sectile::{FindingCode, Limits, read_at, read_at_with, read_slice_with};

use super::{on_a_small_stack, partial};
use sectile_testing::all_drivers::{self, EventCounter};
use sectile_testing::binary::{MODULE, chain, component, custom, leb128, module, nested, padded, producers, section};
use sectile_testing::found::{found, text};
use sectile_testing::growth::assert_linear;
use sectile_testing::memory::measure;
use sectile_testing::sources::Sparse;

#[test]
fn a_hundred_thousand_nested_components_exceed_the_depth_limit() {
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
        let limits = Limits { max_depth: u32::MAX, max_items: u32::MAX, ..Limits::default() };
        let metadata = read_slice_with(&bytes, limits).complete().unwrap();
        assert_eq!(read_at_with(&*bytes, bytes.len() as u64, limits).complete().unwrap(), metadata);
        let (reader, result) = all_drivers::push(&bytes, &[100], StreamReader::with_limits(limits), limits);
        result.unwrap();
        assert_eq!(reader.finish().unwrap(), metadata);
        assert_eq!(metadata.items().len(), 100_000);
        let last = metadata.items().next_back().unwrap();
        assert_eq!(text(last, Field::Authors), Some("the innermost"));
        let path = last.path();
        assert_eq!(path.indexes().len(), 99_999);
        assert_eq!(metadata.item(&path).unwrap().number(), last.number());
        assert_eq!(metadata.findings().iter().next().unwrap().path(), &path);
        let owned = metadata.clone().into_owned();
        assert_eq!(owned, metadata);
    });
}

/// A module of this many sections of three bytes each.
fn tiny_sections(number: usize, section: [u8; 3]) -> Vec<u8> {
    [&MODULE[..], &section.repeat(number)].concat()
}

#[test]
fn a_million_tiny_sections_cost_three_bytes_each() {
    for number in [500_000, 1_000_000] {
        let bytes = tiny_sections(number, [0, 1, 0]); // custom, with an empty name
        let mut counter = EventCounter::default();
        let (outcome, allocated) = measure(|| drive::scan_slice(&bytes, &mut counter, Limits::default()));
        let cost = outcome.cost();
        outcome.complete().unwrap();
        assert_eq!((counter.entered, counter.sections, counter.left), (1, number as u64, 1));
        assert_eq!(cost.bytes, bytes.len() as u64);
        assert_eq!(allocated.total, 0);
    }
}

#[test]
fn a_million_tiny_sections_are_streamed() {
    let bytes = tiny_sections(1_000_000, [0, 1, 0]);

    let mut counter = EventCounter::default();
    let (outcome, allocated) = measure(|| drive::scan_at(&*bytes, bytes.len() as u64, &mut counter, Limits::default()));
    let cost = outcome.cost();
    outcome.complete().unwrap();
    assert_eq!(counter.sections, 1_000_000);
    assert_eq!(cost.bytes, bytes.len() as u64, "every byte is read once");
    assert!(cost.reads <= 16 + cost.bytes / 16_000, "{} reads", cost.reads);
    assert!(allocated.peak <= 64 << 10, "{allocated:?}");

    for size in [5, 1000] {
        let mut push = PushDriver::with_limits(EventCounter::default(), Limits::default());
        let (counter, allocated) = measure(|| {
            for chunk in bytes.chunks(size) {
                push.push(chunk).unwrap();
            }
            push.finish_visitor().complete().unwrap()
        });
        assert_eq!(counter.sections, 1_000_000);
        assert!(allocated.peak <= 64, "chunks of {size}: {allocated:?}");
    }
}

#[test]
fn a_million_unknown_sections_are_one_finding() {
    let bytes = tiny_sections(1_000_000, [0x7f, 1, 0]);
    let (outcome, allocated) = measure(|| read_slice_with(&bytes, Limits::default()));
    let metadata = outcome.complete().unwrap();
    assert_eq!(found(&metadata), ["unknown-section ×1000000"]);
    assert!(allocated.peak <= 16 << 10, "{allocated:?}");
}

#[test]
fn a_million_items_exceed_the_limit() {
    let tiny = nested(&MODULE);
    let bytes = component(&[tiny.repeat(1_000_000)]);
    let (outcome, allocated) = measure(|| read_slice_with(&bytes, Limits::default()));
    assert!(outcome.error().unwrap().is_limit());
    assert_eq!(outcome.value().unwrap().items().len(), 100_000);
    assert!(allocated.peak <= 256 << 20, "{allocated:?}");
    let (metadata, error) = partial(&bytes[..50_000], Limits { max_items: 100, ..Limits::default() });
    assert_eq!((metadata.items().len(), error.offset()), (100, Some(8 + 99 * 10 + 2)));
}

/// The time is linear in the number of sections, items, subsections and values.
#[test]
fn time_is_linear_in_the_input() {
    let limits = Limits { max_depth: u32::MAX, max_items: u32::MAX, ..Limits::default() };
    let read = |bytes: &Vec<u8>| read_slice_with(bytes, limits).complete().unwrap().into_owned();
    assert_linear(1_000_000, |number| tiny_sections(number, [0, 1, 0]), read);
    assert_linear(400_000, |number| tiny_sections(number, [0x7f, 1, 0]), read);
    assert_linear(60_000, |number| module(&[custom("authors", "a").repeat(number)]), read);
    let named = |number| (0..number).map(|nth| custom(&format!("section {nth}"), "")).collect::<Vec<_>>();
    assert_linear(100_000, |number| module(&named(number)), read);
    assert_linear(
        60_000,
        |number| component(&[nested(&module(&[custom("homepage", "nowhere")])).repeat(number)]),
        read,
    );
    assert_linear(60_000, |number| chain(number, &component(&[custom("homepage", "nowhere")])), read);
    let subsections = |number| custom("name", section(1, b"x").repeat(number));
    assert_linear(200_000, |number| module(&[subsections(number)]), read);
    let values = |number| vec![("a name", "1.0.0"); number];
    assert_linear(40_000, |number| module(&[custom("producers", producers(&[("sdk", &values(number))]))]), read);
    let others: Vec<_> = (0..40_000).map(|nth| format!("tool {nth}")).collect();
    let others = |number| others[..number].iter().map(|name| (&**name, "1.0.0")).collect::<Vec<_>>();
    assert_linear(40_000, |number| module(&[custom("producers", producers(&[("sdk", &others(number))]))]), read);
}

/// Three sections of 4 GiB, each followed by a value, and the offsets of the values.
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
    let outcome = read_at_with(&source, source.len(), Limits::default());
    assert!(outcome.cost().bytes < 8 << 10, "{:?}", outcome.cost());
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
    assert_eq!((finding.code(), finding.offset()), (FindingCode::NotUrl, offsets[2]));
    let bulk = root.section_sizes().find(|share| share.name() == "custom").unwrap();
    assert_eq!((bulk.sections(), bulk.bytes()), (3, 3 * (u64::from(u32::MAX) + 6)));

    let (pushed, result) = source.pushed(Limits::default());
    result.unwrap();
    assert_eq!(pushed.unwrap(), metadata);
}

#[test]
fn an_error_beyond_4_gib_has_its_offset() {
    let (source, _) = beyond_4_gib();
    let end = source.len();
    let source = source.bytes([0x80, 0]);
    let (metadata, error, _) = read_at_with(&source, source.len(), Limits::default()).into_parts();
    let (_, pushed) = source.pushed(Limits::default());
    for error in [error.unwrap(), pushed.unwrap_err()] {
        assert!(error.is_malformed());
        assert_eq!(error.offset(), Some(end));
    }
    assert_eq!(text(metadata.unwrap().root(), Field::Version), Some("1"));

    // Truncated inside the last of the huge sections.
    let short = end - (1 << 32);
    let (metadata, error, _) = read_at_with(&source, short, Limits::default()).into_parts();
    let error = error.unwrap();
    assert!(error.is_truncated());
    assert_eq!(error.offset(), Some(short));
    assert_eq!(text(metadata.unwrap().root(), Field::Version), Some("1"));
}

#[test]
fn a_nested_item_may_have_1_gib() {
    let holding = |size: u32| {
        let bulk = [&MODULE[..], b"\0", &padded(size - 8 - 6, 5), b"\x04bulk"].concat();
        let source = Sparse::default().bytes(component(&[])).bytes([&b"\x01"[..], &leb128(size), &bulk].concat());
        source.zeros(u64::from(size) - bulk.len() as u64).bytes(custom("authors", "behind"))
    };
    let source = holding(1 << 30);
    let metadata = read_at(&source, source.len()).unwrap();
    assert_eq!(text(metadata.root(), Field::Authors), Some("behind"));
    assert_eq!(source.pushed(Limits::default()).0.unwrap(), metadata);

    let source = holding((1 << 30) + 1);
    let error = read_at(&source, source.len()).unwrap_err();
    assert_eq!((error.offset(), error.is_malformed()), (Some(9), true));
}
