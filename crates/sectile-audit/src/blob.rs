//! The blobs of a store, the results of reading them, and the errors of a walk.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::ops::Range;
use std::thread;
use std::time::{Duration, SystemTime};

use super::outline::Outline;
use super::row::RowKind;
use sectile::FindingCode;
use sectile::Input;
use sectile::Outcome;
use sectile::digest::Digest;
use sectile::internal::fingerprint::{FileFingerprint, FileId};
use sectile_policy::Reading;

/// Receives the contents of a store, on one thread.
pub(super) trait BlobSink {
    /// Writes the rows of an earlier report for the file at this location, and returns whether the report has them.
    ///
    /// They are valid if the state and the names of the file are the same. The file is not read then.
    fn reuse_rows(&mut self, location: &BlobLocation, state: &FileState) -> bool;

    /// Whether [`reuse_rows`](Self::reuse_rows) will succeed. If so, the blob is not prefetched.
    #[cfg(any(feature = "registry", feature = "remote"))]
    fn can_reuse_rows(&self, location: &BlobLocation, state: &FileState) -> bool;

    /// Receives the identity of a local file that is about to be read.
    fn open_file(&mut self, _: Option<FileId>) {}

    /// Begins a file of this length, of any type.
    fn begin_file(&mut self, bytes: u64);

    /// Adds a blob that begins like WebAssembly, or that is named or listed as WebAssembly.
    fn add_blob(&mut self, blob: Blob<'_>);

    /// Adds a file that was skipped or cannot be read.
    fn add_error(&mut self, error: WalkError);

    /// Adds a file of a format that is not opened.
    fn add_not_opened(&mut self, file: NotOpened);

    /// Counts a file or an archive entry that is neither WebAssembly nor an archive, and the bytes read to detect that.
    fn skip(&mut self, bytes_read: u64);

    /// Counts the bytes that were read to search a binary for others, without a result.
    fn add_searched(&mut self, _: u64) {}

    /// Counts an archive that the options do not open, and the bytes read to detect it.
    fn skip_archive(&mut self, bytes_read: u64);

    /// Ends an archive, and adds its findings. All its blobs were added, unless the walk was stopped.
    fn end_archive(&mut self, archive: ArchiveReading<'_>);

    /// Number of bytes of text in the rows of the current file.
    fn row_bytes(&self) -> u64;

    /// Whether to stop as soon as possible.
    fn should_stop(&self) -> bool;
}

/// A blob that is WebAssembly by its content, its name or its store.
pub(super) struct Blob<'b> {
    pub(super) location: BlobLocation,
    /// The state of its file, to detect later changes.
    pub(super) state: Option<FileState>,
    /// The digest that its store states; it is not verified.
    pub(super) digest: Option<Digest>,
    /// The encodings in which another file contains it, the outermost first. Empty for a file and an archive's entry.
    pub(super) encodings: Vec<&'static str>,
    pub(super) content: Content<'b>,
}

/// An archive, or a compressed file, that was inspected.
pub(super) struct ArchiveReading<'b> {
    pub(super) location: &'b BlobLocation,
    pub(super) state: &'b FileState,
    /// Bytes of its file that were read to find and to inflate its entries.
    ///
    /// Includes the bytes of streamed blobs. The reader of a [`Content::Range`] counts those of that blob itself.
    pub(super) bytes_read: u64,
    /// Whether all reads of the file succeeded. A failed read may succeed another time.
    pub(super) was_read: bool,
    /// The findings on the archive, on the archives in it, and on their entries.
    pub(super) findings: Vec<ArchiveFinding>,
    /// Number of entries of formats that are not opened, by format.
    pub(super) not_opened: BTreeMap<String, u64>,
}

/// A finding on an archive, or on an entry that is not a binary.
#[derive(Clone, Debug)]
pub(super) struct ArchiveFinding {
    /// The archive, which may be an entry of another one.
    pub(super) archive: BlobLocation,
    /// The path of the entry in the archive, or `None` for the archive itself.
    pub(super) entry: Option<OsString>,
    pub(super) code: FindingCode,
    /// A message of one line, which may quote the archive.
    pub(super) message: String,
}

