//! The front door: a driver and the metadata reader, put together.

use crate::drive::{self, Cost, Fetch, FetchOptions, ReadAt};
use crate::error::{Error, Outcome};
use crate::limits::Limits;
use crate::metadata::{Metadata, Reader};

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

/// What was read, with the break if there was one; the break alone if nothing was.
pub(crate) fn outcome<T>(value: Option<T>, result: Result<(), Error>, cost: Cost) -> Result<Outcome<T>, Error> {
    match (value, result) {
        (Some(value), result) => Ok(Outcome { value, broken: result.err(), cost }),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => unreachable!("a reading that succeeds has entered the root"),
    }
}
