//! The client for registries.

use super::credential::Credentials;
use super::options::ClientOptions;
use super::transport::Transport;

/// A blocking client for registries.
///
/// Follows a limited number of redirects, never from HTTPS to plain HTTP, and sends no credentials
/// to other origins. Uses the proxy from the environment (`HTTPS_PROXY`, `NO_PROXY` and others),
/// except for loopback connections.
#[derive(Debug)]
pub struct Client {
    pub(super) options: ClientOptions,
    pub(super) credentials: Credentials,
    pub(super) transport: Transport,
}

impl Client {
    /// Creates a client with these credentials.
    pub fn new(credentials: Credentials, options: ClientOptions) -> Self {
        Self { transport: Transport::new(&options), credentials, options }
    }
}
