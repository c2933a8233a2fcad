//! The context of a judgment.

use std::borrow::Cow;
use std::ffi::OsStr;

use super::Day;

/// Context that is not in the bytes: the locations of the file, its digest, and the day of the
/// judgment. Only [exceptions](super::Exception) depend on it.
///
/// ```
/// use sectile_policy::{Day, JudgeContext};
///
/// let locations = ["vendor/zlib.wasm".as_ref()];
/// let context = JudgeContext::new().with_locations(&locations).with_day("2026-11-26".parse::<Day>()?);
/// # _ = context;
/// # Ok::<(), sectile_policy::RuleError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JudgeContext<'s> {
    pub(crate) locations: &'s [&'s OsStr],
    pub(crate) digest: Option<&'s str>,
    pub(crate) verified: bool,
    pub(crate) today: Option<Day>,
}

impl<'s> JudgeContext<'s> {
    /// A context without a location, a digest or a day.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets all locations of the file.
    #[must_use]
    pub fn with_locations(self, locations: &'s [&'s OsStr]) -> Self {
        Self { locations, ..self }
    }

    /// Sets the digest that the store names the file by.
    #[must_use]
    pub fn with_digest(self, digest: &'s str) -> Self {
        Self { digest: Some(digest), verified: false, ..self }
    }

    /// Sets the digest that was computed from the bytes that were read.
    #[must_use]
    pub fn with_verified_digest(self, digest: &'s str) -> Self {
        Self { digest: Some(digest), verified: true, ..self }
    }

    /// Sets the day of the judgment.
    #[must_use]
    pub fn with_day(self, today: impl Into<Option<Day>>) -> Self {
        Self { today: today.into(), ..self }
    }
}

/// A location in the form that path patterns match: divided by `/`, without a leading `./`. `None`
/// if it is not UTF-8 or contains `..`, which no pattern matches.
pub(super) fn normalized_location(location: &OsStr) -> Option<Cow<'_, str>> {
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
