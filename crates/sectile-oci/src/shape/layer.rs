//! Contents of layers, by media type.

use super::media_type::{
    DOCKER_FOREIGN_TAR, DOCKER_FOREIGN_TAR_GZIP, DOCKER_TAR, DOCKER_TAR_GZIP, DOCKER_TAR_ZSTD, ENVOY_CONFIG,
    ENVOY_WASM, FOREIGN_TAR, FOREIGN_TAR_GZIP, FOREIGN_TAR_ZSTD, HELM_CHART, RUNWASI_WASM, SOLO_CONFIG, SOLO_WASM,
    SPIN_APPLICATION, SPIN_ARCHIVE, SPIN_DATA, TAR, TAR_GZIP, TAR_ZSTD, W3C_COMPONENT, W3C_MODULE, WASM, WASM_V1,
};

/// A media type of layers that images with WebAssembly use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerType {
    /// The media type.
    pub media_type: &'static str,
    /// The contents of a layer with this media type.
    pub contents: LayerContents,
    /// Whether the layer may be missing from registries and layouts, and is then at its `urls`.
    pub is_foreign: bool,
}

/// The contents of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayerContents {
    /// A WebAssembly binary.
    Wasm,
    /// A tar archive.
    Tar,
    /// A tar archive, compressed with gzip.
    TarGzip,
    /// A tar archive, compressed with Zstandard.
    TarZstd,
    /// A JSON document.
    Json,
    /// A file of any type.
    Data,
}

const fn own(media_type: &'static str, contents: LayerContents) -> LayerType {
    LayerType { media_type, contents, is_foreign: false }
}

const fn foreign(media_type: &'static str, contents: LayerContents) -> LayerType {
    LayerType { media_type, contents, is_foreign: true }
}

/// All media types, one a row.
pub const LAYER_TYPES: [LayerType; 24] = [
    own(WASM, LayerContents::Wasm),
    own(WASM_V1, LayerContents::Wasm),
    own(RUNWASI_WASM, LayerContents::Wasm),
    own(W3C_MODULE, LayerContents::Wasm),
    own(W3C_COMPONENT, LayerContents::Wasm),
    own(ENVOY_WASM, LayerContents::Wasm),
    own(SOLO_WASM, LayerContents::Wasm),
    own(ENVOY_CONFIG, LayerContents::Json),
    own(SOLO_CONFIG, LayerContents::Json),
    own(SPIN_APPLICATION, LayerContents::Json),
    own(SPIN_DATA, LayerContents::Data),
    own(SPIN_ARCHIVE, LayerContents::TarGzip),
    own(TAR, LayerContents::Tar),
    own(TAR_GZIP, LayerContents::TarGzip),
    own(TAR_ZSTD, LayerContents::TarZstd),
    own(DOCKER_TAR, LayerContents::Tar),
    own(DOCKER_TAR_GZIP, LayerContents::TarGzip),
    own(DOCKER_TAR_ZSTD, LayerContents::TarZstd),
    own(HELM_CHART, LayerContents::TarGzip),
    foreign(FOREIGN_TAR, LayerContents::Tar),
    foreign(FOREIGN_TAR_GZIP, LayerContents::TarGzip),
    foreign(FOREIGN_TAR_ZSTD, LayerContents::TarZstd),
    foreign(DOCKER_FOREIGN_TAR, LayerContents::Tar),
    foreign(DOCKER_FOREIGN_TAR_GZIP, LayerContents::TarGzip),
];

impl LayerType {
    /// Returns the row of a media type; `None` if it is not in the table.
    pub fn find(media_type: &str) -> Option<&'static Self> {
        LAYER_TYPES.iter().find(|row| row.media_type == media_type)
    }
}

/// Returns whether a media type is that of a WebAssembly layer.
pub fn is_wasm_layer(media_type: &str) -> bool {
    LayerType::find(media_type).is_some_and(|row| row.contents == LayerContents::Wasm)
}
