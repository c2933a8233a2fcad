//! How servers are spoken to: what TLS trusts, how long is waited, and where a web server may send on to.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpService,
};
use object_store::{ClientConfigKey, ClientOptions};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{AUTHORIZATION, HeaderMap, IF_MATCH, LOCATION, RANGE};
use reqwest::{Client, Method, Url, redirect};
use rustls_platform_verifier::BuilderVerifierExt;

use super::RemoteOptions;
use super::address::is_public;
use super::error::RemoteError;

/// Places that a request is sent on to at the most, one after the other.
const MAX_REDIRECTS: u32 = 5;

/// Makes clients as our options ask for them.
#[derive(Debug)]
pub(super) struct Connector {
    options: RemoteOptions,
    redirects: Redirects,
}

/// What becomes of an answer that sends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Redirects {
    /// It is an error: what was asked is signed, and for one place.
    None,
    /// It is followed, if it leads nowhere private.
    Followed,
}

impl Connector {
    pub(super) fn new(options: RemoteOptions, redirects: Redirects) -> Self {
        Self { options, redirects }
    }

    fn client(&self, is_https_only: bool, where_to: WhereTo) -> reqwest::Result<Client> {
        let builder = Client::builder()
            .user_agent(concat!("sectile/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.options.connect)
            .read_timeout(self.options.stalled)
            .https_only(is_https_only)
            .tls_backend_preconfigured(tls());
        match where_to {
            WhereTo::Anywhere => builder.build(),
            WhereTo::Public => builder.dns_resolver(Arc::new(PublicOnly)).build(),
        }
    }
}

#[derive(Clone, Copy)]
enum WhereTo {
    Anywhere,
    Public,
}

impl HttpConnector for Connector {
    fn connect(&self, of_store: &ClientOptions) -> object_store::Result<HttpClient> {
        let fail = |error| object_store::Error::Generic { store: "HTTP", source: Box::new(error) };
        let allows_http = of_store.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let first = self.client(!allows_http, WhereTo::Anywhere).map_err(fail)?;
        let onward = match self.redirects {
            Redirects::None => None,
            Redirects::Followed if self.options.private_redirects => Some(first.clone()),
            Redirects::Followed => Some(self.client(!allows_http, WhereTo::Public).map_err(fail)?),
        };
        let may_go_private = self.options.private_redirects;
        Ok(HttpClient::new(Service { first, onward, may_go_private }))
    }
}

/// TLS with the certificates that the system trusts; where it has none, nobody is trusted.
fn tls() -> rustls::ClientConfig {
    let builder = || {
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has what they ask for")
    };
    match builder().with_platform_verifier() {
        Ok(builder) => builder.with_no_client_auth(),
        Err(_) => builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
    }
}

#[derive(Debug)]
struct Service {
    first: Client,
    /// For the places that an answer sends on to, on other hosts.
    onward: Option<Client>,
    may_go_private: bool,
}

impl HttpService for Service {
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

impl Service {
    async fn follow(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (method, fields) = (request.method().clone(), request.headers().clone());
        let first = Url::parse(&request.uri().to_string()).ok();
        let mut response = HttpService::call(&self.first, request).await?;
        let (Some(onward), Some(first)) = (&self.onward, first) else { return Ok(response) };
        let is_plain = matches!(method, Method::GET | Method::HEAD) && !fields.contains_key(AUTHORIZATION);
        let mut url = first.clone();
        for _ in 0..MAX_REDIRECTS {
            if !is_plain || !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let Some(to) = response.headers().get(LOCATION) else { return Ok(response) };
            let to = to.to_str().ok().and_then(|to| url.join(to).ok());
            let to = to.ok_or_else(|| refused("elsewhere".to_owned(), "it is no URL"))?;
            let shown = shown(&to);
            let client = if is_same_origin(&to, &first) {
                &self.first
            } else {
                self.check(&url, &to).await.map_err(|why| refused(shown.clone(), why))?;
                onward
            };
            let next = again(&method, &fields, &to).ok_or_else(|| refused(shown, "it is no URL"))?;
            response = HttpService::call(client, next).await?;
            url = to;
        }
        Err(refused(shown(&url), "it does so again and again"))
    }

    /// Whether an answer from one place may send on to another.
    async fn check(&self, from: &Url, to: &Url) -> Result<(), &'static str> {
        const PRIVATE: &str = "it is an address of a private network";
        match to.scheme() {
            "https" => {}
            "http" if from.scheme() == "http" => {}
            "http" => return Err("it is not secure (plain HTTP)"),
            _ => return Err("it is no http or https URL"),
        }
        if !to.username().is_empty() || to.password().is_some() {
            return Err("it names a user");
        }
        let host = to.host_str().ok_or("it names no host")?;
        if self.may_go_private {
            return Ok(());
        }
        // An address is never looked up, and so never seen by the resolver.
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return if is_public(address) { Ok(()) } else { Err(PRIVATE) };
        }
        // The resolver refuses it, too; here it is refused at once, and told why.
        let port = to.port_or_known_default().unwrap_or_default();
        match tokio::net::lookup_host((host, port)).await {
            Ok(found) => found.map(|found| found.ip()).any(is_public).then_some(()).ok_or(PRIVATE),
            Err(_) => Ok(()), // whoever connects says so; behind a proxy, that may know better
        }
    }
}

fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

/// The same request to another place, with what every place may see.
fn again(method: &Method, fields: &HeaderMap, to: &Url) -> Option<HttpRequest> {
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

fn refused(to: String, why: &'static str) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, RemoteError::Redirect { to, why })
}

/// A place, without what may be secret.
fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

/// Looks names up, and gives what lies on the Internet alone.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(Box::new(NotPublic) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[derive(Debug)]
struct NotPublic;

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name means no address on the Internet")
    }
}

