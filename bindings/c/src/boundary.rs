//! Calls from C: panics are caught, and pointers are converted.

use std::any::Any;
use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::slice;

use crate::error::{Error, Failure, Status};

/// Calls the body of an exported function. Stores its failure, or NULL, at `error` unless that is NULL.
///
/// A panic becomes a failure. Handles that the body was changing when it panicked may only be freed: each `&mut` state in
/// this crate is taken out of its handle first.
///
/// # Safety
///
/// `error` is NULL or valid for a write.
pub unsafe fn guarded(error: *mut *mut Error, body: impl FnOnce() -> Result<(), Failure>) -> Status {
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(Failure::panic(panic_text(&*panic))));
    let (status, failure) = match result {
        Ok(()) => (Status::Ok, None),
        Err(failure) => (failure.status(), Some(failure)),
    };
    if !error.is_null() {
        let raised = failure.map_or(std::ptr::null_mut(), |failure| Box::into_raw(Box::new(Error::new(&failure))));
        // SAFETY: the caller guarantees a pointer that is valid for a write.
        unsafe { error.write(raised) };
    }
    status
}

/// Calls the body of an exported function that has no error. A panic becomes the default.
pub fn guarded_value<T: Default>(body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_default()
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown")
}

/// A parameter through which a function returns a value.
pub struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Checks the pointer.
    ///
    /// # Safety
    ///
    /// `pointer` is NULL, or valid for writes until the function returns.
    pub unsafe fn new(pointer: *mut T, name: &str) -> Result<Self, Failure> {
        if pointer.is_null() { Err(Failure::null(name)) } else { Ok(Self(pointer)) }
    }

    /// As [`new`](Self::new), for a value that the caller may omit.
    ///
    /// # Safety
    ///
    /// As for [`new`](Self::new).
    pub unsafe fn optional(pointer: *mut T) -> Option<Self> {
        (!pointer.is_null()).then_some(Self(pointer))
    }

    /// Writes the value.
    pub fn set(&self, value: T) {
        // SAFETY: the pointer is not NULL, and the creator guarantees that it is valid for writes. The earlier value is
        // not dropped: it may be uninitialized.
        unsafe { self.0.write(value) };
    }
}

impl<T> Out<*mut T> {
    /// As [`new`](Self::new), for a handle. It is NULL until it is set.
    ///
    /// # Safety
    ///
    /// As for [`new`](Self::new).
    pub unsafe fn handle(pointer: *mut *mut T, name: &str) -> Result<Self, Failure> {
        // SAFETY: the caller's guarantee is the same.
        let out = unsafe { Self::new(pointer, name) }?;
        out.set(std::ptr::null_mut());
        Ok(out)
    }

    /// Writes a handle, which [`free`] frees.
    pub fn set_handle(&self, value: T) {
        self.set(Box::into_raw(Box::new(value)));
    }
}

/// The object of a handle.
///
/// # Safety
///
/// `handle` is NULL, or of a live object that no other thread changes while the reference exists.
pub unsafe fn reference<'a, T>(handle: *const T, name: &str) -> Result<&'a T, Failure> {
    // SAFETY: the caller guarantees a live object.
    unsafe { handle.as_ref() }.ok_or_else(|| Failure::null(name))
}

/// The object of a handle, to change it.
///
/// # Safety
///
/// `handle` is NULL, or of a live object that no other thread uses while the reference exists.
pub unsafe fn exclusive<'a, T>(handle: *mut T, name: &str) -> Result<&'a mut T, Failure> {
    // SAFETY: the caller guarantees a live object that only this thread uses.
    unsafe { handle.as_mut() }.ok_or_else(|| Failure::null(name))
}

/// Frees the object of a handle.
///
/// # Safety
///
/// `handle` is NULL, or from [`Out::set_handle`] or `Box::into_raw`, and not used again.
pub unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: the caller guarantees that the object is from a box, and is freed once.
        let object = unsafe { Box::from_raw(handle) };
        guarded_value(move || drop(object));
    }
}

/// `len` values; NULL is accepted for none.
///
/// # Safety
///
/// `data` is NULL or valid for reads of `len` values, which no thread changes during the lifetime.
pub unsafe fn values<'a, T>(data: *const T, len: usize, name: &str) -> Result<&'a [T], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Failure::null(name));
    }
    let bytes = len.checked_mul(size_of::<T>()).filter(|bytes| isize::try_from(*bytes).is_ok());
    if bytes.is_none_or(|bytes| data.addr().checked_add(bytes).is_none()) || !data.is_aligned() {
        return Err(Failure::argument(format!("the length of `{name}` is not valid: {len}")));
    }
    // SAFETY: the pointer is aligned and not NULL, the length fits, and the caller guarantees the rest.
    Ok(unsafe { slice::from_raw_parts(data, len) })
}

/// The text of a string that ends with NUL.
///
/// # Safety
///
/// `text` is NULL, or a string that ends with NUL and that no thread changes during the lifetime.
pub unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, Failure> {
    // SAFETY: the caller's guarantee is the same.
    let bytes = unsafe { c_string(text, name) }?;
    bytes.to_str().map_err(|_| Failure::argument(format!("`{name}` is not UTF-8")))
}

/// The path of a string that ends with NUL: any bytes on Unix, UTF-8 elsewhere.
///
/// # Safety
///
/// As for [`text`].
pub unsafe fn path<'a>(path: *const c_char, name: &str) -> Result<&'a Path, Failure> {
    #[cfg(unix)]
    {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        // SAFETY: the caller's guarantee is the same.
        let bytes = unsafe { c_string(path, name) }?;
        Ok(Path::new(OsStr::from_bytes(bytes.to_bytes())))
    }
    #[cfg(not(unix))]
    {
        // SAFETY: the caller's guarantee is the same.
        unsafe { text(path, name) }.map(Path::new)
    }
}

/// # Safety
///
/// As for [`text`].
unsafe fn c_string<'a>(text: *const c_char, name: &str) -> Result<&'a CStr, Failure> {
    if text.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: the pointer is not NULL, and the caller guarantees the NUL at the end.
    Ok(unsafe { CStr::from_ptr(text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_text() {
        let mut error = std::ptr::null_mut();
        // SAFETY: the pointer is of a local variable.
        let status = unsafe { guarded(&raw mut error, || panic!("broken {}", 1)) };
        assert_eq!(status, Status::Panic);
        // SAFETY: `guarded` stores a valid error.
        let message = unsafe { CStr::from_ptr((*error).message()) };
        assert!(message.to_str().unwrap().contains("broken 1"), "{message:?}");
        // SAFETY: the error is from `guarded`, and freed once.
        unsafe { free(error) };
        assert_eq!(guarded_value(|| -> usize { panic!("no error is stored") }), 0);
    }

    #[test]
    fn null_and_impossible_lengths_are_errors() {
        let byte = 1_u8;
        for (data, len) in [(std::ptr::null(), 1), (&raw const byte, usize::MAX), (&raw const byte, 1 << 63)] {
            // SAFETY: these are rejected before any byte is read.
            assert_eq!(unsafe { values(data, len, "data") }.unwrap_err().status(), Status::Argument);
        }
        // SAFETY: no byte is read.
        assert!(unsafe { values::<u8>(std::ptr::null(), 0, "data") }.unwrap().is_empty());
    }
}
