//! Reads a blob for a policy, from a file, a stream or a remote object.

use std::cell::Cell;
use std::io::{self, Read};
use std::ops::Range;

#[cfg(feature = "remote")]
use futures_util::StreamExt;

use super::blob::{BlobReading, Content};
use super::outline::{OutlineParts, OutlineVisitor};
use sectile::Input;
use sectile::digest::{Digest, Hasher};
use sectile::drive::{self, PushDriver, ReadAt};
#[cfg(any(feature = "registry", feature = "remote"))]
use sectile::drive::{Fetch, FetchOptions, PrefetchedHead};
use sectile::internal::{io_error, outcome};
use sectile::metadata::{Metadata, StreamReader};
use sectile::scan::Collector;
use sectile::{Cost, Error, Outcome};
use sectile_policy::{Policy, PolicyReader};
#[cfg(feature = "remote")]
use sectile_remote::{Object, RemoteError};

/// Options for reading a blob.
#[derive(Clone, Copy)]
pub(super) struct ReadOptions<'p> {
    pub(super) policy: &'p Policy,
    /// The parts of the outline to collect.
    pub(super) outline: OutlineParts,
    /// Whether to read imports and exports.
    pub(super) with_interface: bool,
    /// Whether to compute the digest, which reads all bytes.
    pub(super) hashes: bool,
    /// Whether to stop as soon as possible.
    pub(super) should_stop: &'p (dyn Fn() -> bool + Sync),
}

impl ReadOptions<'_> {
    /// The options for a blob whose store states this digest. An exception by digest requires the computed digest,
    /// because the store's digest may be wrong.
    pub(super) fn for_blob(self, stated: Option<Digest>) -> Self {
        let mut exceptions = self.policy.exceptions().peekable();
        let is_excepted = stated.filter(|_| exceptions.peek().is_some()).is_some_and(|digest| {
            let digest = digest.to_string();
            exceptions.any(|exception| exception.accepts_name(&digest))
        });
        Self { hashes: self.hashes || is_excepted, ..self }
    }

    /// Reads a blob, with `buffer` for streams. Returns `None` if it was stopped before the end.
    pub(super) fn read<'b>(&self, content: Content<'b>, buffer: &mut [u8]) -> Option<BlobReading<'b>> {
        match content {
            Content::Bytes(mut bytes) if self.hashes => self.read_stream(&mut bytes, buffer),
            Content::Bytes(bytes) => {
                let reading = self.read_slice(bytes);
                Some(BlobReading { size: Some(bytes.len() as u64), ..reading })
            }
            Content::Stream(stream) => self.read_stream(stream, buffer),
            #[cfg(any(feature = "registry", feature = "remote"))]
            Content::Reading(reading) => Some(*reading),
            Content::Range { input, range, head, probed } => {
                let len = range.end - range.start;
                let mut reading = if self.hashes {
                    self.read_stream(&mut RangeReader { input, range }, buffer)?
                } else {
                    self.read_range(input, range, head)
                };
                reading.size = Some(len);
                reading.bytes_read += probed;
                match input.changed() {
                    Ok(changed) => reading.changed = changed,
                    Err(error) if reading.outcome.value().is_some() => {
                        reading.outcome = outcome(None, Some(error.into()), reading.outcome.cost());
                    }
                    Err(_) => {} // the read failed in the first place
                }
                Some(reading)
            }
        }
    }

    /// Reads the requested parts of a file. If the head is the whole file, values borrow from it.
    fn read_range<'b>(&self, input: &Input, range: Range<u64>, head: &'b [u8]) -> BlobReading<'b> {
        let len = range.end - range.start;
        if head.len() as u64 == len {
            return self.read_slice(head);
        }
        let source = RangeWithHead { input, start: range.start, head, bytes_read: Cell::new(0) };
        let mut visitor = self.stream_visitor();
        let outcome = drive::scan_at(&source, len, &mut visitor, self.policy.limits);
        blob_reading(visitor, outcome, head.len() as u64 + source.bytes_read.get())
    }

    /// Reads the requested parts of a blob in memory. Values borrow from it.
    fn read_slice<'b>(&self, bytes: &'b [u8]) -> BlobReading<'b> {
        let mut visitor = OutlineVisitor::new(self.with_parts(PolicyReader::slice(self.policy)), self.outline);
        let outcome = drive::scan_slice(bytes, &mut visitor, self.policy.limits);
        blob_reading(visitor, outcome, bytes.len() as u64)
    }

    fn stream_visitor(&self) -> StreamVisitor {
        OutlineVisitor::new(self.with_parts(PolicyReader::stream(self.policy)), self.outline)
    }

    /// Adds what the policy does not need.
    fn with_parts<R>(&self, reader: PolicyReader<R>) -> PolicyReader<R> {
        if self.with_interface { reader.with_interface(self.policy.limits) } else { reader }
    }

    /// Reads a stream to its end, even after a framing error, because only its end shows its length.
    pub(super) fn read_stream(&self, stream: &mut dyn Read, buffer: &mut [u8]) -> Option<BlobReading<'static>> {
        let mut stream_reading = StreamReading::new(self);
        while !(self.should_stop)() {
            match stream.read(buffer) {
                Ok(0) => return Some(stream_reading.end()),
                Ok(len) => stream_reading.take(&buffer[..len]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A stream of a remote object ends with an error when the audit stops.
                Err(error) => return (!(self.should_stop)()).then(|| stream_reading.fail(error)),
            }
        }
        None
    }

    /// Reads an object whose head was fetched: the requested ranges, or all of it.
    #[cfg(feature = "remote")]
    pub(super) async fn fetch(
        &self,
        object: &mut PrefetchedHead<Object>,
        fetch_options: FetchOptions,
    ) -> BlobReading<'static> {
        let size = object.len();
        let mut reading = if self.hashes {
            let probed = object.bytes_fetched() - object.head().len() as u64;
            let reading = self.fetch_all(object).await;
            BlobReading { bytes_read: reading.bytes_read + probed, ..reading }
        } else {
            self.fetch_ranges(object, fetch_options).await
        };
        reading.changed = matches!(reading.remote_error(), Some(RemoteError::Changed));
        BlobReading { size: size.or(reading.size), ..reading }
    }

    /// Reads the requested ranges of a source whose head was fetched.
    #[cfg(any(feature = "registry", feature = "remote"))]
    pub(super) async fn fetch_ranges<F: Fetch>(
        &self,
        source: &mut PrefetchedHead<F>,
        options: FetchOptions,
    ) -> BlobReading<'static> {
        let mut visitor = self.stream_visitor();
        let outcome = drive::scan_fetch(source, &mut visitor, options, self.policy.limits).await;
        blob_reading(visitor, outcome, source.bytes_fetched())
    }

    #[cfg(feature = "remote")]
    async fn fetch_all(&self, object: &mut PrefetchedHead<Object>) -> BlobReading<'static> {
        let mut stream_reading = StreamReading::new(self);
        stream_reading.take(object.head());
        let bytes_read = stream_reading.bytes_read;
        if object.len().is_some_and(|len| len <= bytes_read) {
            return stream_reading.end();
        }
        let mut rest = match sectile_remote::internal::stream_from(object.source_mut(), bytes_read).await {
            Ok(rest) => rest,
            Err(error) => return stream_reading.fail(io::Error::other(error)),
        };
        while let Some(chunk) = rest.next().await {
            let left = object.len().map_or(u64::MAX, |len| len - stream_reading.bytes_read);
            match chunk {
                Ok(chunk) if chunk.len() as u64 <= left => stream_reading.take(&chunk),
                Ok(_) => return stream_reading.fail(io::Error::other(RemoteError::Malformed)),
                Err(error) => return stream_reading.fail(io::Error::other(error)),
            }
        }
        match object.len() {
            Some(len) if stream_reading.bytes_read < len => {
                stream_reading.fail(io::Error::other(RemoteError::ConnectionLost))
            }
            _ => stream_reading.end(),
        }
    }
}

