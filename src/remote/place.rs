//! Which store a URL means, and which object of it.

use std::sync::Arc;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use reqwest::Url;

use super::RemoteOptions;
use super::connector::{Connector, Redirects};
use super::error::{RemoteError, without_secrets};

pub(super) fn find(text: &str, options: &RemoteOptions) -> Result<(Arc<dyn ObjectStore>, Path), RemoteError> {
    let no = |why: &str| RemoteError::Locator(why.to_owned());
    let url = Url::parse(text).map_err(|error| no(&error.to_string()))?;
    let is_web = matches!(url.scheme(), "http" | "https");
    if url.password().is_some() || is_web && !url.username().is_empty() {
        return Err(no("a URL with a user or a password is not taken: credentials come from the environment"));
    }
    if !is_web && url.query().is_some() {
        return Err(no("it has a query, which only web servers understand"));
    }
    let key = || {
        let path = Path::from_url_path(url.path()).map_err(|error| no(&error.to_string()))?;
        if path.as_ref().is_empty() { Err(no("it has no path behind the bucket")) } else { Ok(path) }
    };
    // What the stores' own messages say of a wrong environment may repeat it.
    let wrong = |error: object_store::Error| RemoteError::Configuration(without_secrets(&error.to_string()));
    let nowhere = Connector::new(*options, Redirects::None);
    match url.scheme() {
        "s3" | "s3a" => {
            let builder = AmazonS3Builder::from_env().with_url(text).with_retry(retry(options));
            Ok((Arc::new(builder.with_http_connector(nowhere).build().map_err(wrong)?), key()?))
        }
        "gs" => {
            let builder = GoogleCloudStorageBuilder::from_env().with_url(text).with_retry(retry(options));
            Ok((Arc::new(builder.with_http_connector(nowhere).build().map_err(wrong)?), key()?))
        }
        "az" | "abfs" | "abfss" => {
            let builder = MicrosoftAzureBuilder::from_env().with_url(text).with_retry(retry(options));
            Ok((Arc::new(builder.with_http_connector(nowhere).build().map_err(wrong)?), key()?))
        }
        "http" | "https" => {
            let mut place = url.clone();
            place.set_fragment(None);
            // The whole URL is the store, and the object the root of it: so that the path stays as it is written, and the
            // query with it.
            let store = HttpBuilder::new()
                .with_url(place)
                .with_client_options(ClientOptions::new().with_allow_http(url.scheme() == "http"))
                .with_retry(retry(options))
                .with_http_connector(Connector::new(*options, Redirects::Followed))
                .build();
            Ok((Arc::new(store.map_err(wrong)?), Path::default()))
        }
        "file" => Ok((Arc::new(LocalFileSystem::new()), key()?)),
        scheme => Err(no(&format!("nothing is known of `{scheme}:`"))),
    }
}

fn retry(options: &RemoteOptions) -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: options.retries, retry_timeout: options.patience }
}
