//! URLs of objects and stores.

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

/// The objects with a prefix, named by a URL.
pub(super) struct PrefixLocation {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The same store, for paged listings.
    pub(super) pages: Arc<dyn PaginatedListStore>,
    /// The prefix of the keys; empty for the whole store.
    pub(super) path: Path,
    /// The URL of the store, which ends with a slash.
    pub(super) base: Url,
}

/// An object, named by a URL.
pub(super) struct ObjectLocation {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) path: Path,
    /// Whether the object is on another machine.
    pub(super) is_remote: bool,
}

/// Locates the object that a URL names.
pub(super) fn locate_object(text: &str, options: &RemoteOptions) -> Result<ObjectLocation, RemoteError> {
    let url = parse(text)?;
    if is_web(&url) {
        return Ok(ObjectLocation { store: web_store(&url, options)?, path: Path::default(), is_remote: true });
    }
    let location = if url.scheme() == "file" {
        let path = Path::from_url_path(url.path()).map_err(|error| RemoteError::InvalidUrl(error.to_string()))?;
        ObjectLocation { store: Arc::new(LocalFileSystem::new()), path, is_remote: false }
    } else {
        let PrefixLocation { store, path, .. } = locate_in_bucket(&url, options)?;
        ObjectLocation { store, path, is_remote: true }
    };
    if url.path().ends_with('/') && url.path() != "/" {
        let reason = "a key that ends with a slash cannot be requested";
        return Err(RemoteError::InvalidUrl(reason.to_owned()));
    }
    if location.path.as_ref().is_empty() {
        return Err(RemoteError::InvalidUrl("the path after the bucket is missing".to_owned()));
    }
    Ok(location)
}

/// Locates the objects whose prefix a URL names.
pub(super) fn locate_prefix(text: &str, options: &RemoteOptions) -> Result<PrefixLocation, RemoteError> {
    let url = parse(text)?;
    if is_web(&url) {
        return Err(RemoteError::NotListable("web servers do not support listings"));
    }
    if url.scheme() == "oci" {
        return Err(RemoteError::NotListable("images in a registry cannot be listed; read one with `show oci://…`"));
    }
    locate_in_bucket(&url, options)
}

/// Returns the local path of a `file:///path` URL; `None` for every other URL.
///
/// # Errors
///
/// The text is not a URL, is a URL that [`Object::open`](super::Object::open) refuses, or has no
/// valid path for this system.
pub fn local_path(text: &str) -> Result<Option<std::path::PathBuf>, RemoteError> {
    let url = parse(text)?;
    if url.scheme() != "file" {
        return Ok(None);
    }
    let path = url.to_file_path().map(Some);
    path.map_err(|()| RemoteError::InvalidUrl("the file path is invalid; write `file:///path`".to_owned()))
}

