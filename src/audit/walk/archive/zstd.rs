//! Zstandard: frames, one behind the other. Source: RFC 8878, 3.1.

use std::io::{self, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::Budget;

/// What frames decompress to; frames that are to be skipped are.
pub(super) struct Frames<'b, R> {
    reader: R,
    budget: &'b Budget,
    decoder: Box<FrameDecoder>,
    /// Bytes of the largest window so far: the decoder keeps them.
    window: u64,
    is_inside: bool,
}

impl<'b, R: Read> Frames<'b, R> {
    /// A frame that asks for a larger window than may be held is refused.
    pub(super) fn new(reader: R, budget: &'b Budget) -> Self {
        Self { reader, budget, decoder: Box::new(FrameDecoder::new()), window: 0, is_inside: false }
    }

    /// Begins the next frame, if there is one.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            let mut first = [0];
            if self.reader.read(&mut first)? == 0 {
                return Ok(false);
            }
            // How large its window is, the decoder says where it is too large; so it is shown the header once more.
            let mut header = Vec::new();
            self.decoder.set_max_window_size(0);
            match self.decoder.reset(Kept { reader: (&first[..]).chain(&mut self.reader), kept: &mut header }) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::WindowSizeTooBig { requested, .. }) => {
                    self.hold(requested)?;
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

    fn hold(&mut self, window: u64) -> io::Result<()> {
        let (more, most) = (window.saturating_sub(self.window), self.budget.holdable());
        if more > most {
            let message = format!("it asks for a window of {window} bytes, more than the {most} that may be held");
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, message));
        }
        self.budget.hold(more);
        self.window += more;
        Ok(())
    }

    /// Checks a frame that was read whole.
    fn end(&mut self) -> io::Result<()> {
        self.is_inside = false;
        match self.decoder.get_checksum_from_data() {
            Some(written) if self.decoder.get_calculated_checksum() != Some(written) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "a frame has not the checksum that it should have"))
            }
            _ => Ok(()),
        }
    }
}

impl<R> Drop for Frames<'_, R> {
    fn drop(&mut self) {
        self.budget.let_go(self.window);
    }
}

impl<R: Read> Read for Frames<'_, R> {
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
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let decoded = self.decoder.decode_blocks(&mut self.reader, BlockDecodingStrategy::UptoBlocks(1));
                decoded.map_err(io::Error::other)?;
            }
            match self.decoder.read(buffer)? {
                0 => self.end()?,
                read => return Ok(read),
            }
        }
    }
}

/// A reader that keeps what is read.
struct Kept<'k, R> {
    reader: R,
    kept: &'k mut Vec<u8>,
}

impl<R: Read> Read for Kept<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.kept.extend_from_slice(&buffer[..read]);
        Ok(read)
    }
}
