//! Checks of a text before a recursive parser reads it: nesting depth, and strictness of JSON.

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Maximum nesting depth. TOML parsers limit brackets and dotted keys separately, and the product of both overflows the
/// stack.
const MAX_DEPTH: usize = 100;

pub(super) const TOO_DEEP: &str = "it nests too deep: more than 100 tables and lists in one another";

/// The offset of the token at which a TOML text nests too deep.
pub(super) fn too_deep_in_toml(text: &str) -> Option<usize> {
    let mut open = OpenBrackets::default();
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => open.dots += 1, // in a dotted key, or in a number
            TokenKind::LeftCurlyBracket => open.enter(b'}'),
            TokenKind::LeftSquareBracket => open.enter(b']'),
            TokenKind::RightCurlyBracket => open.leave(b'}'),
            TokenKind::RightSquareBracket => open.leave(b']'),
            TokenKind::Comma => open.dots = 0,
            TokenKind::Newline if open.brackets.is_empty() => open.dots = 0,
            _ => {}
        }
        if open.depth() > MAX_DEPTH {
            return Some(token.span().start());
        }
    }
    None
}

/// The offset and description of an error in JSON that the parser accepts: too deep nesting, or a character that is not
/// allowed there.
pub(super) fn find_json_error(text: &str) -> Option<(usize, &'static str)> {
    let mut open = OpenBrackets::default();
    let mut is_string = false;
    let mut bytes = text.bytes().enumerate();
    while let Some((offset, byte)) = bytes.next() {
        match byte {
            b'"' => is_string = !is_string,
            b'\\' if is_string => _ = bytes.next(),
            0..b' ' if is_string => return Some((offset, "a control character in a string is not escaped")),
            _ if is_string => {}
            b'{' => open.enter(b'}'),
            b'[' => open.enter(b']'),
            b'}' | b']' => open.leave(byte),
            b'\t' | b'\n' | b'\r' | b' '..=b'~' => {}
            _ => return Some((offset, "a character that JSON has only in strings")),
        }
        if open.depth() > MAX_DEPTH {
            return Some((offset, TOO_DEEP));
        }
    }
    None
}

/// The open brackets, each with the number of dots in the key before it.
#[derive(Default)]
struct OpenBrackets {
    brackets: Vec<(u8, usize)>,
    /// Dots in the current key.
    dots: usize,
    /// Dots in all keys before the open brackets.
    dots_before: usize,
}

impl OpenBrackets {
    fn depth(&self) -> usize {
        self.brackets.len() + self.dots_before + self.dots
    }

    fn enter(&mut self, end: u8) {
        self.brackets.push((end, self.dots));
        self.dots_before += std::mem::take(&mut self.dots);
    }

    /// Ignores a bracket that does not match: a parser that recovers from the error has not left the table either.
    fn leave(&mut self, end: u8) {
        if let Some((_, dots)) = self.brackets.pop_if(|(open, _)| *open == end) {
            self.dots_before -= dots;
            self.dots = dots;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_in_toml() {
        let braces = |number: usize| format!("{}1{}", "{a = ".repeat(number), "}".repeat(number));
        assert_eq!(too_deep_in_toml(&format!("a = {}", braces(100))), None);
        assert!(too_deep_in_toml(&format!("a = {}", braces(101))).is_some());
        let keys = ["a"; 40].join(".");
        assert_eq!(too_deep_in_toml(&format!("[{keys}]\n{keys} = {{{keys} = 1}}\n").repeat(1000)), None);
        assert!(too_deep_in_toml(&format!("{keys} = {{{keys} = {{{keys} = 1}}}}")).is_some());
        assert!(too_deep_in_toml(&"{a = [} ".repeat(101)).is_some());
        assert_eq!(too_deep_in_toml("a = '{{{{' # [[[[\n".repeat(1000).as_str()), None);
        assert_eq!(too_deep_in_toml("a = [1.5, 2.5]\nb = { c = 1.5 }\n".repeat(1000).as_str()), None);
    }

    #[test]
    fn depth_in_json() {
        let lists = |number: usize| "[".repeat(number) + &"]".repeat(number);
        assert_eq!(find_json_error(&lists(100)), None);
        assert_eq!(find_json_error(&lists(101)), Some((100, TOO_DEEP)));
        assert_eq!(find_json_error(&format!("[{}]", r#""\"[[[[","#.repeat(1000))), None);
        assert_eq!(find_json_error("[\"a\tb\"]").map(|(offset, _)| offset), Some(3));
    }
}
