//! Which store a URL means, and which object of it, or which of its objects.

use std::cmp::Reverse;
use std::sync::Arc;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::list::PaginatedListStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use reqwest::Url;

use super::RemoteOptions;
use super::connector::{Connector, Redirects};
use super::error::{RemoteError, without_secrets};

/// A store that a URL means, and what of it.
pub(super) struct Found {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The same, where it lists page by page.
    #[cfg(feature = "audit")]
    pub(super) pages: Arc<dyn PaginatedListStore>,
    /// The key, or what keys begin with; nothing where the URL names the whole store.
    pub(super) path: Path,
    /// The store itself, as a URL that ends with a slash.
    #[cfg(feature = "audit")]
    pub(super) base: Url,
}

/// An object that a URL means.
pub(super) struct One {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) path: Path,
    /// Whether it lies on another machine.
    pub(super) is_far: bool,
}

/// The store of an object, and the object's path there.
pub(super) fn find(text: &str, options: &RemoteOptions) -> Result<One, RemoteError> {
    let url = parse(text)?;
    if is_web(&url) {
        return Ok(One { store: web(&url, options)?, path: Path::default(), is_far: true });
    }
    let one = if url.scheme() == "file" {
        let path = Path::from_url_path(url.path()).map_err(|error| RemoteError::Locator(error.to_string()))?;
        One { store: Arc::new(LocalFileSystem::new()), path, is_far: false }
    } else {
        let Found { store, path, .. } = find_in(&url, options)?;
        One { store, path, is_far: true }
    };
    if one.path.as_ref().is_empty() {
        return Err(RemoteError::Locator("it has no path behind the bucket".to_owned()));
    }
    Ok(one)
}

/// The store of objects whose keys begin alike.
#[cfg(feature = "audit")]
pub(super) fn find_all(text: &str, options: &RemoteOptions) -> Result<Found, RemoteError> {
    let url = parse(text)?;
    if is_web(&url) {
        return Err(RemoteError::NoListing("a web server does not say what it has"));
    }
    if url.scheme() == "oci" {
        return Err(RemoteError::NoListing("an image in a registry is read by `show oci://…`, and not many at once"));
    }
    find_in(&url, options)
}

/// The path on this machine that a URL names; `None` of every URL but `file:///path`.
///
/// # Errors
///
/// It is no URL, or one that [`Object::open`](super::Object::open) refuses at sight; or it names no path of this system.
pub fn local_path(text: &str) -> Result<Option<std::path::PathBuf>, RemoteError> {
    let url = parse(text)?;
    if url.scheme() != "file" {
        return Ok(None);
    }
    let no = |()| RemoteError::Locator("it names no file: `file:///path`".to_owned());
    url.to_file_path().map(Some).map_err(no)
}

