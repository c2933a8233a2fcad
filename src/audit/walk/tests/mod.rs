//! Every kind of store, good and bad, shown to a recorder.

mod archives;
mod hostile;
mod stores;
mod tree;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;

use super::{Root, Scratch, Unit, WalkOptions, walk};
use crate::audit::blob::{self, Blob, Content, Look, Place, State, Trouble};
use crate::audit::reading::Asked;
use crate::drive::ReadAt;
use crate::policy::Policy;

/// The smallest module, with a licence; and another one.
const MODULE: &[u8] = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";
const OTHER: &[u8] = b"\0asm\x01\0\0\0";

/// What was shown.
#[derive(Debug, Default)]
struct Shown {
    blobs: Vec<Seen>,
    troubles: Vec<Trouble>,
    opened: u64,
    passed: u64,
    bytes_read: u64,
    inflated: u64,
    known: HashSet<OsString>,
    asked: Vec<(OsString, State)>,
    /// Bytes of a stream that are read; all where it is `None`.
    reads: Option<u64>,
    stops_after: Option<usize>,
}

#[derive(Debug)]
struct Seen {
    file: String,
    others: Vec<String>,
    digest: Option<String>,
    has_state: bool,
    is_part: bool,
    bytes: Vec<u8>,
    broke: bool,
}

fn text(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// What nothing that lies here asks for.
fn asked() -> Asked<'static> {
    static POLICY: LazyLock<Policy> = LazyLock::new(Policy::default);
    Asked { policy: &POLICY, draws: false, hashes: false, stops: &|| false }
}

impl Look for Shown {
    fn open(&mut self, bytes: u64) {
        self.opened += bytes;
    }

    fn knows(&mut self, place: &Place, state: &State) -> bool {
        self.asked.push((place.file.clone(), state.clone()));
        self.known.contains(&place.file)
    }

    #[cfg(feature = "remote")]
    fn will_know(&self, place: &Place, _: &State) -> bool {
        self.known.contains(&place.file)
    }

    fn see(&mut self, blob: Blob<'_>) {
        let mut bytes = Vec::new();
        let (mut is_part, mut broke) = (false, false);
        match blob.content {
            Content::Part { input, range, head } => {
                is_part = true;
                bytes.resize((range.end - range.start) as usize, 0);
                let mut filled = 0;
                while filled < bytes.len() {
                    let read = input.read_at(&mut bytes[filled..], range.start + filled as u64).unwrap();
                    assert_ne!(read, 0);
                    filled += read;
                }
                assert_eq!(&bytes[..bytes.len().min(4096)], head, "{}", text(&blob.place.file));
            }
            #[cfg(feature = "remote")]
            Content::Looked(_) => unreachable!("nothing lies far away"),
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
        self.blobs.push(Seen {
            file: text(&blob.place.file),
            others: blob.place.others.iter().map(|other| text(other)).collect(),
            digest: blob.digest.map(|digest| digest.to_string()),
            has_state: blob.state.is_some(),
            is_part,
            bytes,
            broke,
        });
    }

    fn trouble(&mut self, trouble: Trouble) {
        self.troubles.push(trouble);
    }

    fn pass(&mut self, bytes_read: u64) {
        self.passed += 1;
        self.bytes_read += bytes_read;
    }

    fn archive(&mut self, archive: blob::Archive<'_>) {
        self.inflated += archive.bytes_read;
    }

    fn stops(&self) -> bool {
        self.stops_after.is_some_and(|most| self.blobs.len() >= most)
    }
}

impl Shown {
    fn files(&self) -> Vec<&str> {
        self.blobs.iter().map(|blob| &*blob.file).collect()
    }

    /// `code file` of each trouble.
    fn codes(&self) -> Vec<String> {
        self.troubles.iter().map(|trouble| format!("{} {}", trouble.code, text(&trouble.place.file))).collect()
    }

    fn blob(&self, file: &str) -> &Seen {
        self.blobs
            .iter()
            .find(|blob| blob.file == file)
            .unwrap_or_else(|| panic!("{file} is not in {:?}", self.files()))
    }
}

/// Walks paths, with the directory taken off of what is shown.
fn show_with(paths: &[&Path], options: &WalkOptions, mut shown: Shown) -> Shown {
    let paths: Vec<_> = paths.iter().map(|&path| Root::from(path)).collect();
    let mut scratch = Scratch::default();
    walk(&paths, options, &|| false, &mut |unit: Unit| {
        unit.look_into(options, asked(), &mut scratch, &mut shown);
        ControlFlow::Continue(())
    });
    shown
}

fn show(path: &Path) -> Shown {
    let base = format!("{}/", path.display());
    let mut shown = show_with(&[path], &WalkOptions::default(), Shown::default());
    for blob in &mut shown.blobs {
        blob.file = blob.file.replace(&base, "");
        blob.others
            .iter_mut()
            .for_each(|other| *other = other.replace(&base, "").replace(base.trim_end_matches('/'), "."));
    }
    for trouble in &mut shown.troubles {
        trouble.place.file = text(&trouble.place.file).replace(&base, "").into();
    }
    shown
}

/// One file of these bytes, as `a`.
fn show_file(bytes: &[u8]) -> Shown {
    show_file_with(bytes, &WalkOptions::default(), Shown::default())
}

fn show_file_with(bytes: &[u8], options: &WalkOptions, shown: Shown) -> Shown {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    fs::write(&path, bytes).unwrap();
    let base = format!("{}/", directory.path().display());
    let mut shown = show_with(&[&path], options, shown);
    shown.blobs.iter_mut().for_each(|blob| blob.file = blob.file.replace(&base, ""));
    for trouble in &mut shown.troubles {
        trouble.place.file = text(&trouble.place.file).replace(&base, "").into();
    }
    shown
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
