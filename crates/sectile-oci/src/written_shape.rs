//! The shapes in which images are written.

/// The shape in which an image is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WrittenShape {
    /// The CNCF's Wasm OCI artifact.
    #[default]
    Cncf,
    /// The OCI variant that Envoy Gateway and Istio load: a layer with the config of the runtime,
    /// and one with the binary.
    Envoy,
    /// The compat variant that Envoy Gateway and Istio load: an ordinary image whose layer is an
    /// archive with the file `plugin.wasm`.
    Compat,
}

impl WrittenShape {
    /// All shapes.
    pub const ALL: [Self; 3] = [Self::Cncf, Self::Envoy, Self::Compat];

    /// Returns the name, which is that of a row of [`SHAPES`](crate::shape::SHAPES).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cncf => "cncf",
            Self::Envoy => "envoy",
            Self::Compat => "compat",
        }
    }

    /// Whether only modules are loaded from images of this shape.
    pub(crate) const fn is_for_modules(self) -> bool {
        matches!(self, Self::Envoy | Self::Compat)
    }
}
