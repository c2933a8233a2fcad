//! Modules under the GPL that contain their number and length, so that complete ones are recognized
//! in any output.

use sectile_testing::binary::{MODULE, custom, padded};

/// License of every module.
pub(crate) const LICENSE: &str = "GPL-3.0-only";

/// Lengths around tar blocks. The shortest has no padding.
pub(crate) const LENGTHS: [usize; 7] = [0, 100, 400, 512, 700, 1024, 1300];

/// Creates the module with this number, of at least this length.
pub(crate) fn module(number: usize, len: usize) -> Vec<u8> {
    let end = custom("end", format!("END{number:02}"));
    let with_padding = |padding: &[u8], len: usize| {
        let version = custom("version", format!("{number:02}.{len:05}"));
        [&MODULE[..], &version, &custom("licenses", LICENSE), padding, &end].concat()
    };
    let shortest = with_padding(&[], 0).len();
    // The header of the padding is 10 bytes.
    match len.checked_sub(shortest + 10) {
        None => with_padding(&[], shortest),
        Some(zeros) => {
            let header = [&[0][..], &padded(zeros as u32 + 4, 5), b"\x03pad"].concat();
            with_padding(&[header, vec![0; zeros]].concat(), len)
        }
    }
}

/// Number of the whole module that these bytes begin with.
pub(crate) fn number_of(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(&MODULE)?.strip_prefix(b"\0\x10\x07version")?;
    let number = std::str::from_utf8(rest.get(..2)?).ok()?.parse().ok()?;
    let len: usize = std::str::from_utf8(rest.get(3..8)?).ok()?.parse().ok()?;
    bytes.get(..len)?.ends_with(format!("END{number:02}").as_bytes()).then_some(number)
}

#[test]
fn whole_modules_are_recognized() {
    for len in LENGTHS {
        let mut module = module(7, len);
        assert!(module.len() == len.max(60), "{len}: {}", module.len());
        assert_eq!(number_of(&module), Some(7));
        module.push(0);
        assert_eq!(number_of(&module), Some(7));
        module.truncate(module.len() - 2);
        assert_eq!(number_of(&module), None);
    }
}
