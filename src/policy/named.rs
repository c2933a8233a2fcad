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
