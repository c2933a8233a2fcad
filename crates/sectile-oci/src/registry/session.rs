//! Requests to one repository, with authorization, redirects and retries.

use std::io::{self, Read};
use std::net::ToSocketAddrs;
use std::ops::Range;
use std::time::{Duration, Instant};

use ureq::http::{HeaderName, HeaderValue, Method, header};

use super::challenge::{Challenge, challenges};
use super::client::Client;
use super::credential::Credential;
use super::error::{RegistryError, RegistryFault, quote_escaped};
use super::options::Scheme;
use super::reference::{DOCKER, Reference};
use super::retry::{self, RetryBudget};
use super::transport::{AllowedAddresses, RequestBody, Response, TransportError, TransportRequest};
use super::url::{Url, is_loopback};
use sectile::internal::net;

/// Maximum number of redirects of one request.
const MAX_REDIRECTS: u32 = 5;

/// A blob that can be read repeatedly, from any offset.
pub(super) trait BlobSource {
    /// Returns the length in bytes.
    fn len(&self) -> u64;

    /// Returns a reader that begins at an offset.
    fn read_from(&self, offset: u64) -> io::Result<Box<dyn Read + '_>>;

    /// Returns whether the contents changed.
    fn is_changed(&self) -> io::Result<bool> {
        Ok(false)
    }
}

impl BlobSource for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_from(&self, offset: u64) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(&self[(offset as usize).min(<[u8]>::len(self))..]))
    }
}

/// The part of a blob that is the body of a request.
pub(super) struct RequestPayload<'a> {
    pub(super) source: &'a dyn BlobSource,
    pub(super) range: Range<u64>,
    /// Called with the number of bytes of the range that were passed to the connection.
    pub(super) progress: &'a mut dyn FnMut(u64),
}

/// A request to a registry.
pub(super) struct ApiRequest<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) fields: Vec<(HeaderName, HeaderValue)>,
    pub(super) payload: Option<RequestPayload<'a>>,
    /// Whether the request is retried after the connection is lost. Set if the request is
    /// idempotent.
    pub(super) is_repeatable: bool,
    /// Whether the caller reads the body of a successful response from the connection.
    pub(super) is_streamed: bool,
}

impl ApiRequest<'_> {
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self { method, url, fields: Vec::new(), payload: None, is_repeatable: true, is_streamed: false }
    }

    pub(super) fn with_field(mut self, name: HeaderName, value: &str) -> Self {
        // Values are constants or checked media types. Any other value that is invalid in a header
        // is omitted.
        self.fields.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// Returns the method and the URL, for errors.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.url)
    }
}

impl<'a> ApiRequest<'a> {
    pub(super) fn with_payload(self, payload: RequestPayload<'a>) -> Self {
        Self { payload: Some(payload), ..self }
    }
}

/// The access that a session requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Read access to the repository.
    Pull,
    /// Write access to the repository, and read access to find what the registry already has.
    Push,
    /// The list of all repositories.
    Catalog,
    /// None: only the credentials are checked.
    Login,
}

/// A client's requests to one repository, or to a registry as a whole.
pub(super) struct Session<'c> {
    client: &'c Client,
    reference: &'c Reference,
    access: Access,
    /// A repository of the same registry from which blobs are mounted.
    mount_source: Option<&'c str>,
    base: Url,
    retries: RetryBudget,
    /// Deadline for all requests.
    deadline: Option<Instant>,
    state: SessionState,
}

/// Facts about the registry that one session learned, for a later session with the same repository.
#[derive(Clone)]
pub(super) struct SessionState {
    credential: Option<CachedCredential>,
    /// The header field that the registry last requested.
    authorization: Option<HeaderValue>,
    /// Whether the registry supports `Expect: 100-continue`.
    supports_expect: bool,
}

/// The result of looking up a credential.
#[derive(Clone)]
struct CachedCredential(Option<Credential>);

impl<'c> Session<'c> {
    pub(super) fn new(client: &'c Client, reference: &'c Reference, access: Access) -> Result<Self, RegistryError> {
        let state = SessionState { credential: None, authorization: None, supports_expect: true };
        Self::resume(client, reference, access, state)
    }

