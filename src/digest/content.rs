//! What is hashed of a binary so that no edit of custom sections shows.

use super::{Digest, Hasher};
use crate::drive::read_at::read_some;
use crate::drive::{PushDriver, ReadAt};
use crate::error::Error;
use crate::input::Input;
use crate::limits::Limits;
use crate::outcome::{Cost, Outcome};
use crate::scan::{DataRequest, ItemStart, Section, Visitor};

/// The digest of a binary, and that of its content: of everything but custom sections.
///
/// An edit of metadata changes the first and not the second. What the second is a digest of is written down so that
/// anybody can compute it:
///
/// - of an item (the root, or one that a section holds): its preamble, 8 bytes; then of each of its sections, in their
///   order, custom ones left out, what follows; then a byte 0x00.
/// - of a section that holds an item (ids 1 and 4 in a component): its id, one byte; then the item.
/// - of every other section: its id, one byte; how many bytes its payload has, as 32 bits, little-endian; its payload.
///
/// So custom sections do not enter, in no item of the tree, and neither do size fields, whose values and widths change
/// with custom sections inside. Nothing else is left out: no two binaries that differ in anything else are hashed as the
/// same bytes, as these can be read back (0x00 is no section's id but a custom one's, and so can only be an end).
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

    /// Digest of everything but custom sections; `None` if the binary could not be read to its end.
    pub fn content(&self) -> Option<Digest> {
        self.content
    }
}

/// Bytes that are read at a time, and of a section's payload wanted at a time.
const CHUNK: usize = 128 << 10;

/// Computes the digests of `len` bytes of anything with positioned reads, in one pass, from the first byte to the last.
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
/// The bytes are not WebAssembly, cannot be read, are truncated or malformed, or exceed a default limit.
pub fn compute<R: ReadAt + ?Sized>(source: &R, len: u64) -> Result<Digests, Error> {
    compute_with(source, len, Limits::default()).complete()
}

/// As [`compute`], within these limits. A binary that is malformed further on is hashed whole, and has no content digest.
pub fn compute_with<R: ReadAt + ?Sized>(source: &R, len: u64, limits: Limits) -> Outcome<Digests> {
    let mut file = Hasher::new();
    let mut push = PushDriver::with_limits(Content::default(), limits);
    let mut malformed = false;
    let mut buffer = vec![0; len.clamp(1, CHUNK as u64) as usize];
    let mut cost = Cost::default();
    while cost.bytes < len {
        let wanted = (len - cost.bytes).min(CHUNK as u64) as usize;
        let read = match read_some(source, &mut buffer[..wanted], cost.bytes, len) {
            Ok(read) => read,
            Err(error) => return Outcome::new(None, Err(error), cost),
        };
        cost = Cost { bytes: cost.bytes + read as u64, reads: cost.reads + 1 };
        file.update(&buffer[..read]);
        malformed = malformed || push.push(&buffer[..read]).is_err();
    }
    // A push driver that has failed gives the same error at the end.
    let (content, error, _) = push.finish_visitor().into_parts();
    let content = content.filter(|content| content.has_root);
    let digests = content.map(|content| {
        let content = error.is_none().then(|| content.hasher.finish());
        Digests { file: file.finish(), content }
    });
    Outcome::new(digests, error.map_or(Ok(()), Err), cost)
}

impl Input {
    /// Computes the digests of the file in one pass over all of it.
    ///
    /// # Errors
    ///
    /// As for [`digest::compute`](compute); and the file was changed meanwhile, so that no digest describes it.
    pub fn digests(&self) -> Result<Digests, Error> {
        self.digests_with(Limits::default()).complete()
    }

    /// As [`digests`](Self::digests), within these limits.
    pub fn digests_with(&self, limits: Limits) -> Outcome<Digests> {
        let digests = compute_with(self, self.len(), limits);
        match self.changed() {
            Ok(false) => digests,
            Ok(true) => Outcome::unread(Error::unreadable(
                "the file was changed while it was read: nothing can be said of all of it",
            )),
            Err(error) => Outcome::unread(error.into()),
        }
    }
}

/// Hashes everything but custom sections.
#[derive(Debug, Default)]
struct Content {
    hasher: Hasher,
    has_root: bool,
    /// Where the section ends whose payload is being hashed.
    end: u64,
}

impl Content {
    /// The next bytes of the payload: it may be larger than what is to be held in memory.
    fn next(&self, start: u64) -> DataRequest {
        if start < self.end {
            DataRequest::Bytes(start..self.end.min(start + CHUNK as u64))
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
