//! Why an object cannot be had.

use std::error::Error;

use object_store::client::{HttpError, HttpErrorKind};

/// Why an object cannot be had. What is said names no credential: of a URL neither user nor query, and of an answer
/// nothing but its status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The text names no object.
    #[error("names no object: {0}")]
    Locator(String),
    /// The text names something whose objects nobody lists.
    #[error("names no objects that can be listed: {0}")]
    NoListing(&'static str),
    /// The place cannot be spoken to: what the environment says of it is missing or wrong.
    #[error("the store cannot be spoken to: {0}")]
    Configuration(String),
    /// There is no such object.
    #[error("there is no such object")]
    Missing,
    /// The object may not be read with the credentials that there are, or without.
    #[error("it may not be read: the server answers {0}; the credentials come from the environment")]
    Denied(u16),
    /// The object is another one than when the reading began.
    #[error("the object changed while it was read")]
    Changed,
    /// The server gives the whole object where a part is asked for.
    #[error("the server does not give parts of it (ranges): download it, and read the file")]
    NoRanges,
    /// The server answers something that is no part of the object.
    #[error("the server's answer is not the part that was asked for")]
    Malformed,
    /// The server sends on to a place that is not gone to.
    #[error("the server sends on to {to}: {why}")]
    Redirect {
        /// The place, without its query.
        to: String,
        /// Why nobody goes there.
        why: &'static str,
    },
    /// The server answers with another status.
    #[error("the server answers {0}")]
    Status(u16),
    /// There is no connection.
    #[error("the server cannot be reached")]
    Unreachable,
    /// Nothing came for too long.
    #[error("the server does not answer in time")]
    TimedOut,
    /// The connection broke, again and again.
    #[error("the connection breaks")]
    Broken,
    /// Something else, in the store's words.
    #[error("the store says: {0}")]
    Other(String),
}

impl RemoteError {
    /// The error of this type that an error of the system carries.
    #[cfg(feature = "audit")]
    pub(crate) fn within<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        error.downcast_ref::<std::io::Error>()?.get_ref()?.downcast_ref()
    }

    /// What an error of the store means, without what it may give away.
    pub(super) fn of(error: &object_store::Error) -> Self {
        use object_store::Error as Store;
        if let Some(status) = status(error) {
            return match status {
                401 | 403 => Self::Denied(status),
                404 | 410 => Self::Missing,
                412 => Self::Changed,
                status => Self::Status(status),
            };
        }
        if let Some(own) = find::<Self>(error) {
            return own.clone();
        }
        if let Some(http) = find::<HttpError>(error) {
            return match http.kind() {
                HttpErrorKind::Connect => Self::Unreachable,
                HttpErrorKind::Timeout => Self::TimedOut,
                HttpErrorKind::Decode => Self::Malformed,
                _ => Self::Broken,
            };
        }
        match error {
            Store::NotFound { .. } => Self::Missing,
            Store::Precondition { .. } => Self::Changed,
            Store::NotSupported { .. } => Self::NoRanges,
            Store::PermissionDenied { .. } => Self::Denied(403),
            Store::Unauthenticated { .. } => Self::Denied(401),
            error => Self::Other(without_secrets(&error.to_string())),
        }
    }
}

/// The status that an answer had which ended it. The store has it in a type of its own that it does not show, and in this
/// sentence; of everything else in it, nothing is taken.
pub(super) fn status(error: &object_store::Error) -> Option<u16> {
    let mut innermost: &(dyn Error + 'static) = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string().strip_prefix("Server returned non-2xx status code: ")?.get(..3)?.parse().ok()
}

/// An error of this type among what brought another about.
fn find<E: Error + 'static>(error: &object_store::Error) -> Option<&E> {
    let mut error: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(this) = error {
        if let Some(found) = this.downcast_ref() {
            return Some(found);
        }
        error = this.source();
    }
    None
}

/// A message on one line and not long, whose URLs have neither users nor queries.
pub(super) fn without_secrets(message: &str) -> String {
    const MOST: usize = 300;
    let mut clean = String::new();
    for word in message.split_whitespace() {
        if !clean.is_empty() {
            clean.push(' ');
        }
        match word.split_once("://") {
            None => clean.push_str(word),
            Some((scheme, rest)) => {
                let rest = rest.split(['?', '#']).next().unwrap_or_default();
                let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let host = host.rsplit('@').next().unwrap_or_default();
                clean.extend([scheme, "://", host, path]);
            }
        }
    }
    match clean.char_indices().nth(MOST) {
        Some((end, _)) => clean[..end].to_owned() + "…",
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_gives_no_secret_away() {
        let message = "GET https://user:word@example.com/a?X-Amz-Signature=5ec12e7 failed\n twice";
        assert_eq!(without_secrets(message), "GET https://example.com/a failed twice");
        assert!(without_secrets(&"ä".repeat(400)).chars().count() == 301);
    }

    /// Of a store of somebody's own, which answers no HTTP.
    #[test]
    fn refusals_of_any_store_are_told_apart() {
        use object_store::Error as Store;

        let why = || Box::<dyn Error + Send + Sync>::from("5ec12e7");
        let path = || "5ec12e7".to_owned();
        for (error, expected) in [
            (Store::NotFound { path: path(), source: why() }, RemoteError::Missing),
            (Store::Precondition { path: path(), source: why() }, RemoteError::Changed),
            (Store::NotSupported { source: why() }, RemoteError::NoRanges),
            (Store::PermissionDenied { path: path(), source: why() }, RemoteError::Denied(403)),
            (Store::Unauthenticated { path: path(), source: why() }, RemoteError::Denied(401)),
        ] {
            assert_eq!(RemoteError::of(&error), expected);
        }
    }
}
