//! Single HTTP requests with limited responses, without redirects, authorization and retries.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;

use ureq::config::AutoHeaderValue;
use ureq::config::Config;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, BodyReader, Error, Proxy, SendBody};

use super::options::ClientOptions;
use super::url::Url;
use crate::MAX_MANIFEST_SIZE;
use sectile::Escaped;
use sectile::internal::net::is_public;

/// Maximum number of bytes kept of the body of an error response.
const MAX_ERROR_BODY: u64 = 1 << 16;

/// Maximum number of unused connections that are kept. An audit uses many at once.
const MAX_IDLE: usize = 64;

/// Maximum size of a response header in bytes.
const MAX_HEADER: usize = 1 << 16;

/// Minimum size of a body that is sent with `Expect: 100-continue`. The client then receives a
/// rejection before the connection closes. Source: RFC 9110, section 10.1.1.
const MIN_EXPECT_BODY: u64 = 64 << 10;

/// Timeout for `100 Continue`, as in other clients: servers may not support it.
const CONTINUE_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Transport {
    /// For this machine, without a proxy.
    direct: Agent,
    /// For other hosts, through the proxy that the environment names.
    outward: Agent,
    /// For hosts that a server named: connects to public addresses only. With a proxy, this is
    /// `outward`, because the proxy resolves names.
    public: Agent,
}

/// The addresses to which a request may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AllowedAddresses {
    Any,
    Public,
}

/// The body of a request, of a known length.
pub(super) struct RequestBody<'a> {
    reader: Box<dyn Read + 'a>,
    len: u64,
    sent: u64,
    progress: &'a mut dyn FnMut(u64),
    read_error: Option<io::Error>,
    /// Whether `Expect: 100-continue` may be sent.
    allows_expect: bool,
}

/// One request, without redirects, retries and authorization.
pub(super) struct TransportRequest<'r, 'b> {
    pub(super) method: &'r Method,
    pub(super) url: &'r Url,
    /// Header fields. Those that contain secrets must be marked as sensitive.
    pub(super) fields: &'r [(HeaderName, HeaderValue)],
    pub(super) body: Option<&'r mut RequestBody<'b>>,
    pub(super) allowed_addresses: AllowedAddresses,
    /// Timeout for the request and its complete response.
    pub(super) timeout: Option<Duration>,
    /// Whether the body of a successful response is left in the connection, to be read by the
    /// caller.
    pub(super) is_streamed: bool,
}

/// The response of a server.
pub(super) struct Response {
    /// The URL of the request.
    pub(super) url: Url,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The body; for an error status, its beginning. Empty if the body is streamed.
    pub(super) body: Vec<u8>,
    /// The body of a successful response to a request that is streamed.
    pub(super) stream: Option<BodyReader<'static>>,
}

/// The reason why there is no response.
#[derive(Debug)]
pub(super) enum TransportError {
    /// The body of the request cannot be read.
    Source(io::Error),
    /// The connection was lost. A retry may help.
    ConnectionLost(io::Error),
    /// No connection could be made.
    Unreachable(String),
    Tls(String),
    /// No data was sent or received for too long.
    TimedOut,
    /// The response is not valid HTTP.
    Malformed(String),
    TooLarge(&'static str),
}

/// Resolves names to public addresses only.
#[derive(Debug, Default)]
struct PublicResolver(DefaultResolver);

impl Resolver for PublicResolver {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut public = self.empty();
        for found in self.0.resolve(uri, config, timeout)?.iter().filter(|found| is_public(found.ip())) {
            public.push(*found);
        }
        if public.is_empty() { Err(Error::HostNotFound) } else { Ok(public) }
    }
}

impl Transport {
    pub(super) fn new(options: &ClientOptions) -> Self {
        let config = |proxy| {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .proxy(proxy)
                .tls_config(tls_config())
                .user_agent(AutoHeaderValue::Provided(USER_AGENT.to_owned().into()))
                .accept(AutoHeaderValue::None)
                .max_response_header_size(MAX_HEADER)
                .max_idle_connections(MAX_IDLE)
                .max_idle_connections_per_host(MAX_IDLE)
                .timeout_resolve(Some(options.connect_timeout))
                .timeout_connect(Some(options.connect_timeout))
                .timeout_per_read(Some(options.idle_timeout))
                .timeout_per_write(Some(options.idle_timeout))
                .timeout_send_request(Some(options.response_timeout))
                .timeout_await_100(Some(CONTINUE_TIMEOUT.min(options.idle_timeout / 2)))
                .timeout_recv_response(Some(options.response_timeout))
                .timeout_recv_body(Some(options.response_timeout))
                .build()
        };
        let proxy = Proxy::try_from_env();
        let outward = config(proxy.clone()).new_agent();
        let public = match proxy {
            Some(_) => outward.clone(),
            None => Agent::with_parts(config(None), DefaultConnector::default(), PublicResolver::default()),
        };
        Self { direct: config(None).new_agent(), outward, public }
    }

