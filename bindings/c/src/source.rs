//! Sources: paths, bytes and callbacks.

use std::ffi::{OsStr, OsString, c_char, c_void};
use std::io;

use sectile::drive::{self, ReadAt};
use sectile::internal::{collect_checked, outcome};
use sectile::scan::{Collector, Visitor};
use sectile::{Input, Limits, Outcome};

use crate::boundary::{Out, free, guarded, path, values};
use crate::error::{Error, Failure, Status};

/// Reads at most `len` bytes at `offset` of a source into `buffer`. Returns their number, which is 0 only at the end, or a
/// negative number if the read fails: `errno` with a minus, or any other. It must not unwind or `longjmp`, and must not
/// free the source.
#[allow(non_camel_case_types)] // its name in C
pub type sectile_read_at =
    Option<unsafe extern "C" fn(context: *mut c_void, buffer: *mut u8, len: usize, offset: u64) -> i64>;

/// A source of bytes: a file, bytes in memory, or a callback. Several threads may use one at a time; of a callback, only
/// if the callback permits it.
pub struct Source {
    name: OsString,
    content: Content,
}

enum Content {
    Input(Input),
    Bytes(&'static [u8]),
    Callback(Callback),
}

/// Opens the regular file at a path: any bytes on Unix, UTF-8 on Windows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_source_open(
    file: *const c_char,
    source: *mut *mut Source,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (out, file) = unsafe { (Out::handle(source, "source")?, path(file, "file")?) };
        out.set_handle(Source { name: file.into(), content: Content::Input(Input::open(file)?) });
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Makes a source of bytes in memory. They must stay valid and unchanged until the source is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_source_bytes(
    data: *const u8,
    len: usize,
    source: *mut *mut Source,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract, and the caller keeps the bytes longer than the source.
        let (out, data) = unsafe { (Out::handle(source, "source")?, values(data, len, "data")?) };
        out.set_handle(Source { name: UNNAMED.into(), content: Content::Bytes(data) });
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Makes a source of `len` bytes that a callback reads. The callback gets `context`, and is called only during functions
/// that take the source, on their thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_source_callback(
    read: sectile_read_at,
    context: *mut c_void,
    len: u64,
    source: *mut *mut Source,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let out = unsafe { Out::handle(source, "source")? };
        let Some(read) = read else { return Err(Failure::null("read")) };
        out.set_handle(Source { name: UNNAMED.into(), content: Content::Callback(Callback { read, context, len }) });
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Frees a source. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_source_free(source: *mut Source) {
    // SAFETY: the caller guarantees a source of this library that is freed once.
    unsafe { free(source) };
}

/// Name of a source without a path, as of standard input.
pub const UNNAMED: &str = "-";

impl Source {
    /// Name in documents.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    pub fn len(&self) -> u64 {
        match &self.content {
            Content::Input(input) => input.len(),
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Callback(callback) => callback.len,
        }
    }

    /// The file of a source with a path.
    pub fn input(&self) -> Option<&Input> {
        match &self.content {
            Content::Input(input) => Some(input),
            Content::Bytes(_) | Content::Callback(_) => None,
        }
    }

    pub fn reader(&self) -> &dyn ReadAt {
        match &self.content {
            Content::Input(input) => input,
            Content::Bytes(bytes) => bytes,
            Content::Callback(callback) => callback,
        }
    }

    /// Scans the source with a visitor.
    pub fn scan<V: for<'w> Visitor<'w>>(&self, visitor: &mut V) -> Outcome<()> {
        match &self.content {
            Content::Input(input) => input.scan(visitor, Limits::default()),
            Content::Bytes(_) | Content::Callback(_) => {
                drive::scan_at(self.reader(), self.len(), visitor, Limits::default())
            }
        }
    }

    /// Reads the source with a collector. If its file changes during the read, `record_change` records it in the value.
    pub fn collect<C>(&self, collector: C, record_change: impl FnOnce(&mut C::Value)) -> Outcome<C::Value>
    where
        C: Collector + for<'w> Visitor<'w>,
    {
        match &self.content {
            Content::Input(input) => collect_checked(input, collector, record_change),
            Content::Bytes(_) | Content::Callback(_) => drive::collect_at(self.reader(), self.len(), collector),
        }
    }
}

/// The outcome without a cost if nothing was read, as the command omits it.
pub fn without_cost_if_unread<T>(read: Outcome<T>) -> Outcome<T> {
    match read.into_parts() {
        (None, error, _) => outcome(None, error, sectile::Cost::default()),
        (value, error, cost) => outcome(value, error, cost),
    }
}

/// Bytes that C code reads.
struct Callback {
    read: unsafe extern "C" fn(*mut c_void, *mut u8, usize, u64) -> i64,
    context: *mut c_void,
    len: u64,
}

impl ReadAt for Callback {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        // SAFETY: the caller of `sectile_source_callback` guarantees that the callback takes these arguments on this
        // thread. The buffer is initialized and exclusive.
        let read = unsafe { (self.read)(self.context, buffer.as_mut_ptr(), buffer.len(), offset) };
        if read < 0 {
            return Err(match i32::try_from(read.unsigned_abs()) {
                Ok(code) => io::Error::from_raw_os_error(code),
                Err(_) => io::Error::other("the callback failed"),
            });
        }
        let read = usize::try_from(read).ok().filter(|read| *read <= buffer.len());
        read.ok_or_else(|| io::Error::other("the callback returned more bytes than requested"))
    }
}
