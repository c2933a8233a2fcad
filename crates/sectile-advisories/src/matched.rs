//! Advisories that affect a package of a binary.

use std::fmt;
use std::sync::Arc;

use sectile::internal::quoted;

use crate::{Advisory, Affected, AffectedScope};

/// An advisory that affects a package of a binary.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdvisoryMatch {
    /// The advisory and the package.
    pub affected: Arc<Affected>,
    /// The version of the package.
    pub version: Box<str>,
    /// How the package is known.
    pub origin: PackageOrigin,
}

impl AdvisoryMatch {
    /// A match of this version of the affected package.
    pub fn new(affected: Arc<Affected>, version: impl Into<Box<str>>, origin: PackageOrigin) -> Self {
        Self { affected, version: version.into(), origin }
    }

    /// The advisory.
    pub fn advisory(&self) -> &Advisory {
        self.affected.advisory()
    }
}

impl fmt::Display for AdvisoryMatch {
    /// Writes one line, such as "`smallvec` 1.6.0 has RUSTSEC-2021-0003 (critical, 9.8): Buffer
    /// overflow; fixed in >= 1.6.1". It quotes the database and the binary: escape it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advisory = self.advisory();
        write!(f, "{} {}", quoted(self.affected.package()), self.version)?;
        if self.origin == PackageOrigin::Recovered {
            write!(f, " (recovered)")?;
        }
        write!(f, " has {} ({})", advisory.id, Kind(advisory))?;
        if !advisory.title.is_empty() {
            write!(f, ": {}", advisory.title)?;
        }
        match self.affected.fixed() {
            [] => write!(f, "; no fixed version is known")?,
            fixed => write!(f, "; fixed in {}", fixed.join(" or "))?,
        }
        let AffectedScope { functions, targets, excludes_wasm, .. } = self.affected.scope();
        if !functions.is_empty() {
            let named = &functions[..functions.len().min(MAX_FUNCTIONS)];
            write!(f, "; affects {}", named.join(", "))?;
        }
        match functions.len().saturating_sub(MAX_FUNCTIONS) {
            0 => {}
            more => write!(f, " and {more} more functions")?,
        }
        if *excludes_wasm { write!(f, "; only on {}", targets.join(", ")) } else { Ok(()) }
    }
}

/// Maximum number of affected functions in a message.
const MAX_FUNCTIONS: usize = 3;

/// The severity of a vulnerability, or the class of another advisory.
struct Kind<'a>(&'a Advisory);

impl fmt::Display for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Advisory { class, rating, score, .. } = self.0;
        match (class, rating) {
            (crate::AdvisoryClass::Vulnerability, Some(rating)) => write!(f, "{rating}")?,
            (class, Some(rating)) => write!(f, "{}, {rating}", class.name())?,
            (class, None) => write!(f, "{}", class.name())?,
        }
        score.map_or(Ok(()), |score| write!(f, ", {score}"))
    }
}

/// How a package of a binary is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PackageOrigin {
    /// The build recorded it.
    Declared,
    /// It was recovered from other data in the binary, and may be wrong.
    Recovered,
}

impl PackageOrigin {
    /// All origins.
    pub const ALL: [Self; 2] = [Self::Declared, Self::Recovered];

    /// `declared` or `recovered`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Recovered => "recovered",
        }
    }
}