    /// Continues with the state of an earlier session with the same repository and access.
    pub(super) fn resume(
        client: &'c Client,
        reference: &'c Reference,
        access: Access,
        state: SessionState,
    ) -> Result<Self, RegistryError> {
        let scheme = match client.options.scheme {
            Scheme::Http => "http",
            Scheme::Auto if Self::is_local(reference) => "http",
            Scheme::Auto | Scheme::Https => "https",
        };
        let repository = reference.repository();
        let divider = if repository.is_empty() { "" } else { "/" };
        let base = format!("{scheme}://{}/v2/{repository}{divider}", reference.api_host());
        let base = Url::parse(&base).map_err(|reason| {
            RegistryError::new(reference, None, RegistryFault::Unreachable(format!("{base}: {reason}")))
        })?;
        let options = &client.options;
        let retries = RetryBudget::new(options.retry_pause, options.max_total_pause);
        Ok(Self { client, reference, access, mount_source: None, base, retries, deadline: None, state })
    }

    /// Also requests read access to another repository of the registry, to mount its blobs.
    pub(super) fn with_mount_source(self, mount_source: Option<&'c str>) -> Self {
        Self { mount_source, ..self }
    }

    /// Sets the deadline for all requests.
    pub(super) fn with_deadline(self, deadline: Option<Instant>) -> Self {
        Self { deadline, ..self }
    }

    /// Sets the deadline for the next requests.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// Converts the session into its state, for a later session with the same repository.
    pub(super) fn into_state(self) -> SessionState {
        self.state
    }

