//! What is meant by its name and its version: producers, packages.

#[cfg(feature = "policy")]
use super::Versions;
use crate::edit::Glob;
use crate::escape::quoted;

/// Names, and the versions of those. Where nothing is said of either, each is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) names: Vec<Glob>,
    pub(super) except: Vec<Glob>,
    pub(super) versions: Option<Versions>,
}

/// Ranges that nobody can give.
#[cfg(not(feature = "policy"))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Versions {}

#[cfg(not(feature = "policy"))]
impl Versions {
    fn contain(&self, _: &str) -> Option<bool> {
        match *self {}
    }
}

/// Whether something is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    No,
    Yes,
    /// Its name is, and its version cannot be compared.
    Unclear,
}

impl Named {
    pub(super) fn means(&self, name: &str, version: &str) -> Meant {
        let has = |names: &[Glob]| names.iter().any(|glob| glob.matches(name));
        if !(self.names.is_empty() || has(&self.names)) || has(&self.except) {
            return Meant::No;
        }
        match self.versions.as_ref().map(|versions| versions.contain(version)) {
            None | Some(Some(true)) => Meant::Yes,
            Some(Some(false)) => Meant::No,
            Some(None) => Meant::Unclear,
        }
    }
}

impl Meant {
    /// Why something that is meant is refused.
    pub(super) fn why(self, what: &str, name: &str, version: &str) -> String {
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

/// The methods by which a rule is told which names and versions it means.
macro_rules! tell_named {
    () => {
        /// Means those of these names.
        #[must_use]
        pub fn named(mut self, names: impl IntoIterator<Item = Glob>) -> Self {
            self.named.names.extend(names);
            self
        }

        /// Does not mean those of these names.
        #[must_use]
        pub fn except(mut self, names: impl IntoIterator<Item = Glob>) -> Self {
            self.named.except.extend(names);
            self
        }

        /// Means those of these versions.
        #[cfg(feature = "policy")]
        #[must_use]
        pub fn of_versions(mut self, versions: Versions) -> Self {
            self.named.versions = Some(self.named.versions.unwrap_or_default().or(versions));
            self
        }
    };
}

pub(super) use tell_named;