    /// Sends a request.
    pub(super) fn send(&self, request: TransportRequest<'_, '_>) -> Result<Response, TransportError> {
        let TransportRequest { method, url, fields, body, allowed_addresses, timeout, is_streamed } = request;
        let mut request = Request::builder().method(method).uri(url.uri().clone());
        for (name, value) in fields {
            request = request.header(name, value);
        }
        if let Some(body) = &body {
            request = request.header(header::CONTENT_LENGTH, body.len);
            if body.allows_expect && body.len >= MIN_EXPECT_BODY {
                request = request.header(header::EXPECT, "100-continue");
            }
        }
        let agent = match allowed_addresses {
            AllowedAddresses::Public => &self.public,
            AllowedAddresses::Any if url.is_loopback() => &self.direct,
            AllowedAddresses::Any => &self.outward,
        };
        let result = match body {
            None => {
                let request = request.body(SendBody::none()).map_err(Error::Http)?;
                let request = agent.configure_request(request).timeout_global(timeout);
                // The size of a streamed body is not known here: its reader sets the timeout.
                agent.run(if is_streamed { request.timeout_recv_body(None) } else { request }.build())
            }
            Some(body) => {
                let request = request.body(SendBody::from_reader(body)).map_err(Error::Http)?;
                let result = agent.run(agent.configure_request(request).timeout_global(timeout).build());
                match body.read_error.take() {
                    Some(error) => return Err(TransportError::Source(error)),
                    None => result,
                }
            }
        };
        let (parts, body) = result?.into_parts();
        let status = parts.status.as_u16();
        let (body, stream) = match body.into_reader() {
            _ if *method == Method::HEAD => (Vec::new(), None),
            stream if is_streamed && status < 300 => (Vec::new(), Some(stream)),
            reader => (read_body(reader, status)?, None),
        };
        Ok(Response { url: url.clone(), status, headers: parts.headers, body, stream })
    }
}

const USER_AGENT: &str = concat!("sectile/", env!("CARGO_PKG_VERSION"));

/// TLS with the certificates that the system trusts.
fn tls_config() -> TlsConfig {
    TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build()
}

/// Reads the body of a response. The body of an error response may be incomplete.
fn read_body(reader: impl Read, status: u16) -> Result<Vec<u8>, TransportError> {
    let mut body = Vec::new();
    if status >= 300 {
        _ = reader.take(MAX_ERROR_BODY).read_to_end(&mut body);
        return Ok(body);
    }
    reader.take(MAX_MANIFEST_SIZE + 1).read_to_end(&mut body).map_err(Error::from)?;
    if body.len() as u64 > MAX_MANIFEST_SIZE {
        return Err(TransportError::TooLarge("the body exceeds 4 MiB"));
    }
    Ok(body)
}

impl From<Error> for TransportError {
    fn from(error: Error) -> Self {
        match error {
            Error::Timeout(_) => Self::TimedOut,
            Error::Io(error) => match error.kind() {
                ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::NotConnected
                | ErrorKind::UnexpectedEof => Self::ConnectionLost(error),
                ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::TimedOut,
                ErrorKind::InvalidData => Self::Tls(escaped_beginning(&error)),
                _ => Self::Unreachable(escaped_beginning(&error)),
            },
            Error::HostNotFound => Self::Unreachable("the host does not exist".to_owned()),
            Error::ConnectionFailed => Self::Unreachable("connection failed".to_owned()),
            Error::ConnectProxyFailed(error) => {
                Self::Unreachable(format!("the proxy rejects the connection: {}", escaped_beginning(&error)))
            }
            Error::Tls(reason) => Self::Tls(reason.to_owned()),
            Error::Rustls(error) => Self::Tls(escaped_beginning(&error)),
            Error::LargeResponseHeader(..) => Self::TooLarge("the header exceeds 64 KiB"),
            error => Self::Malformed(escaped_beginning(&error)),
        }
    }
}

/// Returns the beginning of an error's message, escaped, because it may contain text of the server.
fn escaped_beginning(error: &dyn fmt::Display) -> String {
    const MAX_CHARS: usize = 300;
    let text: String = error.to_string().chars().take(MAX_CHARS).collect();
    Escaped::new(&text).to_string()
}

impl<'a> RequestBody<'a> {
    /// Creates a body. `progress` is called with the number of bytes that were passed to the
    /// connection.
    pub(super) fn new(reader: Box<dyn Read + 'a>, len: u64, progress: &'a mut dyn FnMut(u64)) -> Self {
        Self { reader, len, sent: 0, progress, read_error: None, allows_expect: true }
    }

    /// Disables `Expect: 100-continue`.
    pub(super) fn without_expect(self) -> Self {
        Self { allows_expect: false, ..self }
    }
}

impl Read for RequestBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let max = (self.len - self.sent).min(buffer.len() as u64) as usize;
        if max == 0 {
            return Ok(0);
        }
        let read = loop {
            match self.reader.read(&mut buffer[..max]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) => break Err(ErrorKind::UnexpectedEof.into()),
                read => break read,
            }
        };
        let read = read.map_err(|error| {
            let kind = error.kind();
            self.read_error = Some(error);
            io::Error::from(kind)
        })?;
        self.sent += read as u64;
        (self.progress)(self.sent);
        Ok(read)
    }
}

impl fmt::Debug for RequestBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("len", &self.len).field("sent", &self.sent).finish_non_exhaustive()
    }
}

impl Response {
    /// Returns the value of a header field, if it is text.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the `Location`, if it is UTF-8. Some servers send URLs that are not ASCII.
    pub(super) fn location(&self) -> Option<&str> {
        std::str::from_utf8(self.headers.get("location")?.as_bytes()).ok()
    }

    pub(super) fn fields<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name may resolve to another address between the check of its host and the connection.
    #[test]
    fn hosts_named_by_a_server_need_public_addresses() {
        let transport = Transport::new(&ClientOptions::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        for host in ["127.0.0.1", "localhost", "127.1"] {
            let url = Url::parse(&format!("http://{host}:{}/", listener.local_addr().unwrap().port())).unwrap();
            let sent = transport.send(TransportRequest {
                method: &Method::GET,
                url: &url,
                fields: &[],
                body: None,
                allowed_addresses: AllowedAddresses::Public,
                timeout: None,
                is_streamed: false,
            });
            assert!(matches!(sent, Err(TransportError::Unreachable(_))), "{host}");
        }
        assert!(listener.accept().is_err(), "no connection was made");
    }
}