    fn is_local(reference: &Reference) -> bool {
        let registry = reference.registry();
        let host = match registry.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => host,
            _ => registry,
        };
        is_loopback(host)
    }

    pub(super) fn reference(&self) -> &'c Reference {
        self.reference
    }

    pub(super) fn access(&self) -> Access {
        self.access
    }

    pub(super) fn mount_source(&self) -> Option<&'c str> {
        self.mount_source
    }

    pub(super) fn client(&self) -> &'c Client {
        self.client
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// Returns the URL of a path below the repository.
    pub(super) fn url(&self, path: &str) -> Result<Url, RegistryError> {
        let url = self.base.join(path);
        url.map_err(|reason| self.error(None, RegistryFault::malformed(format!("{path}: {reason}"))))
    }

    pub(super) fn error(&self, request: Option<String>, fault: RegistryFault) -> RegistryError {
        RegistryError::new(self.reference, request, fault)
    }

    /// Sends a request, with retries, and returns the final response.
    pub(super) fn send(&mut self, mut request: ApiRequest<'_>) -> Result<Response, RegistryError> {
        let name = request.name();
        self.try_send(&mut request).map_err(|fault| self.error(Some(name), fault))
    }

    pub(super) fn try_send(&mut self, request: &mut ApiRequest<'_>) -> Result<Response, RegistryFault> {
        let mut is_authorized = false;
        loop {
            let response = self.retry(request.is_repeatable, |session| session.follow(request))?;
            match response.status {
                // Credentials are never sent to another origin.
                401 if response.url.is_same_origin(&self.base) => {
                    if is_authorized {
                        return Err(RegistryFault::status(&response, self.rejected_advice()));
                    }
                    let challenges: Vec<Challenge> = challenges(response.fields("www-authenticate"));
                    self.state.authorization = Some(self.authorization(&response, &challenges)?);
                    is_authorized = true;
                }
                417 if self.state.supports_expect => self.state.supports_expect = false,
                _ => return Ok(response),
            }
        }
    }

    /// Calls `send` again while a retry may help: if the registry is busy, or if a repeatable
    /// request loses its connection.
    pub(super) fn retry(
        &mut self,
        is_repeatable: bool,
        mut send: impl FnMut(&Self) -> Result<Response, SendError>,
    ) -> Result<Response, RegistryFault> {
        let mut attempts = 1;
        loop {
            let is_last = attempts >= self.client.options.max_attempts;
            let retry_after = match send(self) {
                Err(SendError::Transport(TransportError::ConnectionLost(_))) if is_repeatable && !is_last => None,
                Err(SendError::Transport(error)) => return Err(error.into_fault(attempts)),
                Err(SendError::Fault(fault)) => return Err(fault),
                Ok(response) if retry::is_transient(response.status) && !is_last => retry::retry_after(&response),
                Ok(response) => return Ok(response),
            };
            self.wait(attempts, retry_after)?;
            attempts += 1;
        }
    }

    /// Pauses after this number of attempts.
    pub(super) fn wait(&mut self, attempts: u32, retry_after: Option<Duration>) -> Result<(), RegistryFault> {
        let max_total_pause = self.client.options.max_total_pause;
        let waited = self.retries.wait(attempts, retry_after);
        waited.map_err(|requested| RegistryFault::RetryTooLate { requested, max_total_pause })
    }

    /// Sends a request and follows redirects. Returns the first response that is not a redirect.
    fn follow(&self, request: &mut ApiRequest<'_>) -> Result<Response, SendError> {
        let mut url = request.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut fields = request.fields.clone();
            if url.is_same_origin(&self.base) {
                fields.extend(self.state.authorization.clone().map(|value| (header::AUTHORIZATION, value)));
            }
            let response = match &mut request.payload {
                None if request.is_streamed => self.send_streamed(&request.method, &url, &fields),
                None => self.send_once(&request.method, &url, &fields, None),
                Some(RequestPayload { source, range, progress }) => {
                    let reader = source.read_from(range.start).map_err(TransportError::Source)?;
                    let body = RequestBody::new(reader, range.end - range.start, progress);
                    let mut body = if self.state.supports_expect { body } else { body.without_expect() };
                    self.send_once(&request.method, &url, &fields, Some(&mut body))
                }
            }?;
            let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
            let Some(location) = response.location().filter(|_| is_redirect) else { return Ok(response) };
            let refused = |reason| RegistryFault::Redirect { to: display_location(&url, location), reason };
            if request.payload.is_some() && !matches!(response.status, 307 | 308)
                || request.method == Method::POST && response.status < 307
            {
                return Err(refused("it would change the request method").into());
            }
            url = url.join_location(location).and_then(|to| self.check_permitted(to)).map_err(refused)?;
        }
        Err(RegistryFault::Redirect { to: url.to_string(), reason: "too many redirects" }.into())
    }

    /// Sends one request without redirects, retries and authorization.
    pub(super) fn send_once(
        &self,
        method: &Method,
        url: &Url,
        fields: &[(HeaderName, HeaderValue)],
        body: Option<&mut RequestBody<'_>>,
    ) -> Result<Response, TransportError> {
        let (allowed_addresses, timeout) = (self.allowed_addresses(url), self.time_left()?);
        let request = TransportRequest { method, url, fields, body, allowed_addresses, timeout, is_streamed: false };
        self.client.transport.send(request)
    }

    /// As [`send_once`](Self::send_once), but leaves the body of the response in the connection.
    fn send_streamed(
        &self,
        method: &Method,
        url: &Url,
        fields: &[(HeaderName, HeaderValue)],
    ) -> Result<Response, TransportError> {
        let (allowed_addresses, timeout) = (self.allowed_addresses(url), self.time_left()?);
        let request =
            TransportRequest { method, url, fields, body: None, allowed_addresses, timeout, is_streamed: true };
        self.client.transport.send(request)
    }

    /// Returns the time until the deadline, if there is one.
    fn time_left(&self) -> Result<Option<Duration>, TransportError> {
        match self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            Some(Duration::ZERO) => Err(TransportError::TimedOut),
            left => Ok(left),
        }
    }

    /// Returns a URL from the registry if requests to it are permitted, by the rule of [`net`] for
    /// all locations that a server names.
    ///
    /// Plain HTTP is permitted only if the registry itself is used over plain HTTP, and only to the
    /// same host or within this machine.
    pub(super) fn check_permitted(&self, url: Url) -> Result<Url, &'static str> {
        let is_near = url.is_same_host(&self.base) || url.is_loopback() && self.base.is_loopback();
        net::check_scheme(self.base.is_https() || !is_near, url.is_https())?;
        if self.allowed_addresses(&url) == AllowedAddresses::Any {
            return Ok(url);
        }
        if net::check_host(url.host())? {
            // The transport refuses private addresses too. This check fails before connecting and
            // reports the reason.
            let host = (url.host(), url.port());
            if let Ok(found) = host.to_socket_addrs() {
                net::check_addresses(found.map(|found| found.ip()))?;
            }
        }
        Ok(url)
    }

    /// Returns the addresses to which a request for this URL may connect. The host that the user
    /// named may have any address. Other hosts may have private addresses only if the user named a
    /// private or loopback address.
    fn allowed_addresses(&self, url: &Url) -> AllowedAddresses {
        let is_any = self.client.options.private_redirects
            || url.is_same_host(&self.base)
            || net::check_host(self.base.host()).is_err();
        if is_any { AllowedAddresses::Any } else { AllowedAddresses::Public }
    }

    /// Returns the user's credential, which is looked up once.
    pub(super) fn credential(&mut self) -> Result<Option<Credential>, RegistryFault> {
        if let Some(CachedCredential(credential)) = &self.state.credential {
            return Ok(credential.clone());
        }
        let found = self.client.credentials.find(self.reference).map_err(RegistryFault::Credentials)?;
        self.state.credential = Some(CachedCredential(found.clone()));
        Ok(found)
    }

    /// Returns advice after the registry rejected the credentials.
    fn rejected_advice(&self) -> String {
        match self.state.credential {
            Some(CachedCredential(Some(_))) => {
                format!("the registry rejects the credentials: {}", self.login_advice())
            }
            _ => self.login_advice(),
        }
    }

    /// Returns advice about missing or wrong credentials.
    pub(super) fn login_advice(&self) -> String {
        let registry = self.reference.registry();
        match registry {
            DOCKER => "log in with `docker login` or `sectile oci login docker.io`".to_owned(),
            _ => {
                format!(
                    "log in with `docker login {registry}`, `podman login {registry}` or `sectile oci login {registry}`"
                )
            }
        }
    }
}

