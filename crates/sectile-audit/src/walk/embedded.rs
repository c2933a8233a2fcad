//! Blobs that are contained in a descriptor, as Base64 in its `data`.
//!
//! Source: `descriptor.md` of the OCI image specification 1.1, *Embedded Content*.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::archive::{self, ArchiveFile};
use super::file::{HEAD_LEN, StoredBlob};
use super::file_kind::FileKind;
use super::images::BlobId;
use super::options::WalkOptions;
use super::store_files::{StoreFiles, StoreKind};
use crate::blob::{Blob, BlobLocation, BlobSink, Content, FileState, WalkError};
use sectile::FindingCode;
use sectile::digest::Digest;
use sectile_oci::LayoutError;
use sectile_oci::internal::{Document, ParsedDescriptor, malformed_error, mismatch_error, size_error};

/// The place of a document or a blob: a file, and the descriptors that lead from it to the blob, each in the one
/// before.
#[derive(Clone, Debug)]
pub(super) struct Embedded {
    file: PathBuf,
    blobs: Vec<BlobId>,
}

impl Embedded {
    /// The content of a file.
    pub(super) fn file(path: &Path) -> Self {
        Self { file: path.to_owned(), blobs: Vec::new() }
    }

    /// The blob with this digest in a descriptor of this document, with the digest.
    pub(super) fn with_blob(&self, digest: &str) -> Option<(BlobId, Self)> {
        let blob = BlobId::parse(digest)?;
        let blobs = self.blobs.iter().chain([&blob]).cloned().collect();
        Some((blob, Self { file: self.file.clone(), blobs }))
    }

    /// Reads the blob, and checks it against its descriptor.
    pub(super) fn read(&self, files: &StoreFiles<'_>) -> Result<Vec<u8>, LayoutError> {
        let mut bytes = files.read_json(&self.file)?;
        for blob in &self.blobs {
            let document = Document::parse(&self.file, &bytes, None)?;
            let entries = document.manifests.into_iter().chain(document.layers).flatten();
            let missing = || LayoutError::Missing(self.file.clone());
            let entry = entries.into_iter().find(|entry| entry.digest == blob.to_string() && entry.data.is_some());
            let entry = entry.ok_or_else(missing)?;
            bytes = decode_data(&self.file, &entry, entry.data.as_deref().unwrap_or_default())?;
        }
        Ok(bytes)
    }
}

/// The content in a descriptor, which must have its size and its digest.
pub(super) fn decode_data(path: &Path, descriptor: &ParsedDescriptor, data: &str) -> Result<Vec<u8>, LayoutError> {
    let bytes = STANDARD
        .decode(data)
        .map_err(|error| malformed_error(path, format!("the `data` of a descriptor is not Base64: {error}")))?;
    if let Some(blob) = BlobId::parse(&descriptor.digest) {
        check_bytes(path, &blob, Some(descriptor.size), &bytes)?;
    }
    Ok(bytes)
}

/// Checks bytes against the size and the digest in a descriptor.
pub(super) fn check_bytes(path: &Path, blob: &BlobId, size: Option<u64>, bytes: &[u8]) -> Result<(), LayoutError> {
    let found = bytes.len() as u64;
    let is_size = size.is_none_or(|size| size == found);
    match blob {
        BlobId::Computed(digest) => {
            if let Some(size) = size.filter(|_| !is_size) {
                return Err(size_error(*digest, found, size));
            }
            let found = Digest::new(bytes);
            if found == *digest { Ok(()) } else { Err(mismatch_error(*digest, found)) }
        }
        BlobId::Uncomputed(digest) if !is_size || digest.matches(bytes) == Some(false) => {
            Err(malformed_error(path, format!("the blob {digest} has another size or digest")))
        }
        BlobId::Uncomputed(_) | BlobId::File(_) => Ok(()),
    }
}

/// A layer in a descriptor.
pub(super) struct EmbeddedEntry {
    pub(super) blob: BlobId,
    pub(super) place: Embedded,
    pub(super) stored: StoredBlob,
}

impl EmbeddedEntry {
    /// Inspects the layer like a file.
    pub(super) fn inspect(self, options: &WalkOptions, sink: &mut dyn BlobSink) {
        let Self { place, stored, .. } = self;
        let StoredBlob { digest, image_names, expects_wasm } = stored;
        let mut location = BlobLocation::of_images(&place.file, image_names);
        // The file is the document that contains the layer, and not another name of it.
        location.other_names.retain(|name| *name != place.file);
        let bytes = match place.read(&StoreFiles::on_disk("", StoreKind::Layout)) {
            Ok(bytes) => bytes,
            Err(error) => {
                let error = WalkError::new(location, FindingCode::MalformedLayout, error.to_string());
                return sink.add_error(error.expecting_wasm(expects_wasm));
            }
        };
        sink.begin_file(bytes.len() as u64);
        let head = &bytes[..bytes.len().min(HEAD_LEN)];
        if FileKind::detect(head).is_container() && options.max_nesting > 0 {
            let name = location.file.clone();
            let file = ArchiveFile::local(name, FileState::unsettled(), location, expects_wasm);
            return archive::inspect_stream(&file, bytes.len() as u64, head, &mut &bytes[head.len()..], options, sink);
        }
        if FileKind::detect(head) != FileKind::Wasm && !expects_wasm {
            return sink.skip(0); // counted with the document
        }
        let content = Content::Stream(&mut &bytes[..]);
        sink.add_blob(Blob { location, state: None, digest, encodings: Vec::new(), content });
    }
}
