//! Reading a blob for a policy, wherever its bytes are.

use std::cell::Cell;
use std::io::{self, Read};
use std::ops::Range;

use super::blob::Content;
use super::outline::{Outlined, Piece};
use crate::digest::{Digest, Hasher};
use crate::drive::{self, Cost, Push, ReadAt};
use crate::error::{Error, Outcome};
use crate::policy::{Policy, Reader, Reading};
use crate::read::outcome;
use crate::store::Input;

/// What is asked of a blob.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'p> {
    pub(super) policy: &'p Policy,
    /// Whether its sections are to be drawn.
    pub(super) draws: bool,
    /// Whether it is to be hashed, and so all of it read.
    pub(super) hashes: bool,
}

/// What became of a blob's bytes.
pub(super) struct Looked<'b> {
    pub(super) reading: Result<Outcome<Reading<'b>>, Error>,
    /// How long it is, where reading it told.
    pub(super) size: Option<u64>,
    /// Bytes that were read, with those that told what it is.
    pub(super) bytes_read: u64,
    pub(super) largest: Option<Piece>,
    pub(super) drawn: Vec<Piece>,
    /// The digest of all bytes, if that was asked for and all of them could be had.
    pub(super) digest: Option<Digest>,
    /// Whether the file was changed meanwhile.
    pub(super) changed: bool,
}

impl Asked<'_> {
    /// Reads a blob; `buffer` is room for what passes by.
    pub(super) fn look<'b>(&self, content: Content<'b>, buffer: &mut [u8]) -> Looked<'b> {
        match content {
            Content::Stream(stream) => self.pass(stream, buffer),
            Content::Part { input, range, head } => {
                let mut looked = if self.hashes {
                    self.pass(&mut Whole { input, range }, buffer)
                } else {
                    self.hop(input, range, head)
                };
                match input.changed() {
                    Ok(changed) => looked.changed = changed,
                    Err(error) => looked.reading = looked.reading.and_then(|_| Err(Error::io(error, None))),
                }
                looked
            }
        }
    }

    /// Reads a little of a file. Of one that is all in its first bytes, values borrow from these.
    fn hop<'b>(&self, input: &Input, range: Range<u64>, head: &'b [u8]) -> Looked<'b> {
        let Policy { limits, .. } = *self.policy;
        let len = range.end - range.start;
        let looked = if head.len() as u64 == len {
            let mut visitor = Outlined::new(Reader::borrowing(self.policy), self.draws);
            let (result, _) = drive::slice(head, &mut visitor, limits);
            looked(visitor, result, len)
        } else {
            let source = Headed { input, start: range.start, head, behind: Cell::new(0) };
            let mut visitor = Outlined::new(Reader::copying(self.policy), self.draws);
            let (result, _) = drive::read_at(&source, len, &mut visitor, limits);
            looked(visitor, result, head.len() as u64 + source.behind.get())
        };
        Looked { size: Some(len), ..looked }
    }

    /// Reads all that comes; where it shows to be no WebAssembly, only if all of it is to be hashed.
    fn pass(&self, stream: &mut dyn Read, buffer: &mut [u8]) -> Looked<'static> {
        let visitor = Outlined::new(Reader::copying(self.policy), self.draws);
        let mut push = Push::new(visitor, self.policy.limits);
        let mut hasher = self.hashes.then(Hasher::new);
        let mut bytes_read = 0;
        let mut broken = None;
        let reached_end = loop {
            match stream.read(buffer) {
                Ok(0) => break true,
                Ok(len) => {
                    let chunk = &buffer[..len];
                    if let Some(hasher) = &mut hasher {
                        hasher.update(chunk);
                    }
                    let pushed = if broken.is_none() { push.push(chunk) } else { Ok(()) };
                    bytes_read += len as u64;
                    if let Err(error) = pushed {
                        broken = Some(error);
                        if hasher.is_none() {
                            break false;
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    broken = broken.or_else(|| Some(Error::io(error, Some(bytes_read))));
                    hasher = None;
                    break false;
                }
            }
        };
        let (visitor, result) = match broken {
            Some(error) => (push.into_visitor(), Err(error)),
            None => push.finish(),
        };
        Looked {
            size: reached_end.then_some(bytes_read),
            digest: hasher.map(Hasher::finish),
            ..looked(visitor, result, bytes_read)
        }
    }
}

fn looked<K>(visitor: Outlined<Reader<'_, K>>, result: Result<(), Error>, bytes_read: u64) -> Looked<'_> {
    let (reader, largest, drawn) = visitor.finish();
    let cost = Cost { bytes: bytes_read, reads: 0 };
    let reading = outcome(reader.finish(), result, cost);
    Looked { reading, size: None, bytes_read, largest, drawn, digest: None, changed: false }
}

/// A part of a file whose first bytes were read already.
struct Headed<'b> {
    input: &'b Input,
    start: u64,
    head: &'b [u8],
    /// Bytes that were read behind the head.
    behind: Cell<u64>,
}

impl ReadAt for Headed<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let in_head = self.head.read_at(buffer, offset)?;
        if in_head > 0 {
            return Ok(in_head);
        }
        let read = self.input.read_at(buffer, self.start + offset)?;
        self.behind.set(self.behind.get() + read as u64);
        Ok(read)
    }
}

/// All of a part of a file, from its beginning on.
struct Whole<'b> {
    input: &'b Input,
    range: Range<u64>,
}

impl Read for Whole<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.range.end - self.range.start;
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.input.read_at(&mut buffer[..most], self.range.start)?;
        if read == 0 && most > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file shrank while it was read"));
        }
        self.range.start += read as u64;
        Ok(read)
    }
}
