//! Image manifests.

use std::io::{self, Write};

use serde::Serialize;

use crate::Annotations;
use crate::descriptor::{Descriptor, DescriptorJson, MANIFEST_MEDIA_TYPE};
use sectile::internal::json::{value_to_vec, write_value};

/// The contents of a manifest. Equal contents give equal bytes.
#[derive(Clone, Debug)]
pub(crate) struct Manifest<'a> {
    /// The artifact type, unless the media type of the config implies it.
    pub(crate) artifact_type: Option<&'a str>,
    pub(crate) config: &'a Descriptor,
    pub(crate) layers: &'a [Descriptor],
    /// The manifest that this one refers to.
    pub(crate) subject: Option<&'a Descriptor>,
    pub(crate) annotations: &'a Annotations,
}

impl Manifest<'_> {
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let json = ManifestJson {
            schema_version: 2,
            media_type: MANIFEST_MEDIA_TYPE,
            artifact_type: self.artifact_type,
            config: self.config.into(),
            layers: self.layers.iter().map(DescriptorJson::from).collect(),
            subject: self.subject.map(DescriptorJson::from),
            annotations: self.annotations,
        };
        value_to_vec(&json)
    }
}

/// Writes annotations as one JSON object in the order of their keys, followed by a line feed.
///
/// # Errors
///
/// Those of the writer.
pub fn write_annotations_json(annotations: &Annotations, out: &mut impl Write) -> io::Result<()> {
    write_value(&mut *out, annotations)?;
    writeln!(out)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ManifestJson<'a> {
    schema_version: u32,
    media_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'a str>,
    config: DescriptorJson,
    layers: Vec<DescriptorJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<DescriptorJson>,
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    annotations: &'a Annotations,
}