/// The bytes of a blob.
pub(super) enum Content<'b> {
    /// All bytes of a file that one call of the system read. A change of the file before the call would have changed
    /// its length or its state, and a later change does not concern these bytes.
    Bytes(&'b [u8]),
    /// A range of a file, readable at any position: the whole file, or a stored entry of an archive.
    Range {
        input: &'b Input,
        range: Range<u64>,
        /// The first bytes of the range, which were read to detect its type.
        head: &'b [u8],
        /// Number of further bytes that were read to detect its type and are not counted elsewhere.
        probed: u64,
    },
    /// The output of a decompressor, readable once.
    Stream(&'b mut dyn Read),
    /// A remote object or blob that was read ahead of its turn.
    #[cfg(any(feature = "registry", feature = "remote"))]
    Reading(Box<BlobReading<'b>>),
}

/// The result of reading a blob.
pub(super) struct BlobReading<'b> {
    pub(super) outcome: Outcome<Reading<'b>>,
    /// Length in bytes, or `None` if the end was not reached.
    pub(super) size: Option<u64>,
    /// Bytes read, including those that were read to detect the type.
    pub(super) bytes_read: u64,
    pub(super) outline: Outline,
    /// Digest of all bytes, if it was requested and all bytes were read.
    pub(super) digest: Option<Digest>,
    /// Whether the file changed while it was read.
    pub(super) changed: bool,
}

/// The location of a blob: its path and its further names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BlobLocation {
    /// The path of the file, the URL of the object, or the first image that has the blob as a layer
    /// (`oci:DIR:NAME`).
    ///
    /// For an archive entry, the paths of the archive and of the entry: `dist/app.tgz!package/app.wasm`.
    pub(super) file: OsString,
    /// Further names: the path of a blob that is named by its image, its other images, and hard links in the order of
    /// the walk.
    pub(super) other_names: Vec<OsString>,
    /// Whether there are more names. Patterns of a policy cannot be checked against them.
    pub(super) omits_names: bool,
}

impl BlobLocation {
    pub(super) fn new(file: impl Into<OsString>) -> Self {
        Self { file: file.into(), other_names: Vec::new(), omits_names: false }
    }

    /// All names, that of the row first.
    pub(super) fn names(&self) -> impl Iterator<Item = &OsStr> {
        [&*self.file].into_iter().chain(self.other_names.iter().map(|name| &**name))
    }
}

/// The state of a file or an object as text, which differs after every change.
///
/// It is empty if a change of the file could have the same time stamp: its rows are not reused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileState(pub(super) String);

/// A file of a format that is not opened.
#[derive(Clone, Debug)]
pub(super) struct NotOpened {
    pub(super) location: BlobLocation,
    pub(super) state: Option<FileState>,
    /// The name of the format.
    pub(super) format: String,
    /// Whether its name or its store says that it is WebAssembly.
    pub(super) expects_wasm: bool,
    /// Bytes read to detect the format.
    pub(super) bytes_read: u64,
}

/// The message on a file of a format that is not opened.
pub(super) fn not_opened_message(format: &str) -> String {
    format!("its contents are not audited: unsupported format {format}")
}

impl FileState {
    /// The state of a local file that is about to be read. Waits out the tick of the file's time stamp if it is short.
    pub(super) fn for_file(fingerprint: &FileFingerprint) -> Self {
        let settles_at = fingerprint.settles_at();
        match settles_at.duration_since(SystemTime::now()) {
            Ok(left) if left > MAX_WAIT => return Self::unsettled(),
            Ok(left) => thread::sleep(left),
            Err(_) => {} // in the past
        }
        if SystemTime::now() >= settles_at { Self(fingerprint.text()) } else { Self::unsettled() }
    }

    /// The state of a file that may change unnoticed.
    pub(super) fn unsettled() -> Self {
        Self(String::new())
    }

    /// Whether every later change of the file has another state.
    pub(super) fn is_settled(&self) -> bool {
        !self.0.is_empty()
    }
}

/// Maximum time to wait for a time stamp to settle.
const MAX_WAIT: Duration = Duration::from_millis(20);

/// A file that was skipped or cannot be read.
#[derive(Clone, Debug)]
pub(super) struct WalkError {
    pub(super) location: BlobLocation,
    pub(super) state: Option<FileState>,
    /// A binary if its name or its store says that it is WebAssembly.
    pub(super) row_kind: RowKind,
    /// One of the finding codes about stores.
    pub(super) code: FindingCode,
    /// A message of one line, which may quote the store.
    pub(super) message: String,
}

impl WalkError {
    /// An error on a file that is not a binary, or is not known to be one.
    pub(super) fn new(location: BlobLocation, code: FindingCode, message: impl Into<String>) -> Self {
        Self { location, state: None, row_kind: RowKind::File, code, message: message.into() }
    }

    /// Sets whether the name or the store of the file says that it is WebAssembly.
    pub(super) fn expecting_wasm(self, expects_wasm: bool) -> Self {
        Self { row_kind: if expects_wasm { RowKind::Binary } else { RowKind::File }, ..self }
    }
}
