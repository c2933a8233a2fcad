//! A writer that hashes the bytes that it passes on.

use std::io::{self, Write};

use sectile::digest::{Digest, Hasher};

pub(crate) struct HashingWriter<W> {
    out: W,
    hasher: Hasher,
    len: u64,
}

impl<W> HashingWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, hasher: Hasher::new(), len: 0 }
    }

    /// Returns the digest and the number of the bytes.
    pub(crate) fn finish(self) -> (Digest, u64) {
        (self.hasher.finish(), self.len)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
