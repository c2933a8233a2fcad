//! Consumers of images, and the rules by which they load an image.
//!
//! Each rule is a row of [`RULES`], with its source. [`ImageCheck`] is the result of checking an
//! image against the rules of some consumers.

mod check;
mod cncf;
mod facts;
mod kubewarden;
mod manifest;
mod platform;
mod proxy;
mod rules;
mod runwasi;
mod source;
mod spin;
mod tar_search;

pub use self::check::{ConsumerVerdict, ImageCheck, RuleFinding};
pub use self::rules::{RULES, Rule};
#[cfg(feature = "registry")]
pub(crate) use self::source::ImageSource;

/// A consumer of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Consumer {
    /// Tools for the CNCF's Wasm OCI artifact: oci-wasm, and wkg, which uses it.
    Cncf,
    /// Envoy Gateway, which fetches images for Envoy.
    Envoy,
    /// Istio, which fetches images for Envoy.
    Istio,
    /// Spin.
    Spin,
    /// Kubewarden.
    Kubewarden,
    /// The runwasi shims of containerd.
    Runwasi,
}

impl Consumer {
    /// All consumers, in the order of reports.
    pub const ALL: [Self; 6] = [Self::Cncf, Self::Envoy, Self::Istio, Self::Spin, Self::Kubewarden, Self::Runwasi];

    /// Returns the short name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cncf => "cncf",
            Self::Envoy => "envoy",
            Self::Istio => "istio",
            Self::Spin => "spin",
            Self::Kubewarden => "kubewarden",
            Self::Runwasi => "runwasi",
        }
    }
}
