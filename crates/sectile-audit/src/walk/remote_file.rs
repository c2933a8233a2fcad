//! Files elsewhere, objects and blobs: the type of a file by its first and last bytes, and the row for the result of
//! requests ahead of its turn.

use std::ffi::OsStr;
use std::io;

use super::file_kind::FileKind;
use super::formats;
use super::options::WalkOptions;
use super::probe::{prefix, probe_tail};
use crate::blob::{Blob, BlobLocation, BlobReading, BlobSink, Content, FileState, NotOpened, WalkError};
use sectile::FindingCode;
use sectile::digest::Digest;
use sectile::drive::{Fetch, PrefetchedHead};

/// A file elsewhere.
pub(super) struct RemoteFile {
    pub(super) location: BlobLocation,
    pub(super) state: FileState,
    /// The size that its store states.
    pub(super) size: u64,
    /// The digest that its store states.
    pub(super) digest: Option<Digest>,
    pub(super) expects_wasm: bool,
}

/// The result of requests ahead of a file's turn.
pub(super) enum RemoteStart<S, E> {
    /// The earlier report has its rows: nothing was requested.
    Known,
    /// The file has no bytes: nothing was requested.
    Empty,
    Failed(E),
    Other(OtherFile),
    Read(Box<BlobReading<'static>>, FileState),
    Archive(Box<PrefetchedHead<S>>),
}

/// A file that is neither WebAssembly nor an archive to open, and the bytes read to detect that.
pub(super) enum OtherFile {
    Plain(u64),
    /// An archive that the options do not open.
    SkippedArchive(u64),
    NotOpened(&'static str, u64),
}

/// The type of a file.
pub(super) enum RemoteType {
    /// WebAssembly, by its content or its name.
    Wasm,
    /// An archive, or a file that is searched for binaries.
    Archive,
    Other(OtherFile),
}

impl RemoteType {
    /// Detects the type of a source of this length whose head was fetched. Requests its last bytes.
    pub(super) async fn detect<F: Fetch>(
        source: &mut PrefetchedHead<F>,
        size: u64,
        name: &OsStr,
        expects_wasm: bool,
        options: &WalkOptions,
    ) -> io::Result<Self> {
        let kind = FileKind::detect(&prefix(source));
        let opens_archives = options.max_nesting > 0;
        if kind.is_container() && opens_archives {
            return Ok(Self::Archive);
        }
        let probe = probe_tail(kind, source, size).await?;
        if probe.has_archive() && opens_archives {
            return Ok(Self::Archive);
        }
        if kind == FileKind::Wasm && options.inside.searches(false) {
            return Ok(Self::Archive); // its data sections are searched
        }
        if kind == FileKind::Wasm || expects_wasm {
            return Ok(Self::Wasm);
        }
        let bytes_read = source.bytes_fetched();
        Ok(Self::Other(match probe.format.or_else(|| formats::detect_by_name(name, &prefix(source))) {
            _ if kind.is_container() => OtherFile::SkippedArchive(bytes_read),
            Some(format) => OtherFile::NotOpened(format, bytes_read),
            None if options.inside.searches(false) => return Ok(Self::Archive),
            None => OtherFile::Plain(bytes_read),
        }))
    }
}

impl RemoteFile {
    /// Adds the file to the sink, in its turn. Returns an archive that is still to be inspected.
    pub(super) fn add<S, E>(
        self,
        start: RemoteStart<S, E>,
        sink: &mut dyn BlobSink,
        error: impl FnOnce(Self, E) -> WalkError,
    ) -> Option<(Self, Box<PrefetchedHead<S>>)> {
        sink.begin_file(self.size);
        if sink.reuse_rows(&self.location, &self.state) {
            return None;
        }
        match start {
            RemoteStart::Known => {
                let message = "its row in the earlier report can no longer be read";
                let error = WalkError::new(self.location, FindingCode::Unreadable, message);
                sink.add_error(error.expecting_wasm(self.expects_wasm));
            }
            RemoteStart::Empty if self.expects_wasm => {
                let content = Content::Stream(&mut io::empty());
                let Self { location, state, digest, .. } = self;
                sink.add_blob(Blob { location, state: Some(state), digest, encodings: Vec::new(), content });
            }
            RemoteStart::Empty => sink.skip(0),
            RemoteStart::Failed(reason) => sink.add_error(error(self, reason)),
            RemoteStart::Other(OtherFile::Plain(bytes_read)) => sink.skip(bytes_read),
            RemoteStart::Other(OtherFile::SkippedArchive(bytes_read)) => sink.skip_archive(bytes_read),
            RemoteStart::Other(OtherFile::NotOpened(format, bytes_read)) => sink.add_not_opened(NotOpened {
                location: self.location,
                state: Some(self.state),
                format: format.to_owned(),
                expects_wasm: self.expects_wasm,
                bytes_read,
            }),
            RemoteStart::Read(reading, state) => {
                let content = Content::Reading(reading);
                sink.add_blob(Blob {
                    location: self.location,
                    state: Some(state),
                    digest: self.digest,
                    encodings: Vec::new(),
                    content,
                });
            }
            RemoteStart::Archive(source) => return Some((self, source)),
        }
        None
    }
}
