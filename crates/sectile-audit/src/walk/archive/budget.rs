//! The limits on one file and all archives in it, and readers that enforce them.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Read};
use std::ops::Range;

use crate::walk::options::WalkOptions;
use sectile::FindingCode;
#[cfg(feature = "remote")]
use sectile_remote::RemoteError;

/// The remaining limits of one file.
pub(in crate::walk) struct Budget {
    inflated: Cell<u64>,
    entries: Cell<u64>,
    held: Cell<u64>,
    rows: Cell<u64>,
    max_row_bytes: u64,
    /// Number of bytes of holes that may be read as zeros.
    zeros: Cell<u64>,
    read: Cell<u64>,
    /// The first of a chain of failures, until it is reported.
    fault: RefCell<Option<(FindingCode, String)>>,
    /// Whether to stop inspecting the file.
    exhausted: Cell<bool>,
    unreadable: Cell<bool>,
    /// Buffers of decoders that ended.
    buffers: RefCell<Vec<Box<[u8]>>>,
}

/// Number of bytes of holes that are read as zeros, in addition to those that the data of sparse entries allows.
const MAX_ZEROS: u64 = 16 << 20;

/// Number of zeros that each byte of data allows. The work is thus linear in the data.
const ZEROS_PER_BYTE: u64 = 16;

impl Budget {
    pub(super) fn new(options: &WalkOptions) -> Self {
        Self {
            inflated: Cell::new(options.max_inflated),
            entries: Cell::new(options.max_entries),
            held: Cell::new(options.max_held_bytes),
            rows: Cell::new(options.max_rows),
            max_row_bytes: options.max_row_bytes,
            zeros: Cell::new(MAX_ZEROS),
            read: Cell::new(0),
            fault: RefCell::new(None),
            exhausted: Cell::new(false),
            unreadable: Cell::new(false),
            buffers: RefCell::default(),
        }
    }

    /// Counts bytes read from the file.
    pub(super) fn read(&self, bytes: u64) {
        self.read.set(self.read.get() + bytes);
    }

    /// Uncounts bytes that the reader of a blob counts itself.
    pub(super) fn subtract(&self, bytes: u64) {
        self.read.set(self.read.get().saturating_sub(bytes));
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.read.get()
    }

    /// Counts an entry. Returns whether it may be inspected.
    pub(super) fn entry(&self) -> bool {
        let left = self.entries.get().checked_sub(1);
        self.entries.set(left.unwrap_or(0));
        if left.is_none() {
            self.report_limit("it has more entries than the limit".to_owned());
        }
        left.is_some()
    }

    /// Counts a row after rows with this many bytes of text. Returns whether it may be written.
    pub(super) fn row(&self, bytes_before: u64) -> bool {
        let left = self.rows.get().checked_sub(1);
        self.rows.set(left.unwrap_or(0));
        let is_short = bytes_before <= self.max_row_bytes;
        if left.is_none() {
            self.report_limit("it has more binaries than are reported".to_owned());
        } else if !is_short {
            self.report_limit("the rows of its binaries have more text than is reported".to_owned());
        }
        left.is_some() && is_short
    }

    /// Number of bytes that may still be held in memory.
    pub(super) fn available_memory(&self) -> u64 {
        self.held.get()
    }

    /// Counts bytes held in memory, until [`release`](Self::release).
    pub(super) fn reserve(&self, bytes: u64) {
        self.held.set(self.held.get() - bytes);
    }

    pub(super) fn release(&self, bytes: u64) {
        self.held.set(self.held.get() + bytes);
    }

    /// Number of bytes that may still be inflated.
    pub(super) fn available_inflation(&self) -> u64 {
        self.inflated.get()
    }

    /// Counts bytes that were inflated to detect a format.
    pub(super) fn take_inflation(&self, bytes: u64) {
        self.inflated.set(self.inflated.get().saturating_sub(bytes));
    }

    /// Number of bytes of holes that may still be read as zeros.
    pub(super) fn available_zeros(&self) -> u64 {
        self.zeros.get()
    }

    /// Counts bytes of holes that are read as zeros.
    pub(super) fn take_zeros(&self, bytes: u64) {
        self.zeros.set(self.zeros.get().saturating_sub(bytes));
    }

    /// Allows more zeros for the bytes of a sparse entry's data.
    pub(super) fn add_sparse_data(&self, bytes: u64) {
        self.zeros.set(self.zeros.get().saturating_add(bytes.saturating_mul(ZEROS_PER_BYTE)));
    }

    /// Reports an exceeded limit, and stops inspecting the file.
    pub(super) fn report_limit(&self, message: String) {
        self.exhausted.set(true);
        self.fail(FindingCode::ArchiveLimit, message);
    }

    /// Reports that the file itself cannot be read.
    pub(super) fn report_unreadable(&self, error: &io::Error) {
        self.set_unreadable(FindingCode::Unreadable, error);
    }

