//! The roots of an audit.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
#[cfg(any(feature = "registry", feature = "remote"))]
use std::sync::Arc;

#[cfg(feature = "remote")]
use object_store::ObjectStore;

#[cfg(feature = "registry")]
use sectile_oci::registry::{Client, ReferenceError};
#[cfg(feature = "remote")]
use sectile_remote::internal::Objects;
#[cfg(feature = "remote")]
use sectile_remote::{ListedObject, RemoteError, RemoteOptions};

#[cfg(feature = "registry")]
use crate::walk::RegistryRoot;

/// A root of an audit: a local path, the objects of a remote store, or the images of a registry.
///
/// ```
/// use sectile_audit::Root;
///
/// let root = Root::from("dist");
/// assert_eq!(root.name(), "dist");
/// ```
#[derive(Clone, Debug)]
pub struct Root(pub(super) RootKind);

#[derive(Clone, Debug)]
pub(super) enum RootKind {
    Path(PathBuf),
    /// An entry of a directory, and its further names.
    File(PathBuf, Vec<PathBuf>),
    #[cfg(feature = "remote")]
    Objects(Objects),
    #[cfg(feature = "registry")]
    Registry(RegistryRoot),
}

impl Root {
    /// Creates a root from a file, or from a directory with everything below it.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self(RootKind::Path(path.into()))
    }

    /// Creates a root from an entry of a directory that was listed elsewhere, and from the further paths of a file with
    /// several hard links.
    ///
    /// Its rows are those of an audit of the directory. Other than a [`path`](Self::path), the entry is not followed if
    /// it is a symbolic link.
    pub fn file(path: impl Into<PathBuf>, other_names: Vec<PathBuf>) -> Self {
        Self(RootKind::File(path.into(), other_names))
    }

    /// Creates a root from the objects below a URL. No request is made.
    ///
    /// The keys match by whole segments: `s3://bucket/app` matches `s3://bucket/app/a.wasm` but not
    /// `s3://bucket/apple.wasm`. If no key matches, the root is the object at this URL.
    ///
    /// The stores and their credentials are those of [`Object::open`](sectile_remote::Object::open); `file:///path` is
    /// a local path. The order of the rows is the order in which the store lists its objects. For S3, Google Cloud
    /// Storage and Azure it is the order of the keys.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL names no store that can be listed, such as a web server or a registry, or if the
    /// environment lacks the configuration of the store.
    #[cfg(feature = "remote")]
    pub fn url(url: &str, options: &RemoteOptions) -> Result<Self, RemoteError> {
        if let Some(path) = sectile_remote::local_path(url)? {
            return Ok(Self::path(path));
        }
        Ok(Self(RootKind::Objects(Objects::open(url, options)?)))
    }

    /// Creates a root from the objects of an open store whose keys start with these segments. An empty prefix matches
    /// all objects.
    ///
    /// The store must list its objects in an order that depends on their keys only. In the output, the name of an
    /// object is `base_url`, which must end with a slash, and its key.
    ///
    /// # Errors
    ///
    /// Returns an error if the prefix is not a valid key, or if `base_url` is not such a URL.
    #[cfg(feature = "remote")]
    pub fn objects(store: Arc<dyn ObjectStore>, prefix: &str, base_url: &str) -> Result<Self, RemoteError> {
        Ok(Self(RootKind::Objects(Objects::new(store, prefix, base_url)?)))
    }

    /// Uses this listing of the objects instead of that of the store, which is not requested. The rows have its order.
    ///
    /// The row of an object is the one that it has if the audit lists the store. An object that changed since, or is gone,
    /// has a finding.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use sectile_audit::{ListedObject, Root};
    ///
    /// let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    /// let object = ListedObject { key: "app/a.wasm".into(), size: Some(324), etag: Some("\"5d1f\"".into()), modified };
    /// let store = std::sync::Arc::new(sectile_remote::object_store::memory::InMemory::new());
    /// let root = Root::objects(store, "app", "memory:///")?.with_listing([object])?;
    /// assert_eq!(root.name(), "memory:///app/");
    /// # Ok::<(), sectile_remote::RemoteError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The root is not that of a store.
    #[cfg(feature = "remote")]
    pub fn with_listing(self, objects: impl IntoIterator<Item = ListedObject>) -> Result<Self, RemoteError> {
        match self.0 {
            RootKind::Objects(store) => Ok(Self(RootKind::Objects(store.with_listing(objects)))),
            _ => Err(RemoteError::InvalidUrl("only the objects of a store can be listed by the caller".to_owned())),
        }
    }

    /// Creates a root from images of a registry, which are read through its API. No request is made.
    ///
    /// | name | images |
    /// | --- | --- |
    /// | `HOST/` | all that the registry lists |
    /// | `HOST/PREFIX/` | those of the repositories below the prefix |
    /// | `HOST/REPOSITORY` | all tags of the repository |
    /// | `HOST/REPOSITORY:TAG`, `HOST/REPOSITORY@DIGEST` | this image |
    ///
    /// Each layer is read once, by ranges, as the digest that a tag has when it is listed.
    ///
    /// # Errors
    ///
    /// The name is not one of these.
    #[cfg(feature = "registry")]
    pub fn registry(name: &str, client: Client) -> Result<Self, ReferenceError> {
        Ok(Self(RootKind::Registry(RegistryRoot::parse(name, Arc::new(client))?)))
    }

    /// Adds images to a root of one image. A layer that several of them have has one row.
    ///
    /// The names are those of [`registry`](Self::registry) for an image. `None` if the root or a name is not an image.
    #[cfg(feature = "registry")]
    pub fn with_images<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Option<Self> {
        match self.0 {
            RootKind::Registry(image) => Some(Self(RootKind::Registry(image.with_images(names)?))),
            _ => None,
        }
    }

    /// The name of the root in the output.
    pub fn name(&self) -> OsString {
        match &self.0 {
            RootKind::Path(path) | RootKind::File(path, _) => path.clone().into(),
            #[cfg(feature = "remote")]
            RootKind::Objects(objects) => objects.root_url().into(),
            #[cfg(feature = "registry")]
            RootKind::Registry(registry) => registry.url().into(),
        }
    }

    /// The path of a local root.
    pub fn as_path(&self) -> Option<&Path> {
        match &self.0 {
            RootKind::Path(path) | RootKind::File(path, _) => Some(path),
            #[cfg(feature = "remote")]
            RootKind::Objects(_) => None,
            #[cfg(feature = "registry")]
            RootKind::Registry(_) => None,
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
