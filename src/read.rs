//! Functions that read metadata: the drivers combined with the metadata reader.
//!
//! The short functions use the default [`Limits`] and return an error for anything less than a
//! complete pass. Their `_with` forms take limits and return an [`Outcome`], which holds the value
//! and the error of a partial pass.

use std::path::Path;

use crate::drive::{self, Fetch, FetchOptions, ReadAt};
use crate::error::Error;
use crate::finding::FindingCode;
use crate::input::Input;
use crate::limits::Limits;
use crate::metadata::{Metadata, SliceReader, StreamReader};
use crate::outcome::Outcome;

/// Message of a `changed` finding.
pub const CHANGED: &str = "the file changed while it was read: its size or times differ";

/// Reads the metadata of a file with positioned reads, which skip everything else.
///
/// Values are decoded leniently: an invalid value is a finding. Truncation is an error that carries
/// the metadata before the cut ([`Error::into_partial`]).
///
/// ```no_run
/// use sectile::Field;
///
/// let metadata = sectile::read("app.wasm")?;
/// for item in metadata.items() {
///     println!("{} {}: {:?}", item.path(), item.kind(), item.text(Field::Licenses));
/// }
/// # Ok::<(), sectile::Error>(())
/// ```
///
/// # Errors
///
/// The file cannot be read, is not WebAssembly, is truncated or malformed, or exceeds a default
/// limit.
pub fn read(path: impl AsRef<Path>) -> Result<Metadata<'static>, Error> {
    Input::open(path)?.read()
}

/// Reads the metadata of a binary in memory: a slice, or a [`Map`](drive::Map). The values borrow
/// from it.
///
/// ```
/// use sectile::Field;
///
/// let module = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";
/// assert_eq!(sectile::read_slice(module)?.root().text(Field::Licenses), Some("MIT"));
/// # Ok::<(), sectile::Error>(())
/// ```
///
/// # Errors
///
/// As for [`read`].
pub fn read_slice(bytes: &[u8]) -> Result<Metadata<'_>, Error> {
    read_slice_with(bytes, Limits::default()).into_result()
}

/// As [`read_slice`], within these limits.
pub fn read_slice_with(bytes: &[u8], limits: Limits) -> Outcome<Metadata<'_>> {
    drive::collect_slice(bytes, SliceReader::with_limits(limits))
}

/// Reads the metadata of `len` bytes of a source with positioned reads.
///
/// # Errors
///
/// As for [`read`].
pub fn read_at<R: ReadAt + ?Sized>(source: &R, len: u64) -> Result<Metadata<'static>, Error> {
    read_at_with(source, len, Limits::default()).into_result()
}

/// As [`read_at`], within these limits.
pub fn read_at_with<R: ReadAt + ?Sized>(source: &R, len: u64, limits: Limits) -> Outcome<Metadata<'static>> {
    drive::collect_at(source, len, StreamReader::with_limits(limits))
}

/// Reads the metadata of a source of byte ranges, with few requests that skip everything else.
///
/// # Errors
///
/// As for [`read`].
pub async fn read_fetch<F: Fetch>(source: &mut F) -> Result<Metadata<'static>, Error> {
    read_fetch_with(source, FetchOptions::default(), Limits::default()).await.into_result()
}

/// As [`read_fetch`], with these options and within these limits.
pub async fn read_fetch_with<F: Fetch>(
    source: &mut F,
    options: FetchOptions,
    limits: Limits,
) -> Outcome<Metadata<'static>> {
    drive::collect_fetch(source, StreamReader::with_limits(limits), options).await
}

impl Input {
    /// Reads the file's metadata. A change of the file during the read is a finding (`changed`).
    ///
    /// # Errors
    ///
    /// As for [`read()`].
    pub fn read(&self) -> Result<Metadata<'static>, Error> {
        self.read_with(Limits::default()).into_result()
    }

    /// As [`read`](Self::read), within these limits.
    pub fn read_with(&self, limits: Limits) -> Outcome<Metadata<'static>> {
        self.collect_checked(StreamReader::with_limits(limits), |metadata| {
            metadata.find_in_root(FindingCode::Changed, CHANGED);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Finding;
    use std::io::Write;

    fn module(licenses: &[u8]) -> Vec<u8> {
        let name = b"\x08licenses";
        let header = [0, (name.len() + licenses.len()) as u8];
        [&b"\0asm\x01\0\0\0"[..], &header, name, licenses].concat()
    }

    #[test]
    fn growth_during_a_read_is_a_finding() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&module(b"MIT")).unwrap();
        let input = Input::from_file(file.try_clone().unwrap()).unwrap();
        assert!(!input.changed().unwrap());
        file.write_all(&module(b"MIT")[8..]).unwrap();
        assert!(input.changed().unwrap());
        let metadata = input.read().unwrap(); // up to the earlier length
        assert_eq!(metadata.findings().iter().map(Finding::code).collect::<Vec<_>>(), [FindingCode::Changed]);
    }

    #[test]
    fn truncation_during_a_read_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[module(b"MIT"), vec![1, 0xff, 0x7f], vec![0; 0x3fff], vec![3, 0]].concat()).unwrap();
        let input = Input::from_file(file.try_clone().unwrap()).unwrap();
        file.set_len(0x2000).unwrap();
        let error = input.read().unwrap_err();
        assert!(error.partial().unwrap().root().annotations().next().is_some());
        assert!(error.is_io() && error.to_string().contains("shrank"), "{error}");
    }
}
