//! A blob that is read from its start to its end, with its size and digest checked.

use std::io::{self, ErrorKind, Read};

use sectile::digest::{Digest, Hasher};

use crate::LayoutError;

/// A reader that passes on a blob, and checks its size and its digest.
///
/// The last bytes are returned only if the digest matches, so a consumer never has the whole of a
/// wrong blob without an error.
pub(crate) struct VerifiedReader<R> {
    inner: R,
    digest: Digest,
    size: u64,
    position: u64,
    /// `None` once the digest is checked.
    hasher: Option<Hasher>,
}

impl<R: Read> VerifiedReader<R> {
    pub(crate) fn new(inner: R, digest: Digest, size: u64) -> Self {
        Self { inner, digest, size, position: 0, hasher: Some(Hasher::new()) }
    }

    fn check_size(&self, found: u64) -> io::Result<()> {
        let Self { digest, size: expected, .. } = *self;
        if found == expected {
            return Ok(());
        }
        Err(invalid(LayoutError::SizeMismatch { digest, found, expected }))
    }

    /// Checks the digest after the last byte. A longer blob is an error, too.
    fn check_end(&mut self) -> io::Result<()> {
        let Some(hasher) = self.hasher.take() else { return Ok(()) };
        let mut next = [0];
        let further = loop {
            match self.inner.read(&mut next) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.check_size(self.position + further as u64)?;
        let (found, expected) = (hasher.finish(), self.digest);
        if found == expected { Ok(()) } else { Err(invalid(LayoutError::DigestMismatch { expected, found })) }
    }
}

impl<R: Read> Read for VerifiedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.size - self.position;
        if left == 0 {
            self.check_end()?;
            return Ok(0);
        }
        let max = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        if max == 0 {
            return Ok(0);
        }
        let read = self.inner.read(&mut buffer[..max])?;
        if read == 0 {
            self.check_size(self.position)?;
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..read]);
        }
        self.position += read as u64;
        if self.position == self.size {
            self.check_end()?;
        }
        Ok(read)
    }
}

fn invalid(error: LayoutError) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], of: &[u8], size: u64) -> (Vec<u8>, Option<String>) {
        let mut out = Vec::new();
        // One byte at a time, as the worst consumer reads.
        let mut reader = VerifiedReader::new(bytes, Digest::new(of), size);
        let mut buffer = [0];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return (out, None),
                Ok(_) => out.push(buffer[0]),
                Err(error) => return (out, Some(error.to_string())),
            }
        }
    }

    #[test]
    fn wrong_blobs_are_never_passed_on_completely() {
        assert_eq!(read(b"abc", b"abc", 3), (b"abc".to_vec(), None));
        assert_eq!(read(b"", b"", 0), (Vec::new(), None));
        for (bytes, of, size, part) in [
            (&b"abd"[..], &b"abc"[..], 3, "tampered"),
            (b"ab", b"abc", 3, "has 2 bytes instead of 3"),
            (b"abcd", b"abc", 3, "has 4 bytes instead of 3"),
            (b"x", b"", 0, "has 1 bytes instead of 0"),
        ] {
            let (out, error) = read(bytes, of, size);
            assert!(out.len() < of.len().max(1) && error.unwrap().contains(part), "{bytes:?}");
        }
    }
}
