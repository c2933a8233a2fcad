//! Errors.

use std::ffi::{CString, c_char, c_int};

use sectile::edit::EditError;
use sectile_policy::PolicyError;

use crate::boundary::free;

/// Result of a function.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Success.
    Ok = 0,
    /// An argument is NULL, has an impossible length, is not UTF-8, or is not valid for the function.
    Argument = 1,
    /// The system, or the callback of a source, reports an error. `system` of the error is the `errno`.
    Io = 2,
    /// The source is not WebAssembly.
    NotWasm = 3,
    /// The source is malformed or truncated.
    Malformed = 4,
    /// The source exceeds a limit.
    Limit = 5,
    /// The edit cannot be made: a value is not valid, or the source does not permit it.
    Edit = 6,
    /// The policy is not valid.
    Policy = 7,
    /// A defect of the library. The handles of the call may only be freed.
    Panic = 8,
    /// The policy refuses the upload, or its length is not permitted.
    Refused = 9,
}

/// An error. Freed with `sectile_error_free`.
#[repr(C)]
pub struct Error {
    /// The status that the function returned.
    status: Status,
    /// `errno` of the system's error, or 0.
    system: c_int,
    /// Byte offset of the fault in the source, or `SECTILE_NO_OFFSET`.
    offset: u64,
    /// The message in UTF-8: the fault, its place, and what to do. Control characters of the source are escaped.
    message: *const c_char,
}

/// The fault is not at an offset.
pub const SECTILE_NO_OFFSET: u64 = u64::MAX;

/// Frees an error. NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_error_free(error: *mut Error) {
    // SAFETY: the caller guarantees an error of this library that is freed once.
    unsafe { free(error) };
}

impl Error {
    pub fn new(failure: &Failure) -> Self {
        let text = CString::new(failure.message.replace('\0', "\\0")).unwrap_or_default();
        let offset = failure.offset.unwrap_or(SECTILE_NO_OFFSET);
        Self { status: failure.status, system: failure.system, offset, message: text.into_raw() }
    }

    #[cfg(test)]
    pub fn message(&self) -> *const c_char {
        self.message
    }
}

impl Drop for Error {
    fn drop(&mut self) {
        // SAFETY: `new` made the pointer with `into_raw`, and C code must not change the structure.
        drop(unsafe { CString::from_raw(self.message.cast_mut()) });
    }
}

/// The failure of a function, before it is an [`Error`].
#[derive(Clone, Debug)]
pub struct Failure {
    status: Status,
    system: c_int,
    offset: Option<u64>,
    message: String,
}

impl Failure {
    fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, system: 0, offset: None, message: message.into() }
    }

    pub fn at(status: Status, offset: Option<u64>, message: impl Into<String>) -> Self {
        Self { offset, ..Self::new(status, message) }
    }

    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(Status::Argument, message)
    }

    pub fn limit(message: impl Into<String>) -> Self {
        Self::new(Status::Limit, message)
    }

    pub fn null(name: &str) -> Self {
        Self::argument(format!("`{name}` is NULL"))
    }

    pub fn panic(text: &str) -> Self {
        Self::new(Status::Panic, format!("a defect of the library: {text}"))
    }

    pub fn status(&self) -> Status {
        self.status
    }
}

impl From<&sectile::Error> for Failure {
    fn from(error: &sectile::Error) -> Self {
        let status = match error {
            _ if error.is_not_wasm() => Status::NotWasm,
            _ if error.is_malformed() => Status::Malformed,
            _ if error.is_limit() => Status::Limit,
            _ if error.is_io() || error.io_error().is_some() => Status::Io,
            _ => Status::Edit,
        };
        let system = error.io_error().and_then(std::io::Error::raw_os_error).unwrap_or(0);
        Self { status, system, offset: error.offset(), message: format!("{error:?}") } // `Debug` adds the sources
    }
}

impl From<sectile::Error> for Failure {
    fn from(error: sectile::Error) -> Self {
        Self::from(&error)
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        sectile::Error::from(error).into()
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        sectile::Error::from(error).into()
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self::new(Status::Policy, error.to_string())
    }
}
