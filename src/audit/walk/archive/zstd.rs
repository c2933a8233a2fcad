//! Zstandard: frames, one behind the other. Source: RFC 8878, 3.1.

use std::io::{self, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// What frames decompress to; frames that are to be skipped are.
pub(super) struct Frames<R> {
    reader: R,
    /// The first bytes of the next frame, while there is none.
    decoder: Box<FrameDecoder>,
    is_inside: bool,
}

impl<R: Read> Frames<R> {
    /// A frame that asks for a larger window is refused.
    pub(super) fn new(reader: R, window: u64) -> Self {
        let mut decoder = Box::new(FrameDecoder::new());
        decoder.set_max_window_size(window);
        Self { reader, decoder, is_inside: false }
    }

    /// Begins the next frame, if there is one.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            let mut first = [0];
            if self.reader.read(&mut first)? == 0 {
                return Ok(false);
            }
            match self.decoder.reset((&first[..]).chain(&mut self.reader)) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.reader).take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(FrameDecoderError::WindowSizeTooBig { requested, max }) => {
                    let message =
                        format!("it asks for a window of {requested} bytes, more than the {max} that may be held");
                    return Err(io::Error::new(io::ErrorKind::QuotaExceeded, message));
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
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

impl<R: Read> Read for Frames<R> {
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
