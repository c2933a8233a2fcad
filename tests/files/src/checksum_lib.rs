//! See ../ORIGIN.md for how this is built.

/// The Adler-32 checksum of a buffer of the host's.
///
/// # Safety
///
/// `data` is the address of `len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn checksum(data: *const u8, len: usize) -> u32 {
    adler::adler32_slice(std::slice::from_raw_parts(data, len))
}
