//! Credentials of the user, from the files of `docker login` and `podman login` and from credential
//! helpers.

mod error;
mod files;
mod helper;
mod secret;
mod store;

use std::path::PathBuf;
use std::time::Duration;

pub use self::error::CredentialError;
pub use self::secret::Credential;
pub(super) use self::secret::{CredentialKind, Secret};
pub use self::store::{CredentialFile, CredentialPlace};
use super::reference::Reference;

/// The source of a client's credentials.
///
/// Files are searched in order, and the first with credentials for the registry wins. A missing
/// file is ignored. In each file, the precedence is that of `containers-auth.json(5)` and Docker:
///
/// 1. the helper in `credHelpers` for the registry;
/// 2. the entry in `auths` for the longest prefix of `HOST/NAMESPACE/REPOSITORY`;
/// 3. the helper in `credsStore`.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    fixed: Option<Credential>,
    files: Vec<PathBuf>,
    helper_timeout: Duration,
}

/// Default timeout of a credential helper, which may prompt the user.
const HELPER_TIMEOUT: Duration = Duration::from_secs(60);

impl Credentials {
    /// Uses no credentials.
    pub fn anonymous() -> Self {
        Self::from_files([])
    }

    /// Uses these credentials for every registry.
    pub fn fixed(credential: Credential) -> Self {
        Self { fixed: Some(credential), ..Self::anonymous() }
    }

    /// Searches these files, in the format of Docker and Podman.
    pub fn from_files(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { fixed: None, files: files.into_iter().collect(), helper_timeout: HELPER_TIMEOUT }
    }

    /// Searches the files of the user who runs this process.
    ///
    /// If `REGISTRY_AUTH_FILE` is set, this is the only file. Otherwise, the files are those of
    /// Podman and Docker:
    ///
    /// 1. `$XDG_RUNTIME_DIR/containers/auth.json`, by default `/run/containers/UID/auth.json`
    /// 2. `$XDG_CONFIG_HOME/containers/auth.json`, by default `~/.config/containers/auth.json`
    /// 3. `$DOCKER_CONFIG/config.json`, by default `~/.docker/config.json`
    pub fn from_user_files() -> Self {
        Self::from_files(files::user_files(|name| std::env::var_os(name).filter(|value| !value.is_empty())))
    }

    /// Sets the timeout of a credential helper; 60 seconds by default.
    #[must_use]
    pub fn with_helper_timeout(self, helper_timeout: Duration) -> Self {
        Self { helper_timeout, ..self }
    }

    /// Finds the credentials for a reference's registry; `None` if there are none.
    ///
    /// # Errors
    ///
    /// A file exists and cannot be read or parsed, or a helper fails.
    pub fn find(&self, reference: &Reference) -> Result<Option<Credential>, CredentialError> {
        if let Some(fixed) = &self.fixed {
            return Ok(Some(fixed.clone()));
        }
        for file in &self.files {
            if let Some(credential) = files::find(file, reference, self.helper_timeout)? {
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
    fn debug_output_hides_secrets() {
        for credential in [
            Credential::password("me", "hunter2"),
            Credential::identity_token("hunter2"),
            Credential::registry_token("hunter2"),
        ] {
            assert!(!format!("{:?}", Credentials::fixed(credential)).contains("hunter2"));
        }
    }
}
