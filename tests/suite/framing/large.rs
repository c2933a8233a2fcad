//! Inputs beyond 4 GiB and nested items of the maximum size. They are mostly zeros: virtual
//! sources, pushed chunks and sparse files.

use std::ops::Range;

use sectile::Limits;
use sectile::drive;
use sectile_testing::parts_of;

use sectile_testing::all_drivers::{Event, error_text};
use sectile_testing::binary::{COMPONENT, MODULE, custom, leb128, padded, prefixed, section};
use sectile_testing::bodies::Recorder;
use sectile_testing::sources::Sparse;

/// Appends a custom section of this size, plus its header of 6 bytes. Its data is zeros, and the
/// last ones may be missing.
fn large_custom(source: Sparse, name: &str, size: u32, missing: u64) -> Sparse {
    let name = prefixed(name);
    let zeros = u64::from(size) - name.len() as u64 - missing;
    source.bytes([&[0], &*padded(size, 5), &name].concat()).zeros(zeros)
}

/// Scans with a few positioned reads and with pushed chunks, requests no data, asserts that both
/// agree, and returns the result.
fn scan(source: &Sparse) -> (Vec<Event>, Result<(), String>) {
    let mut recorder = Recorder::new(());
    let (_, result, cost) = parts_of(drive::scan_at(source, source.len(), &mut recorder, Limits::default()));
    assert!(cost.bytes < 100_000, "{cost:?}");
    let read = (recorder.events, error_text(result));
    let (recorder, result) = source.push(Recorder::new(()), Limits::default());
    assert_eq!((recorder.events, error_text(result)), read, "pushed");
    read
}

fn ranges(events: &[Event]) -> Vec<Range<u64>> {
    let range = |event: &Event| match event {
        Event::Section { range, .. } => Some(range.clone()),
        _ => None,
    };
    events.iter().filter_map(range).collect()
}

/// Three sections of 4 GiB minus one byte, with small sections between them.
fn twelve_gib(preamble: [u8; 8]) -> Sparse {
    (0..3).fold(Sparse::default().bytes(preamble), |source, nth| {
        large_custom(source, "large", u32::MAX, 0).bytes(custom("small", [nth]))
    })
}

#[test]
fn rule_25_the_root_may_be_larger_than_4_gib() {
    const LARGE: u64 = 6 + u32::MAX as u64;
    let small = custom("small", [0]).len() as u64;
    for preamble in [MODULE, COMPONENT] {
        let (events, result) = scan(&twelve_gib(preamble));
        result.unwrap();
        let mut expected = Vec::new();
        let mut at = 8;
        for len in [LARGE, small].repeat(3) {
            expected.push(at..at + len);
            at += len;
        }
        assert_eq!(ranges(&events), expected);
        assert!(at > 3 << 32);
        assert_eq!(events.last(), Some(&Event::Leave(0, at)));
    }
}

#[test]
fn truncation_beyond_4_gib_has_its_offset() {
    let whole = twelve_gib(MODULE);
    let start = whole.len();
    let (events, result) = scan(&whole.bytes([0]));
    assert_eq!(ranges(&events).len(), 6);
    let expected = format!("the input ends inside the header of the section that begins at {start:#x}");
    assert!(result.unwrap_err().starts_with(&expected));

    let (events, result) = scan(&large_custom(twelve_gib(MODULE), "cut", u32::MAX, 1));
    assert_eq!(ranges(&events).last(), Some(&(start..start + 6 + u64::from(u32::MAX))));
    let expected = format!("the input ends inside the custom section that begins at {start:#x}");
    assert!(result.unwrap_err().starts_with(&expected));
}

#[test]
fn errors_beyond_4_gib_have_their_offset() {
    let whole = twelve_gib(COMPONENT);
    let start = whole.len();
    let (_, result) = scan(&whole.bytes(section(1, &COMPONENT)));
    let expected =
        format!("nested module does not begin with the preamble of a module (at offset {:#x}, in item 0)", start + 2);
    assert_eq!(result.unwrap_err(), expected);
}

/// A component with a nested module of this size: mostly one custom section.
fn with_module_of(size: u32) -> Sparse {
    let head = Sparse::default().bytes([&COMPONENT[..], &[1], &leb128(size), &MODULE].concat());
    large_custom(head, "large", size - 8 - 6, 0).bytes(custom("behind", ""))
}

#[test]
fn rule_20_a_nested_item_may_have_1_gib_and_not_more() {
    let (events, result) = scan(&with_module_of(1 << 30));
    result.unwrap();
    assert_eq!(ranges(&events), [8..14 + (1 << 30), 22..14 + (1 << 30), 14 + (1 << 30)..23 + (1 << 30)]);

    let (events, result) = scan(&with_module_of((1 << 30) + 1));
    let expected = "section too large: a nested module has at most 1 GiB, not 1073741825 bytes (at offset 0x9)";
    assert_eq!((events.len(), result), (1, Err(expected.into())));
}

/// On other systems the file may not be sparse, or the map may exceed the address space.
#[cfg(all(unix, target_pointer_width = "64"))]
mod sparse_files {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use super::*;
    use sectile_testing::bodies::{self, Verdict};

    /// The source as a sparse file.
    fn file(source: &Sparse) -> File {
        let file = tempfile::tempfile().unwrap();
        source.pieces().for_each(|(start, bytes)| file.write_all_at(bytes, start).unwrap());
        file.set_len(source.len()).unwrap();
        file
    }

    /// Compares the scanner with the reference on the mapped file.
    #[allow(unsafe_code)] // to map it
    fn framing(file: &File) -> Verdict {
        // SAFETY: the file has no name, so no other process can change it.
        let map = unsafe { drive::Map::new(file) }.unwrap();
        bodies::framing(&map)
    }

    #[test]
    fn agree_with_the_reference() {
        let verdicts = [
            (with_module_of(1 << 30), Verdict::Accepted),
            (with_module_of((1 << 30) + 1), Verdict::Rejected),
            (twelve_gib(MODULE), Verdict::Accepted),
            (twelve_gib(COMPONENT), Verdict::Accepted),
        ];
        for (source, verdict) in verdicts {
            let file = file(&source);
            assert_eq!(framing(&file), verdict);
            let mut recorder = Recorder::new(());
            let (_, result, cost) = parts_of(drive::scan_at(&file, source.len(), &mut recorder, Limits::default()));
            assert!(cost.bytes < 100_000, "{cost:?}");
            assert_eq!((recorder.events, error_text(result)), scan(&source));
        }
    }
}
