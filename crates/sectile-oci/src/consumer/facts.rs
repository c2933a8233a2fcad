//! The facts about an image that rules depend on. They are read before the rules are checked.

use std::cell::Cell;
use std::io::Read;

use super::Consumer;
use super::manifest::Manifest;
use super::proxy::{self, PLUGIN_FILE};
use super::runwasi;
use super::source::ImageSource;
use super::tar_search::{Compression, FileFact, find_file, read_head};
use crate::layout::check_size;
use crate::layout::index::ParsedDescriptor;
use crate::shape::media_type::{ENVOY_WASM, SPIN_APPLICATION};
use crate::shape::{LayerContents, LayerType};
use crate::{LayoutError, MAX_MANIFEST_SIZE};
use sectile::digest::Digest;

/// An image, as far as rules need it.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) manifest: Manifest,
    /// Whether the image was selected from an index.
    pub(super) is_in_index: bool,
    pub(super) config: DocumentFact,
    /// The application layer of Spin.
    pub(super) application: DocumentFact,
    /// The file `plugin.wasm` in the last layer.
    pub(super) plugin: FileFact,
    /// The layer of Envoy's artifact.
    pub(super) artifact: FileFact,
    /// The file that the config names, in the layers.
    pub(super) entrypoint: FileFact,
}

/// A document that the manifest refers to.
#[derive(Debug)]
pub(super) enum DocumentFact {
    /// The manifest does not refer to one.
    None,
    Bytes(Vec<u8>),
    /// It is not in the layout or registry.
    Absent,
    /// Sectile cannot tell.
    Unknown(String),
}

impl Facts {
    /// Reads the facts that the rules of these consumers need.
    pub(super) fn read<S: ImageSource>(
        source: &mut S,
        manifest: Manifest,
        is_in_index: bool,
        consumers: &[Consumer],
    ) -> Result<Self, S::Error> {
        let config = match &manifest.config {
            Some(config) => read_document(source, config)?,
            None => DocumentFact::None,
        };
        let is_asked = |consumer| consumers.contains(&consumer);
        let mut facts = Self {
            manifest,
            is_in_index,
            config,
            application: DocumentFact::None,
            plugin: FileFact::Missing,
            artifact: FileFact::Missing,
            entrypoint: FileFact::Missing,
        };
        if let Some(layer) = facts.manifest.layers_of(&[SPIN_APPLICATION]).last()
            && is_asked(Consumer::Spin)
        {
            facts.application = read_document(source, layer)?;
        }
        if is_asked(Consumer::Envoy) || is_asked(Consumer::Istio) {
            if let Some(layer) = proxy::compat_layer(&facts.manifest) {
                facts.plugin = search_layer(source, layer, Compression::Gzip, &|name| base_name(name) == PLUGIN_FILE)?;
            }
            if let Some(layer) = facts.manifest.layers_of(&[ENVOY_WASM]).next() {
                facts.artifact = read_layer_head(source, layer)?;
            }
        }
        if is_asked(Consumer::Runwasi)
            && let Some(paths) = runwasi::entrypoint_paths(&facts)
        {
            facts.entrypoint = search_layers(source, &facts.manifest, &paths)?;
        }
        Ok(facts)
    }
}

/// Reads a document of at most [`MAX_MANIFEST_SIZE`] bytes, and checks it against its descriptor.
fn read_document<S: ImageSource>(source: &mut S, descriptor: &ParsedDescriptor) -> Result<DocumentFact, S::Error> {
    let Ok(digest) = descriptor.digest.parse::<Digest>() else {
        return Ok(DocumentFact::Unknown(unsupported_digest(descriptor)));
    };
    if descriptor.size > MAX_MANIFEST_SIZE {
        return Ok(DocumentFact::Unknown(format!("a document of {} bytes", descriptor.size)));
    }
    let Some(reader) = source.blob(digest, descriptor.size)? else { return Ok(DocumentFact::Absent) };
    let mut bytes = Vec::new();
    let read = reader.take(MAX_MANIFEST_SIZE + 1).read_to_end(&mut bytes);
    read.map_err(|error| source.read_error(digest, error))?;
    check_size(digest, bytes.len() as u64, descriptor.size)?;
    let found = Digest::new(&bytes);
    if found != digest {
        return Err(LayoutError::DigestMismatch { expected: digest, found }.into());
    }
    Ok(DocumentFact::Bytes(bytes))
}

