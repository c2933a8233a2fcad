//! Inputs that end in the midst of something that is malformed already: what is wrong is told, and not the end.

use super::rejected;
use crate::support::binary::{COMPONENT, MODULE, component, leb128, nested, padded};

#[test]
fn a_size_that_its_item_and_the_input_cut_off_is_malformed_where_it_begins() {
    for size in [&[][..], &[0x80], &[0x80, 0x80, 0x80, 0x80]] {
        let inner = [&COMPONENT, &[7][..], size].concat();
        let bytes = component(&[nested(&inner)]);
        rejected(&bytes, bytes.len() - size.len(), "malformed size");
        let deeper = component(&[nested(&bytes)]);
        rejected(&deeper, deeper.len() - size.len(), "malformed size");
    }
}

#[test]
fn a_name_is_no_utf8_though_its_end_is_missing() {
    for (len, width) in [(100, 1), (100, 5), (300, 2), (70_000, 3)] {
        for good in [0, 1, 40, 90] {
            for bad in [&b"\xff"[..], b"\xc3(", b"\xed\xa0\x80", b"\xf5"] {
                let begin = [&MODULE, &[0][..], &leb128(len + 100), &padded(len, width), &vec![b'n'; good]].concat();
                let bytes = [&begin, bad, b"....."].concat();
                rejected(&bytes, begin.len(), "UTF-8");
            }
            // What may yet become a character is no more than cut off.
            let bytes = [&MODULE, &[0][..], &leb128(len + 100), &padded(len, width), &vec![b'n'; good], b"\xe2\x82"];
            let bytes = bytes.concat();
            rejected(&bytes, bytes.len(), "ends inside");
        }
    }
}

#[test]
fn what_is_shorter_than_a_preamble_says_how_short_it_is() {
    rejected(b"", 0, "the input is empty");
    for len in 1..8 {
        rejected(&MODULE[..len], len, &format!("{len} bytes are shorter than the preamble"));
    }
    // Of a nested item the preamble is missing, not the input's.
    let bytes = component(&[nested(&component(&[]))]);
    for len in 10..18 {
        rejected(&bytes[..len], len, "ends inside the component whose section begins at 0x8");
    }
}
