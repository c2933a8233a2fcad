//! Why an image cannot be had of a layout, or not be added to one.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::{Digest, DigestError};
use crate::escape::quoted;
use crate::oci::ImageError;
use crate::splice::WriteError;

/// Why an image layout was not read, or not written. Unless it says otherwise, no image was added. (Of an image in a
/// registry, it is what is wrong with its documents.)
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// There is no image of the binary.
    #[error("there is no image of it")]
    Image(#[from] ImageError),
    /// The directory is no layout, and something else.
    #[error("`{}` is no image layout: it has no file `oci-layout`", .0.display())]
    NotLayout(PathBuf),
    /// Someone else writes to the layout.
    #[error("the image layout is being written to by someone else")]
    Locked,
    /// A text that no descriptor may be called by.
    #[error("{} is no name for an image: letters and digits are, with single `-._:@+/` or `--` between them", quoted(.0))]
    RefName(String),
    /// A file of the layout is not there.
    #[error("`{}` is not there", .0.display())]
    Missing(PathBuf),
    /// A file of the layout is a link, a directory, a FIFO or a device.
    #[error("`{}` is not a regular file", .0.display())]
    NotRegular(PathBuf),
    /// A file of the layout is not what it should be.
    #[error("`{}` is malformed: {why}", file.display())]
    #[non_exhaustive]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// What is looked for is pointed to by a digest that is none, or by an algorithm other than SHA-256.
    #[error("what `{}` points to cannot be told", file.display())]
    #[non_exhaustive]
    Digest {
        /// Where the digest stands.
        file: PathBuf,
        /// What is wrong with it.
        source: DigestError,
    },
    /// A blob has another size than what points to it says.
    #[error("the blob {digest} has {found} bytes, and should have {expected}: it is damaged")]
    #[non_exhaustive]
    Size {
        /// What it is called.
        digest: Digest,
        /// The bytes that it has.
        found: u64,
        /// The bytes that it should have.
        expected: u64,
    },
    /// The bytes of a blob are not those that it is called by.
    #[error("the blob {expected} has the digest {found}: it is damaged, or was tampered with")]
    #[non_exhaustive]
    Content {
        /// What it is called.
        expected: Digest,
        /// What its bytes are.
        found: Digest,
    },
    /// There is no image of this name.
    #[error("there is no image {}; there is {there}", quoted(name))]
    #[non_exhaustive]
    NoImage {
        /// The name.
        name: String,
        /// The names that there are.
        there: String,
    },
    /// There is no image at all.
    #[error("`{}` lists no image", .0.display())]
    Empty(PathBuf),
    /// The locator names a registry, and here only layouts on disk are looked in. (What a registry holds, `Held` of
    /// `oci::registry` reads, with the feature `push`.)
    #[error(
        "`oci://…` names an image in a registry, and here only a layout on disk is meant: `oci:DIR`, `oci:DIR:NAME` or \
         `oci:DIR@DIGEST`"
    )]
    Registry,
    /// There are several images, and nothing says which.
    #[error("there are several images, {0}: choose one, by `:NAME` or `@DIGEST`")]
    Several(String),
    /// Indexes point to indexes, and so on.
    #[error("too many indexes inside one another")]
    TooDeep,
    /// The image has no layer of WebAssembly.
    #[error("the image {image} has no layer of WebAssembly; it has {layers}")]
    #[non_exhaustive]
    NoWasm {
        /// The image.
        image: Digest,
        /// The media types of its layers.
        layers: String,
    },
    /// The image has several layers of WebAssembly.
    #[error("the image {image} has several layers of WebAssembly, {layers}, and which one is meant cannot be told")]
    #[non_exhaustive]
    SeveralWasm {
        /// The image.
        image: Digest,
        /// The digests of those layers.
        layers: String,
    },
    /// The index would be larger than what is read back.
    #[error("index.json would have {0} bytes, more than are read back")]
    IndexTooLarge(u64),
    /// A file cannot be read, or a directory not made.
    #[error("`{}`", file.display())]
    #[non_exhaustive]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file of the layout cannot be written.
    #[error("`{}`", file.display())]
    #[non_exhaustive]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        source: WriteError,
    },
}

impl LayoutError {
    pub(crate) fn io(file: &Path, source: io::Error) -> Self {
        Self::Io { file: file.to_owned(), source }
    }

    pub(crate) fn malformed(file: &Path, why: String) -> Self {
        Self::Malformed { file: file.to_owned(), why }
    }
}

/// An image in a layout that could not be had.
impl From<LayoutError> for crate::error::Error {
    fn from(error: LayoutError) -> Self {
        Self::unopened(error)
    }
}
