//! Reads gzip: a sequence of members, and what follows them. Source: RFC 1952, 2.2.
//!
//! `flate2` decodes a member. Its reader of several members fails on zeros after the last one, which gzip, GNU tar and
//! Python skip.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

/// What follows the first members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GzipTail {
    /// Further members after zeros, which only some readers decode.
    Members,
    /// Bytes that are not gzip, which only some readers ignore.
    Garbage,
}

/// The decompressed output of a sequence of members. Zeros between and after them are skipped.
pub(super) struct GzipReader<'t, R> {
    state: State<R>,
    tail: &'t Cell<Option<GzipTail>>,
}

enum State<R> {
    Inside(Box<GzDecoder<BufReader<R>>>),
    Between(BufReader<R>),
    Ended,
}

impl<'t, R: Read> GzipReader<'t, R> {
    /// Creates a reader that sets `tail` when it reads what follows.
    pub(super) fn new(reader: R, tail: &'t Cell<Option<GzipTail>>) -> Self {
        Self { state: State::Inside(Box::new(GzDecoder::new(BufReader::new(reader)))), tail }
    }

    /// Begins the next member, if there is one.
    fn begin(&mut self, mut reader: BufReader<R>) -> io::Result<()> {
        let mut has_zeros = false;
        loop {
            let bytes = match reader.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.state = State::Between(reader);
                    return Err(error);
                }
            };
            let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
            match bytes.get(zeros) {
                Some(0x1f) => {
                    if has_zeros || zeros > 0 {
                        self.tail.set(Some(GzipTail::Members));
                    }
                    reader.consume(zeros);
                    self.state = State::Inside(Box::new(GzDecoder::new(reader)));
                    return Ok(());
                }
                Some(_) => {
                    self.tail.set(Some(GzipTail::Garbage));
                    return Ok(());
                }
                None if zeros == 0 => return Ok(()),
                None => {
                    has_zeros = true;
                    reader.consume(zeros);
                }
            }
        }
    }
}

impl<R: Read> Read for GzipReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Inside(mut decoder) => match decoder.read(buffer) {
                    Ok(0) => self.state = State::Between(decoder.into_inner()),
                    result => {
                        self.state = State::Inside(decoder);
                        return result;
                    }
                },
                State::Between(reader) => self.begin(reader)?,
                State::Ended => return Ok(0),
            }
        }
    }
}
