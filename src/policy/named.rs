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
    #[cfg(feature = "policy")]
    pub(super) versions: Option<Versions>,
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
        self.has_version(version)
    }

    #[cfg(feature = "policy")]
    fn has_version(&self, version: &str) -> Meant {
        match self.versions.as_ref().map(|versions| versions.contain(version)) {
            None | Some(Some(true)) => Meant::Yes,
            Some(Some(false)) => Meant::No,
            Some(None) => Meant::Unclear,
        }
    }

    #[cfg(not(feature = "policy"))]
    fn has_version(&self, _: &str) -> Meant {
        Meant::Yes
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
