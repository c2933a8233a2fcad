//! A manifest or an index as consumers see it.

use serde::Deserialize;

use crate::Annotations;
use crate::layout::index::ParsedDescriptor;
use crate::shape::Shape;

/// The members of a document that rules are about.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ManifestJson {
    pub(super) media_type: Option<String>,
    pub(super) config: Option<ParsedDescriptor>,
    pub(super) layers: Option<Vec<ParsedDescriptor>>,
    pub(super) manifests: Option<Vec<ParsedDescriptor>>,
    #[serde(default)]
    pub(super) annotations: Annotations,
}

/// The manifest of an image.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) media_type: Option<String>,
    pub(super) config: Option<ParsedDescriptor>,
    pub(super) layers: Vec<ParsedDescriptor>,
    pub(super) annotations: Annotations,
}

impl Manifest {
    /// Returns the layers with one of these media types.
    pub(super) fn layers_of<'m>(&'m self, types: &'m [&str]) -> impl Iterator<Item = &'m ParsedDescriptor> {
        self.layers.iter().filter(|layer| types.contains(&&*layer.media_type))
    }

    pub(super) fn config_type(&self) -> &str {
        self.config.as_ref().map_or("", |config| &config.media_type)
    }

    pub(super) fn shape(&self) -> &'static Shape {
        let layers: Vec<&str> = self.layers.iter().map(|layer| &*layer.media_type).collect();
        Shape::detect(self.config_type(), &layers, &self.annotations)
    }
}
