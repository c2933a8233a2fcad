//! References to images in a registry.
//!
//! The grammar is that of the distribution project's `reference` package, without defaults. A
//! reference without a registry is rejected, and a tag has no default.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use sectile::digest::Digest;
use sectile::internal::quoted;

/// Maximum length of a repository's name in bytes.
const MAX_REPOSITORY: usize = 255;
/// Maximum length of a tag in bytes.
const MAX_TAG: usize = 128;
/// Maximum length of a host name in bytes, as in the domain name system.
const MAX_HOST: usize = 253;

/// A reference to an image in a registry: `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`.
///
/// `docker.io/NAME` means `docker.io/library/NAME`, as in Docker. A bare `NAME:TAG` is rejected,
/// because tools disagree on its registry.
///
/// ```
/// use sectile_oci::registry::Reference;
///
/// let reference: Reference = "registry.example.com:5000/tools/app:1.2".parse()?;
/// assert_eq!(reference.registry(), "registry.example.com:5000");
/// assert_eq!((reference.repository(), reference.tag()), ("tools/app", Some("1.2")));
/// assert!("app:1.2".parse::<Reference>().is_err());
/// # Ok::<(), sectile_oci::registry::ReferenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: Box<str>,
    repository: Box<str>,
    tag: Option<Box<str>>,
    digest: Option<Digest>,
}

/// The reason why a text is not a [`Reference`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The text has no registry. Contains the quoted text, and the unquoted text for the advice.
    #[error("{0} has no registry: write HOST/{1}")]
    NoRegistry(String, String),
    /// The host or the port of the registry is invalid.
    #[error(
        "{0} is not a valid registry host: write a name, an IPv4 address, or an IPv6 address in brackets, and `:PORT`"
    )]
    InvalidRegistry(String),
    /// The name of the repository is missing or invalid.
    #[error(
        "{0} is not a valid repository: use lower-case letters and digits, separated by single `.`, one or two `_`, or \
         `-`, in parts divided by `/`, with at most {MAX_REPOSITORY} bytes"
    )]
    InvalidRepository(String),
    /// The tag is invalid.
    #[error(
        "{0} is not a valid tag: use at most {MAX_TAG} letters, digits, `_`, `.` and `-`, not starting with `.` or `-`"
    )]
    InvalidTag(String),
    /// The digest is invalid or of an unsupported algorithm.
    #[error("{0} is not a supported digest: write `sha256:` and 64 lower-case hexadecimal digits")]
    InvalidDigest(String),
}

impl Reference {
    /// Returns the host of the registry, with its port if it has one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the name of the repository.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the tag.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest of the manifest.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Sets the tag.
    ///
    /// # Errors
    ///
    /// The tag is invalid.
    pub fn with_tag(mut self, tag: &str) -> Result<Self, ReferenceError> {
        if !is_tag(tag) {
            return Err(ReferenceError::InvalidTag(quoted(tag)));
        }
        self.tag = Some(tag.into());
        Ok(self)
    }

    /// Sets the digest of the manifest.
    #[must_use]
    pub fn with_digest(mut self, digest: Digest) -> Self {
        self.digest = Some(digest);
        self
    }

    /// Returns the host of the registry's API, which differs from the registry for Docker Hub.
    pub(super) fn api_host(&self) -> &str {
        if &*self.registry == DOCKER { "registry-1.docker.io" } else { &self.registry }
    }
}

/// The host of a registry, with its port if it has one: `HOST[:PORT]`.
///
/// ```
/// use sectile_oci::registry::RegistryHost;
///
/// let host: RegistryHost = "registry.example.com:5000".parse()?;
/// assert_eq!(host.as_str(), "registry.example.com:5000");
/// assert!("registry/app".parse::<RegistryHost>().is_err());
/// # Ok::<(), sectile_oci::registry::ReferenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryHost(Box<str>);

impl RegistryHost {
    /// Returns the host as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns a reference to the registry as a whole, for requests without a repository.
    pub(super) fn reference(&self) -> Reference {
        Reference { registry: self.0.clone(), repository: "".into(), tag: None, digest: None }
    }
}

impl FromStr for RegistryHost {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !looks_like_registry(text) || !is_registry(text) {
            return Err(ReferenceError::InvalidRegistry(quoted(text)));
        }
        Ok(Self(canonical_registry(text).into()))
    }
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The registry of Docker Hub in references.
pub(super) const DOCKER: &str = "docker.io";

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => {
                (name, Some(digest.parse().map_err(|_| ReferenceError::InvalidDigest(quoted(digest)))?))
            }
            None => (text, None),
        };
        let Some((registry, rest)) = name.split_once('/').filter(|(first, _)| looks_like_registry(first)) else {
            return Err(ReferenceError::NoRegistry(quoted(name), unquoted(name)));
        };
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (rest, None),
        };
        if !is_registry(registry) {
            return Err(ReferenceError::InvalidRegistry(quoted(registry)));
        }
        if !is_repository(repository) {
            return Err(ReferenceError::InvalidRepository(quoted(repository)));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(ReferenceError::InvalidTag(quoted(tag)));
        }
        let registry = canonical_registry(registry);
        let repository = match repository {
            official if registry == DOCKER && !official.contains('/') => format!("library/{official}"),
            repository => repository.to_owned(),
        };
        Ok(Self { registry: registry.into(), repository: repository.into(), tag: tag.map(Into::into), digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Returns the name of a registry that has several names.
fn canonical_registry(registry: &str) -> &str {
    if registry == "index.docker.io" { DOCKER } else { registry }
}

/// Returns the text as it appears in the advice.
fn unquoted(name: &str) -> String {
    quoted(name).trim_matches('`').to_owned()
}

/// Returns whether the first part of a name is a registry, by Docker's rule.
fn looks_like_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':', '[']) || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_registry(text: &str) -> bool {
    // The last colon precedes the port, unless it is inside the brackets of an IPv6 address.
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0);
    let is_host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => host.len() <= MAX_HOST && host.split('.').all(is_label),
    };
    is_host && port.is_none_or(is_port)
}

/// Returns whether a text is a label of a host name.
fn is_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// Returns whether a text is the name of a repository.
pub(super) fn is_repository(text: &str) -> bool {
    text.len() <= MAX_REPOSITORY && text.split('/').all(is_component)
}

/// Returns whether a text is a component of a repository's name:
/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_component(text: &str) -> bool {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends_well = |byte: Option<&u8>| byte.is_some_and(|&byte| is_alphanumeric(byte));
    ends_well(bytes.first())
        && ends_well(bytes.last())
        && bytes.chunk_by(|&a, &b| is_alphanumeric(a) == is_alphanumeric(b)).all(|run| match run {
            [first, ..] if is_alphanumeric(*first) => true,
            b"." | b"_" | b"__" => true,
            dashes => dashes.iter().all(|&byte| byte == b'-'),
        })
}

pub(super) fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= MAX_TAG
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|byte| is_word(byte) || byte == b'.' || byte == b'-')
}
