//! Finds archives in a stream that begins as something else: a zip is found from its end, and a tar after other blocks.
//!
//! A stream cannot be read twice. The bytes are therefore kept from the first one that may belong to an archive.

use std::io::{self, BufRead, Read};

use memchr::memmem;

use super::budget::Budget;
use super::bytes::HeldBytes;
use crate::walk::file_kind::{self, FileKind, TAIL_LEN, TAR_BLOCK};
use crate::walk::formats::{Sample, VOLUME_AT, VOLUME_LEN};
use crate::walk::probe::Probe;

/// A stream whose bytes are searched while they are read.
pub(super) struct Watch<'w, 'b> {
    reader: &'w mut dyn BufRead,
    search: Search<'b>,
}

/// The search in a stream.
struct Search<'b> {
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
    /// A possible archive has more bytes than may be held. The tail is kept.
    TooLarge,
}

const ZIP_ENTRY: &[u8] = b"PK\x03\x04";

impl<'w, 'b> Watch<'w, 'b> {
    pub(super) fn new(reader: &'w mut dyn BufRead, budget: &'b Budget) -> Self {
        let (kept, state) = (Vec::new(), State::Searching);
        let search = Search { budget, position: 0, origin: 0, kept, state, tar: None, volume: Vec::new(), reserved: 0 };
        Self { reader, search }
    }

    /// The bytes from the first that may belong to an archive, or `None` if they were too many.
    pub(super) fn held(&self) -> Option<HeldBytes<'_>> {
        let Search { state, origin, kept, .. } = &self.search;
        (*state == State::Holding).then_some(HeldBytes { origin: *origin, bytes: kept })
    }

    /// Archives and formats in the stream that its first bytes do not show.
    pub(super) fn probe(&self, kind: FileKind, head: &[u8]) -> Probe {
        self.search.probe(kind, head)
    }
}

impl Search<'_> {
    fn take(&mut self, chunk: &[u8]) {
        if self.volume.len() < VOLUME_LEN {
            let at = (VOLUME_AT + self.volume.len() as u64).checked_sub(self.position);
            let found = at.and_then(|at| chunk.get(usize::try_from(at).ok()?..)).unwrap_or_default();
            self.volume.extend_from_slice(&found[..found.len().min(VOLUME_LEN - self.volume.len())]);
        }
        if self.state == State::Searching {
            self.search(chunk);
        } else {
            self.kept.extend_from_slice(chunk);
            self.position += chunk.len() as u64;
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

    /// Searches a chunk in place. Copies its end, or everything from the first byte that may belong to an archive.
    fn search(&mut self, chunk: &[u8]) {
        // A signature that begins in the kept bytes ends within one block of this chunk.
        let (seam, _) = chunk.split_at(chunk.len().min(TAR_BLOCK));
        self.kept.extend_from_slice(seam);
        let find_zip = |bytes: &[u8], start: u64| memmem::find(bytes, ZIP_ENTRY).map(|at| start + at as u64);
        let is_long = chunk.len() > seam.len();
        let mut zip = find_zip(&self.kept, self.origin);
        self.tar = file_kind::find_tar(&self.kept, self.origin);
        if is_long {
            zip = zip.or_else(|| find_zip(chunk, self.position));
            self.tar = self.tar.or_else(|| file_kind::find_tar(chunk, self.position));
        }
        let start = zip.into_iter().chain(self.tar).min();
        let chunk_start = self.position;
        self.position += chunk.len() as u64;
        // A tail of one block has the signatures at the end of a file, too.
        let keep_from = start.unwrap_or(self.position.saturating_sub(TAR_BLOCK as u64)).max(self.origin);
        if let Some(from) = keep_from.checked_sub(chunk_start) {
            self.kept.clear();
            self.kept.extend_from_slice(&chunk[from as usize..]);
        } else {
            self.kept.extend_from_slice(&chunk[seam.len()..]);
            self.kept.drain(..(keep_from - self.origin) as usize);
        }
        self.origin = keep_from;
        if start.is_some() {
            self.state = State::Holding;
        }
    }

    fn probe(&self, kind: FileKind, head: &[u8]) -> Probe {
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

impl Search<'_> {
    fn release(&mut self) {
        self.budget.release(std::mem::take(&mut self.reserved));
    }
}

impl Drop for Search<'_> {
    fn drop(&mut self) {
        self.release();
    }
}

impl BufRead for Watch<'_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        // These bytes are in the reader's buffer, so this does not read.
        if let Some(chunk) = self.reader.fill_buf().ok().and_then(|bytes| bytes.get(..len)) {
            self.search.take(chunk);
            self.reader.consume(len);
        }
    }
}

impl Read for Watch<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.search.take(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;
    use crate::walk::options::WalkOptions;

    /// Reads bytes in chunks of a length.
    fn watch<R>(bytes: &[u8], chunk: usize, check: impl FnOnce(&Watch<'_, '_>) -> R) -> R {
        let budget = Budget::new(&WalkOptions::default());
        let mut reader = BufReader::with_capacity(chunk, bytes);
        let mut watch = Watch::new(&mut reader, &budget);
        loop {
            let len = watch.fill_buf().unwrap().len();
            if len == 0 {
                return check(&watch);
            }
            watch.consume(len);
        }
    }

    #[test]
    fn archives_are_found_in_chunks_of_any_length() {
        let mut header = tar::Header::new_ustar();
        header.set_path("a").unwrap();
        header.set_size(0);
        header.set_cksum();
        for chunk in [1, 3, 511, 512, 513, 1_000, 4_096, 1 << 20] {
            for at in [0, 1, 509, 510, 512, 1_021, 1_023, 1_024, 4_093, 4_094, 40_000] {
                let mut bytes = vec![b'x'; 50_000];
                bytes[at..at + 4].copy_from_slice(ZIP_ENTRY);
                watch(&bytes, chunk, |watch| {
                    let held = watch.held().unwrap();
                    assert_eq!(held.from(at as u64), &bytes[at..], "{at} in chunks of {chunk}");
                });
                let at = at.next_multiple_of(TAR_BLOCK);
                let mut bytes = vec![b'x'; 50_000];
                bytes[at..at + TAR_BLOCK].copy_from_slice(header.as_bytes());
                bytes[VOLUME_AT as usize..][..VOLUME_LEN].copy_from_slice(b"CD001");
                watch(&bytes, chunk, |watch| {
                    assert_eq!((watch.search.tar, &*watch.search.volume), (Some(at as u64), &b"CD001"[..]));
                    assert_eq!(watch.held().unwrap().from(at as u64), &bytes[at..], "{at} in chunks of {chunk}");
                });
            }
            let bytes: Vec<u8> = (0..5_000_u32).map(|nth| nth as u8).collect();
            watch(&bytes, chunk, |watch| {
                assert!(watch.held().is_none());
                assert_eq!(watch.search.kept, bytes[bytes.len() - TAR_BLOCK..], "chunks of {chunk}");
            });
        }
    }
}
