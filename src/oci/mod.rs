//! What a binary becomes in a registry: the annotations, and with the feature `oci` the Wasm OCI artifact, its manifest
//! and config, and image layouts on disk.
//!
//! Sources: the OCI image specification 1.1 (`annotations.md`, `descriptor.md`, `manifest.md`, `image-layout.md`), and the
//! *Wasm OCI Artifact layout* of the CNCF's TAG Runtime. `docs/oci.md` says field by field what stands where.

mod annotations;
#[cfg(feature = "oci")]
mod config;
#[cfg(feature = "oci")]
mod descriptor;
#[cfg(feature = "oci")]
mod drift;
#[cfg(feature = "oci")]
mod image;
#[cfg(feature = "oci")]
pub(crate) mod layout;
#[cfg(feature = "oci")]
mod manifest;
#[cfg(feature = "push")]
#[cfg_attr(docsrs, doc(cfg(feature = "push")))]
pub mod registry;

pub use self::annotations::{AnnotationError, AnnotationOptions, Annotations, Duplicates, TITLE, annotations};
#[cfg(feature = "oci")]
pub use self::descriptor::{CONFIG, Descriptor, INDEX, LAYER, MANIFEST, MAX_MANIFEST};
#[cfg(feature = "oci")]
pub use self::image::{Draft, Image, ImageError, ImageOptions};
#[cfg(feature = "oci")]
pub use self::layout::{Added, Layout, LayoutError, Locator, RefName, Selector, Stored};
#[cfg(feature = "oci")]
pub use self::manifest::write_annotations_json;
