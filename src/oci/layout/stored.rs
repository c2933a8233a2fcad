//! An image in a layout, found and read where it lies.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::index::{Entry, Index};
use super::{INDEX_FILE, LayoutError, Locator, Selector, blob_path, check_marker, open_regular, parse, read_json};
use crate::digest::{Digest, Hasher};
use crate::escape::quoted;
use crate::oci::descriptor::LAYER;
use crate::oci::{Annotations, Descriptor};
use crate::splice::Plan;
use crate::store::Input;

/// The media types that layers of WebAssembly have: what is written today, and what was before.
const WASM: [&str; 3] = [
    LAYER,
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
];

/// Indexes that may point to one another: the layout's own, and so many more.
const MAX_DEPTH: usize = 8;

/// An image in a layout: its manifest was read and hashed; of its layer, the size was compared.
#[derive(Debug)]
pub struct Stored {
    image: Digest,
    annotations: Annotations,
    layer: Descriptor,
    input: Input,
}

impl Stored {
    /// Finds an image. Where an index lists several, for several platforms, the one for `wasm` is meant.
    ///
    /// # Errors
    ///
    /// It is not there, or there are several and nothing says which; it has no layer of WebAssembly, or several; a file of
    /// the layout is missing, malformed, no regular file, or not what it is called by. See [`LayoutError`].
    pub fn open(locator: &Locator) -> Result<Self, LayoutError> {
        let directory = &locator.directory;
        check_marker(directory)?;
        let mut pointer = match &locator.selector {
            Selector::Digest(digest) => Pointer { digest: *digest, size: None, media_type: None },
            Selector::Only => choose(&directory.join(INDEX_FILE), listed(directory)?)?,
            Selector::Name(name) => choose(&directory.join(INDEX_FILE), named(directory, name)?)?,
        };
        for _ in 0..=MAX_DEPTH {
            let path = blob_path(directory, pointer.digest);
            let document = pointer.document(&path)?;
            match (document.manifests, document.layers) {
                (Some(entries), None) => pointer = choose(&path, entries)?,
                (None, Some(layers)) => return Self::of(directory, pointer.digest, document.annotations, &layers),
                _ => return Err(LayoutError::malformed(&path, "it is neither an index nor an image".to_owned())),
            }
        }
        Err(LayoutError::TooDeep)
    }

    fn of(directory: &Path, image: Digest, annotations: Annotations, layers: &[Entry]) -> Result<Self, LayoutError> {
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
        let digest = digest(&blob_path(directory, image), &layer.digest)?;
        let path = blob_path(directory, digest);
        let file = open_regular(&path)?;
        let input = Input::of(file).map_err(|error| LayoutError::malformed(&path, error.message()))?;
        check_size(digest, input.len(), layer.size)?;
        let annotations_of_layer = layer.annotations.clone();
        let layer =
            Descriptor { annotations: annotations_of_layer, ..Descriptor::new(&*layer.media_type, digest, layer.size) };
        Ok(Self { image, annotations, layer, input })
    }

    /// The image's digest, which is its manifest's.
    pub fn image(&self) -> Digest {
        self.image
    }

    /// The manifest's annotations.
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    /// What points to the layer of WebAssembly.
    pub fn layer(&self) -> &Descriptor {
        &self.layer
    }

    /// The layer, to be read where it lies.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// The layer, to be read where it lies.
    pub fn into_input(self) -> Input {
        self.input
    }

    /// The digest that the layer's bytes have, all of which are read. It should be the one that the layer is called by.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn hash(&self) -> std::io::Result<Digest> {
        let mut hasher = Hasher::new();
        Plan::identity(&self.input).write_to(&self.input, &mut hasher)?;
        Ok(hasher.finish())
    }
}

/// What is to be read next.
struct Pointer {
    digest: Digest,
    size: Option<u64>,
    media_type: Option<String>,
}

/// An index or a manifest, as far as it is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    media_type: Option<String>,
    manifests: Option<Vec<Entry>>,
    layers: Option<Vec<Entry>>,
    #[serde(default)]
    annotations: Annotations,
}

impl Pointer {
    /// The document that it points to, if it is as it says.
    fn document(&self, path: &Path) -> Result<Document, LayoutError> {
        let bytes = read_json(path)?;
        if let Some(size) = self.size {
            check_size(self.digest, bytes.len() as u64, size)?;
        }
        let found = Digest::of(&bytes);
        if found != self.digest {
            return Err(LayoutError::Content { expected: self.digest, found });
        }
        let document: Document = parse(path, &bytes)?;
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

fn listed(directory: &Path) -> Result<Vec<Entry>, LayoutError> {
    let path = directory.join(INDEX_FILE);
    Index::parse(&path, &read_json(&path)?)?.entries(&path)
}

fn named(directory: &Path, name: &str) -> Result<Vec<Entry>, LayoutError> {
    let (meant, others): (Vec<Entry>, Vec<Entry>) =
        listed(directory)?.into_iter().partition(|entry| entry.ref_name() == Some(name));
    if meant.is_empty() {
        let names: Vec<String> = others.iter().filter_map(Entry::ref_name).map(quoted).collect();
        let there = if names.is_empty() { "none with a name".to_owned() } else { listing(names) };
        return Err(LayoutError::NoImage { name: name.to_owned(), there });
    }
    Ok(meant)
}

/// The one of several that is meant.
fn choose(path: &Path, mut entries: Vec<Entry>) -> Result<Pointer, LayoutError> {
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
fn listing(mut texts: Vec<String>) -> String {
    const MOST: usize = 8;
    let more = texts.len().saturating_sub(MOST);
    texts.truncate(MOST);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    texts.join(", ") + &more
}

fn digest(file: &Path, text: &str) -> Result<Digest, LayoutError> {
    text.parse().map_err(|source| LayoutError::Digest { file: file.to_owned(), source })
}

fn check_size(digest: Digest, found: u64, expected: u64) -> Result<(), LayoutError> {
    if found == expected { Ok(()) } else { Err(LayoutError::Size { digest, found, expected }) }
}
