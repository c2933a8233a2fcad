//! An advisory, and the packages that it affects.

use std::sync::Arc;

use semver::Version;

use sectile::internal::beginning;

use crate::ranges::VersionSet;
use crate::{Ecosystem, Rating, Score};

/// A known defect, as a database describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advisory {
    /// Identifier, such as `RUSTSEC-2021-0003` or `GHSA-43w2-9j62-hq99`.
    pub id: Box<str>,
    /// Identifiers of the same defect in other databases, such as a CVE number.
    pub aliases: Box<[Box<str>]>,
    /// The kind of defect.
    pub class: AdvisoryClass,
    /// Severity; `None` if the database states none.
    pub rating: Option<Rating>,
    /// CVSS score, if the database has a CVSS vector.
    pub score: Option<Score>,
    /// Summary in one line. It comes from the database: escape it.
    pub title: Box<str>,
    /// Address of a page that describes the defect; empty if the database has none.
    pub url: Box<str>,
}

impl Advisory {
    /// A vulnerability with this identifier, without any other data.
    pub fn new(id: impl Into<Box<str>>) -> Self {
        Self {
            id: id.into(),
            aliases: Box::default(),
            class: AdvisoryClass::Vulnerability,
            rating: None,
            score: None,
            title: Box::default(),
            url: Box::default(),
        }
    }

    /// Whether this is the identifier of the advisory or one of its aliases. Case is ignored.
    pub fn is_named(&self, id: &str) -> bool {
        self.id.eq_ignore_ascii_case(id) || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(id))
    }

    /// Order of importance: class, then severity. An unknown severity counts as a high one.
    pub fn weight(&self) -> (AdvisoryClass, Rating) {
        (self.class, self.rating.unwrap_or(Rating::High))
    }
}

/// The kind of a defect, the mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AdvisoryClass {
    /// Other security information about the package.
    Notice,
    /// The package is no longer maintained.
    Unmaintained,
    /// Safe code can cause undefined behavior.
    Unsound,
    /// A vulnerability.
    Vulnerability,
    /// The package was published to do harm.
    Malware,
}

impl AdvisoryClass {
    /// All classes, the mildest first.
    pub const ALL: [Self; 5] = [Self::Notice, Self::Unmaintained, Self::Unsound, Self::Vulnerability, Self::Malware];

    /// `notice`, `unmaintained`, `unsound`, `vulnerability` or `malware`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Unmaintained => "unmaintained",
            Self::Unsound => "unsound",
            Self::Vulnerability => "vulnerability",
            Self::Malware => "malware",
        }
    }

    /// The class of an informational advisory. An unknown kind is a notice.
    pub(crate) fn informational(kind: &str) -> Self {
        match kind {
            "unmaintained" => Self::Unmaintained,
            "unsound" => Self::Unsound,
            _ => Self::Notice,
        }
    }
}

/// A package that an advisory affects, with the affected versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    pub(crate) advisory: Arc<Advisory>,
    pub(crate) ecosystem: Ecosystem,
    pub(crate) package: Box<str>,
    pub(crate) scope: AffectedScope,
    pub(crate) versions: VersionSet,
    /// Affected versions that are listed one by one.
    pub(crate) listed: Box<[Box<str>]>,
}

/// The scope of an advisory for a package, apart from the affected versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AffectedScope {
    /// The versions that do not have the defect anymore, as the database writes them: versions, or
    /// ranges such as `>= 1.2.3`. Empty if no fix is known.
    pub fixed: Box<[Box<str>]>,
    /// The functions that have the defect, if the database names them.
    pub functions: Box<[Box<str>]>,
    /// The architectures and operating systems that the defect is limited to. Empty if the database
    /// names none.
    pub targets: Box<[Box<str>]>,
    /// Whether the defect is limited to other targets than WebAssembly.
    pub excludes_wasm: bool,
}

impl Affected {
    /// A package without affected versions.
    pub fn new(advisory: Arc<Advisory>, ecosystem: Ecosystem, package: impl Into<Box<str>>) -> Self {
        Self {
            advisory,
            ecosystem,
            package: package.into(),
            scope: AffectedScope::default(),
            versions: VersionSet::default(),
            listed: Box::default(),
        }
    }

    /// Sets the scope.
    #[must_use]
    pub fn with_scope(self, scope: AffectedScope) -> Self {
        Self { scope, ..self }
    }

    /// The advisory.
    pub fn advisory(&self) -> &Arc<Advisory> {
        &self.advisory
    }

    /// The ecosystem of the package.
    pub fn ecosystem(&self) -> Ecosystem {
        self.ecosystem
    }

    /// The name of the package.
    pub fn package(&self) -> &str {
        &self.package
    }

    /// The scope apart from the affected versions.
    pub fn scope(&self) -> &AffectedScope {
        &self.scope
    }

    /// The versions that do not have the defect anymore. Empty if no fix is known.
    pub fn fixed(&self) -> &[Box<str>] {
        &self.scope.fixed
    }

    /// Whether a version is affected; `None` if it cannot be compared. `parsed` is the version in
    /// the ecosystem's order.
    pub(crate) fn affects(&self, version: &str, parsed: Option<&Version>) -> Option<bool> {
        if self.listed.iter().any(|listed| self.ecosystem.is_same(listed, version)) {
            return Some(true);
        }
        if self.versions.is_empty() {
            return Some(false);
        }
        parsed.map(|parsed| self.versions.contains(parsed))
    }
}

/// Whether an address of a database may be a link: it begins with `https://` or `http://`.
pub fn is_web_address(url: &str) -> bool {
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain && (url.starts_with("https://") || url.starts_with("http://"))
}

/// Maximum length of a title in bytes.
const MAX_TITLE: usize = 300;
/// Maximum length of an identifier in bytes.
const MAX_ID: usize = 100;

/// The first line of a title, truncated if it is very long.
pub(crate) fn one_line(title: &str) -> Box<str> {
    beginning(title.lines().next().unwrap_or_default().trim(), MAX_TITLE).into()
}

/// Checks that an identifier is short and consists of printable ASCII characters.
pub(crate) fn checked_id(id: &str) -> Result<&str, String> {
    let is_valid = (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if is_valid { Ok(id) } else { Err("`id` is not an identifier".to_owned()) }
}
