//! Decodes links to separate debug information. The tool conventions define a length-prefixed
//! value; older tools write the value without a length.

use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use super::check::has_controls;
use super::cursor::{Cursor, Malformed};
use crate::finding::FindingCode;

/// The possible values of the data, the most likely first, with a finding if there is a problem.
pub(super) struct DebugLinks {
    pub(super) values: SmallVec<[Range<usize>; 2]>,
    pub(super) finding: Option<(FindingCode, usize, &'static str)>,
}

/// Lengths in bytes of common ids: a 64-bit hash, UUID, SHA-1 and SHA-256.
const ID_LENGTHS: [usize; 4] = [8, 16, 20, 32];

/// Decodes data, which must not be empty.
pub(super) fn read(data: &[u8], is_text: bool) -> DebugLinks {
    let mut cursor = Cursor::new(data);
    let prefixed = cursor.bytes().map(|value| cursor.position() - value.len()..cursor.position());
    let whole = 0..data.len();
    match prefixed {
        Ok(value) if value.end == data.len() => {
            match if is_text { likelier_text(data, &data[value.clone()]) } else { likelier_id(data) } {
                Some(Encoding::Prefixed) => DebugLinks { values: smallvec![value], finding: None },
                Some(Encoding::Raw) => unprefixed(whole),
                None => {
                    let message =
                        "either a length and a value, or a value without a length; both readings are reported";
                    let finding = Some((FindingCode::AmbiguousDebugLink, 0, message));
                    DebugLinks { values: smallvec![value, whole], finding }
                }
            }
        }
        _ if if is_text { is_plausible_text(data) } else { ID_LENGTHS.contains(&data.len()) } => unprefixed(whole),
        Ok(value) => {
            let finding = Some((FindingCode::MalformedDebugLink, value.end, "bytes after the value"));
            DebugLinks { values: smallvec![value, whole], finding }
        }
        Err(malformed) => malformed_link(whole, malformed),
    }
}

fn unprefixed(whole: Range<usize>) -> DebugLinks {
    let message = "the value has no length prefix, as written by older tools";
    DebugLinks { values: smallvec![whole], finding: Some((FindingCode::UnprefixedDebugLink, 0, message)) }
}

fn malformed_link(whole: Range<usize>, malformed: Malformed) -> DebugLinks {
    let finding = Some((FindingCode::MalformedDebugLink, 0, malformed.message()));
    DebugLinks { values: smallvec![whole], finding }
}

enum Encoding {
    Prefixed,
    Raw,
}

/// Chooses the encoding of an id whose first byte equals the number of bytes after it. Ambiguous if
/// the whole data has a common length.
fn likelier_id(data: &[u8]) -> Option<Encoding> {
    (!ID_LENGTHS.contains(&data.len())).then_some(Encoding::Prefixed)
}

/// Chooses the encoding of a text whose first byte equals the number of bytes after it. Ambiguous
/// if that byte may be the first character of a path.
fn likelier_text(whole: &[u8], value: &[u8]) -> Option<Encoding> {
    match (has_scheme(value), has_scheme(whole)) {
        (true, false) => Some(Encoding::Prefixed),
        (false, true) => Some(Encoding::Raw),
        _ => {
            let begins_path = whole[0].is_ascii_alphanumeric() || b"./_".contains(&whole[0]);
            (!(begins_path && is_plausible_text(whole))).then_some(Encoding::Prefixed)
        }
    }
}

fn has_scheme(text: &[u8]) -> bool {
    const SCHEMES: [&[u8]; 6] = [b"https:", b"http:", b"file:", b"data:", b"blob:", b"webpack:"];
    SCHEMES.iter().any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

fn is_plausible_text(data: &[u8]) -> bool {
    std::str::from_utf8(data).is_ok_and(|text| !has_controls(text, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use FindingCode::{AmbiguousDebugLink, MalformedDebugLink, UnprefixedDebugLink};

    fn ids(data: &[u8]) -> (Vec<&[u8]>, Option<FindingCode>) {
        decoded(data, false)
    }

    fn texts(data: &[u8]) -> (Vec<&[u8]>, Option<FindingCode>) {
        decoded(data, true)
    }

    fn decoded(data: &[u8], is_text: bool) -> (Vec<&[u8]>, Option<FindingCode>) {
        let links = read(data, is_text);
        (links.values.into_iter().map(|range| &data[range]).collect(), links.finding.map(|(code, ..)| code))
    }

    fn counted(len: u8, value: &[u8]) -> Vec<u8> {
        [&[len], value].concat()
    }

    #[test]
    fn ids_of_both_conventions() {
        for len in [2u8, 8, 16, 20, 32] {
            let value = vec![0xab; usize::from(len)];
            assert_eq!(ids(&counted(len, &value)), (vec![&value[..]], None));
        }
        for first in [0x30, 0x05, 0x10, 0x80, 0xff] {
            let uuid = counted(first, &[0xab; 15]);
            assert_eq!(ids(&uuid), (vec![&uuid[..]], Some(UnprefixedDebugLink)), "{first:#x}");
        }
        for len in [8u8, 16, 20, 32] {
            let either = counted(len - 1, &vec![0xab; usize::from(len) - 1]);
            assert_eq!(ids(&either), (vec![&either[1..], &either[..]], Some(AmbiguousDebugLink)));
        }
        let padded = [&[0x90, 0x80, 0x00][..], &[1; 16]].concat();
        assert_eq!(ids(&padded), (vec![&padded[3..]], None));
        let behind = counted(2, &[1, 2, 3]);
        assert_eq!(ids(&behind), (vec![&[1, 2][..], &behind[..]], Some(MalformedDebugLink)));
        assert_eq!(ids(&[9, 1, 2]), (vec![&[9, 1, 2][..]], Some(MalformedDebugLink)));
        assert_eq!(ids(&[0x80]), (vec![&[0x80][..]], Some(MalformedDebugLink)));
    }

    #[test]
    fn texts_of_both_conventions() {
        assert_eq!(texts(b"\x06a.json"), (vec![&b"a.json"[..]], None));
        for raw in [&b"https://example.com/a.map"[..], b"./a.wasm.map", b"a.json", "grüße.map".as_bytes()] {
            assert_eq!(texts(raw), (vec![raw], Some(UnprefixedDebugLink)));
        }
        // A prefix that is a letter: the scheme decides.
        let url = format!("https://example.com/{}", "a".repeat(b'q' as usize - 20));
        let counted_url = counted(b'q', url.as_bytes());
        assert_eq!(texts(&counted_url), (vec![url.as_bytes()], None));
        let raw = format!("https://example.com/{}", "a".repeat(b'h' as usize + 1 - 20));
        assert_eq!(texts(raw.as_bytes()), (vec![raw.as_bytes()], Some(UnprefixedDebugLink)));
        let either = counted(b'/', &[b'a'; b'/' as usize]);
        assert_eq!(texts(&either), (vec![&either[1..], &either[..]], Some(AmbiguousDebugLink)));
        let quote = counted(b'"', &[b'a'; b'"' as usize]);
        assert_eq!(texts(&quote), (vec![&quote[1..]], None));

        assert_eq!(texts(b"\x02abc"), (vec![&b"ab"[..], b"\x02abc"], Some(MalformedDebugLink)));
        assert_eq!(texts(b"\x09abc"), (vec![&b"\x09abc"[..]], Some(MalformedDebugLink)));
        assert_eq!(texts(b"\x02\xff\xfe"), (vec![&b"\xff\xfe"[..]], None));
    }
}
