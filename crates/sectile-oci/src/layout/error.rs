//! Errors of image layouts.

use std::io;
use std::path::{Path, PathBuf};

use crate::ImageError;
use sectile::digest::{Digest, DigestError};
use sectile::internal::quoted;
use sectile::splice::WriteError;

/// The reason why an image layout was not read or written.
///
/// Unless the error says otherwise, no image was added. For an image in a registry, the error
/// concerns its documents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// The image of the binary cannot be created.
    #[error("cannot create an image of the binary")]
    Image(#[from] ImageError),
    /// The directory is neither a layout nor empty.
    #[error("`{}` is not an image layout: the file `oci-layout` is missing", .0.display())]
    NotLayout(PathBuf),
    /// Another process is writing to the layout.
    #[error("another process is writing to the image layout `{}`", .0.display())]
    Locked(PathBuf),
    /// The text is not a valid name of an image.
    #[error("{} is not a valid image name: use letters and digits, separated by single `-._:@+/` or `--`", quoted(.0))]
    InvalidRefName(String),
    /// A file of the layout does not exist.
    #[error("`{}` does not exist", .0.display())]
    Missing(PathBuf),
    /// The layout lacks a blob that an image refers to. The image specification allows such
    /// layouts.
    #[error(
        "the blob {digest} is not in the layout `{}`{}: copy the whole image into the layout",
        directory.display(),
        url.as_ref().map(|url| format!(", it is kept at {}", quoted(url))).unwrap_or_default()
    )]
    #[non_exhaustive]
    AbsentBlob {
        /// The directory of the layout.
        directory: PathBuf,
        /// The digest of the blob.
        digest: Digest,
        /// The first alternative URL of the blob.
        url: Option<String>,
    },
    /// A file of the layout is a link, a directory, a FIFO or a device.
    #[error("`{}` is not a regular file", .0.display())]
    NotRegular(PathBuf),
    /// A file of the layout is malformed.
    #[error("`{}` is malformed: {reason}", file.display())]
    #[non_exhaustive]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The problem.
        reason: String,
    },
    /// A digest is malformed, or its algorithm is not SHA-256.
    #[error("invalid digest in `{}`", file.display())]
    #[non_exhaustive]
    InvalidDigest {
        /// The file that contains the digest.
        file: PathBuf,
        /// The defect of the digest.
        source: DigestError,
    },
    /// The size of a blob differs from the one in its descriptor.
    #[error("the blob {digest} has {found} bytes instead of {expected}: it is damaged")]
    #[non_exhaustive]
    SizeMismatch {
        /// The digest in the descriptor.
        digest: Digest,
        /// The actual size of the blob in bytes.
        found: u64,
        /// The size in the descriptor.
        expected: u64,
    },
    /// The digest of a blob differs from the one in its descriptor.
    #[error("the blob {expected} has the digest {found}: it is damaged, or was tampered with")]
    #[non_exhaustive]
    DigestMismatch {
        /// The digest in the descriptor.
        expected: Digest,
        /// The actual digest of the blob.
        found: Digest,
    },
    /// A blob cannot be read from the place that it is copied from.
    #[error("cannot read the blob {digest}")]
    #[non_exhaustive]
    UnreadBlob {
        /// The digest of the blob.
        digest: Digest,
        /// The error of the source.
        source: io::Error,
    },
    /// The layout has no image of this name.
    #[error("no image named {}; available: {available}", quoted(name))]
    #[non_exhaustive]
    NoImage {
        /// The name.
        name: String,
        /// The names of the layout's images.
        available: String,
    },
    /// The layout has no images.
    #[error("`{}` lists no images", .0.display())]
    NoImages(PathBuf),
    /// The locator names an image in a registry, which requires `RegistryImage` of the `registry`
    /// feature.
    #[error(
        "`oci://…` names an image in a registry; to open a layout on disk, use `oci:DIR`, `oci:DIR:NAME` or \
         `oci:DIR@DIGEST`"
    )]
    RegistryLocator,
    /// The layout has several images, and the locator does not select one.
    #[error("several images match: {0}; choose one with `:NAME`, `@DIGEST` or a platform")]
    AmbiguousImage(String),
    /// No image in an index has the requested platform.
    #[error("no image for `{platform}`; available: {available}")]
    #[non_exhaustive]
    NoPlatform {
        /// The platform.
        platform: String,
        /// The images in the index.
        available: String,
    },
    /// Indexes are nested too deeply.
    #[error("indexes are nested too deep")]
    TooDeep,
    /// The image or the layout has more manifests than the limit.
    #[error("more than {0} manifests, which is the limit")]
    TooManyManifests(usize),
    /// The image has no WebAssembly layer.
    #[error("the image {image} has no WebAssembly layer; its layers: {layers}")]
    #[non_exhaustive]
    NoWasmLayer {
        /// The digest of the image.
        image: Digest,
        /// The media types of its layers.
        layers: String,
    },
    /// The image has several WebAssembly layers.
    #[error("the image {image} has several WebAssembly layers, expected one: {layers}")]
    #[non_exhaustive]
    MultipleWasmLayers {
        /// The digest of the image.
        image: Digest,
        /// The digests of those layers.
        layers: String,
    },
    /// The index would exceed the size that readers accept.
    #[error("index.json would have {0} bytes, more than readers accept")]
    IndexTooLarge(u64),
    /// A file cannot be read, or a directory cannot be created.
    #[error("`{}`", file.display())]
    #[non_exhaustive]
    Io {
        /// The file.
        file: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file of the layout cannot be written.
    #[error("`{}`", file.display())]
    #[non_exhaustive]
    Write {
        /// The file.
        file: PathBuf,
        /// The reason.
        source: WriteError,
    },
}

impl LayoutError {
    pub(crate) fn io(file: &Path, source: io::Error) -> Self {
        Self::Io { file: file.to_owned(), source }
    }

    pub(crate) fn malformed(file: &Path, reason: impl Into<String>) -> Self {
        Self::Malformed { file: file.to_owned(), reason: reason.into() }
    }
}

impl From<LayoutError> for sectile::Error {
    fn from(error: LayoutError) -> Self {
        sectile::internal::other_error(error)
    }
}
