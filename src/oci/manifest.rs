//! The manifest of an image or an artifact.

use std::io::{self, Write};

use serde::Serialize;

use super::Annotations;
use super::descriptor::{Descriptor, MANIFEST, Wire};

/// What a manifest says. The same says the same bytes.
#[derive(Clone, Debug)]
pub(crate) struct Manifest<'a> {
    /// What kind of artifact it is, where its config does not say it.
    pub(crate) artifact_type: Option<&'a str>,
    pub(crate) config: &'a Descriptor,
    pub(crate) layers: &'a [Descriptor],
    /// The manifest that this one is about.
    pub(crate) subject: Option<&'a Descriptor>,
    pub(crate) annotations: &'a Annotations,
}

impl Manifest<'_> {
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let wire = Json {
            schema_version: 2,
            media_type: MANIFEST,
            artifact_type: self.artifact_type,
            config: self.config.into(),
            layers: self.layers.iter().map(Wire::from).collect(),
            subject: self.subject.map(Wire::from),
            annotations: self.annotations,
        };
        serde_json::to_vec(&wire).unwrap_or_default() // nothing in it can fail
    }
}

/// Writes annotations as one JSON object and a line feed, in the order of their keys.
///
/// # Errors
///
/// Those of the writer.
pub fn write_annotations_json(annotations: &Annotations, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, annotations)?;
    writeln!(out)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    schema_version: u32,
    media_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'a str>,
    config: Wire,
    layers: Vec<Wire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Wire>,
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    annotations: &'a Annotations,
}
