//! The front door: a driver and the metadata reader, put together.

use crate::drive::{self, Cost, Fetch, FetchOptions, ReadAt};
use crate::error::{Error, Outcome};
use crate::finding::Code;
use crate::limits::Limits;
use crate::metadata::{Metadata, Reader};
use crate::store::Input;

/// What is said of a file that was changed while it was read.
pub(crate) const CHANGED: &str = "the file's size or times are not what they were before";

/// Reads the metadata of a binary in memory: a slice, or a [`Map`](drive::Map). The values borrow from it.
///
/// ```
/// use sectile::{Limits, metadata::Field};
///
/// let module = b"\0asm\x01\0\0\0\x00\x0c\x08licensesMIT";
/// let metadata = sectile::read_slice(module, Limits::default())?.complete()?;
/// let licenses = metadata.root().annotation(Field::Licenses).and_then(|value| value.as_str());
/// assert_eq!(licenses, Some("MIT"));
/// # Ok::<(), sectile::Error>(())
/// ```
///
/// # Errors
///
/// The bytes are no WebAssembly. Whatever else is wrong with them, what stands before it is read: see [`Outcome`].
pub fn read_slice(bytes: &[u8], limits: Limits) -> Result<Outcome<Metadata<'_>>, Error> {
    let mut reader = Reader::borrowing(limits);
    let (result, cost) = drive::slice(bytes, &mut reader, limits);
    outcome(reader.finish(), result, cost)
}

/// Reads the metadata of a file, or of anything else with positioned reads, of `len` bytes. Little more is read than
/// the metadata.
///
/// # Errors
///
/// The bytes are no WebAssembly, or cannot be read at all. Whatever else is wrong, what stands before it is read: see
/// [`Outcome`].
pub fn read_at<R: ReadAt + ?Sized>(source: &R, len: u64, limits: Limits) -> Result<Outcome<Metadata<'static>>, Error> {
    let mut reader = Reader::copying(limits);
    let (result, cost) = drive::read_at(source, len, &mut reader, limits);
    outcome(reader.finish(), result, cost)
}

/// Reads the metadata of what a source gives by ranges: little more is fetched than the metadata, in few requests.
///
/// # Errors
///
/// The bytes are no WebAssembly, or cannot be had at all. Whatever else is wrong, what stands before it is read: see
/// [`Outcome`].
pub async fn read_fetch<F: Fetch>(
    source: &mut F,
    options: FetchOptions,
    limits: Limits,
) -> Result<Outcome<Metadata<'static>>, Error> {
    let mut reader = Reader::copying(limits);
    let (result, cost) = drive::fetch(source, &mut reader, options, limits).await;
    outcome(reader.finish(), result, cost)
}

impl Input {
    /// Reads the file's metadata. A file that was changed meanwhile is a finding (`changed`).
    ///
    /// # Errors
    ///
    /// The file is no WebAssembly, or nothing of it can be read. Whatever else is wrong, what stands before it is read:
    /// see [`Outcome`].
    pub fn read(&self, limits: Limits) -> Result<Outcome<Metadata<'static>>, Error> {
        let mut reader = Reader::copying(limits);
        let read = self.scan(&mut reader, limits);
        self.outcome(reader.finish(), read, |metadata| metadata.find_in_root(Code::Changed, CHANGED))
    }

    /// What a pass over the file gave, which is told if the file was changed meanwhile.
    pub(crate) fn outcome<T>(
        &self,
        value: Option<T>,
        (result, cost): (Result<(), Error>, Cost),
        tell: impl FnOnce(&mut T),
    ) -> Result<Outcome<T>, Error> {
        let mut outcome = outcome(value, result, cost)?;
        if self.changed()? {
            tell(&mut outcome.value);
        }
        Ok(outcome)
    }
}

/// What was read, with the break if there was one; the break alone if nothing was.
pub(crate) fn outcome<T>(value: Option<T>, result: Result<(), Error>, cost: Cost) -> Result<Outcome<T>, Error> {
    match (value, result) {
        (Some(value), result) => Ok(Outcome { value, broken: result.err(), cost }),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => unreachable!("a reading that succeeds has entered the root"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn module(licenses: &[u8]) -> Vec<u8> {
        let name = b"\x08licenses";
        let header = [0, (name.len() + licenses.len()) as u8];
        [&b"\0asm\x01\0\0\0"[..], &header, name, licenses].concat()
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_is_a_finding() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&module(b"MIT")).unwrap();
        let input = Input::of(file.try_clone().unwrap()).unwrap();
        assert!(!input.changed().unwrap());
        file.write_all(&module(b"MIT")[8..]).unwrap();
        assert!(input.changed().unwrap());
        let outcome = input.read(Limits::default()).unwrap();
        let codes: Vec<_> = outcome.value.findings().iter().map(|finding| finding.code).collect();
        assert_eq!((codes, outcome.broken.is_none()), (vec![Code::Changed], true)); // as far as it went before
    }

    #[test]
    fn a_file_that_is_truncated_while_it_is_read_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[module(b"MIT"), vec![1, 0xff, 0x7f], vec![0; 0x3fff], vec![3, 0]].concat()).unwrap();
        let input = Input::of(file.try_clone().unwrap()).unwrap();
        file.set_len(0x2000).unwrap();
        let outcome = input.read(Limits::default()).unwrap();
        assert!(outcome.value.root().annotations().next().is_some());
        let error = outcome.broken.unwrap();
        assert!(error.is_io() && error.to_string().contains("shrank"), "{error}");
    }
}
