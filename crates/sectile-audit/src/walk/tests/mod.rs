//! Walks stores of all types, sound and hostile, with a recorder.

mod archives;
mod asar;
mod hostile;
mod inside;
mod packages;
mod stores;
mod tars;
mod tree;
mod zips;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;

use super::{Root, Scratch, Unit, WalkOptions, unit, walk};
use crate::blob::{self, Blob, BlobLocation, BlobSink, Content, FileState, NotOpened, WalkError};
use crate::outline::OutlineParts;
use crate::reading::ReadOptions;
use crate::row::RowKind;
use crate::{RowReadError, RowReader};
use sectile::FindingCode;
use sectile::digest::Digest;
use sectile::drive::ReadAt;
use sectile_policy::Policy;

/// The smallest module with a license, and another module.
const MODULE: &[u8] = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";
const OTHER: &[u8] = b"\0asm\x01\0\0\0";

/// Records the events of a walk.
#[derive(Debug, Default)]
struct Recorder {
    blobs: Vec<RecordedBlob>,
    errors: Vec<WalkError>,
    /// The formats that are not opened.
    not_opened: Vec<String>,
    opened: u64,
    passed: u64,
    bytes_read: u64,
    inflated: u64,
    known: HashSet<OsString>,
    queried: Vec<(OsString, FileState)>,
    /// Number of bytes to read from a stream, or `None` for all.
    reads: Option<u64>,
    stops_after: Option<usize>,
}

#[derive(Debug)]
struct RecordedBlob {
    file: String,
    other_names: Vec<String>,
    digest: Option<String>,
    has_state: bool,
    is_part: bool,
    bytes: Vec<u8>,
    broke: bool,
}

impl RecordedBlob {
    fn names(&self) -> impl Iterator<Item = &str> {
        [&*self.file].into_iter().chain(self.other_names.iter().map(|name| &**name))
    }

    /// The name that is a path.
    fn path(&self) -> &str {
        self.names().find(|name| !name.starts_with("oci:")).unwrap()
    }

    /// The names that are those of images.
    fn images(&self) -> Vec<&str> {
        self.names().filter(|name| name.starts_with("oci:")).collect()
    }
}

fn text(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// Options that local files do not use.
fn read_options() -> ReadOptions<'static> {
    static POLICY: LazyLock<Policy> = LazyLock::new(Policy::default);
    ReadOptions {
        policy: &POLICY,
        outline: OutlineParts::default(),
        with_interface: false,
        hashes: false,
        should_stop: &|| false,
    }
}

impl BlobSink for Recorder {
    fn begin_file(&mut self, bytes: u64) {
        self.opened += bytes;
    }

    fn reuse_rows(&mut self, location: &BlobLocation, state: &FileState) -> bool {
        self.queried.push((location.file.clone(), state.clone()));
        self.known.contains(&location.file)
    }

    #[cfg(feature = "remote")]
    fn can_reuse_rows(&self, location: &BlobLocation, _: &FileState) -> bool {
        self.known.contains(&location.file)
    }

    fn add_blob(&mut self, blob: Blob<'_>) {
        let mut bytes = Vec::new();
        let (mut is_part, mut broke) = (false, false);
        match blob.content {
            Content::Bytes(content) => {
                is_part = true;
                bytes.extend_from_slice(content);
            }
            Content::Range { input, range, head, .. } => {
                is_part = true;
                bytes.resize((range.end - range.start) as usize, 0);
                let mut filled = 0;
                while filled < bytes.len() {
                    let read = input.read_at(&mut bytes[filled..], range.start + filled as u64).unwrap();
                    assert_ne!(read, 0);
                    filled += read;
                }
                assert_eq!(&bytes[..bytes.len().min(4096)], head, "{}", text(&blob.location.file));
            }
            #[cfg(feature = "remote")]
            Content::Reading(_) => unreachable!("the store is local"),
            Content::Stream(reader) => {
                let mut chunk = [0; 1000];
                while self.reads.is_none_or(|most| (bytes.len() as u64) < most) {
                    match reader.read(&mut chunk) {
                        Ok(0) => break,
                        Ok(read) => bytes.extend_from_slice(&chunk[..read]),
                        Err(_) => {
                            broke = true;
                            break;
                        }
                    }
                }
            }
        }
        self.blobs.push(RecordedBlob {
            file: text(&blob.location.file),
            other_names: blob.location.other_names.iter().map(|other| text(other)).collect(),
            digest: blob.digest.map(|digest| digest.to_string()),
            has_state: blob.state.is_some(),
            is_part,
            bytes,
            broke,
        });
    }

    fn add_error(&mut self, error: WalkError) {
        self.errors.push(error);
    }

    fn skip(&mut self, bytes_read: u64) {
        self.passed += 1;
        self.bytes_read += bytes_read;
    }

    fn skip_archive(&mut self, bytes_read: u64) {
        self.skip(bytes_read);
    }

    fn add_not_opened(&mut self, file: NotOpened) {
        self.not_opened.push(file.format);
        self.errors.push(WalkError::new(file.location, FindingCode::NotOpened, "").expecting_wasm(file.expects_wasm));
    }

    fn end_archive(&mut self, archive: blob::ArchiveReading<'_>) {
        self.inflated += archive.bytes_read;
        self.not_opened.extend(archive.not_opened.into_keys());
        for blob::ArchiveFinding { mut archive, entry, code, message } in archive.findings {
            if let Some(entry) = entry {
                archive.file.push("!");
                archive.file.push(entry);
            }
            self.errors.push(WalkError { row_kind: RowKind::Archive, ..WalkError::new(archive, code, message) });
        }
    }

