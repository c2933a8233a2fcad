use std::fs::File;
use std::io;
use std::ops::Deref;

/// A file mapped into memory, as a slice.
///
/// For a file that is scanned again and again, or that is edited in memory anyway. To read metadata once,
/// [`read_at`](super::scan_at()) is faster (a map pays for its page faults) and survives whatever happens to the file.
#[derive(Debug)]
pub struct Map(memmap2::Mmap);

impl Map {
    /// Maps the whole file, read-only.
    ///
    /// # Safety
    ///
    /// As long as the map lives, nobody may change or truncate the file: not this process, and no other. The
    /// compiler takes the bytes of a slice to be constant, so that a write to the file from elsewhere is undefined
    /// behaviour; a page that a truncation took away ends the process with SIGBUS when it is touched. Neither this
    /// function nor its caller can make sure of that with a system's means (advisory locks bind only who asks for
    /// them): the contract is a promise about the surroundings. Files that are replaced and never rewritten keep it,
    /// such as a package cache's, or a blob store's.
    ///
    /// # Errors
    ///
    /// What the system says when it will not map the file: it is no regular file, or the address space is full.
    #[allow(unsafe_code)]
    pub unsafe fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the caller promises that the file stays as it is.
        unsafe { memmap2::Mmap::map(file) }.map(Self)
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
