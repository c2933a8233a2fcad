//! Filters by name and version, for producers and packages.

use super::Versions;
use sectile::Glob;
use sectile::internal::quoted;

/// Selects by name and version. An empty list of names, or no versions, selects any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NameFilter {
    pub(super) names: Vec<Glob>,
    pub(super) excluded: Vec<Glob>,
    pub(super) versions: Option<Versions>,
}

/// Whether a filter selects a name and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameMatch {
    No,
    Yes,
    /// The name matches, but the version cannot be compared.
    Unclear,
}

impl NameFilter {
    pub(super) fn matches(&self, name: &str, version: &str) -> NameMatch {
        let matches = |names: &[Glob]| names.iter().any(|glob| glob.matches(name));
        if !(self.names.is_empty() || matches(&self.names)) || matches(&self.excluded) {
            return NameMatch::No;
        }
        match self.versions.as_ref().map(|versions| versions.contains(version)) {
            None | Some(Some(true)) => NameMatch::Yes,
            Some(Some(false)) => NameMatch::No,
            Some(None) => NameMatch::Unclear,
        }
    }
}

impl NameMatch {
    /// Message about a match that is refused.
    pub(super) fn message(self, what: &str, name: &str, version: &str) -> String {
        let named = match version {
            "" => format!("{what} {}, without a version,", quoted(name)),
            version => format!("{what} {}, version {},", quoted(name), quoted(version)),
        };
        match self {
            Self::Unclear => format!("{named} is refused: its version cannot be compared"),
            Self::Yes | Self::No => format!("{named} is refused"),
        }
    }
}

/// The builder methods of a rule that has a [`NameFilter`].
macro_rules! name_filter_methods {
    () => {
        /// Adds names: only these match.
        #[must_use]
        pub fn with_names(mut self, names: impl IntoIterator<Item = Glob>) -> Self {
            self.filter.names.extend(names);
            self
        }

        /// Adds names that do not match.
        #[must_use]
        pub fn with_excluded_names(mut self, names: impl IntoIterator<Item = Glob>) -> Self {
            self.filter.excluded.extend(names);
            self
        }

        /// Adds ranges of versions: only these match.
        #[must_use]
        pub fn with_versions(mut self, versions: Versions) -> Self {
            self.filter.versions = Some(self.filter.versions.unwrap_or_default().or(versions));
            self
        }
    };
}

pub(super) use name_filter_methods;
