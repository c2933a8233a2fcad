//! Reads gzip: a sequence of members, and the data after them. Source: RFC 1952, 2.2.
//!
//! The gzip reader of `flate2` fails on headers, and on zeros after the last member, that other readers skip. It also
//! loses output before damage.

use std::cell::Cell;
use std::io::{self, BufRead, Read};

use super::checksum::Checked;
use super::inflate::Inflater;

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
    Inside(Box<Checked<Inflater<R>>>),
    Between(R),
    Ended,
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
        let doubt = Header(Checked::new(&mut reader)).read()?;
        if let Some(doubt) = doubt {
            self.note(doubt);
        }
        self.state = State::Inside(Box::new(Checked::new(Inflater::new(reader))));
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
                State::Inside(mut data) => match data.read(buffer)? {
                    0 => {
                        let (sum, len) = (data.sum(), data.decoder.total_out() as u32);
                        let mut reader = data.decoder.into_input();
                        self.damage = read_trailer(&mut reader, sum, len)?;
                        self.state = State::Between(reader);
                    }
                    read => {
                        self.state = State::Inside(data);
                        return Ok(read);
                    }
                },
                State::Between(reader) => self.begin(reader)?,
                State::Ended => return Ok(0),
            }
        }
    }
}

/// Compares a member's output with the checksum and the length after its data. Returns the difference.
fn read_trailer(reader: &mut dyn Read, sum: u32, len: u32) -> io::Result<Option<&'static str>> {
    let mut trailer = [0; 8];
    reader.read_exact(&mut trailer)?;
    Ok(if trailer[..4] != sum.to_le_bytes() {
        Some("the checksum of a gzip stream is wrong")
    } else if trailer[4..] != len.to_le_bytes() {
        Some("the length of a gzip stream is wrong")
    } else {
        None
    })
}

/// The header of a member while it is read.
struct Header<R>(Checked<R>);

impl<R: Read> Header<R> {
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
            let expected = self.0.sum() as u16;
            if u16::from_le_bytes(self.bytes()?) != expected {
                doubt = doubt.or(Some("the checksum of a gzip header is wrong, which some readers ignore"));
            }
        }
        Ok(doubt)
    }

    fn bytes<const LEN: usize>(&mut self) -> io::Result<[u8; LEN]> {
        let mut bytes = [0; LEN];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
