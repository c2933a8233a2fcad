//! WebAssembly binaries as OCI artifacts:
//!
//! - annotations, and the Wasm OCI artifact with its manifest and config, or other shapes;
//! - the shapes of images, and the rules by which consumers load them;
//! - image layouts on disk;
//! - with the feature `registry`, a client for registries.
//!
//! Sources: the OCI image specification 1.1 (`annotations.md`, `descriptor.md`, `manifest.md`,
//! `image-layout.md`), and the *Wasm OCI Artifact layout* of the CNCF's TAG Runtime. `docs/oci.md`
//! of the project lists every field and its source.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod annotations;
mod binary_layer;
mod config;
pub mod consumer;
mod descriptor;
mod drift;
mod hashing_writer;
mod image;
mod json_members;
pub(crate) mod layout;
mod manifest;
mod platform;
#[cfg(feature = "registry")]
#[cfg_attr(docsrs, doc(cfg(feature = "registry")))]
pub mod registry;
mod report;
pub mod shape;
mod uncomputed;
#[cfg(feature = "registry")]
mod verified;
mod written_shape;

pub use self::annotations::{AnnotationError, AnnotationOptions, Annotations, Duplicates, TITLE_KEY, annotations};
pub use self::descriptor::{
    CONFIG_MEDIA_TYPE, Descriptor, INDEX_MEDIA_TYPE, LAYER_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, MAX_MANIFEST_SIZE,
};
pub use self::image::{Image, ImageDraft, ImageError, ImageOptions};
pub use self::layout::{AddedImage, Layout, LayoutError, LayoutImage, Locator, RefName, Selector, open};
pub use self::manifest::write_annotations_json;
pub use self::platform::{Platform, PlatformError};
#[cfg(feature = "registry")]
pub use self::report::PushReport;
pub use self::report::{CheckReport, LayoutReport};

pub use self::written_shape::WrittenShape;

/// Shared with the audit. Not a public interface: it may change without notice.
#[doc(hidden)]
pub mod internal {
    pub use crate::layout::index::{Index, ParsedDescriptor};
    pub use crate::layout::locator::locator_divisions;
    pub use crate::layout::resolve::{Document, MAX_INDEX_DEPTH, Pointer, choose_manifest};
    #[cfg(feature = "registry")]
    pub use crate::registry::blob::{RegistryBlob, RepositoryReader};

    pub use crate::layout::{INDEX_FILE, MARKER_FILE, blob_path, check_marker, open_regular, read_json};

    pub use crate::layout::{digest_error, io_error, malformed_error, mismatch_error, size_error};
    pub use crate::uncomputed::UncomputedDigest;
}
