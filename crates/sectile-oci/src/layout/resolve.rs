//! Resolution of an image and its WebAssembly layer, in a layout or in a registry.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::index::ParsedDescriptor;
use super::{LayoutError, parse};
use crate::shape::is_wasm_layer;
use crate::{Annotations, Descriptor, Platform};
use sectile::digest::Digest;
use sectile::internal::quoted;

/// Maximum number of nested indexes below the first one.
pub const MAX_INDEX_DEPTH: usize = 8;

/// An image and its WebAssembly layer.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedImage {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The annotations of the manifest.
    pub annotations: Annotations,
    pub layer: Descriptor,
    /// The first alternative URL of the layer.
    pub layer_url: Option<String>,
}

impl ResolvedImage {
    /// Follows a pointer through indexes to an image. If an index lists several platforms, follows
    /// the requested one; without a request, the one for `wasm`.
    ///
    /// `document_path` names a document in errors, and `read` returns its bytes.
    pub fn resolve<E: From<LayoutError>>(
        mut pointer: Pointer,
        platform: Option<&Platform>,
        document_path: impl Fn(Digest) -> PathBuf,
        mut read: impl FnMut(&Pointer) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        for _ in 0..=MAX_INDEX_DEPTH {
            let bytes = read(&pointer)?;
            let path = document_path(pointer.digest);
            let document = pointer.parse_document(&path, &bytes)?;
            match (document.manifests, document.layers) {
                (Some(manifests), None) => pointer = choose(&path, &manifests, platform)?,
                (None, Some(layers)) => {
                    return Ok(Self::from_layers(&path, pointer.digest, document.annotations, &layers)?);
                }
                _ => return Err(LayoutError::malformed(&path, "it is neither an index nor an image").into()),
            }
        }
        Err(LayoutError::TooDeep.into())
    }

    fn from_layers(
        path: &Path,
        image: Digest,
        annotations: Annotations,
        layers: &[ParsedDescriptor],
    ) -> Result<Self, LayoutError> {
        let is_wasm = |layer: &&ParsedDescriptor| is_wasm_layer(&layer.media_type);
        let wasm: Vec<&ParsedDescriptor> = layers.iter().filter(is_wasm).collect();
        let [layer] = wasm[..] else {
            let list = |layers: Vec<String>| {
                if layers.is_empty() { "none".to_owned() } else { shortened_list(layers) }
            };
            return Err(if wasm.is_empty() {
                let layers = list(layers.iter().map(|layer| quoted(&layer.media_type)).collect());
                LayoutError::NoWasmLayer { image, layers }
            } else {
                let layers = list(wasm.iter().map(|layer| display_digest(&layer.digest)).collect());
                LayoutError::MultipleWasmLayers { image, layers }
            });
        };
        let digest = parse_digest(path, &layer.digest)?;
        let layer_url = layer.urls.as_ref().and_then(|urls| urls.first().cloned());
        let layer = Descriptor::new(&*layer.media_type, digest, layer.size).with_annotations(layer.annotations.clone());
        Ok(Self { digest: image, annotations, layer, layer_url })
    }
}

/// A reference to a document.
pub struct Pointer {
    /// Digest of the document.
    pub digest: Digest,
    /// Size of the document in bytes, if known.
    pub size: Option<u64>,
    /// Media type of the document, if known.
    pub media_type: Option<String>,
}

/// An index or a manifest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    media_type: Option<String>,
    /// The manifests of an index.
    pub manifests: Option<Vec<ParsedDescriptor>>,
    /// The layers of a manifest.
    pub layers: Option<Vec<ParsedDescriptor>>,
    #[serde(default)]
    annotations: Annotations,
}

impl Pointer {
    /// Creates a pointer to a document of which only the digest is known.
    pub fn new(digest: Digest) -> Self {
        Self { digest, size: None, media_type: None }
    }

    /// Checks the bytes of the document against the pointer and parses them.
    ///
    /// # Errors
    ///
    /// The size, the digest or the media type differs from the pointer, or the document is
    /// malformed.
    pub fn parse_document(&self, path: &Path, bytes: &[u8]) -> Result<Document, LayoutError> {
        if let Some(size) = self.size {
            check_size(self.digest, bytes.len() as u64, size)?;
        }
        let found = Digest::new(bytes);
        if found != self.digest {
            return Err(LayoutError::DigestMismatch { expected: self.digest, found });
        }
        Document::parse(path, bytes, self.media_type.as_deref())
    }
}

