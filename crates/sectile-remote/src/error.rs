//! Errors of reading objects.

use std::error::Error;

use object_store::client::{HttpError, HttpErrorKind};

/// The reason why an object cannot be read.
///
/// Messages contain no credentials. URLs appear without user and query, and responses appear only
/// as their status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The text is not a valid URL of an object.
    #[error("not an object URL: {0}")]
    InvalidUrl(String),
    /// The URL is valid, but its objects cannot be listed.
    #[error("cannot list objects: {0}")]
    NotListable(&'static str),
    /// The configuration of the store in the environment is missing or invalid.
    #[error("cannot configure the store: {0}")]
    Configuration(String),
    /// The object does not exist.
    #[error("the object does not exist")]
    Missing,
    /// The bucket or container does not exist.
    #[error("the bucket does not exist")]
    MissingBucket,
    /// The server denies access to the object, with this status.
    #[error("access denied ({0}): check the credentials in the environment")]
    Denied(u16),
    /// The object changed since its first request.
    #[error("the object changed while it was read")]
    Changed,
    /// The server does not support ranges.
    #[error("the server does not support range requests: download the object and read the file")]
    NoRanges,
    /// The response is not the requested range.
    #[error("the response is not the requested range")]
    Malformed,
    /// The response is not a listing.
    #[error("the response is not a listing of keys in UTF-8")]
    MalformedListing,
    /// A redirect was refused.
    #[error("the redirect to {to} is not followed: {reason}")]
    Redirect {
        /// The target without its query.
        to: String,
        /// The reason.
        reason: &'static str,
    },
    /// The response has another error status.
    #[error("the server responded with status {0}")]
    Status(u16),
    /// No connection could be made.
    #[error("cannot connect to the server")]
    Unreachable,
    /// No data was received for too long.
    #[error("timeout: the server did not respond")]
    TimedOut,
    /// The connection was lost repeatedly.
    #[error("the connection was lost")]
    ConnectionLost,
    /// Another error, with the message of the store.
    #[error("error of the store: {0}")]
    Other(String),
}

impl RemoteError {
    /// Finds a `RemoteError` in an [`io::Error`](std::io::Error).
    pub fn find_in<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        error.downcast_ref::<std::io::Error>()?.get_ref()?.downcast_ref()
    }

    /// Converts an error of a listing. Status 404 can only mean a missing bucket.
    pub(super) fn from_listing(error: &object_store::Error) -> Self {
        if status(error) == Some(404) {
            return Self::MissingBucket;
        }
        match Self::from_store(error) {
            Self::Malformed => Self::MalformedListing,
            error => error,
        }
    }

    /// Converts an error of a store, and removes secrets.
    pub(super) fn from_store(error: &object_store::Error) -> Self {
        use object_store::Error as StoreError;
        if let Some(status) = status(error) {
            return match status {
                401 | 403 => Self::Denied(status),
                404 if names_missing_bucket(error) => Self::MissingBucket,
                404 | 410 => Self::Missing,
                412 => Self::Changed,
                status => Self::Status(status),
            };
        }
        if let Some(own) = find_source::<Self>(error) {
            return own.clone();
        }
        if let Some(http) = find_source::<HttpError>(error) {
            return match http.kind() {
                HttpErrorKind::Connect => Self::Unreachable,
                HttpErrorKind::Timeout => Self::TimedOut,
                HttpErrorKind::Decode => Self::Malformed,
                _ => Self::ConnectionLost,
            };
        }
        match error {
            StoreError::NotFound { .. } => Self::Missing,
            StoreError::Precondition { .. } => Self::Changed,
            StoreError::NotSupported { .. } => Self::NoRanges,
            StoreError::PermissionDenied { .. } => Self::Denied(403),
            StoreError::Unauthenticated { .. } => Self::Denied(401),
            error => Self::Other(without_secrets(&error.to_string())),
        }
    }
}

/// Returns the status of the response that caused an error. `object_store` exposes it only in its
/// message.
pub(super) fn status(error: &object_store::Error) -> Option<u16> {
    innermost(error).to_string().strip_prefix("Server returned non-2xx status code: ")?.get(..3)?.parse().ok()
}

/// Whether the response says that the bucket does not exist. Sources: the error codes of S3, Google
/// Cloud Storage and Azure.
fn names_missing_bucket(error: &object_store::Error) -> bool {
    const CODES: [&str; 3] = ["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"];
    let message = innermost(error).to_string();
    CODES.iter().any(|code| message.contains(code))
}

fn innermost(error: &object_store::Error) -> &(dyn Error + 'static) {
    let mut innermost: &(dyn Error + 'static) = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost
}

/// Finds an error of a type in the chain of sources.
fn find_source<E: Error + 'static>(error: &object_store::Error) -> Option<&E> {
    let mut error: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = error {
        if let Some(found) = current.downcast_ref() {
            return Some(found);
        }
        error = current.source();
    }
    None
}

/// Returns a message as one short line, and removes users and queries of URLs.
pub(super) fn without_secrets(message: &str) -> String {
    const MAX_CHARS: usize = 300;
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
    match clean.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => clean[..end].to_owned() + "…",
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_contain_no_secrets() {
        let message = "GET https://user:word@example.com/a?X-Amz-Signature=5ec12e7 failed\n twice";
        assert_eq!(without_secrets(message), "GET https://example.com/a failed twice");
        assert!(without_secrets(&"ä".repeat(400)).chars().count() == 301);
    }

    /// Errors of a store without HTTP.
    #[test]
    fn errors_of_any_store_are_distinguished() {
        use object_store::Error as StoreError;

        let source = || Box::<dyn Error + Send + Sync>::from("5ec12e7");
        let path = || "5ec12e7".to_owned();
        for (error, expected) in [
            (StoreError::NotFound { path: path(), source: source() }, RemoteError::Missing),
            (StoreError::Precondition { path: path(), source: source() }, RemoteError::Changed),
            (StoreError::NotSupported { source: source() }, RemoteError::NoRanges),
            (StoreError::PermissionDenied { path: path(), source: source() }, RemoteError::Denied(403)),
            (StoreError::Unauthenticated { path: path(), source: source() }, RemoteError::Denied(401)),
        ] {
            assert_eq!(RemoteError::from_store(&error), expected);
        }
    }
}