/// Parses a URL without credentials.
fn parse(text: &str) -> Result<Url, RemoteError> {
    let url = Url::parse(text).map_err(|error| RemoteError::InvalidUrl(error.to_string()))?;
    if url.password().is_some() || is_web(&url) && !url.username().is_empty() {
        let reason = "remove the user name and password from the URL; credentials come from the environment";
        return Err(RemoteError::InvalidUrl(reason.to_owned()));
    }
    if !is_web(&url) && (url.query().is_some() || url.fragment().is_some()) {
        let reason = "queries and fragments are not supported; write `?` in a name as `%3F`, and `#` as `%23`";
        return Err(RemoteError::InvalidUrl(reason.to_owned()));
    }
    Ok(url)
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// Creates a store whose root is the object itself, so that the path and the query of the URL are
/// kept as written.
fn web_store(url: &Url, options: &RemoteOptions) -> Result<Arc<dyn ObjectStore>, RemoteError> {
    let mut root = url.clone();
    root.set_fragment(None);
    let store = HttpBuilder::new()
        .with_url(root)
        .with_client_options(ClientOptions::new().with_allow_http(url.scheme() == "http"))
        .with_retry(retry(options))
        .with_http_connector(Connector::new(*options, Redirects::Followed))
        .build();
    Ok(Arc::new(store.map_err(configuration_error)?))
}

fn locate_in_bucket(url: &Url, options: &RemoteOptions) -> Result<PrefixLocation, RemoteError> {
    let connector = Connector::new(*options, Redirects::Refused);
    let path = Path::from_url_path(url.path()).map_err(|error| RemoteError::InvalidUrl(error.to_string()))?;
    let scheme = url.scheme();
    if url.host_str().is_none_or(str::is_empty) {
        return Err(RemoteError::InvalidUrl(format!("the bucket is missing; write `{scheme}://BUCKET/KEY`")));
    }
    match scheme {
        "s3" | "s3a" => {
            let builder = AmazonS3Builder::from_env().with_url(url.as_str()).with_retry(retry(options));
            let store = builder.with_http_connector(connector).build();
            Ok(PrefixLocation::new(store.map_err(|error| environment_error(error, "AWS_ACCESS_KEY_ID"))?, path, url))
        }
        "gs" => {
            let builder = GoogleCloudStorageBuilder::from_env().with_url(url.as_str()).with_retry(retry(options));
            let store = builder.with_http_connector(connector).build();
            Ok(PrefixLocation::new(
                store.map_err(|error| environment_error(error, "GOOGLE_SERVICE_ACCOUNT"))?,
                path,
                url,
            ))
        }
        "az" | "abfs" | "abfss" => {
            let builder = MicrosoftAzureBuilder::from_env().with_url(url.as_str()).with_retry(retry(options));
            let store = builder.with_http_connector(connector).build();
            Ok(PrefixLocation::new(
                store.map_err(|error| environment_error(error, "AZURE_STORAGE_ACCOUNT_NAME"))?,
                path,
                url,
            ))
        }
        scheme => Err(RemoteError::InvalidUrl(format!("unsupported scheme `{scheme}:`"))),
    }
}

impl PrefixLocation {
    fn new(store: impl ObjectStore + PaginatedListStore, path: Path, url: &Url) -> Self {
        let store = Arc::new(store);
        Self {
            pages: Arc::clone(&store) as _,
            store,
            path,
            base: {
                let mut base = url.clone();
                base.set_path("/");
                base
            },
        }
    }
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn configuration_error(error: object_store::Error) -> RemoteError {
    RemoteError::Configuration(without_secrets(&error.to_string()))
}

/// Converts an error of a store that is configured by the environment. Names the variable to set
/// first.
#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn environment_error(error: object_store::Error, variable: &str) -> RemoteError {
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let is_read =
        |(name, _): &(String, String)| ["AWS_", "AZURE_", "GOOGLE_"].iter().any(|prefix| name.starts_with(prefix));
    let reason = without_secrets(&without_values(error.to_string(), variables.filter(is_read).collect()));
    RemoteError::Configuration(format!("{reason} (configured in the environment: {variable} and related variables)"))
}

/// Replaces the values of variables by their names. Messages of stores may quote values, such as a
/// key given in place of its file.
fn without_values(mut message: String, mut variables: Vec<(String, String)>) -> String {
    const MIN_LEN: usize = 8; // secrets are longer, and many other values are shorter
    variables.sort_by_key(|(name, value)| (Reverse(value.len()), name.clone()));
    for (name, value) in variables.iter().filter(|(_, value)| value.len() >= MIN_LEN) {
        message = message.replace(value, &format!("${name}"));
    }
    message
}

fn retry(options: &RemoteOptions) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: options.retries,
        retry_timeout: options.total_timeout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_quote_no_values_of_variables() {
        let variables = [("A", "5ec12e7 and more"), ("B", "5ec12e7 and"), ("C", "true"), ("D", "")];
        let variables = || variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let said = |message: &str| without_values(message.to_owned(), variables());
        assert_eq!(said("no `5ec12e7 and more`, and no 5ec12e7 and: true"), "no `$A`, and no $B: true");
        assert_eq!(said("nothing"), "nothing");
    }
}
