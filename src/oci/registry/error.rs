//! Why a registry does not take, or give, what it was asked to.

use std::fmt;
use std::io;
use std::time::Duration;

use super::credential::CredentialError;
use super::reference::Reference;
use super::transport::{Answer, Trouble};
use crate::digest::Digest;
use crate::escape::{Escaped, quoted};

/// Why a registry does not take, or give, what it was asked to: which request about which repository failed, of what, and
/// what can be done.
///
/// Small (one pointer), with questions to ask of it. What the registry says stands in it escaped, and no secret does.
pub struct RegistryError(Box<Inner>);

struct Inner {
    place: String,
    request: Option<String>,
    fault: Fault,
}

/// What is wrong, without the place.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{status}{said}: {advice}")]
    Status { status: u16, said: String, advice: String },
    #[error("it asks to be left alone for {} s, and no more than {} s are waited: try again later", asked.as_secs(), patience.as_secs())]
    Later { asked: Duration, patience: Duration },
    #[error("there is no connection: {0}")]
    Unreachable(String),
    #[error("there is no secure connection: {0} (a registry that only speaks plain HTTP must be asked for as such)")]
    Tls(String),
    #[error("the connection broke, {0} times: try again later")]
    Broken(u32, #[source] io::Error),
    #[error("nothing was heard for too long: try again later")]
    TimedOut,
    #[error("what answers is no registry: {0}")]
    Malformed(String),
    #[error("the answer is refused: {0}")]
    TooLarge(&'static str),
    #[error("it sends on to {to}, which is not followed: {why}")]
    Redirect { to: String, why: &'static str },
    #[error("it has {found} where {expected} was sent")]
    OtherDigest { expected: Digest, found: String },
    #[error(
        "it wants credentials over a connection that is not secure: use HTTPS, or a tunnel that ends on this machine"
    )]
    Insecure,
    #[error("it asks for an authorisation that is not known: {0}")]
    Challenge(String),
    #[error("it gives no token that can be used: {0}")]
    Token(&'static str),
    #[error("the token server {place}: {fault}")]
    AtTokenServer { place: String, fault: Box<Fault> },
    #[error("no credentials can be had")]
    Credentials(#[source] CredentialError),
    #[error("what is to be sent cannot be read")]
    Source(#[source] io::Error),
    #[error("what is to be sent was changed since it was read: begin anew")]
    Changed,
    #[error("the reference asks for {asked}, and what is to be pushed is {found}")]
    Mismatch { asked: Digest, found: Digest },
    #[error("a manifest may have 4 MiB, and this one has {0} bytes: its annotations are too large")]
    Manifest(usize),
}

impl RegistryError {
    #[cold]
    pub(super) fn new(reference: &Reference, request: Option<String>, fault: Fault) -> Self {
        let place = format!("{}/{}", reference.registry(), reference.repository());
        Self(Box::new(Inner { place, request, fault }))
    }

    /// What is wrong, whoever's fault it is.
    fn fault(&self) -> &Fault {
        match &self.0.fault {
            Fault::AtTokenServer { fault, .. } => fault,
            fault => fault,
        }
    }

    /// The status that the registry, or its token server, answered with, where that is what is wrong.
    pub fn status(&self) -> Option<u16> {
        match self.fault() {
            Fault::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the registry has no such repository, or no such image in it, or does not show it.
    pub fn is_missing(&self) -> bool {
        matches!(self.0.fault, Fault::Status { status: 404, .. }) // of a token server, that says nothing of images
    }

    /// Whether the registry wants credentials, other ones, or a user with more rights.
    pub fn is_denied(&self) -> bool {
        matches!(self.status(), Some(401 | 403))
            || matches!(self.fault(), Fault::Insecure | Fault::Challenge(_) | Fault::Credentials(_))
    }

    /// Whether trying again later may help.
    pub fn is_passing(&self) -> bool {
        matches!(self.status(), Some(429 | 500..=599))
            || matches!(self.fault(), Fault::Later { .. } | Fault::Broken(..) | Fault::TimedOut | Fault::Unreachable(_))
    }

    /// Whether what was to be sent was changed meanwhile, or could not be read.
    pub fn is_source(&self) -> bool {
        matches!(self.fault(), Fault::Source(_) | Fault::Changed)
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { place, request, fault } = &*self.0;
        match request {
            Some(request) => write!(f, "{place}: {request}: {fault}"),
            None => write!(f, "{place}: {fault}"),
        }
    }
}

impl fmt::Debug for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { place, request, fault } = &*self.0;
        f.debug_struct("RegistryError").field("place", place).field("request", request).field("fault", fault).finish()
    }
}

impl std::error::Error for RegistryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(self.fault())
    }
}

impl Fault {
    /// A status that is not the one that was hoped for.
    pub(super) fn status(answer: &Answer, advice: impl Into<String>) -> Self {
        Self::Status { status: answer.status, said: said(&answer.body), advice: advice.into() }
    }

    /// The same, with what can generally be done about it.
    pub(super) fn unwanted(answer: &Answer) -> Self {
        let advice = match answer.status {
            401 => "the credentials that are known are not accepted",
            403 => "this user may not do so: log in as one who may",
            404 => "there is no such repository, or nothing of that name in it, or it may not be seen",
            405 => "the registry cannot do this",
            413 => "the registry takes no request of this size, however small the chunks",
            429 => "too many requests: try again later",
            500..=599 => "the registry fails: try again later",
            300..=399 => "it sends on to another place",
            _ => "the registry does not take it",
        };
        Self::status(answer, advice)
    }

    pub(super) fn malformed(why: impl Into<String>) -> Self {
        Self::Malformed(why.into())
    }
}

impl Trouble {
    /// As a fault, after so many attempts.
    pub(super) fn fault(self, attempts: u32) -> Fault {
        match self {
            Self::Source(error) => Fault::Source(error),
            Self::Broken(error) => Fault::Broken(attempts, error),
            Self::Unreachable(why) => Fault::Unreachable(why),
            Self::Tls(why) => Fault::Tls(why),
            Self::TimedOut => Fault::TimedOut,
            Self::Malformed(why) => Fault::Malformed(why),
            Self::TooLarge(why) => Fault::TooLarge(why),
        }
    }
}

/// What the other side says, quoted: its beginning, escaped.
pub(super) fn told(text: &str) -> String {
    Escaped::new(&quoted(text)).to_string()
}

/// The errors that a registry tells: some of them, escaped. Source: the distribution specification, "Error Codes".
fn said(body: &[u8]) -> String {
    const MOST: usize = 3;
    #[derive(serde::Deserialize)]
    struct Body {
        errors: Vec<One>,
    }
    #[derive(serde::Deserialize)]
    struct One {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: Option<String>,
    }
    let Ok(body) = serde_json::from_slice::<Body>(body) else { return String::new() };
    let shown = body.errors.iter().take(MOST).map(|one| {
        let message = one.message.as_deref().unwrap_or_default();
        format!("{} {}", told(&one.code).trim_matches('`'), told(message))
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
    fn what_a_registry_says_is_escaped_and_cut() {
        let one = r#"{"code":"DENIED","message":"no\u001b[31m \u202e"}"#;
        assert_eq!(said(format!(r#"{{"errors":[{one}]}}"#).as_bytes()), r" (DENIED `no\x1b[31m \u{202e}`)");
        let many = said(format!(r#"{{"errors":[{}]}}"#, vec![one; 99].join(",")).as_bytes());
        assert_eq!(many.matches("DENIED").count(), 3);
        let long = format!(r#"{{"errors":[{{"code":"{0}","message":"{0}"}}]}}"#, "a".repeat(10_000));
        assert!(said(long.as_bytes()).len() < 200);
        for other in ["", "<html>", "{}", r#"{"errors":[]}"#, r#"{"errors":1}"#] {
            assert_eq!(said(other.as_bytes()), "", "{other}");
        }
    }
}
