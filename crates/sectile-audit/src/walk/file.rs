//! Inspects one file of a store: opens it, checks that it is regular, and detects its type by its first page.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use super::archive::{self, ArchiveFile, has_wasm_extension};
use super::file_kind::FileKind;
use super::formats;
use super::images::{BlobId, ImageNames, LayerIndex};
use super::last_directory::LastDirectory;
use super::options::WalkOptions;
use super::probe::{Probe, ProbeBuffer};
use crate::blob::{Blob, BlobLocation, BlobSink, Content, FileState, NotOpened, WalkError};
use crate::fill::{fill_at, fill_exact_at};
use sectile::FindingCode;
use sectile::Input;
use sectile::digest::Digest;
use sectile::drive::ReadAt;
use sectile::internal::fingerprint::FileId;
use sectile::internal::{self, Link};

/// Number of bytes to detect the type of a file.
pub(super) const HEAD_LEN: usize = 4 << 10;

/// Buffers that a thread reuses for all files.
pub(in super::super) struct Scratch {
    /// The directory of the last files.
    pub(super) directory: LastDirectory,
    head: Box<[u8; HEAD_LEN]>,
    probe: ProbeBuffer,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { directory: LastDirectory::default(), head: Box::new([0; HEAD_LEN]), probe: ProbeBuffer::default() }
    }
}

/// A file in the walk.
pub(super) struct FileEntry {
    pub(super) path: PathBuf,
    /// Whether it is a root, which may be a symbolic link.
    pub(super) is_root: bool,
    pub(super) stored: Option<Box<StoredBlob>>,
    /// Further names of the file.
    pub(super) other_names: Vec<OsString>,
    /// Whether there are more.
    pub(super) omits_names: bool,
}

/// A blob of a content-addressed store as the store describes it.
pub(super) struct StoredBlob {
    /// Its digest, if it can be computed.
    pub(super) digest: Option<Digest>,
    pub(super) image_names: ImageNames,
    pub(super) expects_wasm: bool,
}

impl StoredBlob {
    pub(super) fn new(blob: &BlobId, images: &LayerIndex) -> Self {
        let (image_names, expects_wasm) = (images.image_names(blob), images.expects_wasm(blob));
        Self { digest: blob.computed(), image_names, expects_wasm }
    }
}

