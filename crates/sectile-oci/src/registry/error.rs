//! Errors of requests to a registry.

use std::fmt;
use std::io;
use std::time::Duration;

use super::credential::CredentialError;
use super::reference::Reference;
use super::transport::{Response, TransportError};
use sectile::Escaped;
use sectile::digest::Digest;
use sectile::internal::quoted;

/// The reason why a registry did not accept or return an image: the repository, the failed request,
/// the fault and advice.
///
/// One pointer in size. Text from the registry is escaped, and secrets are omitted.
pub struct RegistryError(Box<ErrorDetails>);

struct ErrorDetails {
    repository: String,
    request: Option<String>,
    fault: RegistryFault,
}

/// The fault, without the repository and the request.
#[derive(Debug, thiserror::Error)]
pub(super) enum RegistryFault {
    #[error("{status}{details}: {advice}")]
    Status { status: u16, details: String, advice: String },
    #[error("the registry requests a pause of {} s, more than the limit of {} s: try again later", requested.as_secs(), max_total_pause.as_secs())]
    RetryTooLate { requested: Duration, max_total_pause: Duration },
    #[error("cannot connect: {0}")]
    Unreachable(String),
    #[error("cannot connect securely: {0} (for a registry with plain HTTP only, select plain HTTP)")]
    Tls(String),
    #[error("the connection was lost {0} times: try again later")]
    ConnectionLost(u32, #[source] io::Error),
    #[error("timeout: no data received; try again later")]
    TimedOut,
    #[error("malformed response of the registry: {0}")]
    Malformed(String),
    #[error("the response is too large: {0}")]
    TooLarge(&'static str),
    #[error(
        "the registry does not support ranges, and the layer has {0} bytes: download it with `sectile oci pull` and \
         read the file"
    )]
    NoRanges(u64),
    #[error("the list has more than {0} entries, which is the limit")]
    TooManyEntries(usize),
    #[error("the redirect to {to} is not followed: {reason}")]
    Redirect { to: String, reason: &'static str },
    #[error("the registry stored {found} instead of {expected}")]
    OtherDigest { expected: Digest, found: String },
    #[error(
        "the registry requests credentials over an insecure connection: use HTTPS, or a tunnel that ends on this machine"
    )]
    Insecure,
    #[error("unsupported authorization scheme: {0}")]
    Challenge(String),
    #[error("unusable token in the response: {0}")]
    Token(&'static str),
    #[error("the token server {server}: {fault}")]
    TokenServer { server: String, fault: Box<RegistryFault> },
    #[error("cannot get credentials")]
    Credentials(#[source] CredentialError),
    #[error("cannot read the data to send")]
    Source(#[source] io::Error),
    #[error("the data to send has changed since it was read: try again")]
    Changed,
    #[error("the reference has the digest {requested}, but the image has {found}")]
    Mismatch { requested: Digest, found: Digest },
    #[error("the manifest has {0} bytes, more than 4 MiB: shorten its annotations")]
    ManifestSize(usize),
}

impl RegistryError {
    #[cold]
    pub(super) fn new(reference: &Reference, request: Option<String>, fault: RegistryFault) -> Self {
        let repository = match reference.repository() {
            "" => reference.registry().to_owned(),
            repository => format!("{}/{repository}", reference.registry()),
        };
        Self(Box::new(ErrorDetails { repository, request, fault }))
    }

    /// Returns the fault of the registry or of its token server.
    fn fault(&self) -> &RegistryFault {
        match &self.0.fault {
            RegistryFault::TokenServer { fault, .. } => fault,
            fault => fault,
        }
    }

    /// Returns the HTTP status of the registry or of its token server, if that is the fault.
    pub fn status(&self) -> Option<u16> {
        match self.fault() {
            RegistryFault::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Replaces the advice about a status.
    pub(super) fn with_advice(mut self, replacement: &str) -> Self {
        if let RegistryFault::Status { advice, .. } = &mut self.0.fault {
            replacement.clone_into(advice);
        }
        self
    }

    /// Returns whether the repository or the image does not exist, or is hidden from this user.
    pub fn is_missing(&self) -> bool {
        matches!(self.0.fault, RegistryFault::Status { status: 404, .. }) // a token server's 404 is about the server
    }

    /// Returns whether the registry requires credentials, other credentials, or a user with more
    /// rights.
    pub fn is_denied(&self) -> bool {
        matches!(self.status(), Some(401 | 403))
            || matches!(
                self.fault(),
                RegistryFault::Insecure | RegistryFault::Challenge(_) | RegistryFault::Credentials(_)
            )
    }

    /// Returns whether a later retry may help.
    pub fn is_transient(&self) -> bool {
        matches!(self.status(), Some(429 | 500..=599))
            || matches!(
                self.fault(),
                RegistryFault::RetryTooLate { .. }
                    | RegistryFault::ConnectionLost(..)
                    | RegistryFault::TimedOut
                    | RegistryFault::Unreachable(_)
            )
    }

    /// Returns whether the input cannot be read or changed in the meantime.
    pub fn is_source(&self) -> bool {
        matches!(self.fault(), RegistryFault::Source(_) | RegistryFault::Changed)
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ErrorDetails { repository, request, fault } = &*self.0;
        match request {
            Some(request) => write!(f, "{repository}: {request}: {fault}"),
            None => write!(f, "{repository}: {fault}"),
        }
    }
}

impl fmt::Debug for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ErrorDetails { repository, request, fault } = &*self.0;
        f.debug_struct("RegistryError")
            .field("repository", repository)
            .field("request", request)
            .field("fault", fault)
            .finish()
    }
}

impl std::error::Error for RegistryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(self.fault())
    }
}

