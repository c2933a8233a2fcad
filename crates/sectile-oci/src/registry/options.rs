//! Options of a client: scheme, timeouts, retries.

use std::time::Duration;

/// Options of a [`Client`](super::Client).
///
/// ```
/// use sectile_oci::registry::{ClientOptions, Scheme};
///
/// let options = ClientOptions { scheme: Scheme::Http, ..Default::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// The scheme of requests to registries.
    pub scheme: Scheme,
    /// Timeout for resolving a host, and again for connecting to it; 30 seconds by default.
    pub connect_timeout: Duration,
    /// Timeout for a connection on which no data is sent or received; 2 minutes by default. The
    /// duration of an upload as a whole is not limited.
    pub idle_timeout: Duration,
    /// Timeout for the header of a response, and again for its body, after the request is sent; 5
    /// minutes by default.
    pub response_timeout: Duration,
    /// Timeout for all requests that read one image: its documents and every range of its layer.
    /// Also limits all requests that add an artifact to a list of referrers. 15 minutes by default.
    /// Uploads are not limited.
    pub total_timeout: Duration,
    /// Whether a registry may send the client to an address of a private network or of this
    /// machine. This applies to redirects, upload locations and token servers. Not allowed by
    /// default.
    ///
    /// The registry itself may have any address. A registry that the user names by a private or
    /// loopback address may send the client to other private addresses.
    pub private_redirects: bool,
    /// Maximum number of attempts at one request, and at one upload; 5 by default. Responses with
    /// status 429, 502, 503 or 504 and lost connections are retried.
    pub max_attempts: u32,
    /// Pause before the second attempt, doubled before each further one; 1 second by default. A
    /// `Retry-After` of the registry replaces it.
    pub retry_pause: Duration,
    /// Maximum sum of all pauses of one push; 2 minutes by default. A longer `Retry-After` is an
    /// immediate error.
    pub max_total_pause: Duration,
    /// Size in bytes of the chunks of an upload, if the registry requests chunks and accepts this
    /// size; 16 MiB by default.
    pub chunk_size: u64,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            scheme: Scheme::default(),
            connect_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(120),
            response_timeout: Duration::from_secs(300),
            total_timeout: Duration::from_secs(900),
            private_redirects: false,
            max_attempts: 5,
            retry_pause: Duration::from_secs(1),
            max_total_pause: Duration::from_secs(120),
            chunk_size: 16 << 20,
        }
    }
}

/// The scheme of requests to registries. With every scheme, credentials are only sent over HTTPS or
/// to this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// Plain HTTP for `localhost`, 127.0.0.0/8 and `[::1]`, and HTTPS for every other host.
    #[default]
    Auto,
    /// Plain HTTP.
    Http,
    /// HTTPS with the certificates that the system trusts.
    Https,
}
