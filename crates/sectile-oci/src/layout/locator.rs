//! Locators of images in a layout.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{LayoutError, MARKER_FILE};
use sectile::digest::Digest;

/// The location of an image in a layout on disk: `oci:DIR`, `oci:DIR:NAME` or `oci:DIR@sha256:…`.
///
/// Directories and image names may contain `:` and `@`. The longest prefix that is a layout's
/// directory is the directory. Write `./oci:…` for a file whose name begins with `oci:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locator {
    directory: PathBuf,
    selector: Selector,
}

/// Selects one image of a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selector {
    /// The only image.
    Only,
    /// The image with this `org.opencontainers.image.ref.name`.
    Name(String),
    /// The manifest or index with this digest.
    Digest(Digest),
}

const SCHEME: &str = "oci:";

impl Locator {
    /// Creates a locator of an image in the layout in a directory.
    pub fn new(directory: impl Into<PathBuf>, selector: Selector) -> Self {
        Self { directory: directory.into(), selector }
    }

    /// Parses a locator. Returns `None` for text that does not begin with `oci:`, which is a path.
    ///
    /// Checks on disk which part of the text is the directory.
    ///
    /// # Errors
    ///
    /// No prefix is the directory of a layout, or the rest is not a digest.
    pub fn parse(text: &OsStr) -> Option<Result<Self, LayoutError>> {
        let rest = text.as_encoded_bytes().strip_prefix(SCHEME.as_bytes())?;
        if rest.starts_with(b"//") {
            return Some(Err(LayoutError::RegistryLocator));
        }
        let mut ends = directory_ends(text);
        let longest = ends.clone().find(|&end| is_layout(Path::new(&part(text, SCHEME.len(), end))));
        // The error message assumes that the directory ends at the first colon outside a drive
        // letter.
        let end = longest.unwrap_or_else(|| {
            let has_drive = matches!(rest, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
            let min_end = SCHEME.len() + if has_drive { 2 } else { 0 };
            ends.rfind(|&end| end >= min_end).unwrap_or(text.len())
        });
        Some(Self::split(text, end, longest.is_some()))
    }

    /// As [`parse`](Self::parse), for an image that is written: the layout need not exist. Then the
    /// directory ends at the first colon, and the rest is the image's name.
    ///
    /// # Errors
    ///
    /// The rest is not a digest.
    pub fn parse_target(text: &OsStr) -> Option<Result<Self, LayoutError>> {
        match Self::parse(text)? {
            Err(LayoutError::NotLayout(directory)) => {
                let end = SCHEME.len() + directory.as_os_str().len();
                Some(Self::split(text, end, true))
            }
            located => Some(located),
        }
    }

    /// Returns the directory of the layout.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns which of the layout's images is selected.
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    fn split(text: &OsStr, end: usize, is_layout: bool) -> Result<Self, LayoutError> {
        let directory = PathBuf::from(part(text, SCHEME.len(), end));
        if !is_layout {
            return Err(LayoutError::NotLayout(directory));
        }
        let Some(divider) = text.as_encoded_bytes().get(end) else {
            return Ok(Self { directory, selector: Selector::Only });
        };
        let selected = part(text, end + 1, text.len());
        let selected = selected.to_string_lossy().into_owned(); // names are ASCII, so a replaced one matches none
        let selector = if *divider == b'@' {
            let digest = selected.parse();
            Selector::Digest(digest.map_err(|source| LayoutError::InvalidDigest { file: directory.clone(), source })?)
        } else {
            Selector::Name(selected)
        };
        Ok(Self { directory, selector })
    }
}

/// Divides a locator `oci:DIR…` at each position where the directory may end, the longest directory first.
///
/// Returns nothing for other text.
pub fn locator_divisions(text: &OsStr) -> impl Iterator<Item = (PathBuf, OsString)> {
    let is_locator = text.as_encoded_bytes().starts_with(SCHEME.as_bytes());
    let ends = directory_ends(text).filter(move |&end| is_locator && end > SCHEME.len());
    ends.map(|end| (PathBuf::from(part(text, SCHEME.len(), end)), part(text, end, text.len())))
}

/// Positions where the directory of a locator may end, in descending order.
fn directory_ends(text: &OsStr) -> impl DoubleEndedIterator<Item = usize> + Clone {
    let start = SCHEME.len().min(text.len());
    let dividers = (start..text.len()).rev().filter(|&at| b":@".contains(&text.as_encoded_bytes()[at]));
    [text.len()].into_iter().chain(dividers)
}

fn is_layout(directory: &Path) -> bool {
    directory != Path::new("") && directory.join(MARKER_FILE).symlink_metadata().is_ok()
}

/// Returns a part of a text that begins and ends next to ASCII bytes.
fn part(text: &OsStr, start: usize, end: usize) -> OsString {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        OsStr::from_bytes(&text.as_bytes()[start..end]).to_owned()
    }
    #[cfg(not(unix))]
    {
        // Non-Unicode text cannot name a layout there.
        text.to_str().and_then(|text| text.get(start..end)).unwrap_or_default().into()
    }
}
