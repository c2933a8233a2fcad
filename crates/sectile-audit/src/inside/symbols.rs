//! Reads the characters of Base64 and hexadecimal text through escapes, line breaks and concatenated literals.

/// A character of a text, or what is between its characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    /// A character, which may have been escaped.
    Char(u8),
    /// A line break or another space, which may have been escaped.
    Space,
    Quote(u8),
    /// The end of the window.
    End,
}

/// The symbol at the start of a text, and its length in bytes.
pub(super) fn symbol(text: &[u8]) -> (Symbol, usize) {
    match text {
        [] => (Symbol::End, 0),
        [b'\\', ..] => escaped(text),
        [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            (plain(hex_digit(*high) << 4 | hex_digit(*low)), 3)
        }
        [first, ..] => (plain(*first), 1),
    }
}

fn plain(byte: u8) -> Symbol {
    match byte {
        b' ' | b'\t' | b'\r' | b'\n' => Symbol::Space,
        b'"' | b'\'' | b'`' => Symbol::Quote(byte),
        _ => Symbol::Char(byte),
    }
}

/// An escape of any level: the number of backslashes before it does not matter.
fn escaped(text: &[u8]) -> (Symbol, usize) {
    const MAX_BACKSLASHES: usize = 16;
    let slashes = text.iter().take(MAX_BACKSLASHES).take_while(|&&byte| byte == b'\\').count();
    let rest = &text[slashes..];
    let code = |digits: &[u8]| {
        digits.iter().all(u8::is_ascii_hexdigit).then(|| {
            let code = digits.iter().fold(0_u32, |code, digit| code << 4 | u32::from(hex_digit(*digit)));
            u8::try_from(code).map_or(Symbol::Char(0xff), plain)
        })
    };
    let (symbol, len) = match rest {
        [] => (Symbol::End, 0),
        [b'x', high, low, ..] => (code(&[*high, *low]).unwrap_or(Symbol::Char(b'\\')), 3),
        [b'u', a, b, c, d, ..] => (code(&[*a, *b, *c, *d]).unwrap_or(Symbol::Char(b'\\')), 5),
        [b'\r', b'\n', ..] => (Symbol::Space, 2),
        [b'n' | b'r' | b't', ..] => (Symbol::Space, 1),
        [first, ..] => match plain(*first) {
            // A backslash escapes no letter or digit of an encoding.
            Symbol::Char(byte) if byte.is_ascii_alphanumeric() => (Symbol::Char(b'\\'), 1),
            symbol => (symbol, 1),
        },
    };
    (symbol, slashes + len)
}

/// The value of a hexadecimal digit.
pub(super) fn hex_digit(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap_or(0) as u8
}

/// The result of looking for the next part of a text after a symbol that is not one of its characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// Number of bytes up to the next character, and whether the text may also end here.
    Continues(usize, bool),
    Ends,
    /// The window ends before this can be decided.
    Open,
}

/// Maximum length of the text between two parts: the indentation of a line, quotes and an operator.
const MAX_JOINT: usize = 512;

/// Looks for the next part of a text: on the next line, or in the next literal of a concatenation.
pub(super) fn joint(text: &[u8]) -> Joint {
    let (mut at, mut quote, mut has_operator, mut has_line_break) = (0, None, false, false);
    while at < MAX_JOINT {
        let (symbol, len) = symbol(&text[at..]);
        match (symbol, quote) {
            (Symbol::End, _) => return Joint::Open,
            (Symbol::Space, _) => has_line_break |= text[at..at + len].iter().any(|byte| b"\r\nnrAD0".contains(byte)),
            (Symbol::Quote(byte), None) if at == 0 || has_line_break => quote = Some(byte),
            (Symbol::Quote(byte), Some(open)) if byte == open => return Joint::Continues(at + len, false),
            (Symbol::Char(b'+' | b'.' | b',' | b'\\'), Some(_)) if !has_operator => has_operator = true,
            // Base64 may also begin with `+` in the next line.
            (Symbol::Char(_), None) if has_line_break && at > 0 => return Joint::Continues(at, true),
            _ => return Joint::Ends,
        }
        at += len;
    }
    Joint::Ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_any_level_are_one_symbol() {
        for (text, expected) in [
            (&b"A"[..], (Symbol::Char(b'A'), 1)),
            (b"\\/", (Symbol::Char(b'/'), 2)),
            (b"\\\\/", (Symbol::Char(b'/'), 3)),
            (b"\\x2b", (Symbol::Char(b'+'), 4)),
            (b"\\u002B", (Symbol::Char(b'+'), 6)),
            (b"\\\\u003d", (Symbol::Char(b'='), 7)),
            (b"%2Fx", (Symbol::Char(b'/'), 3)),
            (b"%0A", (Symbol::Space, 3)),
            (b"\\n", (Symbol::Space, 2)),
            (b"\\\r\n", (Symbol::Space, 3)),
            (b"\\\"", (Symbol::Quote(b'"'), 2)),
            (b"\\d", (Symbol::Char(b'\\'), 2)),
            (b"", (Symbol::End, 0)),
        ] {
            assert_eq!(symbol(text), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn texts_continue_in_the_next_line_or_literal() {
        for (text, expected) in [
            (&b"\" + \"A"[..], Joint::Continues(5, false)),
            (b"\"\n  \"A", Joint::Continues(5, false)),
            (b"\\\" +\\n\\\"A", Joint::Continues(8, false)),
            (b"','A", Joint::Continues(3, false)),
            (b"\n    A", Joint::Continues(5, true)),
            (b"\\\nA", Joint::Continues(2, true)),
            (b"\" + 'A", Joint::Ends),
            (b" A", Joint::Ends),
            (b")A", Joint::Ends),
            (b"\"))", Joint::Ends),
            (b"\" +", Joint::Open),
        ] {
            assert_eq!(joint(text), expected, "{}", text.escape_ascii());
        }
    }
}
