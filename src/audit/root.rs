//! What an audit walks.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
#[cfg(feature = "remote")]
use std::sync::Arc;

#[cfg(feature = "remote")]
use object_store::ObjectStore;

#[cfg(feature = "remote")]
use crate::remote::{Objects, RemoteError, RemoteOptions};

/// Where an audit begins: a path, or objects of a store that is far away.
///
/// ```
/// use sectile::audit::Root;
///
/// let root = Root::from("dist");
/// assert_eq!(root.name(), "dist");
/// ```
#[derive(Clone, Debug)]
pub struct Root(pub(super) Kind);

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Path(PathBuf),
    #[cfg(feature = "remote")]
    Objects(Objects),
}

impl Root {
    /// A file, or a directory with all below it.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Path(path.into()))
    }

    /// The objects of a store whose keys begin with what a URL names, by whole segments: below `s3://bucket/app` is
    /// `s3://bucket/app/a.wasm`, and not `s3://bucket/apple.wasm`. Where there are none, it is the object of this URL. No request
    /// is made.
    ///
    /// The stores, and their credentials, are those of [`Object::open`](crate::remote::Object::open); `file:///path` is the path.
    /// They are walked in the order in which they list, which is that of their keys for `S3`, Google Cloud Storage and Azure.
    ///
    /// # Errors
    ///
    /// It names none: a web server does not say what it has, and a registry's images are asked for one by one. Or the
    /// environment does not say how the store is to be spoken to.
    #[cfg(feature = "remote")]
    pub fn url(url: &str, options: &RemoteOptions) -> Result<Self, RemoteError> {
        if let Some(path) = crate::remote::local_path(url)? {
            return Ok(Self::path(path));
        }
        Ok(Self(Kind::Objects(Objects::at(url, options)?)))
    }

    /// The objects of a store of yours whose keys begin with these segments, or all of them where the prefix is empty; in the
    /// order in which it lists them, which is to depend on their keys alone. In the answer the store is called by a URL that ends
    /// with a slash, and an object by that and its key.
    ///
    /// # Errors
    ///
    /// The prefix is none that stores have, or that is no such URL.
    #[cfg(feature = "remote")]
    pub fn objects(store: Arc<dyn ObjectStore>, prefix: &str, called: &str) -> Result<Self, RemoteError> {
        Ok(Self(Kind::Objects(Objects::of(store, prefix, called)?)))
    }

    /// How it is called in the answer.
    pub fn name(&self) -> OsString {
        match &self.0 {
            Kind::Path(path) => path.clone().into(),
            #[cfg(feature = "remote")]
            Kind::Objects(objects) => objects.root().into(),
        }
    }

    /// The path that it is, if it lies on this machine.
    pub fn as_path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Path(path) => Some(path),
            #[cfg(feature = "remote")]
            Kind::Objects(_) => None,
        }
    }
}

impl From<PathBuf> for Root {
    fn from(path: PathBuf) -> Self {
        Self::path(path)
    }
}

impl From<&Path> for Root {
    fn from(path: &Path) -> Self {
        Self::path(path)
    }
}

impl From<&OsStr> for Root {
    fn from(path: &OsStr) -> Self {
        Self::path(path)
    }
}

impl From<&str> for Root {
    fn from(path: &str) -> Self {
        Self::path(path)
    }
}
