//! Chunks as they arrive.

use std::ffi::OsStr;

use sectile::drive::PushDriver;
use sectile::metadata::StreamReader;

use crate::boundary::{Out, exclusive, free, guarded, values};
use crate::error::{Error, Failure, Status};
use crate::metadata::Metadata;
use crate::source::UNNAMED;

/// A reader of chunks of a source as they arrive. One thread may use it at a time.
pub struct Push {
    /// `None` after the end.
    driver: Option<PushDriver<StreamReader>>,
}

/// Makes a reader of a source that arrives in chunks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_push_new(push: *mut *mut Push, error: *mut *mut Error) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let out = unsafe { Out::handle(push, "push")? };
        out.set_handle(Push { driver: Some(PushDriver::new(StreamReader::new())) });
        Ok(())
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Frees a reader of chunks. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_push_free(push: *mut Push) {
    // SAFETY: the caller guarantees a reader of this library that is freed once.
    unsafe { free(push) };
}

/// Reads the next chunk, which may have any length. Only the metadata is kept. A malformed source is an error as soon as
/// the first malformed byte arrives; each later chunk has the same error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_push_feed(
    push: *mut Push,
    data: *const u8,
    len: usize,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (push, data) = unsafe { (exclusive(push, "push")?, values(data, len, "data")?) };
        let mut driver = push.driver.take().ok_or_else(ended)?; // not put back if it panics
        let result = driver.push(data);
        push.driver = Some(driver);
        Ok(result?)
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

/// Ends the source, and returns its metadata as `sectile_read` does. The reader can then only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_push_end(
    push: *mut Push,
    metadata: *mut *mut Metadata,
    error: *mut *mut Error,
) -> Status {
    let body = || {
        // SAFETY: the head of the header is the contract.
        let (out, push) = unsafe { (Out::handle(metadata, "metadata")?, exclusive(push, "push")?) };
        let driver = push.driver.take().ok_or_else(ended)?;
        let size = driver.cost().bytes;
        Metadata::new(OsStr::new(UNNAMED), size, driver.finish()).finish(&out)
    };
    // SAFETY: the head of the header is the contract.
    unsafe { guarded(error, body) }
}

fn ended() -> Failure {
    Failure::argument("the source has ended: free `push`")
}
