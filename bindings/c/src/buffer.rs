//! Bytes that C code reads.

use std::ffi::c_char;

use crate::boundary::guarded_value;
use crate::error::Failure;

/// Bytes of a handle: valid until the handle is freed. Texts are UTF-8 and do not end with NUL. A missing text has NULL
/// as its data, an empty one has not.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct View {
    /// The bytes.
    data: *const c_char,
    /// Number of bytes.
    len: usize,
}

impl View {
    /// The bytes must live as long as the handle of the function.
    pub fn new(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr().cast(), len: bytes.len() }
    }

    pub fn optional(bytes: Option<&[u8]>) -> Self {
        bytes.map_or(Self { data: std::ptr::null(), len: 0 }, Self::new)
    }
}

/// Bytes of the caller, freed with `sectile_buffer_free`. A NUL follows them, so that a document is a C string.
#[repr(C)]
pub struct Buffer {
    /// The bytes, or NULL.
    data: *mut c_char,
    /// Number of bytes, without the NUL.
    len: usize,
}

impl Buffer {
    pub const EMPTY: Self = Self { data: std::ptr::null_mut(), len: 0 };

    pub fn new(mut bytes: Vec<u8>) -> Self {
        let len = bytes.len();
        bytes.push(0);
        Self { data: Box::into_raw(bytes.into_boxed_slice()).cast(), len }
    }

    /// The document that a function writes, without the line feed at its end.
    pub fn document<T>(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<T>) -> Result<Self, Failure> {
        let mut json = Vec::new();
        write(&mut json)?;
        json.pop_if(|last| *last == b'\n');
        Ok(Self::new(json))
    }
}

/// Frees the bytes of a buffer and empties it. NULL and an empty buffer are ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sectile_buffer_free(buffer: *mut Buffer) {
    // SAFETY: the caller guarantees NULL or a buffer that only this thread uses.
    let Some(buffer) = (unsafe { buffer.as_mut() }) else { return };
    let Buffer { data, len } = std::mem::replace(buffer, Buffer::EMPTY);
    if !data.is_null() {
        let bytes = std::ptr::slice_from_raw_parts_mut(data.cast::<u8>(), len + 1);
        // SAFETY: `new` made the bytes from a box of this length, and C code must not change the structure.
        let bytes = unsafe { Box::from_raw(bytes) };
        guarded_value(move || drop(bytes));
    }
}