/// A URL that gives no secret away.
fn parse(text: &str) -> Result<Url, RemoteError> {
    let url = Url::parse(text).map_err(|error| RemoteError::Locator(error.to_string()))?;
    if url.password().is_some() || is_web(&url) && !url.username().is_empty() {
        let why = "a URL with a user or a password is not taken: credentials come from the environment";
        return Err(RemoteError::Locator(why.to_owned()));
    }
    if !is_web(&url) && (url.query().is_some() || url.fragment().is_some()) {
        let why =
            "it has a query or a fragment, which mean nothing here: of a name, `?` is written `%3F`, and `#` `%23`";
        return Err(RemoteError::Locator(why.to_owned()));
    }
    Ok(url)
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// A web server: the whole URL is the store, and the object the root of it, so that the path stays as it is written, and the
/// query with it.
fn web(url: &Url, options: &RemoteOptions) -> Result<Arc<dyn ObjectStore>, RemoteError> {
    let mut place = url.clone();
    place.set_fragment(None);
    let store = HttpBuilder::new()
        .with_url(place)
        .with_client_options(ClientOptions::new().with_allow_http(url.scheme() == "http"))
        .with_retry(retry(options))
        .with_http_connector(Connector::new(*options, Redirects::Followed))
        .build();
    Ok(Arc::new(store.map_err(wrong)?))
}

fn find_in(url: &Url, options: &RemoteOptions) -> Result<Found, RemoteError> {
    let nowhere = Connector::new(*options, Redirects::None);
    let path = Path::from_url_path(url.path()).map_err(|error| RemoteError::Locator(error.to_string()))?;
    let scheme = url.scheme();
    if url.host_str().is_none_or(str::is_empty) {
        return Err(RemoteError::Locator(format!("it names no bucket: `{scheme}://BUCKET/KEY`")));
    }
    match scheme {
        "s3" | "s3a" => {
            let builder = AmazonS3Builder::from_env().with_url(url.as_str()).with_retry(retry(options));
            let store = builder.with_http_connector(nowhere).build();
            Ok(Found::of(store.map_err(|error| lacking(error, "AWS_ACCESS_KEY_ID"))?, path, url))
        }
        "gs" => {
            let builder = GoogleCloudStorageBuilder::from_env().with_url(url.as_str()).with_retry(retry(options));
            let store = builder.with_http_connector(nowhere).build();
            Ok(Found::of(store.map_err(|error| lacking(error, "GOOGLE_SERVICE_ACCOUNT"))?, path, url))
        }
        "az" | "abfs" | "abfss" => {
            let builder = MicrosoftAzureBuilder::from_env().with_url(url.as_str()).with_retry(retry(options));
            let store = builder.with_http_connector(nowhere).build();
            Ok(Found::of(store.map_err(|error| lacking(error, "AZURE_STORAGE_ACCOUNT_NAME"))?, path, url))
        }
        scheme => Err(RemoteError::Locator(format!("nothing is known of `{scheme}:`"))),
    }
}

impl Found {
    #[cfg_attr(not(feature = "audit"), allow(unused_variables))]
    fn of(store: impl ObjectStore + PaginatedListStore, path: Path, url: &Url) -> Self {
        let store = Arc::new(store);
        Self {
            #[cfg(feature = "audit")]
            pages: Arc::clone(&store) as _,
            store,
            path,
            #[cfg(feature = "audit")]
            base: {
                let mut base = url.clone();
                base.set_path("/");
                base
            },
        }
    }
}

#[allow(clippy::needless_pass_by_value)] // as errors are mapped
fn wrong(error: object_store::Error) -> RemoteError {
    RemoteError::Configuration(without_secrets(&error.to_string()))
}

/// The same of a store that the environment describes, with the variable to begin with.
#[allow(clippy::needless_pass_by_value)] // as errors are mapped
fn lacking(error: object_store::Error, variable: &str) -> RemoteError {
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let is_read = |(name, _): &(String, String)| ["AWS_", "AZURE_", "GOOGLE_"].iter().any(|of| name.starts_with(of));
    let why = without_secrets(&without_values(error.to_string(), variables.filter(is_read).collect()));
    RemoteError::Configuration(format!("{why} (the environment says it: {variable} and its like)"))
}

/// What the stores' own messages say of a wrong environment may repeat it, such as a key that stands where its file is asked
/// for: in place of a variable's value, its name stands.
fn without_values(mut message: String, mut variables: Vec<(String, String)>) -> String {
    const SHORTEST: usize = 8; // no secret is shorter, and much else is
    variables.sort_by_key(|(name, value)| (Reverse(value.len()), name.clone()));
    for (name, value) in variables.iter().filter(|(_, value)| value.len() >= SHORTEST) {
        message = message.replace(value, &format!("${name}"));
    }
    message
}

fn retry(options: &RemoteOptions) -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: options.retries, retry_timeout: options.patience }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_repeats_what_a_variable_holds() {
        let variables = [("A", "5ec12e7 and more"), ("B", "5ec12e7 and"), ("C", "true"), ("D", "")];
        let variables = || variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let said = |message: &str| without_values(message.to_owned(), variables());
        assert_eq!(said("no `5ec12e7 and more`, and no 5ec12e7 and: true"), "no `$A`, and no $B: true");
        assert_eq!(said("nothing"), "nothing");
    }
}
