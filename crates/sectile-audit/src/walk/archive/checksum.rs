//! CRC-32 of output, as zip and gzip state it.

use std::io::{self, Read};

use crc32fast::Hasher;

/// A reader whose bytes are checked.
pub(super) struct Checked<R> {
    pub(super) decoder: R,
    hasher: Hasher,
}

impl<R> Checked<R> {
    pub(super) fn new(decoder: R) -> Self {
        Self { decoder, hasher: Hasher::new() }
    }

    /// The checksum of the bytes read.
    pub(super) fn sum(&self) -> u32 {
        self.hasher.clone().finalize()
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