impl FileEntry {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, is_root: false, stored: None, other_names: Vec::new(), omits_names: false }
    }

    /// A blob of a store.
    pub(super) fn stored(path: PathBuf, stored: StoredBlob) -> Self {
        Self { stored: Some(Box::new(stored)), ..Self::new(path) }
    }

    /// Inspects the file. A file with several hard links that is not skipped goes to `keep` instead, if given.
    pub(super) fn inspect(
        self,
        options: &WalkOptions,
        scratch: &mut Scratch,
        sink: &mut dyn BlobSink,
        keep: Option<&mut dyn FnMut(FileId, Self)>,
    ) {
        let file = if self.is_root {
            internal::open(&self.path, OpenOptions::new().read(true), Link::Followed)
        } else {
            scratch.directory.open(&self.path)
        };
        let input = match file {
            Ok(file) => Input::from_file(file),
            Err(error) => return self.fail(&error, sink),
        };
        let input = match input {
            Ok(input) => input,
            Err(error) => return self.report(FindingCode::NotAFile, error.message(), sink),
        };
        let fingerprint = internal::fingerprint(&input);
        sink.open_file(fingerprint.file);
        let keep = keep.filter(|_| fingerprint.links > 1).zip(fingerprint.file);
        let digest = self.stored.as_ref().and_then(|stored| stored.digest);
        let expects_wasm = self.expects_wasm();
        let searches = options.inside.searches(true);
        if let Some((keep, file)) = keep {
            return match FileStart::read(&self.path, &input, scratch, expects_wasm, options) {
                Ok(FileStart { role: FileRole::Skipped, bytes_read, .. })
                    if !searches || !archive::has_candidates(&input, options) =>
                {
                    sink.begin_file(input.len());
                    sink.skip(bytes_read);
                }
                Ok(FileStart { role: FileRole::SkippedArchive, bytes_read, .. }) => {
                    sink.begin_file(input.len());
                    sink.skip_archive(bytes_read);
                }
                _ => keep(file, self), // an error is reported once, with all names
            };
        }
        sink.begin_file(input.len());
        let path = self.path.clone();
        let location = self.into_location();
        let state = FileState::for_file(&fingerprint);
        if sink.reuse_rows(&location, &state) {
            return;
        }
        let start = match FileStart::read(&path, &input, scratch, expects_wasm, options) {
            Ok(start) => start,
            Err(error) => {
                let error = WalkError::new(location, FindingCode::Unreadable, error.to_string());
                return sink.add_error(WalkError { state: Some(state), ..error.expecting_wasm(expects_wasm) });
            }
        };
        let bytes_read = start.bytes_read;
        match start.role {
            FileRole::Skipped if searches && !input.is_empty() => {
                let file = ArchiveFile::local(path.into(), state, location, expects_wasm);
                archive::search(&file, &input, start.known, options, sink);
            }
            FileRole::Skipped => sink.skip(bytes_read),
            FileRole::SkippedArchive => sink.skip_archive(bytes_read),
            FileRole::NotOpened(format) => {
                let format = format.to_owned();
                let not_opened = NotOpened {
                    location: location.clone(),
                    state: Some(state.clone()),
                    format,
                    expects_wasm,
                    bytes_read,
                };
                sink.add_not_opened(not_opened);
                if searches {
                    let file = ArchiveFile::local(path.into(), state, location, expects_wasm);
                    archive::search(&file, &input, start.known, options, sink);
                }
            }
            FileRole::Archive => {
                let file = ArchiveFile::local(path.into(), state, location, expects_wasm);
                archive::inspect(&file, &input, start.head, options, sink);
            }
            FileRole::Binary => {
                let content = if start.is_whole {
                    Content::Bytes(start.head)
                } else {
                    let probed = bytes_read - start.head.len() as u64;
                    Content::Range { input: &input, range: 0..input.len(), head: start.head, probed }
                };
                let is_wasm = FileKind::detect(start.head) == FileKind::Wasm;
                let file = (searches && is_wasm)
                    .then(|| ArchiveFile::local(path.into(), state.clone(), location.clone(), expects_wasm));
                sink.add_blob(Blob { location, state: Some(state), digest, encodings: Vec::new(), content });
                if let Some(file) = file {
                    archive::search_binary(&file, &input, options, sink);
                }
            }
        }
    }

    /// Whether its name or its store says that it is WebAssembly.
    fn expects_wasm(&self) -> bool {
        has_wasm_extension(self.path.as_os_str()) || self.stored.as_ref().is_some_and(|stored| stored.expects_wasm)
    }

    fn fail(self, error: &io::Error, sink: &mut dyn BlobSink) {
        let is_link = !self.is_root && self.path.is_symlink(); // a link replaced the file after the listing
        let code = if is_link { FindingCode::NotFollowed } else { FindingCode::Unreadable };
        self.report(code, error.to_string(), sink);
    }

    fn report(self, code: FindingCode, message: String, sink: &mut dyn BlobSink) {
        let expects_wasm = code == FindingCode::Unreadable && self.expects_wasm();
        sink.add_error(WalkError::new(self.into_location(), code, message).expecting_wasm(expects_wasm));
    }

    /// The names of its images, the path and the further names.
    pub(super) fn into_location(self) -> BlobLocation {
        let images = self.stored.map(|stored| stored.image_names).unwrap_or_default();
        let mut location = BlobLocation::of_images(&self.path, images);
        location.other_names.extend(self.other_names);
        location.omits_names |= self.omits_names;
        location
    }
}

/// The first page of a file, and the role of the file in the audit.
struct FileStart<'h> {
    head: &'h [u8],
    /// Whether one read returned all bytes of the file and reached its end.
    is_whole: bool,
    /// All bytes of a short file, or else the first page.
    known: &'h [u8],
    role: FileRole,
    bytes_read: u64,
}

