use std::fs::File;
use std::io;
use std::ops::Deref;

/// A file mapped into memory. Dereferences to a slice.
///
/// For files that are scanned repeatedly. To read metadata once, [`scan_at`](super::scan_at()) is
/// faster, because a map costs page faults. `scan_at` also stays safe if the file changes.
#[derive(Debug)]
pub struct Map(memmap2::Mmap);

impl Map {
    /// Maps the whole file, read-only.
    ///
    /// # Safety
    ///
    /// No process may modify or truncate the file while the map exists. The compiler assumes that
    /// the bytes of a slice do not change, so a write to the file is undefined behavior. Access to
    /// a page after a truncation ends the process with SIGBUS. The system cannot enforce this,
    /// because locks are only advisory: the caller must know how the file is used. Files that are
    /// replaced but never rewritten are safe to map, such as those of a package cache or a blob
    /// store.
    ///
    /// # Errors
    ///
    /// The system cannot map the file: it is not a regular file, or the address space is exhausted.
    #[allow(unsafe_code)]
    pub unsafe fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the caller guarantees that the file does not change.
        unsafe { memmap2::Mmap::map(file) }.map(Self)
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