/// The visitor for bytes that do not outlive a call.
type StreamVisitor = OutlineVisitor<PolicyReader<StreamReader>>;

/// A reading of a whole stream.
struct StreamReading {
    push: PushDriver<StreamVisitor>,
    hasher: Option<Hasher>,
    bytes_read: u64,
    error: Option<Error>,
}

impl StreamReading {
    fn new(options: &ReadOptions<'_>) -> Self {
        let push = PushDriver::with_limits(options.stream_visitor(), options.policy.limits);
        Self { push, hasher: options.hashes.then(Hasher::new), bytes_read: 0, error: None }
    }

    fn take(&mut self, chunk: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(chunk);
        }
        self.bytes_read += chunk.len() as u64;
        if self.error.is_none() {
            self.error = self.push.push(chunk).err();
        }
    }

    /// Ends the reading after the last byte.
    fn end(mut self) -> BlobReading<'static> {
        let (size, digest) = (self.bytes_read, self.hasher.take().map(Hasher::finish));
        BlobReading { size: Some(size), digest, ..self.finish() }
    }

    /// Ends the reading after a failed read.
    fn fail(mut self, error: io::Error) -> BlobReading<'static> {
        let at = self.bytes_read;
        self.error.get_or_insert_with(|| io_error(error, Some(at)));
        self.finish()
    }

    fn finish(self) -> BlobReading<'static> {
        let (visitor, error) = match self.error {
            Some(error) => (self.push.into_visitor(), Some(error)),
            None => match self.push.finish_visitor().into_parts() {
                (Some(visitor), error, _) => (visitor, error),
                (None, ..) => unreachable!("a push driver gives its visitor back"),
            },
        };
        blob_reading(visitor, outcome(Some(()), error, Cost::default()), self.bytes_read)
    }
}

#[cfg(feature = "remote")]
impl BlobReading<'_> {
    /// The error that prevented an object from being read to its end.
    fn remote_error(&self) -> Option<&RemoteError> {
        RemoteError::find_in(std::error::Error::source(self.outcome.error()?)?)
    }
}

fn blob_reading<'v, R: Collector<Value = Metadata<'v>>>(
    visitor: OutlineVisitor<PolicyReader<R>>,
    scan: Outcome<()>,
    bytes_read: u64,
) -> BlobReading<'v> {
    let (reader, outline) = visitor.finish();
    let (_, error, _) = scan.into_parts();
    let outcome = outcome(reader.finish(), error, Cost { bytes: bytes_read, reads: 0 });
    BlobReading { outcome, size: None, bytes_read, outline, digest: None, changed: false }
}

/// A range of a file whose first bytes were read before.
struct RangeWithHead<'b> {
    input: &'b Input,
    start: u64,
    head: &'b [u8],
    /// Number of bytes read after the head.
    bytes_read: Cell<u64>,
}

impl ReadAt for RangeWithHead<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let in_head = self.head.read_at(buffer, offset)?;
        if in_head > 0 {
            return Ok(in_head);
        }
        let read = self.input.read_at(buffer, self.start + offset)?;
        self.bytes_read.set(self.bytes_read.get() + read as u64);
        Ok(read)
    }
}

/// Reads a range of a file from its start.
pub(super) struct RangeReader<'b> {
    pub(super) input: &'b Input,
    pub(super) range: Range<u64>,
}

impl Read for RangeReader<'_> {
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
