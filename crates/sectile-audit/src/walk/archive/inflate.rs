//! Inflates deflated data.
//!
//! The readers of `flate2` lose the output before corrupt data, up to the length of their caller's buffer. Other
//! programs write it. This reader returns all of it before the error, for any length of the buffer.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, DecompressError, FlushDecompress, Status};

/// The inflated output of one stream.
pub(super) struct Inflater<R> {
    input: R,
    decompress: Decompress,
    state: State,
}

enum State {
    Inside,
    Corrupt(DecompressError),
    Ended,
}

impl<R: BufRead> Inflater<R> {
    /// Inflates data without a header.
    pub(super) fn new(input: R) -> Self {
        Self { input, decompress: Decompress::new(false), state: State::Inside }
    }

    /// Inflates data with a header and a checksum (RFC 1950).
    pub(super) fn zlib(input: R) -> Self {
        Self { decompress: Decompress::new(true), ..Self::new(input) }
    }

    /// Number of bytes of input used.
    pub(super) fn total_in(&self) -> u64 {
        self.decompress.total_in()
    }

    /// Number of bytes of output.
    pub(super) fn total_out(&self) -> u64 {
        self.decompress.total_out()
    }

    /// The input after the bytes used.
    pub(super) fn into_input(self) -> R {
        self.input
    }
}

impl<R: BufRead> Read for Inflater<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while matches!(self.state, State::Inside) {
            let input = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                input => input?,
            };
            let is_end = input.is_empty();
            let (before_in, before_out) = (self.decompress.total_in(), self.decompress.total_out());
            let result = self.decompress.decompress(input, buffer, FlushDecompress::None);
            let written = (self.decompress.total_out() - before_out) as usize;
            self.input.consume((self.decompress.total_in() - before_in) as usize);
            match result {
                Ok(Status::StreamEnd) => self.state = State::Ended,
                Ok(_) if written == 0 && is_end => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "incomplete deflate stream"));
                }
                Ok(_) => {}
                Err(error) => self.state = State::Corrupt(error),
            }
            if written > 0 {
                return Ok(written);
            }
        }
        match &self.state {
            State::Corrupt(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error.clone())),
            State::Inside | State::Ended => Ok(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Output, then a block of the reserved type.
    fn corrupt(output: &[u8]) -> Vec<u8> {
        let len = output.len() as u16;
        [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes(), output, &[7]].concat()
    }

    #[test]
    fn output_before_corrupt_data_is_returned() {
        let bytes = corrupt(&[b'x'; 10_000]);
        let mut output = Vec::new();
        let error = Inflater::new(&bytes[..]).read_to_end(&mut output).unwrap_err();
        assert_eq!((output, error.kind()), (vec![b'x'; 10_000], io::ErrorKind::InvalidData));

        let mut inflater = Inflater::new(&bytes[..]);
        let mut buffer = vec![0; 1 << 20];
        assert_eq!(inflater.read(&mut buffer).unwrap(), 10_000);
        assert!(inflater.read(&mut buffer).is_err() && inflater.read(&mut buffer).is_err());
    }

    #[test]
    fn a_truncated_stream_ends_in_an_error() {
        let bytes = corrupt(&[b'x'; 10_000]);
        let mut output = Vec::new();
        let error = Inflater::new(&bytes[..5_005]).read_to_end(&mut output).unwrap_err();
        assert_eq!((output.len(), error.kind()), (5_000, io::ErrorKind::UnexpectedEof));
    }
}
