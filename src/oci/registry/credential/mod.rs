//! Who the user is to a registry: what Docker's and Podman's `login` have written down, or a program that they name.

mod files;
mod helper;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::reference::Reference;

/// A text that is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// What a user shows to one registry. `Debug` shows nothing of it that is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential(pub(super) Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Password {
        user: String,
        password: Secret,
    },
    /// A refresh token, for which a token server gives others.
    Identity(Secret),
    /// A token that the registry itself takes.
    Bearer(Secret),
}

impl Credential {
    /// A user's name and password, or what a registry gives in the place of one.
    pub fn password(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self(Kind::Password { user: user.into(), password: Secret::new(password) })
    }

    /// An identity token: what `docker login` keeps where a registry has given it one (OAuth 2 calls it a refresh token).
    pub fn identity_token(token: impl Into<String>) -> Self {
        Self(Kind::Identity(Secret::new(token)))
    }

    /// A token that the registry takes as it is.
    pub fn registry_token(token: impl Into<String>) -> Self {
        Self(Kind::Bearer(Secret::new(token)))
    }
}

/// Where a client finds its credentials.
///
/// Files are looked through in their order, and the first that knows the registry counts. In each it is, as for
/// `containers-auth.json(5)` and Docker: the helper that `credHelpers` names for the registry; the entry of `auths` for
/// the longest part of `HOST/NAMESPACE/REPOSITORY`; the helper of `credsStore`. A file that is not there says nothing.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    fixed: Option<Credential>,
    files: Vec<PathBuf>,
    patience: Duration,
}

/// Why no credentials can be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// A file of credentials cannot be read.
    #[error("the credentials in {} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// A file of credentials is not what Docker and Podman write. Nothing of it is told: it may be secret.
    #[error("{} is no file of credentials: {why}", file.display())]
    #[non_exhaustive]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong, and where.
        why: String,
    },
    /// A credential helper does not give what it is asked for.
    #[error("the credential helper `{program}`, which {} names, {why}", file.display())]
    #[non_exhaustive]
    Helper {
        /// The program.
        program: String,
        /// The file that names it.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// So long a helper may take by default: it may ask its user for something.
const HELPER: Duration = Duration::from_secs(60);

impl Credentials {
    /// None: what the registry lets anybody do.
    pub fn anonymous() -> Self {
        Self::in_files([])
    }

    /// These, for whatever registry is asked.
    pub fn fixed(credential: Credential) -> Self {
        Self { fixed: Some(credential), ..Self::anonymous() }
    }

    /// Those in these files, in the format that Docker and Podman share.
    pub fn in_files(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { fixed: None, files: files.into_iter().collect(), patience: HELPER }
    }

    /// Those of the user who runs this process: `REGISTRY_AUTH_FILE` alone, where it is set; else Podman's
    /// `$XDG_RUNTIME_DIR/containers/auth.json` (without the variable, `/run/containers/UID/auth.json`) and
    /// `$XDG_CONFIG_HOME/containers/auth.json` (without it, `~/.config/…`), and Docker's `$DOCKER_CONFIG/config.json`
    /// (without it, `~/.docker/config.json`).
    pub fn of_user() -> Self {
        Self::in_files(files::of_user(|name| std::env::var_os(name).filter(|value| !value.is_empty())))
    }

    /// The same, waiting so long for a credential helper; 60 seconds by default.
    #[must_use]
    pub fn helper_timeout(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// What is shown to a reference's registry; `None` where nothing is known.
    ///
    /// # Errors
    ///
    /// A file is there and cannot be read or understood, or a helper fails.
    pub fn find(&self, reference: &Reference) -> Result<Option<Credential>, CredentialError> {
        if let Some(fixed) = &self.fixed {
            return Ok(Some(fixed.clone()));
        }
        for file in &self.files {
            if let Some(credential) = files::find(file, reference, self.patience)? {
                return Ok(Some(credential));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        for credential in [
            Credential::password("me", "hunter2"),
            Credential::identity_token("hunter2"),
            Credential::registry_token("hunter2"),
        ] {
            assert!(!format!("{:?}", Credentials::fixed(credential)).contains("hunter2"));
        }
    }
}