impl RegistryFault {
    /// Creates a fault from an unexpected status and advice.
    pub(super) fn status(response: &Response, advice: impl Into<String>) -> Self {
        Self::Status { status: response.status, details: error_details(&response.body), advice: advice.into() }
    }

    /// Creates a fault from an unexpected status with general advice.
    pub(super) fn unexpected_status(response: &Response) -> Self {
        let advice = match response.status {
            401 => "the registry rejects the credentials",
            403 => "access denied: log in as a user with access",
            404 => "not found: the repository or image does not exist, or this user has no access",
            405 => "the registry does not support this",
            413 => "the registry rejects requests of this size, even with the smallest chunks",
            429 => "too many requests: try again later",
            500..=599 => "the registry failed: try again later",
            300..=399 => "unsupported redirect",
            _ => "the registry rejected the request",
        };
        Self::status(response, advice)
    }

    pub(super) fn malformed(reason: impl Into<String>) -> Self {
        Self::Malformed(reason.into())
    }
}

impl TransportError {
    /// Converts the error into a fault after this number of attempts.
    pub(super) fn into_fault(self, attempts: u32) -> RegistryFault {
        match self {
            Self::Source(error) => RegistryFault::Source(error),
            Self::ConnectionLost(error) => RegistryFault::ConnectionLost(attempts, error),
            Self::Unreachable(reason) => RegistryFault::Unreachable(reason),
            Self::Tls(reason) => RegistryFault::Tls(reason),
            Self::TimedOut => RegistryFault::TimedOut,
            Self::Malformed(reason) => RegistryFault::Malformed(reason),
            Self::TooLarge(reason) => RegistryFault::TooLarge(reason),
        }
    }
}

/// Quotes and escapes the beginning of a text of the registry.
pub(super) fn quote_escaped(text: &str) -> String {
    Escaped::new(&quoted(text)).to_string()
}

/// Returns the first errors in a response's body, escaped. Source: the distribution specification,
/// "Error Codes".
fn error_details(body: &[u8]) -> String {
    const MAX_SHOWN: usize = 3;
    #[derive(serde::Deserialize)]
    struct ErrorBody {
        errors: Vec<ErrorEntry>,
    }
    #[derive(serde::Deserialize)]
    struct ErrorEntry {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: Option<String>,
    }
    let Ok(body) = serde_json::from_slice::<ErrorBody>(body) else { return String::new() };
    let shown = body.errors.iter().take(MAX_SHOWN).map(|error| {
        let message = error.message.as_deref().unwrap_or_default();
        format!("{} {}", quote_escaped(&error.code).trim_matches('`'), quote_escaped(message))
    });
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() { String::new() } else { format!(" ({})", shown.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer() {
        assert_eq!(size_of::<RegistryError>(), size_of::<usize>());
    }

    #[test]
    fn text_of_the_registry_is_escaped_and_shortened() {
        let one = r#"{"code":"DENIED","message":"no\u001b[31m \u202e"}"#;
        assert_eq!(error_details(format!(r#"{{"errors":[{one}]}}"#).as_bytes()), r" (DENIED `no\x1b[31m \u{202e}`)");
        let many = error_details(format!(r#"{{"errors":[{}]}}"#, vec![one; 99].join(",")).as_bytes());
        assert_eq!(many.matches("DENIED").count(), 3);
        let long = format!(r#"{{"errors":[{{"code":"{0}","message":"{0}"}}]}}"#, "a".repeat(10_000));
        assert!(error_details(long.as_bytes()).len() < 200);
        for other in ["", "<html>", "{}", r#"{"errors":[]}"#, r#"{"errors":1}"#] {
            assert_eq!(error_details(other.as_bytes()), "", "{other}");
        }
    }
}
