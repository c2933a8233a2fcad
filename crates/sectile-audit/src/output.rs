//! The file that an audit writes its output to.

#[cfg(feature = "arrow")]
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use sectile::internal::atomic::Access;
use sectile::internal::fingerprint::{FileFingerprint, FileId};
use sectile::internal::{OutputFile, OutputPlace};
use sectile::splice::{WriteError, WriteOptions};

use super::Root;
use super::fill::fill_at;

/// The file for the output of an audit. It is checked before the audit, so that an error is found before the work.
///
/// The rules are those of [`Plan::write_file`](sectile::splice::Plan::write_file). A regular file is replaced when the
/// output is complete, and keeps its mode, owner and extended attributes. A symbolic link is followed and stays. A FIFO
/// or a device is written to. A file that the audit reads is never replaced, unless it is an earlier output.
///
/// ```no_run
/// use sectile_audit::{Audit, Format, Progress, ReportFile};
/// use sectile_policy::Policy;
///
/// let report = ReportFile::open("report.jsonl", Default::default())?;
/// let roots = ["store".into()];
/// report.check_roots(&roots)?;
/// let audit = Audit::new(Policy::default()).with_output(&report);
/// report.write(|out| audit.run(&roots, Some(Format::Jsonl), out, &Progress::new()))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ReportFile {
    place: OutputPlace,
    options: WriteOptions,
    /// The file that exists, if it is not an earlier output: the audit must not read it.
    protected: Option<FileId>,
}

impl ReportFile {
    /// Looks up a path.
    ///
    /// # Errors
    ///
    /// The file is read-only or has several hard links and is not forced, another process edits it, it is a directory or
    /// a socket, or the system reports an error.
    pub fn open(path: impl AsRef<Path>, options: WriteOptions) -> Result<Self, WriteError> {
        let place = OutputPlace::open(path.as_ref(), options)?;
        place.check_replaceable(options)?;
        let protected = if is_earlier_output(&place).map_err(WriteError::Open)? { None } else { place.id() };
        Ok(Self { place, options, protected })
    }

    /// Refuses the file if it is one of these roots or is below one, unless it is an earlier output.
    ///
    /// [`Audit::with_output`](crate::Audit::with_output) detects the cases that only the walk can find, such as other
    /// names of the file.
    ///
    /// # Errors
    ///
    /// [`WriteError::AmongInputs`].
    pub fn check_roots(&self, roots: &[Root]) -> Result<(), WriteError> {
        for root in roots.iter().filter_map(Root::as_path) {
            self.check_input(root)?;
            let (Some(path), true) = (self.place.existing_path(), self.protected.is_some()) else { continue };
            if root.canonicalize().is_ok_and(|root| path.starts_with(root)) {
                return Err(WriteError::AmongInputs);
            }
        }
        Ok(())
    }

    /// Refuses the file if it is this one, such as a policy that the audit judges by.
    ///
    /// # Errors
    ///
    /// [`WriteError::AmongInputs`].
    pub fn check_input(&self, input: &Path) -> Result<(), WriteError> {
        Self::check_differs(self.protected, input)
    }

    /// Refuses the file if it is this one, even if it is an earlier output.
    ///
    /// # Errors
    ///
    /// [`WriteError::AmongInputs`].
    pub fn check_rows(&self, rows: &Path) -> Result<(), WriteError> {
        Self::check_differs(self.place.id(), rows)
    }

    fn check_differs(file: Option<FileId>, input: &Path) -> Result<(), WriteError> {
        let id = input.metadata().ok().and_then(|metadata| FileFingerprint::new(&metadata).file);
        if id.is_some() && id == file { Err(WriteError::AmongInputs) } else { Ok(()) }
    }

    /// Writes the file. If `write` fails, the old content stays.
    ///
    /// # Errors
    ///
    /// Returns the errors of `write` as [`WriteError::Write`], and those of the system.
    pub fn write<T>(self, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, WriteError> {
        let mut out = self.create()?;
        let written = write(&mut out).map_err(write_error)?;
        out.finish()?;
        Ok(written)
    }

    /// Begins to write the file, for an audit with several outputs. If the writer is dropped before it is finished, the
    /// old content stays.
    ///
    /// # Errors
    ///
    /// The attributes of the old file cannot be kept, or the system reports an error.
    pub fn create(self) -> Result<ReportWriter, WriteError> {
        // Only its owner may write to a report that a later audit trusts.
        let output = self.place.create_with(Access::OwnerWrites, self.options)?;
        output.check_attributes()?;
        let buffer = io::BufWriter::with_capacity(BUFFER_LEN, UnbufferedOutput(output));
        Ok(ReportWriter { buffer: Some(buffer), has_failed: false })
    }

    pub(super) fn protected(&self) -> Option<FileId> {
        self.protected
    }
}

/// A [`ReportFile`] that is being written.
#[derive(Debug)]
pub struct ReportWriter {
    /// `None` only while it is dropped or finished.
    buffer: Option<io::BufWriter<UnbufferedOutput>>,
    has_failed: bool,
}

impl ReportWriter {
    /// Whether a write failed. Identifies the failed writer among several.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Replaces the file at the path.
    ///
    /// # Errors
    ///
    /// The file at the path changed in the meantime, or the system reports an error.
    pub fn finish(mut self) -> Result<(), WriteError> {
        let Some(buffer) = self.buffer.take() else { return Ok(()) };
        let UnbufferedOutput(output) = buffer.into_inner().map_err(|error| WriteError::Write(error.into_error()))?;
        output.finish(|| Ok(()))
    }
}

impl Write for ReportWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.buffer.as_mut().map_or(Ok(0), |buffer| buffer.write(bytes));
        self.has_failed |= written.is_err();
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.buffer.as_mut().map_or(Ok(()), Write::flush);
        self.has_failed |= flushed.is_err();
        flushed
    }
}

