//! Reads gzip: a sequence of members, and the data after them. Source: RFC 1952, 2.2.
//!
//! `flate2` inflates the data of a member. Its own gzip reader fails on headers, and on zeros after the last member,
//! that other readers skip. It also loses output before damage.

use std::cell::Cell;
use std::io::{self, BufRead, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// Contradictions of a stream that readers decode differently.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct GzipFindings {
    pub(super) tail: Option<GzipTail>,
    /// The defect of a member's header or trailer, if some readers decode the member.
    pub(super) member: Option<&'static str>,
}

/// The kind of data after the first members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GzipTail {
    /// Further members after zeros, which only some readers decode.
    Members,
    /// Bytes that are not gzip, which only some readers ignore.
    Garbage,
}

/// The decompressed output of a sequence of members. Zeros between and after them are skipped.
pub(super) struct GzipReader<'f, R> {
    state: State<R>,
    findings: &'f Cell<GzipFindings>,
    /// An error that is returned unless another member follows.
    damage: Option<&'static str>,
}

enum State<R> {
    Start(R),
    Inside(Box<Member<R>>),
    Between(R),
    Ended,
}

/// A member whose header was read.
struct Member<R> {
    reader: R,
    inflater: Decompress,
    crc: Crc,
    has_ended: bool,
    /// An error after output that was returned first.
    error: Option<io::Error>,
}

impl<'f, R: BufRead> GzipReader<'f, R> {
    /// Creates a reader that adds to `findings` while it reads.
    pub(super) fn new(reader: R, findings: &'f Cell<GzipFindings>) -> Self {
        Self { state: State::Start(reader), findings, damage: None }
    }

    fn set_tail(&self, tail: GzipTail) {
        self.findings.set(GzipFindings { tail: Some(tail), ..self.findings.get() });
    }

    fn note(&self, what: &'static str) {
        let findings = self.findings.get();
        self.findings.set(GzipFindings { member: findings.member.or(Some(what)), ..findings });
    }

    /// Begins the next member, if there is one.
    fn begin(&mut self, mut reader: R) -> io::Result<()> {
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
                        self.set_tail(GzipTail::Members);
                    }
                    reader.consume(zeros);
                    if let Some(damage) = self.damage.take() {
                        self.note(damage); // some readers go on
                    }
                    self.state = State::Start(reader);
                    return Ok(());
                }
                Some(_) => {
                    self.set_tail(GzipTail::Garbage);
                    return self.end();
                }
                None if zeros == 0 => return self.end(),
                None => {
                    has_zeros = true;
                    reader.consume(zeros);
                }
            }
        }
    }

    fn end(&mut self) -> io::Result<()> {
        self.damage.take().map_or(Ok(()), |damage| Err(malformed(damage)))
    }

    fn read_header(&mut self, mut reader: R) -> io::Result<()> {
        let doubt = Header { reader: &mut reader, crc: Crc::new() }.read()?;
        if let Some(doubt) = doubt {
            self.note(doubt);
        }
        let inflater = Decompress::new(false);
        self.state =
            State::Inside(Box::new(Member { reader, inflater, crc: Crc::new(), has_ended: false, error: None }));
        Ok(())
    }
}

impl<R: BufRead> Read for GzipReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Start(reader) => self.read_header(reader)?,
                State::Inside(mut member) => match member.read(buffer)? {
                    0 => {
                        self.damage = member.read_trailer()?;
                        self.state = State::Between(member.reader);
                    }
                    read => {
                        self.state = State::Inside(member);
                        return Ok(read);
                    }
                },
                State::Between(reader) => self.begin(reader)?,
                State::Ended => return Ok(0),
            }
        }
    }
}

impl<R: BufRead> Member<R> {
    /// Inflates some data. Returns 0 at the end of the data.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        while !self.has_ended {
            let input = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                input => input?,
            };
            let (read_before, written_before) = (self.inflater.total_in(), self.inflater.total_out());
            let result = self.inflater.decompress(input, buffer, FlushDecompress::None);
            let consumed = (self.inflater.total_in() - read_before) as usize;
            let written = (self.inflater.total_out() - written_before) as usize;
            self.reader.consume(consumed);
            self.crc.update(&buffer[..written]);
            let error = match result {
                Ok(Status::StreamEnd) => {
                    self.has_ended = true;
                    None
                }
                Ok(Status::Ok | Status::BufError) if written > 0 || consumed > 0 => None,
                Ok(Status::Ok | Status::BufError) => Some(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => Some(io::Error::from(error)),
            };
            match error {
                Some(error) if written == 0 => return Err(error),
                // The output before the damage.
                error @ Some(_) => self.error = error,
                None => {}
            }
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }

    /// Compares the output with the checksum and the length after the data. Returns the difference.
    fn read_trailer(&mut self) -> io::Result<Option<&'static str>> {
        let mut trailer = [0; 8];
        self.reader.read_exact(&mut trailer)?;
        let [crc, len] = [&trailer[..4], &trailer[4..]]
            .map(|field| field.iter().rev().fold(0, |number: u32, &byte| number << 8 | u32::from(byte)));
        Ok(if crc != self.crc.sum() {
            Some("the checksum of a gzip stream is wrong")
        } else if len != self.crc.amount() {
            Some("the length of a gzip stream is wrong")
        } else {
            None
        })
    }
}

/// The header of a member while it is read.
struct Header<'h, R> {
    reader: &'h mut R,
    crc: Crc,
}

impl<R: BufRead> Header<'_, R> {
    const HAS_CHECKSUM: u8 = 2;
    const HAS_EXTRA: u8 = 4;
    const HAS_NAME: u8 = 8;
    const HAS_COMMENT: u8 = 16;
    const RESERVED: u8 = 0xe0;

    /// Reads the header. Returns a defect that only some readers accept.
    fn read(mut self) -> io::Result<Option<&'static str>> {
        let [id1, id2, method, flags, ..] = self.bytes::<10>()?;
        if [id1, id2, method] != [0x1f, 0x8b, 8] {
            return Err(malformed("invalid gzip header"));
        }
        let has = |flag| flags & flag != 0;
        let mut doubt = has(Self::RESERVED).then_some("a gzip header has reserved flags, which some readers ignore");
        if has(Self::HAS_EXTRA) {
            let len = u16::from_le_bytes(self.bytes()?);
            for _ in 0..len {
                self.bytes::<1>()?;
            }
        }
        for flag in [Self::HAS_NAME, Self::HAS_COMMENT] {
            while has(flag) && self.bytes()? != [0] {}
        }
        if has(Self::HAS_CHECKSUM) {
            let expected = self.crc.sum() as u16;
            if u16::from_le_bytes(self.bytes()?) != expected {
                doubt = doubt.or(Some("the checksum of a gzip header is wrong, which some readers ignore"));
            }
        }
        Ok(doubt)
    }

    fn bytes<const LEN: usize>(&mut self) -> io::Result<[u8; LEN]> {
        let mut bytes = [0; LEN];
        self.reader.read_exact(&mut bytes)?;
        self.crc.update(&bytes);
        Ok(bytes)
    }
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
