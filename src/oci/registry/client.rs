//! A client of registries, and what it may cost.

use std::time::Duration;

use super::credential::Credentials;
use super::transport::Transport;

/// How a client speaks, how long it waits, and how often it tries.
///
/// ```
/// use sectile::oci::registry::{ClientOptions, Scheme};
///
/// let options = ClientOptions { scheme: Scheme::Http, ..Default::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// Whether registries are spoken to in plain HTTP.
    pub scheme: Scheme,
    /// So long it may take to look a host up, and as long again to be connected with it; 30 seconds by default.
    pub connect: Duration,
    /// So long nothing may come or go over a connection; 2 minutes by default. (An upload as a whole may take as long as
    /// it takes.)
    pub stalled: Duration,
    /// So long an answer may take once the request is sent, its header as well as its body; 5 minutes by default.
    pub answer: Duration,
    /// So often one request is made, and one upload begun or taken up again, at the most; 5 times by default. What is
    /// tried again: 429, 502, 503, 504, and a connection that breaks.
    pub attempts: u32,
    /// So long is waited before the second attempt, and twice as long before each after it, where the registry does not
    /// say how long with `Retry-After`; 1 second by default.
    pub pause: Duration,
    /// So long is waited between attempts in the course of one push, all pauses together; 2 minutes by default. Where a
    /// registry asks for more, that is an error at once.
    pub patience: Duration,
    /// Bytes of a chunk, where a registry asks for chunks and wants no larger ones; 16 MiB by default.
    pub chunk: u64,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            scheme: Scheme::default(),
            connect: Duration::from_secs(30),
            stalled: Duration::from_secs(120),
            answer: Duration::from_secs(300),
            attempts: 5,
            pause: Duration::from_secs(1),
            patience: Duration::from_secs(120),
            chunk: 16 << 20,
        }
    }
}

/// How a registry is spoken to. Credentials are sent over HTTPS, or within this machine, whatever is asked for here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// In plain HTTP where the registry is `localhost`, 127.0.0.0/8 or `[::1]`, and by HTTPS elsewhere.
    #[default]
    Auto,
    /// In plain HTTP.
    Http,
    /// By HTTPS, with the certificates that the system trusts.
    Https,
}

/// A client of registries, blocking.
///
/// Redirections are followed for a few steps, never from HTTPS to plain HTTP, and nothing secret follows to another
/// origin. Connections go through the proxy that the environment names (`HTTPS_PROXY`, `NO_PROXY` and their like), but for
/// those within this machine.
#[derive(Debug)]
pub struct Client {
    pub(super) options: ClientOptions,
    pub(super) credentials: Credentials,
    pub(super) transport: Transport,
}

impl Client {
    /// A client with these credentials.
    pub fn new(credentials: Credentials, options: ClientOptions) -> Self {
        Self { transport: Transport::new(&options), credentials, options }
    }
}
