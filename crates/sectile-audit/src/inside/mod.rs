//! Finds binaries inside other files: encoded as text, or as they are.
//!
//! [`Finder`] searches a window of bytes for places where an encoding of a binary may begin. [`decode`] decodes from
//! such a place, and [`framing`] decides whether the result is a binary.

mod base64;
mod digits;
mod finder;
mod framing;
mod literal;
mod magic;
mod symbols;
pub(crate) mod work;

pub(crate) use self::finder::{Candidate, Finder, LOOKBEHIND};
pub(crate) use self::framing::Framed;
pub(crate) use self::literal::Escaping;
pub(crate) use self::magic::Magic;
use self::symbols::{Joint, joint};

/// How the bytes of a candidate are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Encoding {
    /// Not encoded.
    Raw,
    /// Base64, also with the alphabet for URLs. The number of bytes in the first group before the binary.
    Base64(u8),
    Hex,
    /// Numbers in text, each of which is a byte.
    Numbers,
    /// Bytes of a URI, some of which are percent-encoded.
    Percent,
    /// A string in a literal, each character of which is a byte.
    Literal(Escaping),
}

impl Encoding {
    /// The name in the names of rows.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Base64(_) => "base64",
            Self::Hex => "hex",
            Self::Numbers => "numbers",
            Self::Percent => "percent",
            Self::Literal(_) => "string",
        }
    }
}

/// The bytes that a text encodes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) bytes: Vec<u8>,
    /// Number of bytes of text.
    pub(crate) len: usize,
    /// Lengths of `bytes` at which the text may end, although more of it follows.
    pub(crate) breaks: Vec<usize>,
    /// Whether the window ends before the end of the text is certain.
    pub(crate) is_open: bool,
    /// Whether the window ends inside the text.
    pub(crate) is_cut: bool,
}

impl Decoded {
    /// Goes to the next part of the text, in the next line or literal. Returns the length of what is between.
    fn next_part(&mut self, text: &[u8]) -> Option<usize> {
        match joint(text) {
            Joint::Continues(len, is_break) => {
                if is_break {
                    self.breaks.push(self.bytes.len());
                }
                return Some(len);
            }
            Joint::Ends => {}
            Joint::Open => self.is_open = true,
        }
        None
    }
}

/// Decodes at most about `most` bytes from the start of a text; `before` is the byte before it.
pub(crate) fn decode(encoding: Encoding, text: &[u8], before: Option<u8>, most: usize) -> Decoded {
    let decoded = decode_text(encoding, text, before, most);
    work::count(decoded.len);
    decoded
}

fn decode_text(encoding: Encoding, text: &[u8], before: Option<u8>, most: usize) -> Decoded {
    match encoding {
        Encoding::Raw => {
            let len = text.len().min(most);
            Decoded { bytes: text[..len].to_vec(), len, breaks: Vec::new(), is_open: len == text.len(), is_cut: false }
        }
        Encoding::Base64(skipped) => {
            let mut decoded = base64::decode(text, most);
            let skipped = usize::from(skipped).min(decoded.bytes.len());
            decoded.bytes.drain(..skipped);
            decoded.breaks.iter_mut().for_each(|at| *at = at.saturating_sub(skipped));
            decoded
        }
        Encoding::Hex => digits::decode_hex(text, most),
        Encoding::Numbers => digits::decode_numbers(text, most),
        Encoding::Percent => digits::decode_percent(text, most),
        Encoding::Literal(escaping) => literal::decode(text, before, escaping, most),
    }
}