    fn set_unreadable(&self, code: FindingCode, error: &io::Error) {
        self.exhausted.set(true); // later reads would fail again, or return other bytes
        if !self.unreadable.replace(true) {
            self.fail(code, error.to_string());
        }
    }

    /// Whether a read of the file failed, which may succeed another time.
    pub(super) fn is_unreadable(&self) -> bool {
        self.unreadable.get()
    }

    fn fail(&self, code: FindingCode, message: String) {
        self.fault.borrow_mut().get_or_insert((code, message));
    }

    /// Whether to stop inspecting the file.
    pub(super) fn is_exhausted(&self) -> bool {
        self.exhausted.get()
    }

    pub(super) fn has_fault(&self) -> bool {
        self.fault.borrow().is_some()
    }

    /// Takes the first failure, unless it was reported before.
    pub(super) fn take_fault(&self) -> Option<(FindingCode, String)> {
        self.fault.borrow_mut().take()
    }
}

/// A decoder that counts its output and keeps its first error.
pub(super) struct LimitedDecoder<'b, R> {
    decoder: R,
    budget: &'b Budget,
    /// Number of bytes of output so far.
    len: u64,
    failed: bool,
}

impl<'b, R: Read> LimitedDecoder<'b, R> {
    pub(super) fn new(decoder: R, budget: &'b Budget) -> Self {
        Self { decoder, budget, len: 0, failed: false }
    }
}

impl<R: Read> Read for LimitedDecoder<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.inflated.get();
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let over = || io::Error::other("a limit is exceeded");
        if self.failed || self.budget.is_exhausted() {
            return Err(over());
        }
        if most == 0 && !buffer.is_empty() {
            self.failed = true;
            self.budget.report_limit("it inflates further than the limit".to_owned());
            return Err(over());
        }
        match self.decoder.read(&mut buffer[..most]) {
            Ok(read) => {
                let left = self.budget.inflated.get(); // the decoder's own input may be counted, too
                self.budget.inflated.set(left.saturating_sub(read as u64));
                self.len += read as u64;
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.failed = true;
                let is_limit = error.kind() == io::ErrorKind::QuotaExceeded;
                let code = if is_limit { FindingCode::ArchiveLimit } else { FindingCode::MalformedArchive };
                self.budget.fail(code, error.to_string());
                Err(error)
            }
        }
    }
}

/// A decoder whose output is inspected in place, in a large buffer that later decoders use again.
///
/// An inflater copies up to 32 KiB of its output at the end of each call, and is slow at both ends of its caller's buffer.
pub(super) struct BufferedDecoder<'b, R> {
    decoder: LimitedDecoder<'b, R>,
    buffer: Box<[u8]>,
    unread: Range<usize>,
}

/// Length of the buffer of a decoder. It fits into the second-level cache of a processor, from which its bytes are
/// searched. Twice the length saves 1 % more time (bench `packages`).
const BUFFER_LEN: usize = 256 << 10;

impl<'b, R: Read> BufferedDecoder<'b, R> {
    pub(super) fn new(decoder: R, budget: &'b Budget) -> Self {
        let buffer = budget.buffers.borrow_mut().pop().unwrap_or_else(|| vec![0; BUFFER_LEN].into());
        Self { decoder: LimitedDecoder::new(decoder, budget), buffer, unread: 0..0 }
    }

    /// Number of bytes decoded so far.
    pub(super) fn decoded(&self) -> u64 {
        self.decoder.len
    }
}

impl<R> Drop for BufferedDecoder<'_, R> {
    fn drop(&mut self) {
        self.decoder.budget.buffers.borrow_mut().push(std::mem::take(&mut self.buffer));
    }
}

impl<R: Read> BufRead for BufferedDecoder<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.unread.is_empty() {
            self.unread = 0..self.decoder.read(&mut self.buffer)?;
        }
        Ok(&self.buffer[self.unread.clone()])
    }

    fn consume(&mut self, len: usize) {
        self.unread.start += len;
    }
}

impl<R: Read> Read for BufferedDecoder<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// A stream that counts its bytes as read and keeps its first error.
pub(super) struct CountedStream<'b> {
    stream: &'b mut dyn Read,
    budget: &'b Budget,
}

impl<'b> CountedStream<'b> {
    pub(super) fn new(stream: &'b mut dyn Read, budget: &'b Budget) -> Self {
        Self { stream, budget }
    }
}

impl Read for CountedStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer);
        match &read {
            Ok(read) => self.budget.read(*read as u64),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                #[cfg(feature = "remote")]
                let changed = RemoteError::find_in(error) == Some(&RemoteError::Changed);
                #[cfg(not(feature = "remote"))]
                let changed = false; // blobs of a registry are named by their digests
                self.budget.set_unreadable(if changed { FindingCode::Changed } else { FindingCode::Unreadable }, error);
            }
        }
        read
    }
}