/// Reads the start of a layer that is a binary.
fn read_layer_head<S: ImageSource>(source: &mut S, layer: &ParsedDescriptor) -> Result<FileFact, S::Error> {
    let Ok(digest) = layer.digest.parse::<Digest>() else {
        return Ok(FileFact::Unknown(unsupported_digest(layer)));
    };
    let Some(reader) = source.blob(digest, layer.size)? else { return Ok(FileFact::AbsentLayer) };
    let head = read_head(reader);
    head.map(FileFact::Head).map_err(|error| source.read_error(digest, error))
}

fn search_layer<S: ImageSource>(
    source: &mut S,
    layer: &ParsedDescriptor,
    compression: Compression,
    is_wanted: &dyn Fn(&[u8]) -> bool,
) -> Result<FileFact, S::Error> {
    let Ok(digest) = layer.digest.parse::<Digest>() else {
        return Ok(FileFact::Unknown(unsupported_digest(layer)));
    };
    let Some(mut reader) = source.blob(digest, layer.size)? else { return Ok(FileFact::AbsentLayer) };
    let found = find_file(&mut reader, compression, is_wanted);
    drop(reader);
    found.map_err(|error| source.read_error(digest, error))
}

/// Searches the layers of an ordinary image for one of these paths, the topmost layer first.
fn search_layers<S: ImageSource>(source: &mut S, manifest: &Manifest, paths: &[String]) -> Result<FileFact, S::Error> {
    let is_removed = Cell::new(false);
    let is_wanted = |name: &[u8]| {
        let name = normalized(name);
        let is_whiteout = |path: &String| name == whiteout(path).as_bytes();
        is_removed.set(is_removed.get() || paths.iter().any(is_whiteout));
        paths.iter().any(|path| path.as_bytes() == name)
    };
    for layer in manifest.layers.iter().rev() {
        let found = match LayerType::find(&layer.media_type).map(|row| row.contents) {
            Some(LayerContents::Tar) => search_layer(source, layer, Compression::None, &is_wanted)?,
            Some(LayerContents::TarGzip) => search_layer(source, layer, Compression::Gzip, &is_wanted)?,
            Some(LayerContents::TarZstd) => FileFact::Unknown("a layer with Zstandard".to_owned()),
            _ => FileFact::Missing,
        };
        if found != FileFact::Missing || is_removed.get() {
            return Ok(found);
        }
    }
    Ok(FileFact::Missing)
}

/// Returns the name of the entry that removes a file of a lower layer. Source: the OCI image
/// specification, `layer.md`.
fn whiteout(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((directory, name)) => format!("{directory}/.wh.{name}"),
        None => format!(".wh.{path}"),
    }
}

fn unsupported_digest(descriptor: &ParsedDescriptor) -> String {
    format!("the digest {}", sectile::internal::quoted(&descriptor.digest))
}

/// Returns the last part of a path, as Go's `filepath.Base` does.
fn base_name(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    let path = &path[..end];
    path.iter().rposition(|&byte| byte == b'/').map_or(path, |slash| &path[slash + 1..])
}

/// Returns a path in an archive without `./` and `/` at its start.
fn normalized(mut path: &[u8]) -> &[u8] {
    while let Some(rest) = path.strip_prefix(b"./").or_else(|| path.strip_prefix(b"/")) {
        path = rest;
    }
    path
}
