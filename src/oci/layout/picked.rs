//! Which layer of which image is meant, wherever its documents lie.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::index::Entry;
use super::{LayoutError, parse};
use crate::digest::Digest;
use crate::escape::quoted;
use crate::oci::descriptor::LAYER;
use crate::oci::{Annotations, Descriptor};

/// The media types that layers of WebAssembly have: what is written today, and what was before.
pub(crate) const WASM: [&str; 3] = [
    LAYER,
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
];

/// Indexes that may point to one another: the layout's own, and so many more.
pub(crate) const MAX_DEPTH: usize = 8;

/// An image, and its layer of WebAssembly.
#[derive(Clone, Debug)]
pub(in crate::oci) struct Picked {
    /// The digest of its manifest.
    pub(in crate::oci) image: Digest,
    /// The manifest's.
    pub(in crate::oci) annotations: Annotations,
    pub(in crate::oci) layer: Descriptor,
}

impl Picked {
    /// Goes from the document that a pointer leads to through indexes to an image. Where an index lists several, for
    /// several platforms, the one for `wasm` is meant. What documents are called in errors, and what they hold, is told.
    pub(in crate::oci) fn find<E: From<LayoutError>>(
        mut pointer: Pointer,
        called: impl Fn(Digest) -> PathBuf,
        mut read: impl FnMut(&Pointer) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        for _ in 0..=MAX_DEPTH {
            let bytes = read(&pointer)?;
            let path = called(pointer.digest);
            let document = pointer.document(&path, &bytes)?;
            match (document.manifests, document.layers) {
                (Some(entries), None) => pointer = choose(&path, entries)?,
                (None, Some(layers)) => return Ok(Self::of(&path, pointer.digest, document.annotations, &layers)?),
                _ => return Err(LayoutError::malformed(&path, "it is neither an index nor an image".to_owned()).into()),
            }
        }
        Err(LayoutError::TooDeep.into())
    }

    fn of(path: &Path, image: Digest, annotations: Annotations, layers: &[Entry]) -> Result<Self, LayoutError> {
        let wasm: Vec<&Entry> = layers.iter().filter(|layer| WASM.contains(&&*layer.media_type)).collect();
        let [layer] = wasm[..] else {
            let list =
                |layers: Vec<String>| if layers.is_empty() { "no layer at all".to_owned() } else { listing(layers) };
            return Err(if wasm.is_empty() {
                let layers = list(layers.iter().map(|layer| quoted(&layer.media_type)).collect());
                LayoutError::NoWasm { image, layers }
            } else {
                let layers = list(wasm.iter().map(|layer| called(&layer.digest)).collect());
                LayoutError::SeveralWasm { image, layers }
            });
        };
        let digest = digest(path, &layer.digest)?;
        let annotations_of_layer = layer.annotations.clone();
        let layer =
            Descriptor { annotations: annotations_of_layer, ..Descriptor::new(&*layer.media_type, digest, layer.size) };
        Ok(Self { image, annotations, layer })
    }
}

/// What is to be read next.
pub(crate) struct Pointer {
    pub(crate) digest: Digest,
    pub(crate) size: Option<u64>,
    pub(crate) media_type: Option<String>,
}

/// An index or a manifest, as far as it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    media_type: Option<String>,
    pub(crate) manifests: Option<Vec<Entry>>,
    pub(crate) layers: Option<Vec<Entry>>,
    #[serde(default)]
    annotations: Annotations,
}

impl Pointer {
    /// To what has this digest, of which nothing else is known.
    pub(crate) fn to(digest: Digest) -> Self {
        Self { digest, size: None, media_type: None }
    }

    /// The document that it points to, if it is as it says.
    pub(crate) fn document(&self, path: &Path, bytes: &[u8]) -> Result<Document, LayoutError> {
        if let Some(size) = self.size {
            check_size(self.digest, bytes.len() as u64, size)?;
        }
        let found = Digest::of(bytes);
        if found != self.digest {
            return Err(LayoutError::Content { expected: self.digest, found });
        }
        let document: Document = parse(path, bytes)?;
        // Who looks at the one, and who looks at the other, are not to see different things.
        match (&self.media_type, &document.media_type) {
            (Some(expected), Some(found)) if expected != found => {
                let why =
                    format!("it says that it is {}, and what points to it says {}", quoted(found), quoted(expected));
                Err(LayoutError::malformed(path, why))
            }
            _ => Ok(document),
        }
    }
}

/// The one of several that is meant.
pub(super) fn choose(path: &Path, mut entries: Vec<Entry>) -> Result<Pointer, LayoutError> {
    if entries.is_empty() {
        return Err(LayoutError::Empty(PathBuf::from(path)));
    }
    let mut seen = std::collections::HashSet::new();
    entries.retain(|entry| seen.insert(entry.digest.clone()));
    let is_for_wasm =
        |entry: &&Entry| entry.platform.as_ref().and_then(|platform| platform.architecture.as_deref()) == Some("wasm");
    let all: Vec<&Entry> = entries.iter().collect();
    let for_wasm: Vec<&Entry> = entries.iter().filter(is_for_wasm).collect();
    let (([entry], _) | (_, [entry])) = (&all[..], &for_wasm[..]) else {
        return Err(LayoutError::Several(listing(all.into_iter().map(describe).collect())));
    };
    let digest = digest(path, &entry.digest)?;
    Ok(Pointer { digest, size: Some(entry.size), media_type: Some(entry.media_type.clone()) })
}

/// An entry, for who is to choose it.
fn describe(entry: &Entry) -> String {
    let digest = called(&entry.digest);
    let platform = entry.platform.as_ref();
    match (entry.ref_name(), platform.and_then(|platform| platform.architecture.as_deref().zip(platform.os.as_deref())))
    {
        (Some(name), _) => format!("{} ({digest})", quoted(name)),
        (None, Some((architecture, os))) => format!("{digest} for {}", quoted(&format!("{os}/{architecture}"))),
        (None, None) => digest,
    }
}

/// A digest, in full: it is to be copied.
fn called(digest: &str) -> String {
    digest.parse().map_or_else(|_| quoted(digest), |digest: Digest| digest.to_string())
}

/// A list that is not long.
pub(super) fn listing(mut texts: Vec<String>) -> String {
    const MOST: usize = 8;
    let more = texts.len().saturating_sub(MOST);
    texts.truncate(MOST);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    texts.join(", ") + &more
}

fn digest(file: &Path, text: &str) -> Result<Digest, LayoutError> {
    text.parse().map_err(|source| LayoutError::Digest { file: file.to_owned(), source })
}

pub(super) fn check_size(digest: Digest, found: u64, expected: u64) -> Result<(), LayoutError> {
    if found == expected { Ok(()) } else { Err(LayoutError::Size { digest, found, expected }) }
}
