//! One fact about a binary.

use std::fmt;

use sectile::Escaped;
use sectile::digest::Digest;
use sectile::metadata::Value;
use sectile::scan::ItemPath;

use super::Aspect;
use crate::grouped::Grouped;

/// Identity of a fact. Several facts may share it: two versions of one package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FactKey {
    pub(super) path: ItemPath,
    pub(super) aspect: Aspect,
    pub(super) group: Option<String>,
    pub(super) name: String,
}

/// A fact about a binary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fact {
    pub(super) key: FactKey,
    pub(super) value: FactValue,
}

impl Fact {
    pub(super) fn new(
        path: &ItemPath,
        aspect: Aspect,
        group: Option<&str>,
        name: &str,
        value: impl Into<FactValue>,
    ) -> Self {
        let key = FactKey { path: path.clone(), aspect, group: group.map(str::to_owned), name: name.to_owned() };
        Self { key, value: value.into() }
    }
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FactValue {
    /// Text.
    Text(String),
    /// Bytes that are not UTF-8.
    Bytes(Vec<u8>),
    /// The sections of one name.
    #[non_exhaustive]
    Sections {
        /// Number of sections.
        sections: u64,
        /// Total length in bytes, headers included.
        bytes: u64,
        /// The digest of their data, if it was computed.
        digest: Option<Digest>,
    },
}

impl From<&str> for FactValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FactValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Result<String, Vec<u8>>> for FactValue {
    fn from(value: Result<String, Vec<u8>>) -> Self {
        value.map_or_else(Self::Bytes, Self::Text)
    }
}

impl From<&Value<'_>> for FactValue {
    fn from(value: &Value<'_>) -> Self {
        value.as_str().map_or_else(|| Self::Bytes(value.as_bytes().to_vec()), Self::from)
    }
}

/// The value on one line, escaped for a terminal. Long text is shortened.
impl fmt::Display for FactValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => short(text.as_bytes(), f),
            Self::Bytes(bytes) => short(bytes, f),
            Self::Sections { sections, bytes, .. } => {
                if *sections > 1 {
                    write!(f, "{} sections, ", Grouped(*sections))?;
                }
                write!(f, "{} byte{}", Grouped(*bytes), if *bytes == 1 { "" } else { "s" })
            }
        }
    }
}

/// Maximum number of bytes of a value that are shown.
const MAX_SHOWN: usize = 400;

fn short(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match bytes {
        [] => f.write_str("(empty)"),
        _ if bytes.len() <= MAX_SHOWN => write!(f, "{}", Escaped::bytes(bytes)),
        _ => {
            let mut begin = &bytes[..MAX_SHOWN];
            if let Some(last) = begin.utf8_chunks().last() {
                begin = &begin[..begin.len() - last.invalid().len()]; // not in the middle of a character
            }
            write!(f, "{}… ({} bytes)", Escaped::bytes(begin), Grouped(bytes.len() as u64))
        }
    }
}