impl Drop for ReportWriter {
    fn drop(&mut self) {
        // The rest of an unfinished buffer must not reach a FIFO or a device.
        _ = self.buffer.take().map(io::BufWriter::into_parts);
    }
}

/// Writes to the file without a buffer.
#[derive(Debug)]
struct UnbufferedOutput(OutputFile);

impl Write for UnbufferedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.file().flush()
    }
}

/// Writes a file atomically, by the rules of [`ReportFile`] and with the default options.
///
/// # Errors
///
/// Returns the errors of `write`, those of the system, and each other [`WriteError`] as the inner error.
pub fn write_atomic<T>(path: impl AsRef<Path>, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
    let report = ReportFile::open(path, WriteOptions::default());
    report.and_then(|report| report.write(write)).map_err(|error| match error {
        WriteError::Write(error) => error,
        error => io::Error::other(error),
    })
}

/// Size of the write buffer in bytes.
const BUFFER_LEN: usize = 256 << 10;

/// Converts the error of a writer. A writer may find the output among its inputs.
fn write_error(error: io::Error) -> WriteError {
    match error.downcast::<WriteError>() {
        Ok(error) => error,
        Err(error) => WriteError::Write(error),
    }
}

/// Whether the file at a path is empty, or begins like the output of an audit.
fn is_earlier_output(place: &OutputPlace) -> io::Result<bool> {
    let Some(file) = place.existing() else { return place.is_empty() };
    let mut head = [0; 4096];
    let filled = fill_at(file, &mut head, 0)?;
    let head = &head[..filled];
    let begins = OUTPUT_HEADS.iter().any(|start| head.starts_with(start.as_bytes()));
    #[cfg(feature = "arrow")]
    let begins = begins || has_columns(file, head)?;
    Ok(begins || head.is_empty() || is_summary(head))
}

/// Whether a file is an output with columns.
#[cfg(feature = "arrow")]
fn has_columns(file: &File, head: &[u8]) -> io::Result<bool> {
    #[cfg(feature = "parquet")]
    if crate::is_parquet(file) {
        return Ok(crate::saved_lines::has_lines(file, file.metadata()?.len()));
    }
    let _ = file;
    let key = crate::SCHEMA_KEY.as_bytes();
    Ok(head.starts_with(&[0xff; 4]) && head.windows(key.len()).any(|window| window == key))
}

/// The first bytes of each format.
const OUTPUT_HEADS: [&str; 11] = [
    "{\"schema\":1,\"audit\":{\"version\":",
    "{\"schema\":2,\"audit\":{\"version\":",
    "file,row,others,size,digest,verified,",
    "<!-- sectile audit -->",
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"sectile audit\"",
    "::group::sectile audit",
    "{\"$schema\":\"https://docs.oasis-open.org/sarif/sarif/v2.1.0/",
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" ",
    "{\"$schema\":\"http://cyclonedx.org/schema/bom-1.6.schema.json\",\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"version\":1,\"metadata\":{\"tools\":{\"components\":[{\"type\":\"application\",\"name\":\"sectile\",",
    "{\"$schema\":\"http://cyclonedx.org/schema/bom-1.7.schema.json\",\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.7\",\"version\":1,\"metadata\":{\"tools\":{\"components\":[{\"type\":\"application\",\"name\":\"sectile\",",
    "{\"spdxVersion\":\"SPDX-2.3\",\"dataLicense\":\"CC0-1.0\",\"SPDXID\":\"SPDXRef-DOCUMENT\",\"creationInfo\":{\"creators\":[\"Tool: sectile-",
];

/// The end of the first line of a summary for people, as `sectile audit` writes it.
const SUMMARY_MARK: &str = " of the store was read (";

fn is_summary(head: &[u8]) -> bool {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    str::from_utf8(line).is_ok_and(|line| line.contains(SUMMARY_MARK) && line.contains(" binar"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{usual, written};
    use crate::{AuditInfo, Format, FormatWriter};
    use std::fs;

    #[test]
    fn each_format_is_recognized_as_an_earlier_report() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        let is_earlier = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            is_earlier_output(&OutputPlace::open(&path, WriteOptions::default()).unwrap()).unwrap()
        };
        for format in Format::ALL {
            let mut head = Vec::new();
            FormatWriter::new(format, &mut head).head(&AuditInfo::default()).unwrap();
            assert!(is_earlier(&head), "{format:?}");
            assert!(is_earlier(&written(format, &[usual(0)], None)), "{format:?}");
        }
        #[cfg(feature = "parquet")]
        {
            let mut other = written(Format::Parquet, &[usual(0)], None);
            let at = other.windows(8).rposition(|window| window == b"sectile\0").unwrap();
            other[at] = b'S';
            assert!(!is_earlier(&other), "the Parquet file of another program");
        }
        assert!(is_earlier(b""));
        for other in [&b"\0asm\x01\0\0\0"[..], b"notes\n", b"{\"imageLayoutVersion\":\"1.0.0\"}", b"<!DOCTYPE html>"] {
            assert!(!is_earlier(other), "{other:?}");
        }
    }
}
