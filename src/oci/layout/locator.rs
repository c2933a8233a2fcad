//! What names an image in a layout.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{LayoutError, MARKER};
use crate::digest::Digest;

/// An image in a layout on disk, as `oci:DIR`, `oci:DIR:NAME` or `oci:DIR@sha256:…` name it.
///
/// A directory may have colons and at-signs in its name, and so may what images are called: of all ways to divide them,
/// the one with the longest directory that holds a layout counts. A file whose own name begins with `oci:` is
/// `./oci:…`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Locator {
    /// The directory of the layout.
    pub directory: PathBuf,
    /// Which of its images.
    pub selector: Selector,
}

/// Which image of a layout is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selector {
    /// The only one.
    Only,
    /// The one of this name, which is its `org.opencontainers.image.ref.name`.
    Name(String),
    /// The manifest or the index with this digest.
    Digest(Digest),
}

const SCHEME: &str = "oci:";

impl Locator {
    /// The image that a text names, if it names one; `None` for every other text, which is a path. Which part of it is
    /// the directory is looked up on disk.
    ///
    /// # Errors
    ///
    /// None of the directories that it may name holds a layout; or what stands behind it is no digest.
    pub fn parse(text: &OsStr) -> Option<Result<Self, LayoutError>> {
        let rest = text.as_encoded_bytes().strip_prefix(SCHEME.as_bytes())?;
        if rest.starts_with(b"//") {
            return Some(Err(LayoutError::Registry));
        }
        let dividers = (SCHEME.len()..text.len()).rev().filter(|&at| b":@".contains(&text.as_encoded_bytes()[at]));
        let mut ends = [text.len()].into_iter().chain(dividers);
        let longest = ends.clone().find(|&end| is_layout(Path::new(&part(text, SCHEME.len(), end))));
        // None is one: it was meant to end at the first colon, unless that stands behind the letter of a drive.
        let end = longest.unwrap_or_else(|| {
            let drive = matches!(rest, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
            let behind = SCHEME.len() + if drive { 2 } else { 0 };
            ends.rfind(|&end| end >= behind).unwrap_or(text.len())
        });
        Some(Self::divided(text, end, longest.is_some()))
    }

    fn divided(text: &OsStr, end: usize, is_layout: bool) -> Result<Self, LayoutError> {
        let directory = PathBuf::from(part(text, SCHEME.len(), end));
        if !is_layout {
            return Err(LayoutError::NotLayout(directory));
        }
        let Some(divider) = text.as_encoded_bytes().get(end) else {
            return Ok(Self { directory, selector: Selector::Only });
        };
        let selected = part(text, end + 1, text.len());
        let selected = selected.to_string_lossy().into_owned(); // names are ASCII: whatever is replaced is found nowhere
        let selector = if *divider == b'@' {
            Selector::Digest(
                selected.parse().map_err(|source| LayoutError::Digest { file: directory.clone(), source })?,
            )
        } else {
            Selector::Name(selected)
        };
        Ok(Self { directory, selector })
    }
}

fn is_layout(directory: &Path) -> bool {
    directory != Path::new("") && directory.join(MARKER).symlink_metadata().is_ok()
}

/// A part of a text, between bytes that are ASCII.
fn part(text: &OsStr, start: usize, end: usize) -> OsString {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        OsStr::from_bytes(&text.as_bytes()[start..end]).to_owned()
    }
    #[cfg(not(unix))]
    {
        // What is no text there names nothing that a person can write.
        text.to_str().and_then(|text| text.get(start..end)).unwrap_or_default().into()
    }
}
