//! Platforms of images. Source: the image specification, "Image Index".

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use sectile::internal::quoted;

/// The platform of an image: `OS/ARCHITECTURE[/VARIANT]`.
///
/// ```
/// use sectile_oci::Platform;
///
/// let platform: Platform = "wasi/wasm".parse()?;
/// assert_eq!(platform.to_string(), "wasi/wasm");
/// assert!("wasm".parse::<Platform>().is_err());
/// # Ok::<(), sectile_oci::PlatformError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// The reason why a text is not a [`Platform`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a platform: write OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as wasi/wasm")]
pub struct PlatformError(String);

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let is_word = |part: &&str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        let (([os, architecture], variant), true) = (
            match parts[..] {
                [os, architecture] => ([os, architecture], None),
                [os, architecture, variant] => ([os, architecture], Some(variant)),
                _ => return Err(PlatformError(quoted(text))),
            },
            parts.iter().all(is_word),
        ) else {
            return Err(PlatformError(quoted(text)));
        };
        Ok(Self { os: os.to_owned(), architecture: architecture.to_owned(), variant: variant.map(str::to_owned) })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

/// The platform in a descriptor.
#[derive(Clone, Debug, Deserialize)]
pub struct DescriptorPlatform {
    pub architecture: Option<String>,
    pub os: Option<String>,
    pub variant: Option<String>,
}

impl DescriptorPlatform {
    /// Whether this is the requested platform. A request without a variant accepts every variant.
    pub(crate) fn is(&self, requested: &Platform) -> bool {
        self.os.as_ref() == Some(&requested.os)
            && self.architecture.as_ref() == Some(&requested.architecture)
            && (requested.variant.is_none() || self.variant == requested.variant)
    }
}
