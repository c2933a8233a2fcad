//! Parts of the roots of an audit, for other processes.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use thiserror::Error;

/// A part of the roots of an audit. Other processes can audit the parts in any groups: the rows together are those of an
/// audit of the roots.
///
/// [`Audit::list`](crate::Audit::list) lists the parts. [`Root`](crate::Root) has a constructor for each type: a path or a URL, a
/// [`file`](crate::Root::file), and the listed objects of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// Index of its root.
    pub root: usize,
    /// The type of the part.
    pub kind: PartKind,
    /// Path of a file or a directory, the key of an object, or the URL of an image; empty if the part is its root.
    pub name: OsString,
    /// Further paths of a file with several hard links, or the URLs of further images that share layers.
    pub other_names: Vec<OsString>,
    /// Length in bytes, if it is known.
    pub size: Option<u64>,
    /// The entity tag of an object.
    pub etag: Option<String>,
    /// Time of the last change.
    pub modified: Option<SystemTime>,
}

/// The type of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PartKind {
    /// A path or a URL with everything below it: an image layout, or a directory or a repository that cannot be listed.
    Root,
    /// An entry of a directory.
    File,
    /// An object of a store.
    Object,
    /// Images of a registry that share layers.
    Image,
}

impl PartKind {
    /// All variants.
    pub const ALL: [Self; 4] = [Self::Root, Self::File, Self::Object, Self::Image];

    /// The name in keys: `root`, `file`, `object` or `image`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::File => "file",
            Self::Object => "object",
            Self::Image => "image",
        }
    }
}

impl Part {
    pub(crate) fn new(root: usize, kind: PartKind, name: impl Into<OsString>) -> Self {
        Self { root, kind, name: name.into(), other_names: Vec::new(), size: None, etag: None, modified: None }
    }

    pub(crate) fn with_metadata(self, metadata: &Metadata) -> Self {
        Self { size: Some(metadata.len()), modified: metadata.modified().ok(), ..self }
    }
}

/// The roots of an audit cannot be listed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListError {
    /// A local root cannot be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Path {
        /// The root.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A store cannot be listed to its end.
    #[cfg(feature = "remote")]
    #[error("cannot list {url}: {source}")]
    Store {
        /// The root.
        url: String,
        /// The error of the store.
        source: sectile_remote::RemoteError,
    },
    /// Requests cannot be made.
    #[error("cannot make requests: {0}")]
    Requests(io::Error),
}
