//! Credentials, which `Debug` output hides.

use std::fmt;

/// A text that `Debug` hides.
#[derive(Clone, PartialEq, Eq)]
pub(in super::super) struct Secret(String);

impl Secret {
    pub(in super::super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(in super::super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Credentials for one registry. `Debug` hides the secret parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential(pub(in super::super) CredentialKind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum CredentialKind {
    Password {
        user: String,
        password: Secret,
    },
    /// A refresh token, which a token server exchanges for access tokens.
    Identity(Secret),
    /// A token that the registry accepts directly.
    Bearer(Secret),
}

impl Credential {
    /// Creates credentials from a user and a password. An access token may replace the password.
    pub fn password(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self(CredentialKind::Password { user: user.into(), password: Secret::new(password) })
    }

    /// Creates credentials from an identity token of `docker login`, which OAuth 2 calls a refresh
    /// token.
    pub fn identity_token(token: impl Into<String>) -> Self {
        Self(CredentialKind::Identity(Secret::new(token)))
    }

    /// Creates credentials from a token that the registry accepts directly.
    pub fn registry_token(token: impl Into<String>) -> Self {
        Self(CredentialKind::Bearer(Secret::new(token)))
    }
}
