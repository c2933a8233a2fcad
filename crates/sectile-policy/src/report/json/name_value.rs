//! Texts of the JSON that may hold bytes.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// A text, or the bytes of a name or a value that is not UTF-8.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum NameValue<'l> {
    /// Text.
    Text(#[serde(borrow)] Cow<'l, str>),
    /// Bytes in base64.
    Bytes {
        /// The base64.
        base64: String,
    },
}

impl<'l> NameValue<'l> {
    /// The text. Bytes that are not valid base64 are empty.
    ///
    /// # Errors
    ///
    /// The bytes, if they are not UTF-8.
    pub fn to_value(&self) -> Result<String, Vec<u8>> {
        match self {
            Self::Text(text) => Ok(text.clone().into_owned()),
            Self::Bytes { base64 } => Err(STANDARD.decode(base64).unwrap_or_default()),
        }
    }

    /// The text; `None` for bytes that are not UTF-8.
    pub fn text(&self) -> Option<Cow<'l, str>> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bytes { .. } => None,
        }
    }

    /// Decodes a file name.
    pub fn to_os_name(&self) -> Option<Cow<'l, OsStr>> {
        match self {
            Self::Text(Cow::Borrowed(text)) => Some(Cow::Borrowed(OsStr::new(*text))),
            Self::Text(Cow::Owned(text)) => Some(Cow::Owned(OsString::from(text))),
            Self::Bytes { base64 } => os_name(STANDARD.decode(base64).ok()?).map(Cow::Owned),
        }
    }
}

/// Creates a file name from bytes. Outside Unix, the bytes must be UTF-8.
fn os_name(bytes: Vec<u8>) -> Option<OsString> {
    #[cfg(unix)]
    let name = Some(std::os::unix::ffi::OsStringExt::from_vec(bytes));
    #[cfg(not(unix))]
    let name = String::from_utf8(bytes).ok().map(OsString::from);
    name
}
