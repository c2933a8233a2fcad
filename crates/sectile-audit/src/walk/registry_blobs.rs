//! Layers of images in a registry: several are read at once, and their rows are written one after the other.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::thread;

use super::archive::{self, ArchiveFile};
use super::images::{absent_blob, error_chain};
use super::options::WalkOptions;
use super::probe::head_len;
use super::remote_file::{RemoteFile, RemoteStart, RemoteType};
use crate::blob::{BlobLocation, BlobReading, BlobSink, FileState, WalkError};
use crate::reading::ReadOptions;
use sectile::FindingCode;
use sectile::digest::Digest;
use sectile::drive::PrefetchedHead;
use sectile::internal::run_blocking;
use sectile_oci::LayoutError;
use sectile_oci::internal::{RegistryBlob, RepositoryReader};
use sectile_oci::registry::RegistryError;

/// Maximum size of a layer that is downloaded into memory if the registry does not support ranges.
const MAX_WHOLE: u64 = 16 << 20;

/// Layers that are read at once.
pub(super) struct RegistryBatch(Vec<LayerBlob>);

/// A layer of an image.
pub(super) struct LayerBlob {
    pub(super) repository: RepositoryReader,
    pub(super) location: BlobLocation,
    pub(super) digest: Digest,
    pub(super) size: u64,
    /// Whether a media type says that it is WebAssembly.
    pub(super) expects_wasm: bool,
    /// The first of its other locations.
    pub(super) url: Option<String>,
}

type LayerStart = RemoteStart<RegistryBlob, io::Error>;

impl RegistryBatch {
    pub(super) fn new(layers: Vec<LayerBlob>) -> Self {
        Self(layers)
    }

    /// Number of layers.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Requests all layers that the earlier report does not have, then adds them one after the other.
    pub(super) fn inspect(self, options: &WalkOptions, read_options: ReadOptions<'_>, sink: &mut dyn BlobSink) {
        let is_known: Vec<bool> =
            self.0.iter().map(|layer| sink.can_reuse_rows(&layer.location, &layer.state())).collect();
        let starts: Vec<LayerStart> = thread::scope(|scope| {
            let requests: Vec<_> = self
                .0
                .iter()
                .zip(is_known)
                .map(|(layer, is_known)| {
                    scope.spawn(move || if is_known { LayerStart::Known } else { layer.begin(options, read_options) })
                })
                .collect();
            requests
                .into_iter()
                .map(|request| request.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        for (layer, start) in self.0.into_iter().zip(starts) {
            if sink.should_stop() {
                return;
            }
            layer.show(start, options, sink);
        }
    }
}

impl LayerBlob {
    /// The state of the layer, which cannot change. It includes the name, because many rows differ in their names only.
    fn state(&self) -> FileState {
        let name = Digest::new(self.location.file.as_encoded_bytes()).hex();
        FileState(format!("{}:{}", self.digest, &name[..16]))
    }

    /// The bytes of the layer.
    pub(super) fn blob(&self) -> RegistryBlob {
        self.repository.blob(self.digest, self.size, MAX_WHOLE)
    }

    /// Requests the layer, and adds it to the sink.
    pub(super) fn inspect(self, options: &WalkOptions, read_options: ReadOptions<'_>, sink: &mut dyn BlobSink) {
        let start = self.begin(options, read_options);
        self.show(start, options, sink);
    }

    /// Detects the type, and reads the layer if it is WebAssembly.
    fn begin(&self, options: &WalkOptions, read_options: ReadOptions<'_>) -> LayerStart {
        if self.size == 0 {
            return LayerStart::Empty;
        }
        if (read_options.should_stop)() {
            return LayerStart::Failed(io::ErrorKind::Interrupted.into());
        }
        self.try_begin(self.blob(), options, read_options).unwrap_or_else(LayerStart::Failed)
    }

    fn try_begin(
        &self,
        blob: RegistryBlob,
        options: &WalkOptions,
        read_options: ReadOptions<'_>,
    ) -> io::Result<LayerStart> {
        let fetch_options = options.fetch_options();
        let head_len = head_len(self.size, self.expects_wasm, fetch_options);
        let mut blob = run_blocking(PrefetchedHead::prefetch(blob, head_len))?;
        let detected = RemoteType::detect(&mut blob, self.size, OsStr::new(""), self.expects_wasm, options);
        match run_blocking(detected)? {
            RemoteType::Archive => return Ok(LayerStart::Archive(Box::new(blob))),
            RemoteType::Other(other) => return Ok(LayerStart::Other(other)),
            RemoteType::Wasm => {}
        }
        let read_options = read_options.for_blob(Some(self.digest));
        let reading = if read_options.hashes {
            let mut stream = blob.source().read_from(0).map_err(io::Error::other)?;
            let mut buffer = vec![0; 64 << 10];
            let reading = read_options.read_stream(&mut stream, &mut buffer);
            let mut reading = reading.ok_or(io::ErrorKind::Interrupted)?; // the audit stops
            reading.bytes_read += blob.bytes_fetched();
            reading
        } else {
            BlobReading { size: Some(self.size), ..run_blocking(read_options.fetch_ranges(&mut blob, fetch_options)) }
        };
        Ok(LayerStart::Read(Box::new(reading), self.state()))
    }

    /// Adds the layer to the sink, in its turn.
    fn show(self, start: LayerStart, options: &WalkOptions, sink: &mut dyn BlobSink) {
        let state = self.state();
        let Self { location, digest, size, expects_wasm, url, .. } = self;
        let file = RemoteFile { location, state, size, digest: Some(digest), expects_wasm };
        let error = |file: RemoteFile, error: io::Error| failure(file.location, &error, url.as_deref(), expects_wasm);
        let Some((file, blob)) = file.add(start, sink, error) else { return };
        let head = blob.head().clone();
        let rest = match blob.source().read_from(head.len() as u64) {
            Ok(rest) => rest,
            Err(error) => {
                let error = io::Error::other(error);
                return sink.add_error(failure(file.location, &error, url.as_deref(), expects_wasm));
            }
        };
        let RemoteFile { location, state, digest, .. } = file;
        let name = location.file.clone();
        let file = ArchiveFile { name, state, location, expects_wasm, is_changed: false, is_local: false, digest };
        // An archive does not have more bytes than its descriptor says.
        archive::inspect_stream(&file, size, &head, &mut rest.take(size - head.len() as u64), options, sink);
    }
}

/// The error of a layer that cannot be read.
fn failure(location: BlobLocation, error: &io::Error, url: Option<&str>, expects_wasm: bool) -> WalkError {
    let inner = error.get_ref();
    let of_registry = inner.and_then(|inner| inner.downcast_ref::<RegistryError>());
    let is_tampered = inner
        .and_then(|inner| inner.downcast_ref::<LayoutError>())
        .is_some_and(|error| matches!(error, LayoutError::DigestMismatch { .. }));
    let error = match (of_registry, inner) {
        (Some(error), _) if error.is_missing() => absent_blob(location, url),
        (Some(error), _) => WalkError::new(location, FindingCode::Unreadable, error_chain(error)),
        (None, _) if is_tampered => WalkError::new(location, FindingCode::DigestMismatch, error.to_string()),
        (None, _) => WalkError::new(location, FindingCode::Unreadable, error_chain(error)),
    };
    error.expecting_wasm(expects_wasm)
}
