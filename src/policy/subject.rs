//! What is judged, as far as its bytes do not say it.

use std::borrow::Cow;
use std::ffi::OsStr;

use super::Day;

/// What a report is about, as far as its bytes do not say it: where it lies, and which digest it has; and the day on which it
/// is judged. It is what [exceptions](super::Exception) are made for, and nothing else in a policy asks for it.
///
/// ```
/// use sectile::policy::Subject;
///
/// let locations = ["vendor/zlib.wasm".as_ref()];
/// let subject = Subject::new().at(&locations).on("2026-11-26".parse()?);
/// # assert!(subject.digest.is_none());
/// # Ok::<(), sectile::policy::RuleError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject<'s> {
    /// All places where it lies, as people call them.
    pub locations: &'s [&'s OsStr],
    /// Its digest, as `sha256:…`; `None` where nobody names one.
    pub digest: Option<&'s str>,
    /// Whether the digest was computed of the very bytes that were read, and is not only what a store calls them.
    pub verified: bool,
    /// The day on which it is judged; `None` where nobody says: then what expires excuses nothing.
    pub today: Option<Day>,
}

impl<'s> Subject<'s> {
    /// Something without a place, a digest or a day.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lies at these places, and at no others.
    #[must_use]
    pub fn at(self, locations: &'s [&'s OsStr]) -> Self {
        Self { locations, ..self }
    }

    /// Is called by this digest where it is stored.
    #[must_use]
    pub fn named(self, digest: &'s str) -> Self {
        Self { digest: Some(digest), verified: false, ..self }
    }

    /// Has this digest, which was computed of the very bytes that were read.
    #[must_use]
    pub fn verified(self, digest: &'s str) -> Self {
        Self { digest: Some(digest), verified: true, ..self }
    }

    /// Is judged on this day.
    #[must_use]
    pub fn on(self, today: Day) -> Self {
        Self { today: Some(today), ..self }
    }
}

/// A place as patterns are matched against it: with `/` as its divider, without `./` before it. `None` where it is not UTF-8,
/// or goes up: no pattern can say where that is.
pub(super) fn place(location: &OsStr) -> Option<Cow<'_, str>> {
    let text = location.to_str()?;
    let text = if cfg!(windows) { text.replace('\\', "/").into() } else { Cow::Borrowed(text) };
    if text.split('/').any(|part| part == "..") {
        return None;
    }
    let start = text.len() - text.trim_start_matches("./").len();
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[start..]),
        Cow::Owned(text) => Cow::Owned(text[start..].to_owned()),
    })
}
