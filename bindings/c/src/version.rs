//! Versions.

use std::ffi::c_char;

/// Returns the version of the binary interface. It equals `SECTILE_ABI_VERSION` of the header that a program was compiled
/// with, unless the program loads another library. It increases when a function or type is changed or removed, and stays
/// when one is added.
#[unsafe(no_mangle)]
pub extern "C" fn sectile_abi_version() -> u32 {
    SECTILE_ABI_VERSION
}

/// Returns the version of the library, such as "0.1.0". Never freed.
#[unsafe(no_mangle)]
pub extern "C" fn sectile_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Version of the binary interface that this header describes.
pub const SECTILE_ABI_VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    #[test]
    fn file_name_of_the_library_has_the_abi_version() {
        assert_eq!(env!("SECTILE_ABI_VERSION"), super::SECTILE_ABI_VERSION.to_string());
    }
}
