//! Media types of manifests, configs and layers.

pub(crate) use crate::descriptor::{
    CONFIG_MEDIA_TYPE as WASM_CONFIG, INDEX_MEDIA_TYPE as OCI_INDEX, LAYER_MEDIA_TYPE as WASM,
    MANIFEST_MEDIA_TYPE as OCI_MANIFEST,
};

pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
pub(crate) const EMPTY_CONFIG: &str = "application/vnd.oci.empty.v1+json";
/// The config that wasm-to-oci introduced.
pub(crate) const WASM_V1_CONFIG: &str = "application/vnd.wasm.config.v1+json";

pub(crate) const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(crate) const TAR_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
pub(crate) const DOCKER_TAR: &str = "application/vnd.docker.image.rootfs.diff.tar";
pub(crate) const DOCKER_TAR_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
pub(crate) const DOCKER_TAR_ZSTD: &str = "application/vnd.docker.image.rootfs.diff.tar.zstd";
pub(crate) const FOREIGN_TAR: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar";
pub(crate) const FOREIGN_TAR_GZIP: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
pub(crate) const FOREIGN_TAR_ZSTD: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";
pub(crate) const DOCKER_FOREIGN_TAR: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar";
pub(crate) const DOCKER_FOREIGN_TAR_GZIP: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

/// The layer that wasm-to-oci introduced.
pub(crate) const WASM_V1: &str = "application/vnd.wasm.content.layer.v1+wasm";
pub(crate) const RUNWASI_WASM: &str = "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm";
pub(crate) const W3C_MODULE: &str = "application/vnd.w3c.wasm.module.v1+wasm";
pub(crate) const W3C_COMPONENT: &str = "application/vnd.w3c.wasm.component.v1+wasm";
pub(crate) const ENVOY_WASM: &str = "application/vnd.module.wasm.content.layer.v1+wasm";
pub(crate) const ENVOY_CONFIG: &str = "application/vnd.module.wasm.config.v1+json";
pub(crate) const SOLO_WASM: &str = "application/vnd.io.solo.wasm.code.v1+wasm";
pub(crate) const SOLO_CONFIG: &str = "application/vnd.io.solo.wasm.config.v1+json";
pub(crate) const SPIN_APPLICATION: &str = "application/vnd.fermyon.spin.application.v1+config";
pub(crate) const SPIN_DATA: &str = "application/vnd.wasm.content.layer.v1+data";
pub(crate) const SPIN_ARCHIVE: &str = "application/vnd.wasm.content.bundle.v1.tar+gzip";
pub(crate) const HELM_CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