enum FileRole {
    Skipped,
    /// It is an archive that the options do not open.
    SkippedArchive,
    /// The name of its format.
    NotOpened(&'static str),
    /// It is, or also is, an archive.
    Archive,
    Binary,
}

impl<'h> FileStart<'h> {
    fn read(
        path: &Path,
        input: &Input,
        scratch: &'h mut Scratch,
        expects_wasm: bool,
        options: &WalkOptions,
    ) -> io::Result<Self> {
        let Scratch { head, probe: buffer, .. } = scratch;
        let (head, is_whole) = read_first(input, input.len(), head)?;
        let kind = FileKind::detect_in(input, 0..input.len(), head);
        let opens_archives = options.max_nesting > 0;
        let mut start = Self { head, is_whole, known: head, role: FileRole::Binary, bytes_read: head.len() as u64 };
        if kind.is_container() && opens_archives {
            start.role = FileRole::Archive;
            return Ok(start);
        }
        let probe =
            match Probe::read(kind, head, input.len(), buffer, |bytes, offset| fill_exact_at(input, bytes, offset)) {
                Ok(probe) => probe,
                Err(_) if kind == FileKind::Wasm || expects_wasm => return Ok(start), // its reader reports the error
                Err(error) => return Err(error),
            };
        start.bytes_read += probe.bytes_read;
        start.known = buffer.whole(input.len()).unwrap_or(head);
        start.role = match probe.format.or_else(|| formats::detect_by_name(path.as_os_str(), head)) {
            _ if probe.has_archive() && opens_archives => FileRole::Archive,
            _ if kind == FileKind::Wasm => FileRole::Binary,
            Some(_) if opens_archives && archive::opens(path.as_os_str(), head) => FileRole::Archive,
            _ if expects_wasm => FileRole::Binary,
            _ if kind.is_container() => FileRole::SkippedArchive,
            Some(format) => FileRole::NotOpened(format),
            None => FileRole::Skipped,
        };
        Ok(start)
    }
}

/// Reads the first page of a file, or all of a shorter one. If the file shrank, the next read reports that.
pub(super) fn read_head<'h>(input: &Input, head: &'h mut [u8; HEAD_LEN]) -> io::Result<&'h [u8]> {
    Ok(read_first(input, input.len(), head)?.0)
}

/// As [`read_head`], with whether the first read returned all bytes and reached the end of the file. An error after some
/// bytes is not returned: the next read returns it again.
fn read_first<'h>(source: &dyn ReadAt, len: u64, head: &'h mut [u8; HEAD_LEN]) -> io::Result<(&'h [u8], bool)> {
    let len = usize::try_from(len).map_or(HEAD_LEN, |len| len.min(HEAD_LEN));
    // One byte more, if it fits, shows whether the file grew.
    let most = HEAD_LEN.min(len + 1);
    let first = match source.read_at(&mut head[..most], 0) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
        first => first?,
    };
    if first == len && first < most {
        return Ok((&head[..len], true));
    }
    let first = first.min(len);
    let rest = match fill_at(source, &mut head[first..len], first as u64) {
        Err(error) if first == 0 => return Err(error),
        rest => rest.unwrap_or(0),
    };
    Ok((&head[..first + rest], false))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns bytes up to an offset in reads of three, and fails there.
    struct Failing(usize);

    impl ReadAt for Failing {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let left = self.0 - offset as usize;
            if left == 0 { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(left.min(buffer.len()).min(3)) }
        }
    }

    #[test]
    fn error_after_some_bytes_is_left_to_the_next_read() {
        let mut head = [0; HEAD_LEN];
        for at in [1, 3, 4, 9] {
            let (read, is_whole) = read_first(&Failing(at), 100, &mut head).unwrap();
            assert_eq!((read.len(), is_whole), (at, false));
        }
        assert!(read_first(&Failing(0), 100, &mut head).is_err());
        assert_eq!(read_first(&Failing(3), 3, &mut head).unwrap(), (&[0; 3][..], true));
    }
}
