//! Fills buffers from streams and from positioned reads.

use std::io::{self, Read};

use sectile::drive::ReadAt;

/// Reads until the buffer is full or the input ends. An error after some bytes is not returned: the next read returns
/// it again.
pub(crate) fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if filled == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(filled)
}

/// As [`fill`], from an offset.
pub(crate) fn fill_at(source: &dyn ReadAt, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    fill(&mut ReadFrom { source, offset }, buffer)
}

/// Fills a buffer from an offset. A shorter file is an error.
pub(crate) fn fill_exact_at(source: &dyn ReadAt, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    let filled = fill_at(source, buffer, offset)?;
    if filled == buffer.len() {
        return Ok(());
    }
    // An error after some bytes occurs again.
    fill_at(source, &mut buffer[filled..], offset + filled as u64)?;
    Err(shrank())
}

/// The error for a file that ends before its length.
pub(crate) fn shrank() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file shrank while it was read")
}

/// A stream of the bytes from an offset.
struct ReadFrom<'s> {
    source: &'s dyn ReadAt,
    offset: u64,
}

impl Read for ReadFrom<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Returns a byte at a time, each after an interruption, and fails at an offset.
    struct Slow {
        interrupts: Cell<bool>,
        fails_at: u64,
    }

    impl ReadAt for Slow {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            if self.interrupts.replace(!self.interrupts.get()) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if offset == self.fails_at {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            b"0123456789"[..].read_at(&mut buffer[..1], offset)
        }
    }

    #[test]
    fn buffers_are_filled_in_spite_of_short_and_interrupted_reads() {
        let source = |fails_at| Slow { interrupts: Cell::new(true), fails_at };
        let mut buffer = [0; 6];
        assert_eq!((fill_at(&source(99), &mut buffer, 2).unwrap(), &buffer), (6, b"234567"));
        assert_eq!((fill_at(&source(99), &mut buffer, 8).unwrap(), &buffer[..2]), (2, &b"89"[..]));
        assert_eq!(fill_at(&source(99), &mut buffer, 20).unwrap(), 0);
        assert_eq!(fill_at(&source(5), &mut buffer, 2).unwrap(), 3);
        assert_eq!(fill_at(&source(2), &mut buffer, 2).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        fill_exact_at(&source(99), &mut buffer, 4).unwrap();
        assert_eq!(&buffer, b"456789");
        assert_eq!(fill_exact_at(&source(99), &mut buffer, 5).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
