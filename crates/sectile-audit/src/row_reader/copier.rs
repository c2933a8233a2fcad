//! A sink that copies the binary of one row.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};

use super::{RowCopy, RowReadError};
use crate::blob::{
    ArchiveFinding, ArchiveReading, Blob, BlobLocation, BlobSink, Content, FileState, NotOpened, WalkError,
    not_opened_message,
};
use crate::reading::RangeReader;
use crate::row_name::is_entry_of;
use sectile::digest::Hasher;
use sectile::{FindingCode, Severity};

/// Copies the binary with a name, and compares it with others of that name.
pub(super) struct RowCopier<'o> {
    /// The name, or `None` to list all names.
    wanted: Option<&'o OsStr>,
    /// The images whose binaries are listed, or `None` for all.
    images: Option<&'o [OsString]>,
    out: Option<&'o mut dyn Write>,
    copy: Option<RowCopy>,
    /// Whether a file of the name is an archive with other binaries, and is not read to its end.
    is_other: bool,
    /// Whether the row is that of an object or of a layer in a registry, of which the walk read ranges only.
    #[cfg(any(feature = "registry", feature = "remote"))]
    pub(super) is_remote: bool,
    failure: Option<RowReadError>,
    /// The first finding on the name.
    finding: Option<RowReadError>,
    /// The first names.
    names: Vec<OsString>,
}

/// Maximum number of names in a list.
const MAX_NAMES: usize = 8;

/// Size in bytes of one read.
const BUFFER_LEN: usize = 64 << 10;

impl<'o> RowCopier<'o> {
    pub(super) fn new(wanted: &'o OsStr, out: &'o mut dyn Write) -> Self {
        Self { wanted: Some(wanted), out: Some(out), ..Self::lister(None) }
    }

    /// Lists the first names of binaries instead, or of those in images.
    pub(super) fn lister(images: Option<&'o [OsString]>) -> Self {
        Self {
            wanted: None,
            images,
            out: None,
            copy: None,
            is_other: false,
            #[cfg(any(feature = "registry", feature = "remote"))]
            is_remote: false,
            failure: None,
            finding: None,
            names: Vec::new(),
        }
    }

    /// The copy, or `None` if the store has no row with this name.
    pub(super) fn finish(self) -> Result<Option<RowCopy>, RowReadError> {
        match (self.failure, self.copy, self.finding) {
            (Some(failure), ..) | (None, None, Some(failure)) => Err(failure),
            (None, copy, _) => Ok(copy),
        }
    }

    /// The first names, without duplicates.
    pub(super) fn into_names(self) -> Vec<OsString> {
        self.names
    }

    fn is_wanted(&self, location: &BlobLocation) -> bool {
        self.wanted.is_some_and(|wanted| location.names().any(|name| name == wanted))
    }

    fn list(&mut self, location: &BlobLocation) {
        let is_in = |name: &OsStr, image: &OsString| {
            let rest = name.as_encoded_bytes().strip_prefix(image.as_encoded_bytes());
            matches!(rest, Some([] | [b'@' | b'!', ..]))
        };
        let listed = |name: &&OsStr| self.images.is_none_or(|images| images.iter().any(|image| is_in(name, image)));
        if let Some(name) = location.names().find(listed)
            && self.names.len() < MAX_NAMES
            && !self.names.iter().any(|other| other == name)
        {
            self.names.push(name.to_owned());
        }
    }

    pub(super) fn fail(&mut self, failure: RowReadError) {
        self.failure.get_or_insert(failure);
    }

    /// Copies the first binary of the name. Another one must have the same bytes.
    pub(super) fn add(&mut self, reader: &mut dyn Read) {
        match copy(reader, self.out.take()) {
            Ok(copy) if self.failure.is_none() && self.copy.is_none_or(|first| first == copy) => self.copy = Some(copy),
            Err(failure) if self.copy.is_none() => self.fail(failure),
            Ok(_) | Err(_) => self.fail(RowReadError::Ambiguous),
        }
    }
}

/// Reads a stream to its end, and writes it if there is a writer.
fn copy(reader: &mut dyn Read, mut out: Option<&mut dyn Write>) -> Result<RowCopy, RowReadError> {
    let (mut hasher, mut size, mut buffer) = (Hasher::new(), 0, vec![0; BUFFER_LEN]);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(RowCopy { size, digest: hasher.finish() }),
            Ok(len) => {
                hasher.update(&buffer[..len]);
                size += len as u64;
                if let Some(out) = &mut out {
                    out.write_all(&buffer[..len]).map_err(RowReadError::Write)?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(RowReadError::Read(error)),
        }
    }
}

impl BlobSink for RowCopier<'_> {
    fn reuse_rows(&mut self, _: &BlobLocation, _: &FileState) -> bool {
        false
    }

    #[cfg(any(feature = "registry", feature = "remote"))]
    fn can_reuse_rows(&self, _: &BlobLocation, _: &FileState) -> bool {
        false
    }

    fn begin_file(&mut self, _: u64) {}

    fn add_blob(&mut self, blob: Blob<'_>) {
        if self.wanted.is_none() {
            return self.list(&blob.location);
        }
        if !self.is_wanted(&blob.location) {
            self.is_other |= self.wanted.is_some_and(|wanted| is_entry_of(&blob.location.file, wanted));
            return;
        }
        match blob.content {
            Content::Bytes(mut bytes) => self.add(&mut bytes),
            Content::Range { input, range, .. } => self.add(&mut RangeReader { input, range }),
            Content::Stream(stream) => self.add(stream),
            #[cfg(any(feature = "registry", feature = "remote"))]
            Content::Reading(_) => self.is_remote = true,
        }
    }

    fn add_error(&mut self, error: WalkError) {
        let WalkError { location, code, message, .. } = error;
        if !self.is_wanted(&location) {
            return;
        }
        let finding = RowReadError::Finding { code, message };
        if code.severity() > Severity::Note {
            self.fail(finding);
        } else {
            self.finding.get_or_insert(finding);
        }
    }

    fn add_not_opened(&mut self, file: NotOpened) {
        if self.is_wanted(&file.location) {
            let code = FindingCode::NotOpened;
            let message = not_opened_message(&file.format);
            self.finding.get_or_insert(RowReadError::Finding { code, message });
        }
    }

    fn skip(&mut self, _: u64) {}

    fn skip_archive(&mut self, _: u64) {}

    fn end_archive(&mut self, archive: ArchiveReading<'_>) {
        for finding in archive.findings {
            if self.is_wanted(&finding.archive) {
                let ArchiveFinding { code, message, .. } = finding;
                self.finding.get_or_insert(RowReadError::Finding { code, message });
            }
        }
    }

    fn row_bytes(&self) -> u64 {
        0
    }

    fn should_stop(&self) -> bool {
        self.is_other && self.copy.is_none()
    }
}
