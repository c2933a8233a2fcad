//! A tar in a decoder's output. Its last bytes are kept: some readers open the zip that ends there.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::ops::Range;

use crate::walk::archive::bytes::HeldBytes;
use crate::walk::file_kind::{TAIL_LEN, TAR_BLOCK};

/// A stream that counts its bytes and keeps the last ones.
pub(in crate::walk::archive) struct TarStream<'r> {
    reader: &'r mut dyn BufRead,
    /// Number of bytes read.
    position: u64,
    /// The last bytes, at least as many as readers search for a zip.
    tail: Vec<u8>,
    /// The last ranges whose content was inspected.
    inspected: VecDeque<Range<u64>>,
}

/// No more entries with data end in the bytes that readers search.
const MAX_INSPECTED: usize = TAIL_LEN / TAR_BLOCK + 1;

impl<'r> TarStream<'r> {
    pub(in crate::walk::archive) fn new(reader: &'r mut dyn BufRead) -> Self {
        Self { reader, position: 0, tail: Vec::new(), inspected: VecDeque::new() }
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Records that the content of a range is inspected, with the archives in it.
    pub(super) fn add_inspected(&mut self, range: Range<u64>) {
        if self.inspected.len() == MAX_INSPECTED {
            self.inspected.pop_front();
        }
        self.inspected.push_back(range);
    }

    /// Whether a range is in one whose content was inspected.
    pub(in crate::walk::archive) fn is_inspected(&self, range: &Range<u64>) -> bool {
        self.inspected.iter().any(|inspected| inspected.start <= range.start && range.end <= inspected.end)
    }

    /// The last bytes that were read.
    pub(in crate::walk::archive) fn tail(&self) -> HeldBytes<'_> {
        let bytes = &self.tail[self.tail.len().saturating_sub(TAIL_LEN)..];
        HeldBytes { origin: self.position - bytes.len() as u64, bytes }
    }
}

/// Adds the bytes that were read, and drops old ones now and then.
fn keep(tail: &mut Vec<u8>, chunk: &[u8]) {
    let last = &chunk[chunk.len().saturating_sub(TAIL_LEN)..];
    if tail.len() + last.len() > 4 * TAIL_LEN || last.len() == TAIL_LEN {
        tail.drain(..(tail.len() + last.len()).saturating_sub(TAIL_LEN).min(tail.len()));
    }
    tail.extend_from_slice(last);
}

impl BufRead for TarStream<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        // These bytes are in the reader's buffer, so this does not read.
        if let Some(chunk) = self.reader.fill_buf().ok().and_then(|bytes| bytes.get(..len)) {
            keep(&mut self.tail, chunk);
        }
        self.position += len as u64;
        self.reader.consume(len);
    }
}

impl Read for TarStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        keep(&mut self.tail, &buffer[..read]);
        self.position += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn last_bytes_are_kept_in_chunks_of_any_length() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|nth| (nth % 251) as u8).collect();
        for chunk in [700, 4_096, TAIL_LEN - 1, TAIL_LEN, TAIL_LEN + 1, 1 << 20] {
            let mut reader = BufReader::with_capacity(chunk, &*bytes);
            let mut stream = TarStream::new(&mut reader);
            stream.read_exact(&mut [0; TAR_BLOCK]).unwrap();
            loop {
                let end = stream.position() as usize;
                let start = end.saturating_sub(TAIL_LEN);
                assert!(stream.tail().from(start as u64) == &bytes[start..end], "{end} in chunks of {chunk}");
                let len = stream.fill_buf().unwrap().len();
                if len == 0 {
                    break;
                }
                stream.consume(len);
            }
        }
    }
}
