//! One request, and its answer, whole and within limits. Nothing is followed, authorised or tried again here.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;

use ureq::config::AutoHeaderValue;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error, Proxy, SendBody};

use super::client::ClientOptions;
use super::url::Url;
use crate::escape::Escaped;
use crate::oci::MAX_MANIFEST;

/// So much is kept of what comes with an error.
const MAX_ERROR_BODY: u64 = 1 << 16;

/// Bytes of an answer's header at the most.
const MAX_HEADER: usize = 1 << 16;

/// Bodies from this length on are only sent once the registry has said that it will have them, so that its refusal is
/// not lost under them. Source: RFC 9110, section 10.1.1.
const EXPECT_FROM: u64 = 64 << 10;

/// How long that is waited for, as in other clients: a server may not know of it.
const AWAIT_CONTINUE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Transport {
    /// For this machine, which is never reached through a proxy.
    direct: Agent,
    /// For all others: through the proxy that the environment names, if it names one.
    outward: Agent,
}

/// The body of a request: so many bytes, from a reader that must have them.
pub(super) struct Outgoing<'a> {
    reader: Box<dyn Read + 'a>,
    len: u64,
    sent: u64,
    progress: &'a mut dyn FnMut(u64),
    failure: Option<io::Error>,
    /// Whether the server may be asked first.
    expects: bool,
}

/// What a server answers.
#[derive(Debug)]
pub(super) struct Answer {
    /// Who answers.
    pub(super) url: Url,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// Of an error the beginning.
    pub(super) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What is to be sent cannot be read.
    Source(io::Error),
    /// The connection broke: it may be tried again.
    Broken(io::Error),
    /// There is no connection.
    Unreachable(String),
    Tls(String),
    /// Nothing came, or went, for too long.
    TimedOut,
    /// What came is no answer.
    Malformed(String),
    TooLarge(&'static str),
}

impl Transport {
    pub(super) fn new(options: &ClientOptions) -> Self {
        let config = |proxy| {
            Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .proxy(proxy)
                .tls_config(tls())
                .user_agent(AutoHeaderValue::Provided(USER_AGENT.to_owned().into()))
                .accept(AutoHeaderValue::None)
                .max_response_header_size(MAX_HEADER)
                .timeout_resolve(Some(options.connect))
                .timeout_connect(Some(options.connect))
                .timeout_per_read(Some(options.stalled))
                .timeout_per_write(Some(options.stalled))
                .timeout_send_request(Some(options.answer))
                .timeout_await_100(Some(AWAIT_CONTINUE.min(options.stalled / 2)))
                .timeout_recv_response(Some(options.answer))
                .timeout_recv_body(Some(options.answer))
                .build()
                .new_agent()
        };
        Self { direct: config(None), outward: config(Proxy::try_from_env()) }
    }

    /// Sends a request. A header field that is secret is to be marked so.
    pub(super) fn send(
        &self,
        method: &Method,
        url: &Url,
        fields: &[(HeaderName, HeaderValue)],
        body: Option<&mut Outgoing<'_>>,
    ) -> Result<Answer, Trouble> {
        let mut request = Request::builder().method(method).uri(url.uri().clone());
        for (name, value) in fields {
            request = request.header(name, value);
        }
        if let Some(body) = &body {
            request = request.header(header::CONTENT_LENGTH, body.len);
            if body.expects && body.len >= EXPECT_FROM {
                request = request.header(header::EXPECT, "100-continue");
            }
        }
        let agent = if url.is_loopback() { &self.direct } else { &self.outward };
        let sent = match body {
            None => agent.run(request.body(SendBody::none()).map_err(Error::Http)?),
            Some(body) => {
                let sent = agent.run(request.body(SendBody::from_reader(body)).map_err(Error::Http)?);
                match body.failure.take() {
                    Some(error) => return Err(Trouble::Source(error)),
                    None => sent,
                }
            }
        };
        let (parts, body) = sent?.into_parts();
        let status = parts.status.as_u16();
        let body = if *method == Method::HEAD { Vec::new() } else { whole(body.into_reader(), status)? };
        Ok(Answer { url: url.clone(), status, headers: parts.headers, body })
    }
}

const USER_AGENT: &str = concat!("sectile/", env!("CARGO_PKG_VERSION"));

/// TLS with the certificates that the system trusts.
fn tls() -> TlsConfig {
    TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build()
}

/// The body of an answer, which is no larger than a manifest may be. What comes with an error need not be whole.
fn whole(reader: impl Read, status: u16) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    if status >= 300 {
        _ = reader.take(MAX_ERROR_BODY).read_to_end(&mut body);
        return Ok(body);
    }
    reader.take(MAX_MANIFEST + 1).read_to_end(&mut body).map_err(Error::from)?;
    if body.len() as u64 > MAX_MANIFEST {
        return Err(Trouble::TooLarge("its body is larger than 4 MiB"));
    }
    Ok(body)
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Timeout(_) => Self::TimedOut,
            Error::Io(error) => match error.kind() {
                ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::NotConnected
                | ErrorKind::UnexpectedEof => Self::Broken(error),
                ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::TimedOut,
                ErrorKind::InvalidData => Self::Tls(shown(&error)),
                _ => Self::Unreachable(shown(&error)),
            },
            Error::HostNotFound => Self::Unreachable("there is no such host".to_owned()),
            Error::ConnectionFailed => Self::Unreachable("there is no connection".to_owned()),
            Error::ConnectProxyFailed(why) => {
                Self::Unreachable(format!("the proxy refuses the connection: {}", shown(&why)))
            }
            Error::Tls(why) => Self::Tls(why.to_owned()),
            Error::Rustls(error) => Self::Tls(shown(&error)),
            Error::LargeResponseHeader(..) => Self::TooLarge("its header is larger than 64 KiB"),
            error => Self::Malformed(shown(&error)),
        }
    }
}

/// What is said of what the other side does, which may be in its own words: the beginning, escaped.
fn shown(error: &dyn fmt::Display) -> String {
    const MOST: usize = 300;
    let text: String = error.to_string().chars().take(MOST).collect();
    Escaped::new(&text).to_string()
}

impl<'a> Outgoing<'a> {
    /// `progress` is told how many bytes were taken to be sent.
    pub(super) fn new(reader: Box<dyn Read + 'a>, len: u64, progress: &'a mut dyn FnMut(u64)) -> Self {
        Self { reader, len, sent: 0, progress, failure: None, expects: true }
    }

    /// Sends it without asking first, however long it is.
    pub(super) fn unasked(self) -> Self {
        Self { expects: false, ..self }
    }
}

impl Read for Outgoing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = (self.len - self.sent).min(buffer.len() as u64) as usize;
        if most == 0 {
            return Ok(0);
        }
        let read = loop {
            match self.reader.read(&mut buffer[..most]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) => break Err(ErrorKind::UnexpectedEof.into()),
                read => break read,
            }
        };
        let read = read.map_err(|error| {
            let kind = error.kind();
            self.failure = Some(error);
            io::Error::from(kind)
        })?;
        self.sent += read as u64;
        (self.progress)(self.sent);
        Ok(read)
    }
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("len", &self.len).field("sent", &self.sent).finish_non_exhaustive()
    }
}

impl Answer {
    /// A header field, if it stands there and is a text.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn fields<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
    }
}