impl Error for NotPublic {}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn a_name_means_public_addresses_alone() {
        let resolve = |name: &str| wait(PublicOnly.resolve(name.parse().unwrap()));
        let public: Vec<_> = resolve("1.1.1.1").unwrap().map(|found| found.ip().to_string()).collect();
        assert_eq!(public, ["1.1.1.1"]);
        for name in ["localhost", "127.0.0.1", "10.0.0.1", "169.254.169.254"] {
            let error = resolve(name).err().unwrap();
            assert_eq!(error.to_string(), "the name means no address on the Internet", "{name}");
        }
    }

    #[test]
    fn where_an_answer_may_send_on_to() {
        let connector = Connector::new(RemoteOptions::default(), Redirects::Followed);
        let first = connector.client(false, WhereTo::Anywhere).unwrap();
        let service = |may_go_private| Service { first: first.clone(), onward: None, may_go_private };
        let no_host = format!("https://{}.invalid/", "n".repeat(64)); // no label is so long, and nobody is asked for it
        for (from, to, alone, private) in [
            ("https://a.example/", "https://1.1.1.1/x", Ok(()), Ok(())),
            ("http://a.example/", "http://1.1.1.1/x", Ok(()), Ok(())),
            ("https://a.example/", "http://1.1.1.1/x", Err("not secure"), Err("not secure")),
            ("https://a.example/", "ftp://1.1.1.1/x", Err("no http"), Err("no http")),
            ("https://a.example/", "https://me@1.1.1.1/x", Err("names a user"), Err("names a user")),
            ("https://a.example/", "https://[::1]/x", Err("private network"), Ok(())),
            ("https://a.example/", "https://localhost/x", Err("private network"), Ok(())),
            ("https://a.example/", &no_host, Ok(()), Ok(())),
        ] {
            for (may_go_private, expected) in [(false, alone), (true, private)] {
                let urls = [from, to].map(|url| Url::parse(url).unwrap());
                let checked = wait(service(may_go_private).check(&urls[0], &urls[1]));
                match (checked, expected) {
                    (Ok(()), Ok(())) => {}
                    (Err(why), Err(part)) => assert!(why.contains(part), "{to}: {why}"),
                    (is, _) => panic!("{to} {may_go_private}: {is:?}"),
                }
            }
        }
    }
}
