//! A blob of another place as the source of an upload.

use std::cell::RefCell;
use std::io::{self, Read};

use super::session::BlobSource;
use crate::verified::VerifiedReader;
use sectile::digest::Digest;

/// A blob that is streamed from another registry or from a layout, with its digest checked.
///
/// An upload reads it from the start to the end. An upload that restarts opens it again.
pub(super) struct SequentialBlob<'s> {
    digest: Digest,
    size: u64,
    open: &'s dyn Fn() -> io::Result<Box<dyn Read + 's>>,
    reader: RefCell<Option<OpenBlob<'s>>>,
}

struct OpenBlob<'s> {
    reader: VerifiedReader<Box<dyn Read + 's>>,
    position: u64,
}

impl<'s> SequentialBlob<'s> {
    pub(super) fn new(digest: Digest, size: u64, open: &'s dyn Fn() -> io::Result<Box<dyn Read + 's>>) -> Self {
        Self { digest, size, open, reader: RefCell::new(None) }
    }

    /// Moves to an offset. Earlier bytes are read again, because the digest covers all bytes.
    fn seek(&self, offset: u64) -> io::Result<()> {
        let mut open = self.reader.borrow_mut();
        if open.as_ref().is_none_or(|blob| blob.position > offset) {
            *open = None; // closes the connection first
            let reader = VerifiedReader::new((self.open)()?, self.digest, self.size);
            *open = Some(OpenBlob { reader, position: 0 });
        }
        let Some(blob) = &mut *open else { return Ok(()) };
        blob.position += io::copy(&mut (&mut blob.reader).take(offset - blob.position), &mut io::sink())?;
        if blob.position == offset { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl BlobSource for SequentialBlob<'_> {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_from(&self, offset: u64) -> io::Result<Box<dyn Read + '_>> {
        self.seek(offset)?;
        Ok(Box::new(SequentialReader(self)))
    }
}

struct SequentialReader<'b, 's>(&'b SequentialBlob<'s>);

impl Read for SequentialReader<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut open = self.0.reader.borrow_mut();
        let Some(blob) = &mut *open else { return Ok(0) };
        let read = blob.reader.read(buffer)?;
        blob.position += read as u64;
        Ok(read)
    }
}
