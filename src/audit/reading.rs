//! Reading a blob for a policy, wherever its bytes are.

use std::cell::Cell;
use std::io::{self, Read};
use std::ops::Range;

#[cfg(feature = "remote")]
use futures_util::StreamExt;

use super::blob::Content;
use super::outline::{Outlined, Piece};
use crate::digest::{Digest, Hasher};
use crate::drive::{self, Cost, Push, ReadAt};
#[cfg(feature = "remote")]
use crate::drive::{FetchOptions, Headed as HeadedSource};
use crate::error::{Error, Outcome};
use crate::metadata::Copied;
use crate::policy::{Policy, Reader, Reading};
use crate::read::outcome;
#[cfg(feature = "remote")]
use crate::remote::{Object, RemoteError};
use crate::store::Input;

/// What is asked of a blob.
#[derive(Clone, Copy)]
pub(super) struct Asked<'p> {
    pub(super) policy: &'p Policy,
    /// Whether its sections are to be drawn.
    pub(super) draws: bool,
    /// Whether it is to be hashed, and so all of it read.
    pub(super) hashes: bool,
    /// Whether to stop as soon as possible.
    pub(super) stops: &'p (dyn Fn() -> bool + Sync),
}

/// What became of a blob's bytes.
pub(super) struct Looked<'b> {
    pub(super) reading: Result<Outcome<Reading<'b>>, Error>,
    /// How long it is, in bytes; `None` where its end was not seen.
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
    /// Reads a blob; `buffer` is room for what passes by. `None` where that was to stop before its end.
    pub(super) fn look<'b>(&self, content: Content<'b>, buffer: &mut [u8]) -> Option<Looked<'b>> {
        match content {
            Content::Stream(stream) => self.pass(stream, buffer),
            #[cfg(feature = "remote")]
            Content::Looked(looked) => Some(*looked),
            Content::Part { input, range, head } => {
                let len = range.end - range.start;
                let mut looked = if self.hashes {
                    self.pass(&mut Whole { input, range }, buffer)?
                } else {
                    self.hop(input, range, head)
                };
                looked.size = Some(len);
                match input.changed() {
                    Ok(changed) => looked.changed = changed,
                    Err(error) => looked.reading = looked.reading.and_then(|_| Err(error.into())),
                }
                Some(looked)
            }
        }
    }

    /// Reads a little of a file. Of one that is all in its first bytes, values borrow from these.
    fn hop<'b>(&self, input: &Input, range: Range<u64>, head: &'b [u8]) -> Looked<'b> {
        let Policy { limits, .. } = *self.policy;
        let len = range.end - range.start;
        if head.len() as u64 == len {
            let mut visitor = Outlined::new(Reader::borrowing(self.policy), self.draws);
            let (result, _) = drive::slice(head, &mut visitor, limits);
            looked(visitor, result, len)
        } else {
            let source = Headed { input, start: range.start, head, behind: Cell::new(0) };
            let mut visitor = self.copying();
            let (result, _) = drive::read_at(&source, len, &mut visitor, limits);
            looked(visitor, result, head.len() as u64 + source.behind.get())
        }
    }

    fn copying(&self) -> Copying {
        Outlined::new(Reader::copying(self.policy), self.draws)
    }

    /// Reads all that comes, behind a break, too: how long it is, nothing else tells.
    fn pass(&self, stream: &mut dyn Read, buffer: &mut [u8]) -> Option<Looked<'static>> {
        let mut passing = Passing::new(self);
        while !(self.stops)() {
            match stream.read(buffer) {
                Ok(0) => return Some(passing.end()),
                Ok(len) => passing.take(&buffer[..len]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A stream that was waited for breaks off, too, where that is to stop.
                Err(error) => return (!(self.stops)()).then(|| passing.fail(error)),
            }
        }
        None
    }

    /// Reads an object, of which the first bytes are here: a little of it by ranges, or all of it.
    #[cfg(feature = "remote")]
    pub(super) async fn fetch(&self, object: &mut HeadedSource<Object>) -> Looked<'static> {
        let size = object.len();
        let mut looked = if self.hashes {
            self.fetch_all(object).await
        } else {
            let mut visitor = self.copying();
            let options = FetchOptions::default();
            let (result, cost) = drive::fetch(object, &mut visitor, options, self.policy.limits).await;
            looked(visitor, result, cost.bytes)
        };
        looked.changed = matches!(looked.remote_error(), Some(RemoteError::Changed));
        Looked { size: size.or(looked.size), ..looked }
    }

    #[cfg(feature = "remote")]
    async fn fetch_all(&self, object: &mut HeadedSource<Object>) -> Looked<'static> {
        let mut passing = Passing::new(self);
        passing.take(object.head());
        let behind = passing.bytes_read;
        if object.len().is_some_and(|len| len <= behind) {
            return passing.end();
        }
        let mut rest = match object.source_mut().rest(behind).await {
            Ok(rest) => rest,
            Err(error) => return passing.fail(io::Error::other(error)),
        };
        while let Some(chunk) = rest.next().await {
            let left = object.len().map_or(u64::MAX, |len| len - passing.bytes_read);
            match chunk {
                Ok(chunk) if chunk.len() as u64 <= left => passing.take(&chunk),
                Ok(_) => return passing.fail(io::Error::other(RemoteError::Malformed)),
                Err(error) => return passing.fail(io::Error::other(error)),
            }
        }
        match object.len() {
            Some(len) if passing.bytes_read < len => passing.fail(io::Error::other(RemoteError::Broken)),
            _ => passing.end(),
        }
    }
}

/// What looks at bytes that do not stay.
type Copying = Outlined<Reader<'static, Copied>>;

/// A reading of all that comes.
struct Passing {
    push: Push<Copying>,
    hasher: Option<Hasher>,
    bytes_read: u64,
    broken: Option<Error>,
}

impl Passing {
    fn new(asked: &Asked<'_>) -> Self {
        let push = Push::new(asked.copying(), asked.policy.limits);
        Self { push, hasher: asked.hashes.then(Hasher::new), bytes_read: 0, broken: None }
    }

    /// Takes what came.
    fn take(&mut self, chunk: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(chunk);
        }
        self.bytes_read += chunk.len() as u64;
        if self.broken.is_none() {
            self.broken = self.push.push(chunk).err();
        }
    }

    /// All came.
    fn end(mut self) -> Looked<'static> {
        let (size, digest) = (self.bytes_read, self.hasher.take().map(Hasher::finish));
        Looked { size: Some(size), digest, ..self.finish() }
    }

    /// No more can be had.
    fn fail(mut self, error: io::Error) -> Looked<'static> {
        let at = self.bytes_read;
        self.broken.get_or_insert_with(|| Error::io(error, Some(at)));
        self.finish()
    }

    fn finish(self) -> Looked<'static> {
        let (visitor, result) = match self.broken {
            Some(error) => (self.push.into_visitor(), Err(error)),
            None => self.push.finish(),
        };
        looked(visitor, result, self.bytes_read)
    }
}

#[cfg(feature = "remote")]
impl Looked<'_> {
    /// What kept an object from being read to its end.
    fn remote_error(&self) -> Option<&RemoteError> {
        let error = match &self.reading {
            Ok(outcome) => outcome.broken.as_ref()?,
            Err(error) => error,
        };
        RemoteError::within(std::error::Error::source(error)?)
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
