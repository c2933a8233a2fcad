//! Names as they are displayed, with escapes.

use std::ffi::{OsStr, OsString};

use crate::row_name::os_string;

/// The name that [`sectile::Escaped`] displays as this text, if the text has an escape.
///
/// A backslash is displayed unchanged, so a name with a backslash may look like another name with an escape.
pub(super) fn unescaped(text: &OsStr) -> Option<OsString> {
    let text = text.to_str()?;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let len = match escape(rest) {
            Some((Unit::Character(character), len)) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                len
            }
            Some((Unit::Byte(byte), len)) => {
                bytes.push(byte);
                len
            }
            None => {
                bytes.push(b'\\');
                1
            }
        };
        rest = &rest[len..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    (bytes != text.as_bytes()).then(|| os_string(&bytes))
}

/// The unit that an escape stands for.
enum Unit {
    Character(char),
    Byte(u8),
}

/// The escape at the start of a text, and its length.
fn escape(text: &str) -> Option<(Unit, usize)> {
    let character = |character| Some((Unit::Character(character), 2));
    match *text.as_bytes().get(1)? {
        b'n' => character('\n'),
        b'r' => character('\r'),
        b't' => character('\t'),
        b'x' => Some((Unit::Byte(u8::from_str_radix(text.get(2..4)?, 16).ok()?), 4)),
        b'u' => {
            let digits = text.get(3..)?.split_once('}')?.0;
            let code = u32::from_str_radix(digits, 16).ok().filter(|_| text.as_bytes()[2] == b'{')?;
            Some((Unit::Character(char::from_u32(code)?), digits.len() + 4))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sectile::Escaped;

    #[cfg(unix)]
    #[test]
    fn displayed_names_are_those_of_files() {
        use std::os::unix::ffi::OsStrExt;
        for name in [&b"a\x1b[31m.wasm"[..], b"\xff\n\r\t", "\u{202e}x\u{9b}".as_bytes(), b"\\d\x7f", b"\x00"] {
            let name = OsStr::from_bytes(name);
            assert_eq!(unescaped(Escaped::file(name).to_string().as_ref()).as_deref(), Some(name));
        }
    }

    #[test]
    fn text_without_escapes_is_unchanged() {
        for text in ["", "a.wasm", r"C:\dir\a.wasm", r"\", r"\x", r"\xg0", r"\u{}", r"\u{110000}", r"\u12}", r"\xé"] {
            assert_eq!(unescaped(text.as_ref()), None, "{text}");
        }
    }
}
