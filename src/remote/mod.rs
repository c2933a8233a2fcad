//! Objects that stay where they are: in S3, Google Cloud Storage, Azure, or behind a web server, read by ranges.
//!
//! An [`Object`] is a [`Fetch`](crate::drive::Fetch): [`read_fetch`](crate::read_fetch) and
//! `interface::read_fetch` read it, [`drive::fetch`](crate::drive::fetch()) shows it to a visitor. It runs on tokio, which
//! whoever calls brings along.
//!
//! ```no_run
//! use sectile::Limits;
//! use sectile::drive::FetchOptions;
//! use sectile::remote::{Object, RemoteOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut object = Object::open("s3://bucket/app.wasm", &RemoteOptions::default())?;
//! let metadata = sectile::read_fetch(&mut object, FetchOptions::default(), Limits::default()).await?.complete()?;
//! println!("{} items", metadata.items().len());
//! # Ok(())
//! # }
//! ```

mod address;
mod connector;
mod error;
mod many;
mod object;
#[cfg(feature = "audit")]
mod objects;
mod place;

pub use object_store;

pub use self::error::RemoteError;
pub use self::many::read_all;
pub use self::object::Object;
#[cfg(feature = "audit")]
pub(crate) use self::object::Pin;
#[cfg(feature = "audit")]
pub(crate) use self::objects::{Listed, Objects};
pub use self::place::local_path;

use std::time::Duration;

/// How long stores are waited for, how often they are asked, and where they may send on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteOptions {
    /// So long it may take to be connected; 30 seconds by default.
    pub connect: Duration,
    /// So long nothing may come over a connection; 1 minute by default.
    pub stalled: Duration,
    /// So often a request is made again, where the server is busy or the connection breaks; 4 times by default, after
    /// pauses that grow.
    pub retries: usize,
    /// So long a request may take with all that is tried again, until the whole of its answer is there; 2 minutes by
    /// default. (An object that is streamed from its beginning to its end may take as long as it takes.)
    pub patience: Duration,
    /// Whether a web server on the Internet may send on to an address of a private network, or of this machine: not by
    /// default. (What is named by whoever reads may lie anywhere.)
    pub private_redirects: bool,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            stalled: Duration::from_secs(60),
            retries: 4,
            patience: Duration::from_secs(120),
            private_redirects: false,
        }
    }
}
