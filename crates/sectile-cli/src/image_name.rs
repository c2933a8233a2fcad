//! Names of images, in registries and in layouts.

use std::ffi::{OsStr, OsString};
use std::fmt;

use sectile_oci::registry::{Reference, ReferenceError};
use sectile_oci::{Locator, Selector};

/// An image in a registry or in a layout on disk.
#[derive(Clone, Debug)]
pub enum ImageName {
    Registry(Reference),
    Layout(Locator),
}

impl ImageName {
    /// Parses the name of an existing image: `oci:DIR[:NAME|@DIGEST]`, or as
    /// [`registry_reference`].
    #[allow(clippy::needless_pass_by_value)] // for clap
    pub fn for_source(text: OsString) -> Result<Self, String> {
        Self::parse(&text, Locator::parse)
    }

    /// As [`for_source`](Self::for_source), for an image that is written. Its layout need not exist.
    #[allow(clippy::needless_pass_by_value)] // for clap
    pub fn for_target(text: OsString) -> Result<Self, String> {
        Self::parse(&text, Locator::parse_target)
    }

    fn parse<E: fmt::Display>(
        text: &OsStr,
        parse_locator: impl Fn(&OsStr) -> Option<Result<Locator, E>>,
    ) -> Result<Self, String> {
        let name = text.to_string_lossy();
        match parse_locator(text).filter(|_| without_scheme(&name) == name) {
            Some(locator) => locator.map(Self::Layout).map_err(|error| error.to_string()),
            None => registry_reference(&name).map(Self::Registry).map_err(|error| error.to_string()),
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => write!(f, "{reference}"),
            Self::Layout(locator) => {
                write!(f, "oci:{}", locator.directory().display())?;
                match locator.selector() {
                    Selector::Name(name) => write!(f, ":{name}"),
                    Selector::Digest(digest) => write!(f, "@{digest}"),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// Parses `HOST/REPOSITORY[:TAG|@DIGEST]`, with or without `oci://` before it.
pub fn registry_reference(text: &str) -> Result<Reference, ReferenceError> {
    without_scheme(text).parse()
}

/// Returns the text without `oci://`. Schemes are case-insensitive.
pub fn without_scheme(text: &str) -> &str {
    match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("oci") => rest,
        _ => text,
    }
}
