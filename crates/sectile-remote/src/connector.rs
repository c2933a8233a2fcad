//! HTTP clients for `object_store`: TLS, timeouts, and restricted redirects.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpService,
};
use object_store::{ClientConfigKey, ClientOptions};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, IF_MATCH, LOCATION, RANGE};
use reqwest::{Client, Method, Url, redirect};
use rustls_platform_verifier::BuilderVerifierExt;

use super::RemoteOptions;
use super::error::RemoteError;
use super::listed_keys;
use sectile::internal::net::{self, is_public};

/// Maximum number of redirects of one request.
const MAX_REDIRECTS: u32 = 5;

/// Creates clients with these options.
#[derive(Debug)]
pub(super) struct Connector {
    options: RemoteOptions,
    redirects: Redirects,
}

/// The handling of redirects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Redirects {
    /// Redirects are errors, because requests are signed for one URL.
    Refused,
    /// Redirects are followed, except to private addresses.
    Followed,
}

impl Connector {
    pub(super) fn new(options: RemoteOptions, redirects: Redirects) -> Self {
        Self { options, redirects }
    }

    fn client(&self, is_https_only: bool, addresses: Addresses) -> reqwest::Result<Client> {
        let builder = Client::builder()
            .user_agent(concat!("sectile/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.options.connect_timeout)
            .read_timeout(self.options.idle_timeout)
            .https_only(is_https_only)
            .tls_backend_preconfigured(tls_config());
        match addresses {
            Addresses::Any => builder.build(),
            Addresses::Public => builder.dns_resolver(Arc::new(PublicResolver)).build(),
        }
    }
}

/// The addresses to which a client connects.
#[derive(Clone, Copy)]
enum Addresses {
    Any,
    Public,
}

impl HttpConnector for Connector {
    fn connect(&self, store_options: &ClientOptions) -> object_store::Result<HttpClient> {
        let fail = |error| object_store::Error::Generic { store: "HTTP", source: Box::new(error) };
        let allows_http =
            store_options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let first = self.client(!allows_http, Addresses::Any).map_err(fail)?;
        let redirected = match self.redirects {
            Redirects::Refused => None,
            Redirects::Followed if self.options.private_redirects => Some(first.clone()),
            Redirects::Followed => Some(self.client(!allows_http, Addresses::Public).map_err(fail)?),
        };
        let allows_private = self.options.private_redirects;
        Ok(HttpClient::new(RedirectingService { first, redirected, allows_private }))
    }
}

/// TLS with the certificates that the system trusts. If the system has none, no server is trusted.
fn tls_config() -> rustls::ClientConfig {
    let builder = || {
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports the default protocol versions")
    };
    match builder().with_platform_verifier() {
        Ok(builder) => builder.with_no_client_auth(),
        Err(_) => builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
    }
}

#[derive(Debug)]
struct RedirectingService {
    first: Client,
    /// For redirects to other origins; `None` if redirects are refused.
    redirected: Option<Client>,
    allows_private: bool,
}

impl HttpService for RedirectingService {
    fn call<'s, 'f>(
        &'s self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(self.follow(request))
    }
}

impl RedirectingService {
    async fn follow(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (method, fields) = (request.method().clone(), request.headers().clone());
        let first = Url::parse(&request.uri().to_string()).ok();
        let is_listing = first.as_ref().is_some_and(is_listing);
        let mut response = HttpService::call(&self.first, request).await?;
        let (Some(redirected), Some(first)) = (&self.redirected, first) else {
            return if is_listing { without_changed_keys(response).await } else { Ok(response) };
        };
        let is_plain = matches!(method, Method::GET | Method::HEAD) && !fields.contains_key(AUTHORIZATION);
        let mut url = first.clone();
        for _ in 0..MAX_REDIRECTS {
            if !is_plain || !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let Some(to) = response.headers().get(LOCATION) else { return Ok(response) };
            let to = to.to_str().ok().and_then(|to| url.join(to).ok());
            let to = to.ok_or_else(|| refused("elsewhere".to_owned(), "not a URL"))?;
            let shown = without_query(&to);
            let client = if is_same_origin(&to, &first) {
                &self.first
            } else {
                self.check(&url, &to).await.map_err(|reason| refused(shown.clone(), reason))?;
                redirected
            };
            let next = redirected_request(&method, &fields, &to).ok_or_else(|| refused(shown, "not a URL"))?;
            response = HttpService::call(client, next).await?;
            url = to;
        }
        Err(refused(without_query(&url), "too many redirects"))
    }

    /// Checks that a redirect is permitted.
    async fn check(&self, from: &Url, to: &Url) -> Result<(), &'static str> {
        if !matches!(to.scheme(), "http" | "https") {
            return Err("not an http or https URL");
        }
        net::check_scheme(from.scheme() == "https", to.scheme() == "https")?;
        if !to.username().is_empty() || to.password().is_some() {
            return Err("it contains a user name");
        }
        let host = to.host_str().ok_or("it has no host")?;
        if self.allows_private {
            return Ok(());
        }
        if !net::check_host(host)? {
            return Ok(());
        }
        // The resolver refuses private addresses too. This check fails before connecting and
        // reports the reason.
        let port = to.port_or_known_default().unwrap_or_default();
        match tokio::net::lookup_host((host, port)).await {
            Ok(found) => net::check_addresses(found.map(|found| found.ip())),
            Err(_) => Ok(()), // reported when connecting; a proxy may resolve the name
        }
    }
}

/// Whether a URL requests a listing of S3 or Google Cloud Storage, or of Azure.
fn is_listing(url: &Url) -> bool {
    url.query_pairs().any(|(name, value)| matches!((&*name, &*value), ("list-type", "2") | ("comp", "list")))
}

/// Removes entries from a listing if `object_store` would confuse them with other objects. The
/// removed entries become an extension of the response.
async fn without_changed_keys(response: HttpResponse) -> Result<HttpResponse, HttpError> {
    if !response.status().is_success() {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let split = listed_keys::split(&body.bytes().await?);
    let (body, keys) = split.map_err(|error| HttpError::new(HttpErrorKind::Decode, error))?;
    parts.headers.remove(CONTENT_LENGTH);
    parts.extensions.insert(keys);
    Ok(HttpResponse::from_parts(parts, body.into()))
}

fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

/// Repeats a request for another URL, with only the header fields that every server may see.
fn redirected_request(method: &Method, fields: &HeaderMap, to: &Url) -> Option<HttpRequest> {
    let mut request = HttpRequest::new(HttpRequestBody::from(Vec::new()));
    *request.method_mut() = method.clone();
    *request.uri_mut() = to.as_str().parse().ok()?;
    for name in [RANGE, IF_MATCH] {
        if let Some(value) = fields.get(&name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    Some(request)
}

fn refused(to: String, reason: &'static str) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, RemoteError::Redirect { to, reason })
}

/// Returns a URL without the parts that may be secret.
fn without_query(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

/// Resolves names to public addresses only.
struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(Box::new(NoPublicAddress) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[derive(Debug)]
struct NoPublicAddress;

impl fmt::Display for NoPublicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name has no public address")
    }
}

impl Error for NoPublicAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn names_resolve_to_public_addresses_only() {
        let resolve = |name: &str| wait(PublicResolver.resolve(name.parse().unwrap()));
        let public: Vec<_> = resolve("1.1.1.1").unwrap().map(|found| found.ip().to_string()).collect();
        assert_eq!(public, ["1.1.1.1"]);
        for name in ["localhost", "127.0.0.1", "10.0.0.1", "169.254.169.254"] {
            let error = resolve(name).err().unwrap();
            assert_eq!(error.to_string(), "the name has no public address", "{name}");
        }
    }

    #[test]
    fn redirects_are_restricted() {
        let connector = Connector::new(RemoteOptions::default(), Redirects::Followed);
        let first = connector.client(false, Addresses::Any).unwrap();
        let service = |allows_private| RedirectingService { first: first.clone(), redirected: None, allows_private };
        let no_host = format!("https://{}.invalid/", "n".repeat(64)); // label too long: no lookup
        for (from, to, by_default, private) in [
            ("https://a.example/", "https://1.1.1.1/x", Ok(()), Ok(())),
            ("http://a.example/", "http://1.1.1.1/x", Ok(()), Ok(())),
            ("https://a.example/", "http://1.1.1.1/x", Err("not secure"), Err("not secure")),
            ("https://a.example/", "ftp://1.1.1.1/x", Err("not an http"), Err("not an http")),
            ("https://a.example/", "https://me@1.1.1.1/x", Err("a user name"), Err("a user name")),
            ("https://a.example/", "https://[::1]/x", Err("private network"), Ok(())),
            ("https://a.example/", "https://localhost/x", Err("private network"), Ok(())),
            ("https://a.example/", &no_host, Ok(()), Ok(())),
        ] {
            for (allows_private, expected) in [(false, by_default), (true, private)] {
                let urls = [from, to].map(|url| Url::parse(url).unwrap());
                let checked = wait(service(allows_private).check(&urls[0], &urls[1]));
                match (checked, expected) {
                    (Ok(()), Ok(())) => {}
                    (Err(reason), Err(part)) => assert!(reason.contains(part), "{to}: {reason}"),
                    (checked, _) => panic!("{to} {allows_private}: {checked:?}"),
                }
            }
        }
    }
}
