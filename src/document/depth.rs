//! What is told of a text before a parser is let at it: how deep it nests, since parsers recurse; and whether JSON is strict.

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// No manifest and no policy nests so deep. (Parsers of TOML bound brackets and dotted keys each by itself, and their
/// product is deep enough to end the stack.)
const DEEPEST: usize = 100;

pub(super) const TOO_DEEP: &str = "it nests too deep: more than 100 tables and lists in one another";

/// Where a TOML text nests too deep: the offset of a token.
pub(super) fn too_deep_in_toml(text: &str) -> Option<usize> {
    let mut open = Open::default();
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => open.dots += 1, // of a dotted key, or of a number
            TokenKind::LeftCurlyBracket => open.enter(b'}'),
            TokenKind::LeftSquareBracket => open.enter(b']'),
            TokenKind::RightCurlyBracket => open.leave(b'}'),
            TokenKind::RightSquareBracket => open.leave(b']'),
            TokenKind::Comma => open.dots = 0,
            TokenKind::Newline if open.brackets.is_empty() => open.dots = 0,
            _ => {}
        }
        if open.depth() > DEEPEST {
            return Some(token.span().start());
        }
    }
    None
}

/// Where a JSON text nests too deep, or has a character where JSON has none, which the parser passes over: the offset, and
/// what is wrong.
#[cfg(feature = "manifest")]
pub(super) fn flaw_in_json(text: &str) -> Option<(usize, &'static str)> {
    let mut open = Open::default();
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
        if open.depth() > DEEPEST {
            return Some((offset, TOO_DEEP));
        }
    }
    None
}

/// The brackets that are open, each with the dots of the key before it.
#[derive(Default)]
struct Open {
    brackets: Vec<(u8, usize)>,
    /// Of the key that is being read.
    dots: usize,
    /// Of all keys before the open brackets.
    dots_before: usize,
}

impl Open {
    fn depth(&self) -> usize {
        self.brackets.len() + self.dots_before + self.dots
    }

    fn enter(&mut self, end: u8) {
        self.brackets.push((end, self.dots));
        self.dots_before += std::mem::take(&mut self.dots);
    }

    /// A bracket that does not fit closes nothing: who reads on behind such an error has not left either.
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
    #[cfg(feature = "manifest")]
    fn depth_in_json() {
        let lists = |number: usize| "[".repeat(number) + &"]".repeat(number);
        assert_eq!(flaw_in_json(&lists(100)), None);
        assert_eq!(flaw_in_json(&lists(101)), Some((100, TOO_DEEP)));
        assert_eq!(flaw_in_json(&format!("[{}]", r#""\"[[[[","#.repeat(1000))), None);
        assert_eq!(flaw_in_json("[\"a\tb\"]").map(|(offset, _)| offset), Some(3));
    }
}
