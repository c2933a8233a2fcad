//! Content digests, which do not depend on custom sections.

use super::{Digest, Hasher};
use crate::drive::read_at::read_some;
use crate::drive::{PushDriver, ReadAt};
use crate::error::Error;
use crate::input::Input;
use crate::limits::Limits;
use crate::outcome::{Cost, Outcome};
use crate::scan::{DataRequest, ItemStart, Section, Visitor};

/// The digest of a binary, and the digest of its content: everything but custom sections.
///
/// An edit of metadata changes the first digest and not the second. Other programs can compute the
/// content digest. It is the SHA-256 of these bytes, starting with the root item:
///
/// - an item: its 8-byte preamble; its sections in order, without custom sections; a byte 0x00.
/// - a section that contains an item (ids 1 and 4 in a component): its id, one byte; the item.
/// - any other section: its id, one byte; the byte length of its payload, as a 32-bit little-endian
///   number; its payload.
///
/// Custom sections at any depth are left out. So are the size fields of sections, because they
/// change with custom sections inside. The encoding is otherwise unambiguous: 0x00 is only the id
/// of custom sections, so it marks an end. Binaries that differ in anything else have different
/// bytes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    file: Digest,
    content: Option<Digest>,
}

impl Digests {
    /// Digest of all bytes.
    pub fn file(&self) -> Digest {
        self.file
    }

    /// Digest of everything but custom sections; `None` if the binary was not read to its end.
    pub fn content(&self) -> Option<Digest> {
        self.content
    }
}

/// Bytes to read at a time, and bytes of a payload to request at a time.
const CHUNK_LEN: usize = 128 << 10;

/// Computes the digests of `len` bytes of a source with positioned reads, in one sequential pass.
///
/// ```
/// use sectile::digest;
///
/// let module = &b"\0asm\x01\0\0\0\x00\x05\x04note\x01\x01\0"[..];
/// let without = &b"\0asm\x01\0\0\0\x01\x01\0"[..];
/// let digests = |bytes: &[u8]| digest::compute(bytes, bytes.len() as u64);
/// assert_ne!(digests(module)?.file(), digests(without)?.file());
/// assert_eq!(digests(module)?.content(), digests(without)?.content());
/// assert_eq!(digests(module)?.content(), Some(digest::Digest::new(b"\0asm\x01\0\0\0\x01\x01\0\0\0\0\0")));
/// # Ok::<(), sectile::Error>(())
/// ```
///
/// # Errors
///
/// The bytes are not WebAssembly, cannot be read, are truncated or malformed, or exceed a default
/// limit.
pub fn compute<R: ReadAt + ?Sized>(source: &R, len: u64) -> Result<Digests, Error> {
    compute_with(source, len, Limits::default()).complete()
}

/// As [`compute`], within these limits. If the binary is malformed after its preamble, the outcome
/// is partial: its value has the file digest but no content digest.
pub fn compute_with<R: ReadAt + ?Sized>(source: &R, len: u64, limits: Limits) -> Outcome<Digests> {
    let mut file = Hasher::new();
    let mut push = PushDriver::with_limits(Content::default(), limits);
    let mut malformed = false;
    let mut buffer = vec![0; len.clamp(1, CHUNK_LEN as u64) as usize];
    let mut cost = Cost::default();
    while cost.bytes < len {
        let wanted = (len - cost.bytes).min(CHUNK_LEN as u64) as usize;
        let read = match read_some(source, &mut buffer[..wanted], cost.bytes, len) {
            Ok(read) => read,
            Err(error) => return Outcome::new(None, Err(error), cost),
        };
        cost = Cost { bytes: cost.bytes + read as u64, reads: cost.reads + 1 };
        file.update(&buffer[..read]);
        malformed = malformed || push.push(&buffer[..read]).is_err();
    }
    // After a failure, the driver returns the same error again.
    let (content, error, _) = push.finish_visitor().into_parts();
    let content = content.filter(|content| content.has_root);
    let digests = content.map(|content| {
        let content = error.is_none().then(|| content.hasher.finish());
        Digests { file: file.finish(), content }
    });
    Outcome::new(digests, error.map_or(Ok(()), Err), cost)
}

impl Input {
    /// Computes the digests of the file in one pass.
    ///
    /// # Errors
    ///
    /// As for [`digest::compute`](compute). Also: the file changed during the read.
    pub fn digests(&self) -> Result<Digests, Error> {
        self.digests_with(Limits::default()).complete()
    }

    /// As [`digests`](Self::digests), within these limits.
    pub fn digests_with(&self, limits: Limits) -> Outcome<Digests> {
        let digests = compute_with(self, self.len(), limits);
        match self.changed() {
            Ok(false) => digests,
            Ok(true) => {
                Outcome::unread(Error::unreadable("the file changed while it was read: its digest is not known"))
            }
            Err(error) => Outcome::unread(error.into()),
        }
    }
}

/// Hashes everything but custom sections.
#[derive(Debug, Default)]
struct Content {
    hasher: Hasher,
    has_root: bool,
    /// Absolute end of the section whose payload is being hashed.
    end: u64,
}

impl Content {
    /// Requests the next part of the payload, so that a large one is never in memory as a whole.
    fn next(&self, start: u64) -> DataRequest {
        if start < self.end {
            DataRequest::Bytes(start..self.end.min(start + CHUNK_LEN as u64))
        } else {
            DataRequest::Nothing
        }
    }
}

impl Visitor<'_> for Content {
    fn enter(&mut self, entry: &ItemStart<'_>) {
        self.has_root = true;
        self.hasher.update(&entry.kind().preamble());
    }

    fn section(&mut self, section: &Section<'_>) -> DataRequest {
        if section.is_custom() {
            return DataRequest::Nothing;
        }
        self.hasher.update(&[section.id]);
        if section.holds_item() {
            return DataRequest::Nothing;
        }
        let payload = section.payload();
        let len = (payload.end - payload.start) as u32; // its size field has 32 bits
        self.hasher.update(&len.to_le_bytes());
        self.end = payload.end;
        self.next(payload.start)
    }

    fn data(&mut self, bytes: &[u8], start: u64) -> DataRequest {
        self.hasher.update(bytes);
        self.next(start + bytes.len() as u64)
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.hasher.update(&[0]);
    }
}
