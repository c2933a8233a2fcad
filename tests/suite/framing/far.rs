//! Beyond 4 GiB, and nested items as large as they may be: inputs that are zeros for the most part, out of a virtual
//! source, pushed, and as sparse files.

use std::ops::Range;

use sectile::drive::{self, Push};
use sectile::scan::{Entry, Section, Visitor, Want};
use sectile::{Error, Limits};

use crate::support::binary::{COMPONENT, MODULE, custom, leb128, padded, prefixed, section};
use crate::support::mouths::{Event, Recorder, told};
use crate::support::sources::Sparse;

enum Piece {
    Bytes(Vec<u8>),
    Zeros(u64),
}

use Piece::{Bytes, Zeros};

/// A custom section of this size in all but its header, which has 6 bytes; its data are zeros.
fn large_custom(name: &str, size: u32) -> [Piece; 2] {
    let name = prefixed(name);
    let zeros = u64::from(size) - name.len() as u64;
    [Bytes([&[0], &*padded(size, 5), &name].concat()), Zeros(zeros)]
}

fn len(pieces: &[Piece]) -> u64 {
    let len = |piece: &Piece| match piece {
        Bytes(bytes) => bytes.len() as u64,
        Zeros(len) => *len,
    };
    pieces.iter().map(len).sum()
}

/// Asks for no data: gigabytes of zeros are nothing to keep.
#[derive(Default)]
struct Joints(Recorder);

impl Visitor<'_> for Joints {
    fn enter(&mut self, item: &Entry) {
        self.0.enter(item);
    }

    fn section(&mut self, section: &Section<'_>) -> Want {
        _ = self.0.section(section);
        Want::Nothing
    }

    fn leave(&mut self, item: u32, end: u64) {
        self.0.leave(item, end);
    }
}

/// Scans with positioned reads, which must be few, and pushed; gives what both say.
fn scan(pieces: &[Piece]) -> (Vec<Event>, Result<(), String>) {
    let mut sparse = Sparse::default();
    for piece in pieces {
        sparse = match piece {
            Bytes(bytes) => sparse.bytes(bytes.clone()),
            Zeros(len) => sparse.zeros(*len),
        };
    }
    let mut joints = Joints::default();
    let (result, cost) = drive::read_at(&sparse, sparse.len(), &mut joints, Limits::default());
    assert!(cost.bytes < 100_000, "{cost:?}");
    let read = (joints.0.events, told(result));
    let (joints, result) = push(pieces);
    assert_eq!((joints.0.events, told(result)), read, "pushed");
    read
}

fn push(pieces: &[Piece]) -> (Joints, Result<(), Error>) {
    const ZEROS: &[u8] = &[0; 1 << 24];
    let mut push = Push::new(Joints::default(), Limits::default());
    for piece in pieces {
        let result = match piece {
            Bytes(bytes) => push.push(bytes),
            Zeros(len) => (0..*len).step_by(ZEROS.len()).try_for_each(|at| {
                let chunk = (len - at).min(ZEROS.len() as u64);
                push.push(&ZEROS[..chunk as usize])
            }),
        };
        if let Err(error) = result {
            return (push.into_visitor(), Err(error));
        }
    }
    push.finish()
}

fn ranges(events: &[Event]) -> Vec<Range<u64>> {
    let range = |event: &Event| match event {
        Event::Section { range, .. } => Some(range.clone()),
        _ => None,
    };
    events.iter().filter_map(range).collect()
}

/// Three sections of 4 GiB less a byte, with something small between them.
fn twelve_gib(preamble: [u8; 8]) -> Vec<Piece> {
    let mut pieces = vec![Bytes(preamble.to_vec())];
    for nth in 0..3 {
        pieces.extend(large_custom("large", u32::MAX));
        pieces.push(Bytes(custom("small", [nth])));
    }
    pieces
}

#[test]
fn rule_25_the_root_may_be_larger_than_4_gib() {
    const LARGE: u64 = 6 + u32::MAX as u64;
    let small = custom("small", [0]).len() as u64;
    for preamble in [MODULE, COMPONENT] {
        let pieces = twelve_gib(preamble);
        let (events, result) = scan(&pieces);
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
fn an_input_that_ends_beyond_4_gib_ends_there() {
    let mut pieces = twelve_gib(MODULE);
    pieces.push(Bytes(vec![0]));
    let (events, result) = scan(&pieces);
    assert_eq!(ranges(&events).len(), 6);
    let start = len(&pieces) - 1;
    let expected = format!("the input ends inside the header of the section that begins at {start:#x}");
    assert!(result.unwrap_err().starts_with(&expected));

    let mut pieces = twelve_gib(MODULE);
    let start = len(&pieces);
    pieces.extend(large_custom("cut", u32::MAX));
    let Some(Zeros(zeros)) = pieces.last_mut() else { unreachable!() };
    *zeros -= 1;
    let (events, result) = scan(&pieces);
    assert_eq!(ranges(&events).last(), Some(&(start..start + 6 + u64::from(u32::MAX))));
    let expected = format!("the input ends inside the custom section that begins at {start:#x}");
    assert!(result.unwrap_err().starts_with(&expected));
}

#[test]
fn an_error_beyond_4_gib_has_its_place() {
    let mut pieces = twelve_gib(COMPONENT);
    let start = len(&pieces);
    pieces.push(Bytes(section(1, &COMPONENT)));
    let (_, result) = scan(&pieces);
    let expected =
        format!("nested module does not begin with the preamble of one (at offset {:#x}, in item 0)", start + 2);
    assert_eq!(result.unwrap_err(), expected);
}

/// A component with a nested module of this size, which is one custom section for the most part.
fn with_module_of(size: u32) -> Vec<Piece> {
    let mut pieces = vec![Bytes([&COMPONENT[..], &[1], &leb128(size), &MODULE].concat())];
    pieces.extend(large_custom("large", size - 8 - 6));
    pieces.push(Bytes(custom("behind", "")));
    pieces
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

/// Elsewhere the holes may take room on the disk, or the map may find none in memory.
#[cfg(all(unix, target_pointer_width = "64"))]
mod sparse_files {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::fuzz_bodies::bodies::{self, Verdict};

    /// The same as a real file, with holes.
    fn file(pieces: &[Piece]) -> File {
        let file = tempfile::tempfile().unwrap();
        let mut at = 0;
        for piece in pieces {
            if let Bytes(bytes) = piece {
                file.write_all_at(bytes, at).unwrap();
            }
            at += len(std::slice::from_ref(piece));
        }
        file.set_len(at).unwrap();
        file
    }

    /// Holds the scanner against the reference, over the file in memory.
    #[allow(unsafe_code)] // to map it
    fn framing(file: &File) -> Verdict {
        // SAFETY: the file is the test's own, and has no name.
        let map = unsafe { drive::Map::of(file) }.unwrap();
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
        for (pieces, verdict) in verdicts {
            let file = file(&pieces);
            assert_eq!(framing(&file), verdict);
            let mut joints = Joints::default();
            let (result, cost) = drive::read_at(&file, len(&pieces), &mut joints, Limits::default());
            assert!(cost.bytes < 100_000, "{cost:?}");
            assert_eq!((joints.0.events, told(result)), scan(&pieces));
        }
    }
}
