//! WebAssembly binaries in S3, Google Cloud Storage and Azure, and on web servers, read by ranges.
//!
//! An [`Object`] is a source of ranges ([`Fetch`](sectile::drive::Fetch)) for these functions:
//!
//! - [`read_fetch`](sectile::read_fetch);
//! - [`drive::collect_fetch`](sectile::drive::collect_fetch());
//! - [`drive::scan_fetch`](sectile::drive::scan_fetch()).
//!
//! The caller must run it in a tokio runtime.
//!
//! ```no_run
//! use sectile_remote::{Object, RemoteOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut object = Object::open("s3://bucket/app.wasm", &RemoteOptions::default())?;
//! let metadata = sectile::read_fetch(&mut object).await?;
//! println!("{} items", metadata.items().len());
//! # Ok(())
//! # }
//! ```

mod connector;
mod error;
mod listed_keys;
mod listing;
mod object;
mod read_many;
mod store_url;

/// The crate of [`Object::new`]'s stores, in the version that this crate uses.
pub use object_store;

pub use self::error::RemoteError;
pub use self::listing::ListedObject;
pub use self::object::Object;
pub use self::read_many::read_many;
pub use self::store_url::local_path;

/// Shared with the audit. Not a public interface: it may change without notice.
#[doc(hidden)]
pub mod internal {
    pub use crate::listing::{Listing, ListingEntry, Objects};
    pub use crate::object::{ObjectFingerprint, fingerprint, stream_from};
}

use std::time::Duration;

/// Timeouts, retries and redirects of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteOptions {
    /// Timeout for connecting; 30 seconds by default.
    pub connect_timeout: Duration,
    /// Timeout for a connection on which no data is received; 1 minute by default.
    pub idle_timeout: Duration,
    /// Maximum number of retries of a request if the server is busy or the connection is lost; 4 by
    /// default. The pauses between retries increase.
    pub retries: usize,
    /// Timeout for a request including its retries and its complete response; 2 minutes by default.
    /// It does not apply to the download of a whole object.
    pub total_timeout: Duration,
    /// Timeout for all requests for the ranges of one object, including their retries; 15 minutes
    /// by default.
    ///
    /// A download of a whole object may take longer if it runs at 16 KiB per second or more. A
    /// listing may wait this long for its pages, plus 10 milliseconds for each key.
    pub object_timeout: Duration,
    /// Whether a web server may redirect to an address of a private network or of this machine;
    /// `false` by default. The URL of the object itself may have any address.
    pub private_redirects: bool,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            retries: 4,
            total_timeout: Duration::from_secs(120),
            object_timeout: Duration::from_secs(900),
            private_redirects: false,
        }
    }
}
