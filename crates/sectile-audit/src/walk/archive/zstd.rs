//! Reads Zstandard: a sequence of frames. Source: RFC 8878, 3.1.

use std::io::{self, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::budget::Budget;

/// The decompressed output of a sequence of frames. Skippable frames are skipped.
pub(super) struct ZstdReader<'b, R> {
    reader: R,
    budget: &'b Budget,
    decoder: Box<FrameDecoder>,
    /// Size of the largest window so far in bytes, which the decoder keeps.
    window: u64,
    is_inside: bool,
    /// The bytes of the current block.
    block: Vec<u8>,
    /// An error after output that is returned first.
    error: Option<io::Error>,
}

/// The header of a frame's last block, which is not compressed and has no bytes.
const LAST_BLOCK: u32 = 1;

impl<'b, R: Read> ZstdReader<'b, R> {
    /// Creates a reader that rejects frames whose window exceeds the available memory.
    pub(super) fn new(reader: R, budget: &'b Budget) -> Self {
        Self {
            reader,
            budget,
            decoder: Box::new(FrameDecoder::new()),
            window: 0,
            is_inside: false,
            block: Vec::new(),
            error: None,
        }
    }

    /// Begins the next frame, if there is one.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            let mut first = [0];
            if self.reader.read(&mut first)? == 0 {
                return Ok(false);
            }
            // The decoder only returns the window size in the error that it is too large. Its header is decoded twice
            // for that.
            let mut header = Vec::new();
            self.decoder.set_max_window_size(0);
            match self
                .decoder
                .reset(RecordingReader { reader: (&first[..]).chain(&mut self.reader), kept: &mut header })
            {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::WindowSizeTooBig { requested, .. }) => {
                    self.reserve_window(requested)?;
                    self.decoder.set_max_window_size(requested);
                    self.decoder.reset(&header[..]).map_err(io::Error::other)?;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.reader).take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }

    fn reserve_window(&mut self, window: u64) -> io::Result<()> {
        let (more, most) = (window.saturating_sub(self.window), self.budget.available_memory());
        if more > most {
            let message = format!("it needs a window of {window} bytes, more than the limit of {most}");
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, message));
        }
        self.budget.reserve(more);
        self.window += more;
        Ok(())
    }

    /// Ends a damaged frame, so that the decoder returns all output before the damage. The program `zstd` also writes
    /// it, and the existing bytes of a block that is not compressed.
    fn close_frame(&mut self) {
        let bytes = match self.block.split_first_chunk::<3>() {
            Some((&[low, middle, high], bytes)) => {
                let header = u32::from_le_bytes([low, middle, high, 0]);
                let (is_raw, len) = (header & 0b110 == 0, (header >> 3) as usize);
                if is_raw && bytes.len() < len { bytes } else { &[] }
            }
            None => &[],
        };
        let header = LAST_BLOCK | (bytes.len() as u32) << 3;
        let last = header.to_le_bytes();
        let checksum = [0; 4];
        let block = last[..3].chain(bytes).chain(&checksum[..]);
        _ = self.decoder.decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1)); // the frame has an error already
    }

    /// Verifies the checksum of a frame after its last byte.
    fn end(&mut self) -> io::Result<()> {
        self.is_inside = false;
        match self.decoder.get_checksum_from_data() {
            Some(written) if self.decoder.get_calculated_checksum() != Some(written) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum of a frame is wrong"))
            }
            _ => Ok(()),
        }
    }
}

impl<R> Drop for ZstdReader<'_, R> {
    fn drop(&mut self) {
        self.budget.release(self.window);
    }
}

impl<R: Read> Read for ZstdReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_inside {
                if !self.begin()? {
                    return Ok(0);
                }
                self.is_inside = true;
            }
            while self.error.is_none() && self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.block.clear();
                let reader = RecordingReader { reader: &mut self.reader, kept: &mut self.block };
                if let Err(error) = self.decoder.decode_blocks(reader, BlockDecodingStrategy::UptoBlocks(1)) {
                    self.error = Some(io::Error::other(error));
                    self.close_frame();
                }
            }
            match self.decoder.read(buffer)? {
                0 => match self.error.take() {
                    Some(error) => return Err(error),
                    None => self.end()?,
                },
                read => return Ok(read),
            }
        }
    }
}

/// A reader that records its output.
struct RecordingReader<'k, R> {
    reader: R,
    kept: &'k mut Vec<u8>,
}

impl<R: Read> Read for RecordingReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.kept.extend_from_slice(&buffer[..read]);
        Ok(read)
    }
}
