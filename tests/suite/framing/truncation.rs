//! Truncated inputs that are malformed before the cut: the error is the malformed byte, not the
//! truncation.

use super::rejected;
use sectile_testing::binary::{COMPONENT, MODULE, component, leb128, nested, padded};

#[test]
fn a_truncated_size_at_its_items_end_is_malformed() {
    for size in [&[][..], &[0x80], &[0x80, 0x80, 0x80, 0x80]] {
        let inner = [&COMPONENT, &[7][..], size].concat();
        let bytes = component(&[nested(&inner)]);
        rejected(&bytes, bytes.len() - size.len(), "malformed size");
        let deeper = component(&[nested(&bytes)]);
        rejected(&deeper, deeper.len() - size.len(), "malformed size");
    }
}

#[test]
fn a_truncated_name_that_is_not_utf8_is_malformed() {
    for (len, width) in [(100, 1), (100, 5), (300, 2), (70_000, 3)] {
        for good in [0, 1, 40, 90] {
            for bad in [&b"\xff"[..], b"\xc3(", b"\xed\xa0\x80", b"\xf5"] {
                let begin = [&MODULE, &[0][..], &leb128(len + 100), &padded(len, width), &vec![b'n'; good]].concat();
                let bytes = [&begin, bad, b"....."].concat();
                rejected(&bytes, begin.len(), "UTF-8");
            }
            // The beginning of a valid character is only truncated.
            let bytes = [&MODULE, &[0][..], &leb128(len + 100), &padded(len, width), &vec![b'n'; good], b"\xe2\x82"];
            let bytes = bytes.concat();
            rejected(&bytes, bytes.len(), "ends inside");
        }
    }
}

#[test]
fn input_shorter_than_a_preamble_reports_its_length() {
    rejected(b"", 0, "the input is empty");
    for len in 1..8 {
        rejected(&MODULE[..len], len, &format!("{len} bytes are shorter than the 8-byte preamble"));
    }
    // In a nested item this is a truncation, not a short preamble.
    let bytes = component(&[nested(&component(&[]))]);
    for len in 10..18 {
        rejected(&bytes[..len], len, "ends inside the component whose section begins at 0x8");
    }
}
