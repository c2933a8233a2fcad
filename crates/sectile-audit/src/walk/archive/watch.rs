//! Finds archives in a stream that begins as something else: a zip is found from its end, and a tar after other blocks.
//!
//! A stream cannot be read twice. The bytes are therefore kept from the first one that may belong to an archive.

use std::io::{self, Read};

use memchr::memmem;

use super::budget::Budget;
use super::bytes::HeldBytes;
use crate::walk::file_kind::{self, FileKind, TAIL_LEN, TAR_BLOCK};
use crate::walk::formats::{Sample, VOLUME_AT, VOLUME_LEN};
use crate::walk::probe::Probe;

/// A stream whose bytes are searched while they are read.
pub(super) struct Watch<'w, 'b> {
    reader: &'w mut dyn Read,
    budget: &'b Budget,
    /// Number of bytes read.
    position: u64,
    /// Position of the first byte of `kept`.
    origin: u64,
    /// The last bytes that were read, or all bytes from the first that may belong to an archive.
    kept: Vec<u8>,
    state: State,
    /// Position of the first header of a tar.
    tar: Option<u64>,
    /// The identifier of an optical disc's volume.
    volume: Vec<u8>,
    reserved: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing looks like an archive. A part of a block is kept.
    Searching,
    /// All bytes are kept.
    Holding,
    /// More bytes than may be held belong to what may be an archive. The tail is kept.
    TooLarge,
}

const ZIP_ENTRY: &[u8] = b"PK\x03\x04";

impl<'w, 'b> Watch<'w, 'b> {
    pub(super) fn new(reader: &'w mut dyn Read, budget: &'b Budget) -> Self {
        let (kept, state) = (Vec::new(), State::Searching);
        Self { reader, budget, position: 0, origin: 0, kept, state, tar: None, volume: Vec::new(), reserved: 0 }
    }

    fn take(&mut self, chunk: &[u8]) {
        self.position += chunk.len() as u64;
        self.kept.extend_from_slice(chunk);
        if self.volume.is_empty() && self.position >= VOLUME_AT + VOLUME_LEN as u64 && self.origin <= VOLUME_AT {
            let at = (VOLUME_AT - self.origin) as usize;
            self.volume.extend_from_slice(&self.kept[at..at + VOLUME_LEN]);
        }
        if self.state == State::Searching {
            let zip = memmem::find(&self.kept, ZIP_ENTRY).map(|at| self.origin + at as u64);
            self.tar = file_kind::find_tar(&self.kept, self.origin);
            let start = zip.into_iter().chain(self.tar).min();
            // A tail of one block has the signatures at the end of a file, too.
            let carried = self.position.saturating_sub(TAR_BLOCK as u64);
            let keep_from = start.unwrap_or(carried).max(self.origin);
            self.kept.drain(..(keep_from - self.origin) as usize);
            self.origin = keep_from;
            if start.is_some() {
                self.state = State::Holding;
            }
        }
        if self.state == State::Holding {
            let more = (self.kept.len() as u64).saturating_sub(self.reserved);
            if more <= self.budget.available_memory() {
                self.budget.reserve(more);
                self.reserved += more;
                return;
            }
            self.state = State::TooLarge;
        }
        if self.state == State::TooLarge && self.kept.len() > 4 * TAIL_LEN {
            let dropped = self.kept.len() - TAIL_LEN;
            self.kept.drain(..dropped);
            self.kept.shrink_to(4 * TAIL_LEN);
            self.origin += dropped as u64;
            self.release();
        }
    }

    fn release(&mut self) {
        self.budget.release(std::mem::take(&mut self.reserved));
    }

    /// The bytes from the first that may belong to an archive, or `None` if they were too many.
    pub(super) fn held(&self) -> Option<HeldBytes<'_>> {
        (self.state == State::Holding).then_some(HeldBytes { origin: self.origin, bytes: &self.kept })
    }

    /// What the stream is besides what its first bytes tell.
    pub(super) fn probe(&self, kind: FileKind, head: &[u8]) -> Probe {
        let kept = &self.kept[self.kept.len().saturating_sub(TAIL_LEN)..];
        let probe =
            Probe::new(kind, Sample { head, volume: &self.volume, tail: kept }, self.position - kept.len() as u64);
        let tar = match self.state {
            _ if kind.is_container() => None,
            State::Holding => file_kind::find_tar(&self.kept, self.origin),
            State::Searching | State::TooLarge => self.tar,
        };
        let is_held = self.state != State::Searching;
        let (has_zip_end, has_zip_entries) = (probe.has_zip_end && is_held, probe.has_zip_entries && is_held);
        Probe { tar, has_zip_end, has_zip_entries: has_zip_entries && tar.is_none(), ..probe }
    }
}

impl Drop for Watch<'_, '_> {
    fn drop(&mut self) {
        self.release();
    }
}

impl Read for Watch<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.take(&buffer[..read]);
        Ok(read)
    }
}