/// Checks that credentials may be sent to a URL.
pub(super) fn check_secure(url: &Url) -> Result<(), RegistryFault> {
    if url.is_https() || url.is_loopback() { Ok(()) } else { Err(RegistryFault::Insecure) }
}

/// Returns the target of a redirect without its query, which may contain a secret.
fn display_location(base: &Url, location: &str) -> String {
    match base.join_location(location) {
        Ok(url) => url.to_string(),
        Err(_) => quote_escaped(location.split('?').next().unwrap_or_default()),
    }
}

/// The reason why a request has no response.
pub(super) enum SendError {
    Transport(TransportError),
    Fault(RegistryFault),
}

impl From<TransportError> for SendError {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

impl From<RegistryFault> for SendError {
    fn from(fault: RegistryFault) -> Self {
        Self::Fault(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::super::credential::Credentials;
    use super::super::options::ClientOptions;
    use super::*;

    fn permitted(registry: &str, options: ClientOptions, url: &str) -> Result<AllowedAddresses, &'static str> {
        let client = Client::new(Credentials::anonymous(), options);
        let reference: Reference = format!("{registry}/app:1").parse().unwrap();
        let session = Session::new(&client, &reference, Access::Pull).unwrap();
        let url = session.check_permitted(Url::parse(url).unwrap())?;
        Ok(session.allowed_addresses(&url))
    }

    #[test]
    fn a_public_registry_does_not_send_to_private_addresses() {
        let default = ClientOptions::default();
        let private = [
            "https://127.0.0.1/token",
            "https://localhost:1/token",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://10.0.0.1/",
            "https://192.168.1.1:8443/x",
            "https://169.254.169.254/latest",
            "https://100.64.0.1/",
            // Other notations, which only a resolver understands.
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://0177.0.0.1/",
        ];
        for registry in ["registry.example.com", "1.1.1.1", "docker.io"] {
            for url in private {
                assert_eq!(permitted(registry, default, url), Err(net::PRIVATE), "{registry} {url}");
                let options = ClientOptions { private_redirects: true, ..default };
                assert_eq!(permitted(registry, options, url), Ok(AllowedAddresses::Any), "{registry} {url}");
            }
            assert_eq!(permitted(registry, default, "https://8.8.8.8/token"), Ok(AllowedAddresses::Public));
            // A name that cannot be resolved: the transport decides.
            let unknown = format!("https://{}.invalid/", "n".repeat(64));
            assert_eq!(permitted(registry, default, &unknown), Ok(AllowedAddresses::Public));
            assert_eq!(permitted(registry, default, "http://8.8.8.8/"), Err("it is not secure (plain HTTP)"));
        }
    }

    #[test]
    fn the_named_host_may_have_any_address() {
        let default = ClientOptions::default();
        for (registry, url) in [
            ("registry.example.com", "https://registry.example.com:444/token"),
            ("localhost:5000", "http://localhost:5001/token"),
            ("localhost:5000", "http://127.0.0.1:5001/token"),
            ("127.0.0.1:5000", "https://10.0.0.1/"),
            ("10.0.0.1:5000", "https://10.0.0.2/token"),
        ] {
            assert_eq!(permitted(registry, default, url), Ok(AllowedAddresses::Any), "{registry} {url}");
        }
    }
}