impl Document {
    /// Parses a document. Its media type must be that of the reference to it.
    ///
    /// # Errors
    ///
    /// The document is malformed, or has another media type.
    pub fn parse(path: &Path, bytes: &[u8], expected: Option<&str>) -> Result<Self, LayoutError> {
        let document: Self = parse(path, bytes)?;
        match (expected, &document.media_type) {
            (Some(expected), Some(found)) if expected != found => {
                let (found, expected) = (quoted(found), quoted(expected));
                let reason = format!("its media type is {found}, but the reference to it states {expected}");
                Err(LayoutError::malformed(path, reason))
            }
            _ => Ok(document),
        }
    }
}

/// Chooses the only document for the platform; without a platform, the only document, or the only
/// one for `wasm`.
pub(super) fn choose(
    path: &Path,
    descriptors: &[ParsedDescriptor],
    platform: Option<&Platform>,
) -> Result<Pointer, LayoutError> {
    if descriptors.is_empty() {
        return Err(LayoutError::NoImages(PathBuf::from(path)));
    }
    let all = different(descriptors);
    let available = || shortened_list(all.iter().copied().map(describe).collect());
    let descriptor = match platform {
        Some(platform) => {
            // A single descriptor without a platform may be a nested index.
            let is_for = |descriptor: &&ParsedDescriptor| {
                descriptor.platform.as_ref().map_or(all.len() == 1, |found| found.is(platform))
            };
            let mut matching = all.iter().copied().filter(is_for);
            let Some(first) = matching.next() else {
                return Err(LayoutError::NoPlatform { platform: platform.to_string(), available: available() });
            };
            matching.next().is_none().then_some(first)
        }
        None => choose_manifest(descriptors),
    };
    let Some(descriptor) = descriptor else {
        return Err(LayoutError::AmbiguousImage(available()));
    };
    let digest = parse_digest(path, &descriptor.digest)?;
    Ok(Pointer { digest, size: Some(descriptor.size), media_type: Some(descriptor.media_type.clone()) })
}

/// Returns the descriptor of the only document, or of the only one for `wasm`.
pub fn choose_manifest<'d>(
    descriptors: impl IntoIterator<Item = &'d ParsedDescriptor>,
) -> Option<&'d ParsedDescriptor> {
    let is_for_wasm = |descriptor: &&ParsedDescriptor| {
        descriptor.platform.as_ref().and_then(|platform| platform.architecture.as_deref()) == Some("wasm")
    };
    let all = different(descriptors);
    let for_wasm: Vec<_> = all.iter().copied().filter(is_for_wasm).collect();
    let (([descriptor], _) | (_, [descriptor])) = (&all[..], &for_wasm[..]) else { return None };
    Some(descriptor)
}

/// Returns the first descriptor of each blob.
fn different<'d>(descriptors: impl IntoIterator<Item = &'d ParsedDescriptor>) -> Vec<&'d ParsedDescriptor> {
    let mut seen = HashSet::new();
    descriptors.into_iter().filter(|descriptor| seen.insert(&*descriptor.digest)).collect()
}

/// Describes a manifest in a list to choose from.
fn describe(descriptor: &ParsedDescriptor) -> String {
    let digest = display_digest(&descriptor.digest);
    let platform = descriptor.platform.as_ref();
    let platform = platform.and_then(|platform| platform.architecture.as_deref().zip(platform.os.as_deref()));
    match (descriptor.ref_name(), platform) {
        (Some(name), _) => format!("{} ({digest})", quoted(name)),
        (None, Some((architecture, os))) => format!("{digest} for {}", quoted(&format!("{os}/{architecture}"))),
        (None, None) => digest,
    }
}

/// Returns a valid digest in full, so that it can be copied. Quotes any other text.
fn display_digest(digest: &str) -> String {
    digest.parse().map_or_else(|_| quoted(digest), |digest: Digest| digest.to_string())
}

/// Joins the first few texts, and counts the others.
pub(super) fn shortened_list(mut texts: Vec<String>) -> String {
    const MAX_SHOWN: usize = 8;
    let more = texts.len().saturating_sub(MAX_SHOWN);
    texts.truncate(MAX_SHOWN);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    texts.join(", ") + &more
}

pub(crate) fn parse_digest(file: &Path, text: &str) -> Result<Digest, LayoutError> {
    text.parse().map_err(|source| LayoutError::InvalidDigest { file: file.to_owned(), source })
}

pub(crate) fn check_size(digest: Digest, found: u64, expected: u64) -> Result<(), LayoutError> {
    if found == expected { Ok(()) } else { Err(LayoutError::SizeMismatch { digest, found, expected }) }
}
