//! What is hashed of a binary so that no edit of custom sections shows.

use super::{Digest, Hasher};
use crate::drive::{Cost, Push, ReadAt, read_some};
use crate::error::{Error, Outcome};
use crate::limits::Limits;
use crate::scan::{Entry, Section, Visitor, Want};
use crate::store::Input;

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
#[non_exhaustive]
pub struct Digests {
    /// Of all bytes.
    pub file: Digest,
    /// Of everything but custom sections; `None` where the binary could not be read to its end.
    pub content: Option<Digest>,
}

/// Bytes that are read at a time, and of a section's payload wanted at a time.
const CHUNK: usize = 128 << 10;

/// Computes the digests of `len` bytes of anything with positioned reads, in one pass, from the first byte to the last.
///
/// ```
/// use sectile::{Limits, digest};
///
/// let module = &b"\0asm\x01\0\0\0\x00\x05\x04note\x01\x01\0"[..];
/// let without = &b"\0asm\x01\0\0\0\x01\x01\0"[..];
/// let digests = |bytes: &[u8]| digest::read_at(bytes, bytes.len() as u64, Limits::default())?.complete();
/// assert_ne!(digests(module)?.file, digests(without)?.file);
/// assert_eq!(digests(module)?.content, digests(without)?.content);
/// assert_eq!(digests(module)?.content, Some(digest::Digest::of(b"\0asm\x01\0\0\0\x01\x01\0\0\0\0\0")));
/// # Ok::<(), sectile::Error>(())
/// ```
///
/// # Errors
///
/// The bytes are no WebAssembly, or cannot be read. Where the binary is malformed further on, all of it is hashed
/// nevertheless, and its content is not: see [`Outcome`].
pub fn read_at<R: ReadAt + ?Sized>(source: &R, len: u64, limits: Limits) -> Result<Outcome<Digests>, Error> {
    let mut file = Hasher::new();
    let mut push = Push::new(Content::default(), limits);
    let mut broken: Option<Error> = None;
    let mut buffer = vec![0; len.clamp(1, CHUNK as u64) as usize];
    let mut cost = Cost::default();
    while cost.bytes < len {
        let wanted = (len - cost.bytes).min(CHUNK as u64) as usize;
        let read = read_some(source, &mut buffer[..wanted], cost.bytes, len)?;
        cost = Cost { bytes: cost.bytes + read as u64, reads: cost.reads + 1 };
        file.update(&buffer[..read]);
        if broken.is_none() {
            broken = push.push(&buffer[..read]).err();
        }
    }
    let content = match broken {
        None => {
            let (content, result) = push.finish();
            broken = result.err();
            content
        }
        Some(_) => push.into_visitor(),
    };
    match broken {
        Some(error) if !content.has_root => Err(error),
        broken => {
            let content = broken.is_none().then(|| content.hasher.finish());
            Ok(Outcome { value: Digests { file: file.finish(), content }, broken, cost })
        }
    }
}

impl Input {
    /// Computes the digests of the file, all of which is read, once.
    ///
    /// # Errors
    ///
    /// As for [`digest::read_at`](read_at); and the file was changed meanwhile, so that no digest would be of what stands there.
    pub fn digests(&self, limits: Limits) -> Result<Outcome<Digests>, Error> {
        let digests = read_at(self, self.len(), limits);
        if self.changed()? {
            return Err(Error::unreadable("the file was changed while it was read: nothing can be said of all of it"));
        }
        digests
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
    fn next(&self, start: u64) -> Want {
        if start < self.end { Want::Bytes(start..self.end.min(start + CHUNK as u64)) } else { Want::Nothing }
    }
}

impl Visitor<'_> for Content {
    fn enter(&mut self, entry: &Entry) {
        self.has_root = true;
        self.hasher.update(&entry.kind.preamble());
    }

    fn section(&mut self, section: &Section<'_>) -> Want {
        if section.is_custom() {
            return Want::Nothing;
        }
        self.hasher.update(&[section.id]);
        if section.holds_item() {
            return Want::Nothing;
        }
        let payload = section.payload();
        let len = (payload.end - payload.start) as u32; // its size field has 32 bits
        self.hasher.update(&len.to_le_bytes());
        self.end = payload.end;
        self.next(payload.start)
    }

    fn data(&mut self, bytes: &[u8], start: u64) -> Want {
        self.hasher.update(bytes);
        self.next(start + bytes.len() as u64)
    }

    fn leave(&mut self, _: u32, _: u64) {
        self.hasher.update(&[0]);
    }
}
