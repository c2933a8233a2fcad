//! The boundary of the module: its exports, and its one import.
//!
//! A host passes memory as a pointer and a length. It allocates the memory with [`alloc`] and writes
//! it before the call. An instance has one thread, and the host must not call an export while
//! `read_at` runs.

#![allow(unsafe_code)] // the host passes pointers
// In native tests, the names of the exports would be those of the C library.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code))]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::io;

use crate::session::{Part, Session, Status};

/// Version of this interface. It changes with the exports, the requests and the meaning of both.
const VERSION: u32 = 1;

thread_local! {
    static SESSION: RefCell<Session> = RefCell::default();
}

fn session<T>(call: impl FnOnce(&mut Session) -> T) -> T {
    SESSION.with_borrow_mut(call)
}

#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
extern "C" fn sectile_abi() -> u32 {
    VERSION
}

/// Allocates zeroed memory; 0 if there is none.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
extern "C" fn alloc(len: usize) -> *mut u8 {
    match Layout::array::<u8>(len.max(1)) {
        // SAFETY: the size is not 0.
        Ok(layout) => unsafe { alloc_zeroed(layout) },
        Err(_) => std::ptr::null_mut(),
    }
}

/// Frees memory of [`alloc`].
///
/// # Safety
///
/// `pointer` is of a call of `alloc` with this length, and was neither freed nor supplied.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
unsafe extern "C" fn free(pointer: *mut u8, len: usize) {
    if let Ok(layout) = Layout::array::<u8>(len.max(1)) {
        // SAFETY: the caller's contract. `alloc` used this layout.
        unsafe { dealloc(pointer, layout) };
    }
}

/// Runs an operation on a source of `size` bytes that `read_at` reads.
///
/// # Safety
///
/// `request` is memory of [`alloc`] with at least `len` bytes.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
unsafe extern "C" fn run(request: *const u8, len: usize, handle: u32, size: u64) -> Status {
    // SAFETY: the caller's contract.
    let request = unsafe { bytes(request, len) };
    session(|session| session.run(request, handle, size))
}

/// Runs an operation on a source of `size` bytes that `supply` provides.
///
/// # Safety
///
/// As for [`run`].
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
unsafe extern "C" fn pull(request: *const u8, len: usize, size: u64) -> Status {
    // SAFETY: the caller's contract.
    let request = unsafe { bytes(request, len) };
    session(|session| session.pull(request, size))
}

/// Start of the range that is needed.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
extern "C" fn need_start() -> u64 {
    session(|session| session.needed().start)
}

/// End of the range that is needed; the start if none is.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
extern "C" fn need_end() -> u64 {
    session(|session| session.needed().end)
}

/// Provides bytes at an absolute offset, and continues. The instance frees the memory.
///
/// # Safety
///
/// `pointer` is of a call of [`alloc`] with this length, which is not 0. The caller does not use it
/// afterwards.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
unsafe extern "C" fn supply(pointer: *mut u8, len: usize, offset: u64) -> Status {
    // SAFETY: `alloc` allocated and initialized `len` bytes with the layout of a slice of this
    // length, and the caller passes the ownership.
    let bytes = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(pointer, len)) }.into_vec();
    session(|session| session.supply(bytes, offset))
}

/// Starts an operation on bytes that arrive in order.
///
/// # Safety
///
/// As for [`run`].
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
unsafe extern "C" fn begin(request: *const u8, len: usize) -> Status {
    // SAFETY: the caller's contract.
    let request = unsafe { bytes(request, len) };
    session(|session| session.begin(request))
}

/// Feeds the next bytes. The memory stays the host's, and may be used for the next chunk.
///
/// # Safety
///
/// `chunk` is memory of [`alloc`] with at least `len` bytes.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
unsafe extern "C" fn feed(chunk: *const u8, len: usize) -> Status {
    // SAFETY: the caller's contract.
    let chunk = unsafe { bytes(chunk, len) };
    session(|session| session.feed(chunk))
}

/// Number of the next bytes that need not be fed.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
extern "C" fn skippable() -> u64 {
    session(|session| session.skippable())
}

/// Passes over bytes that need not be fed.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
extern "C" fn skip(len: u64) -> Status {
    session(|session| session.skip(len))
}

/// Ends the upload. `digest` points at the 32 bytes of its SHA-256, or is 0.
///
/// # Safety
///
/// `digest` is 0, or memory of [`alloc`] with at least 32 bytes.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
unsafe extern "C" fn end(digest: *const [u8; 32]) -> Status {
    // SAFETY: the caller's contract. The alignment of an array of bytes is 1.
    let digest = unsafe { digest.as_ref() }.copied();
    session(|session| session.end(digest))
}

/// Address of a part of the output: 0 is the document, 1 the error, 2 the plan. It is valid until the
/// next call of another export.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
extern "C" fn output(part: u32) -> *const u8 {
    session(|session| session.output(find_part(part)).as_ptr())
}

/// Length of a part of the output.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
extern "C" fn output_len(part: u32) -> usize {
    session(|session| session.output(find_part(part)).len())
}

/// Releases the operation and its output.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
extern "C" fn reset() {
    session(Session::reset);
}

fn find_part(part: u32) -> Part {
    match part {
        0 => Part::Document,
        1 => Part::Error,
        _ => Part::Plan,
    }
}

/// # Safety
///
/// `pointer` has at least `len` initialized bytes, which do not change while the slice exists.
unsafe fn bytes<'a>(pointer: *const u8, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller's contract.
    unsafe { std::slice::from_raw_parts(pointer, len) }
}

/// Reads through the host. It returns the number of bytes, or a negative number if it failed.
pub fn read_at(handle: u32, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let len = buffer.len().min(i32::MAX as usize);
    // SAFETY: the host writes at most `len` bytes at the address.
    let read = unsafe { host::read_at(handle, buffer.as_mut_ptr(), len, offset) };
    match usize::try_from(read) {
        Ok(read) => Ok(read),
        Err(_) => Err(io::Error::other("the host failed to read")),
    }
}

#[cfg(target_family = "wasm")]
mod host {
    #[link(wasm_import_module = "host")]
    unsafe extern "C" {
        pub fn read_at(handle: u32, buffer: *mut u8, len: usize, offset: u64) -> i32;
    }
}

/// Native builds are for tests, which supply the bytes.
#[cfg(not(target_family = "wasm"))]
mod host {
    pub unsafe fn read_at(_: u32, _: *mut u8, _: usize, _: u64) -> i32 {
        -1
    }
}