    fn row_bytes(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.file.len() as u64).sum()
    }

    fn should_stop(&self) -> bool {
        self.stops_after.is_some_and(|most| self.blobs.len() >= most)
    }
}

impl Recorder {
    fn files(&self) -> Vec<&str> {
        self.blobs.iter().map(|blob| &*blob.file).collect()
    }

    /// `code path` of each error.
    fn codes(&self) -> Vec<String> {
        let path = |error: &WalkError| error.location.names().map(text).find(|name| !name.starts_with("oci:"));
        self.errors.iter().map(|error| format!("{} {}", error.code, path(error).unwrap())).collect()
    }

    /// The paths of the blobs.
    fn paths(&self) -> Vec<&str> {
        self.blobs.iter().map(RecordedBlob::path).collect()
    }

    /// The code of damage: it depends on whether there is a binary.
    fn fault(&self) -> &'static str {
        if self.blobs.is_empty() { "malformed-archive" } else { "disputed-archive" }
    }

    /// Whether an archive is damaged, or readers may disagree about it.
    fn has_fault(&self) -> bool {
        let faults = [sectile::FindingCode::MalformedArchive, sectile::FindingCode::DisputedArchive];
        self.errors.iter().any(|error| faults.contains(&error.code))
    }

    fn blob(&self, file: &str) -> &RecordedBlob {
        self.blobs
            .iter()
            .find(|blob| blob.path() == file)
            .unwrap_or_else(|| panic!("{file} is not in {:?}", self.files()))
    }
}

/// Walks paths and strips the directory from the names.
fn walk_paths(paths: &[&Path], options: &WalkOptions, mut recorder: Recorder) -> Recorder {
    let paths: Vec<_> = paths.iter().map(|&path| Root::from(path)).collect();
    let mut scratch = Scratch::default();
    walk(&paths, options, &|| false, &mut |unit: Unit| {
        unit.inspect(options, read_options(), &mut scratch, &mut recorder);
        ControlFlow::Continue(())
    });
    let bytes: usize = recorder.blobs.iter().map(|blob| blob.bytes.len()).sum();
    if recorder.reads.is_none() && recorder.stops_after.is_none() && bytes < 1 << 20 {
        read_again(&recorder, options);
    }
    recorder
}

/// Reads binaries by all names of their rows. The bytes are those that the walk found.
fn read_again(recorder: &Recorder, options: &WalkOptions) {
    const MOST: usize = 4; // of a store with thousands
    let step = recorder.blobs.len() / MOST + 1;
    let reader = RowReader::new().with_walk(options.clone());
    for blob in recorder.blobs.iter().step_by(step) {
        for name in blob.names().take(3) {
            if name.contains('\u{fffd}') {
                continue; // this recorder replaces bytes that are not UTF-8
            }
            let has_name = |other: &&RecordedBlob| other.names().any(|other| other == name);
            let of_name: Vec<_> = recorder.blobs.iter().filter(has_name).collect();
            let mut bytes = Vec::new();
            match reader.copy(name.as_ref(), &mut bytes) {
                Ok(copy) => {
                    assert!(of_name.iter().all(|other| other.bytes == bytes && !other.broke), "{name}");
                    assert_eq!((copy.size, copy.digest), (bytes.len() as u64, Digest::new(&bytes)), "{name}");
                }
                Err(RowReadError::Read(_)) => assert!(of_name.iter().any(|other| other.broke), "{name}"),
                Err(RowReadError::Ambiguous) => assert!(of_name.len() > 1, "{name}"),
                Err(RowReadError::Finding { code, .. }) => {
                    let has_name = |error: &WalkError| error.location.names().any(|other| other == name);
                    assert!(recorder.errors.iter().any(|error| error.code == code && has_name(error)), "{name}");
                }
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }
}

fn walk_path(path: &Path) -> Recorder {
    let base = format!("{}/", path.display());
    let mut recorder = walk_paths(&[path], &WalkOptions::default(), Recorder::default());
    let relative = |name: &str| name.replace(&base, "").replace(base.trim_end_matches('/'), ".");
    for blob in &mut recorder.blobs {
        [&mut blob.file].into_iter().chain(&mut blob.other_names).for_each(|name| *name = relative(name));
    }
    for BlobLocation { file, other_names, .. } in recorder.errors.iter_mut().map(|error| &mut error.location) {
        [file].into_iter().chain(other_names).for_each(|name| *name = relative(&text(name)).into());
    }
    recorder
}

/// Walks one file with these bytes, as `a`.
fn walk_file(bytes: &[u8]) -> Recorder {
    walk_file_with(bytes, &WalkOptions::default(), Recorder::default())
}

fn walk_file_with(bytes: &[u8], options: &WalkOptions, recorder: Recorder) -> Recorder {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    fs::write(&path, bytes).unwrap();
    let base = format!("{}/", directory.path().display());
    let mut recorder = walk_paths(&[&path], options, recorder);
    recorder.blobs.iter_mut().for_each(|blob| blob.file = blob.file.replace(&base, ""));
    for error in &mut recorder.errors {
        error.location.file = text(&error.location.file).replace(&base, "").into();
    }
    recorder
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip(entries: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes, deflated) in entries {
        let method = if *deflated { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
