//! The state of an instance: one operation at a time, and its output.

use std::ops::Range;

use crate::failure::Failure;
use crate::request::{Operation, Request};
use crate::source::Source;
use crate::upload::Upload;
use crate::{edit, inspect};

/// The result of a call. The numbers are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// Complete; for uploads that continue: more bytes are welcome.
    Done = 0,
    /// Complete, and the policy refuses the input.
    Refused = 1,
    /// The input is not valid or was not read to its end. The document has everything before that.
    Partial = 2,
    /// The operation has no document.
    Failed = 3,
    /// Bytes of the source are needed.
    Needs = 4,
}

/// A part of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The JSON document of the operation; empty if it failed.
    Document,
    /// The error as JSON; empty if there is none.
    Error,
    /// The pieces of an edit, in binary.
    Plan,
}

/// The output of an operation.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) document: Vec<u8>,
    pub(crate) error: Vec<u8>,
    pub(crate) plan: Vec<u8>,
}

/// The state of an instance.
#[derive(Debug, Default)]
pub struct Session {
    state: State,
    output: Output,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    /// An operation that waits for bytes.
    Waiting(Box<Waiting>),
    Upload(Box<Upload>),
}

#[derive(Debug)]
struct Waiting {
    request: Request,
    source: Source,
}

impl Session {
    /// Runs an operation on a source of `size` bytes that the import `read_at` reads.
    pub fn run(&mut self, request: &[u8], handle: u32, size: u64) -> Status {
        self.start(request, Source::imported(handle, size))
    }

    /// Runs an operation on a source of `size` bytes that [`supply`](Self::supply) provides.
    pub fn pull(&mut self, request: &[u8], size: u64) -> Status {
        self.start(request, Source::supplied(size))
    }

    fn start(&mut self, request: &[u8], source: Source) -> Status {
        self.reset();
        match Request::parse(request) {
            Ok(request) => self.resume(Box::new(Waiting { request, source })),
            Err(failure) => self.finish(Err(failure)),
        }
    }

    /// The range that is needed; empty if none is.
    pub fn needed(&self) -> Range<u64> {
        match &self.state {
            State::Waiting(waiting) => waiting.source.needed(),
            _ => 0..0,
        }
    }

    /// Provides bytes at an absolute offset, and continues the operation.
    pub fn supply(&mut self, bytes: Vec<u8>, offset: u64) -> Status {
        match std::mem::take(&mut self.state) {
            State::Waiting(mut waiting) => match waiting.source.supply(bytes, offset) {
                Ok(()) => self.resume(waiting),
                Err(error) => self.finish(Err(error.into())),
            },
            _ => self.finish(Err(Failure::argument("no operation waits for bytes"))),
        }
    }

    /// Runs the operation from its start. It ends early at the first bytes that are missing, so the
    /// work done again is bounded by the bytes that were supplied.
    fn resume(&mut self, waiting: Box<Waiting>) -> Status {
        let Waiting { request, source } = &*waiting;
        let result = match request.op {
            Operation::Read => inspect::read(request, source),
            Operation::Sections => Ok(inspect::sections(request, source)),
            Operation::Check => inspect::check(request, source),
            Operation::Edit => edit::edit(request, source),
            Operation::Gate => Err(Failure::argument("`gate` judges uploads: use `begin`")),
        };
        if source.is_waiting() {
            self.state = State::Waiting(waiting);
            return Status::Needs;
        }
        self.finish(result)
    }

    /// Starts an operation on bytes that arrive in order.
    pub fn begin(&mut self, request: &[u8]) -> Status {
        self.reset();
        match Request::parse(request).and_then(Upload::new) {
            Ok(upload) => {
                self.state = State::Upload(Box::new(upload));
                Status::Done
            }
            Err(failure) => self.finish(Err(failure)),
        }
    }

    /// Feeds the next bytes. If the status is not [`Status::Done`], more bytes change nothing.
    pub fn feed(&mut self, chunk: &[u8]) -> Status {
        self.advance(|upload| upload.feed(chunk))
    }

    /// Passes over the next bytes without seeing them: at most [`skippable`](Self::skippable).
    pub fn skip(&mut self, len: u64) -> Status {
        self.advance(|upload| upload.skip(len))
    }

    fn advance(&mut self, step: impl FnOnce(&mut Upload) -> Status) -> Status {
        match &mut self.state {
            State::Upload(upload) => step(upload),
            _ => self.finish(Err(Failure::argument("no upload has begun"))),
        }
    }

    /// Number of the next bytes of the upload that are not needed.
    pub fn skippable(&self) -> u64 {
        match &self.state {
            State::Upload(upload) => upload.skippable(),
            _ => 0,
        }
    }

    /// Ends the upload, and writes its document. `digest` is the SHA-256 of its bytes, if the host
    /// computed it.
    pub fn end(&mut self, digest: Option<[u8; 32]>) -> Status {
        match std::mem::take(&mut self.state) {
            State::Upload(upload) => self.finish(upload.end(digest)),
            _ => self.finish(Err(Failure::argument("no upload has begun"))),
        }
    }

    /// Releases the operation and its output.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    fn finish(&mut self, result: Result<(Status, Output), Failure>) -> Status {
        self.state = State::Idle;
        let (status, output) =
            result.unwrap_or_else(|failure| (Status::Failed, Output { error: failure.to_json(), ..Output::default() }));
        self.output = output;
        status
    }

    /// A part of the output of the last operation.
    pub fn output(&self, part: Part) -> &[u8] {
        match part {
            Part::Document => &self.output.document,
            Part::Error => &self.output.error,
            Part::Plan => &self.output.plan,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with licenses at its end, behind a code section.
    fn module(code: usize) -> Vec<u8> {
        let mut size = code;
        let mut bytes = b"\0asm\x01\0\0\0\x0a".to_vec();
        while size > 0x7f {
            bytes.push(size as u8 | 0x80);
            size >>= 7;
        }
        bytes.push(size as u8);
        bytes.resize(bytes.len() + code, 0);
        bytes.extend(b"\0\x0c\x08licensesMIT");
        bytes
    }

    /// Runs a request by supplying parts of at most `part` bytes. Returns the number of parts, too.
    fn pull(session: &mut Session, request: &str, bytes: &[u8], part: usize) -> (Status, usize) {
        let mut status = session.pull(request.as_bytes(), bytes.len() as u64);
        let mut parts = 0;
        while status == Status::Needs {
            let needed = session.needed();
            let (start, end) = (needed.start as usize, needed.end as usize);
            assert!(start < end && end <= bytes.len(), "{needed:?}");
            parts += 1;
            status = session.supply(bytes[start..end.min(start.saturating_add(part))].to_vec(), needed.start);
        }
        (status, parts)
    }

    fn text(session: &Session, part: Part) -> String {
        String::from_utf8(session.output(part).to_vec()).unwrap()
    }

    #[test]
    fn skipped_bytes_are_not_needed() {
        let mut session = Session::default();
        let bytes = module(10 << 20);
        assert_eq!(pull(&mut session, r#"{"op":"read","file":"a"}"#, &bytes, usize::MAX), (Status::Done, 2));
        let document = text(&session, Part::Document);
        assert!(document.starts_with(r#"{"schema":2,"file":"a","size":"#) && document.contains(r#""licenses":"MIT""#));
        assert_eq!(text(&session, Part::Error), "");
    }

    #[test]
    fn the_size_of_parts_does_not_change_the_document() {
        let bytes = module(3_000);
        for request in [
            r#"{"op":"read","packages":"all","interface":true}"#,
            r#"{"op":"sections"}"#,
            r#"{"op":"check","policy":"refuse = \"note\""}"#,
            r#"{"op":"edit","edit":{"set":[["licenses","0BSD"]]}}"#,
        ] {
            let mut session = Session::default();
            let (status, _) = pull(&mut session, request, &bytes, usize::MAX);
            let (document, plan) = (text(&session, Part::Document), session.output(Part::Plan).to_vec());
            assert!(status == Status::Done && !document.is_empty(), "{request}: {}", text(&session, Part::Error));
            for part in [1, 7, 1_000] {
                assert_eq!(pull(&mut session, request, &bytes, part).0, Status::Done);
                assert_eq!((text(&session, Part::Document), session.output(Part::Plan)), (document.clone(), &plan[..]));
            }
        }
    }

    #[test]
    fn uploads_skip_what_is_not_needed() {
        let bytes = module(100_000);
        let mut session = Session::default();
        assert_eq!(session.begin(br#"{"op":"gate","file":"a"}"#), Status::Done);
        let (mut at, mut fed) = (0, 0);
        while at < bytes.len() {
            let skippable = session.skippable().min((bytes.len() - at) as u64);
            let status = if skippable > 0 {
                at += skippable as usize;
                session.skip(skippable)
            } else {
                at += 1;
                fed += 1;
                session.feed(&bytes[at - 1..at])
            };
            assert_eq!(status, Status::Done);
        }
        assert_eq!(session.end(None), Status::Done);
        assert!(fed < 100, "{fed} bytes were fed");
        assert!(text(&session, Part::Document).contains(r#""accepted":true"#));
    }

    #[test]
    fn skipping_needed_bytes_refuses_the_upload() {
        let mut session = Session::default();
        session.begin(br#"{"op":"gate"}"#);
        assert_eq!(session.skip(1), Status::Refused);
        assert_eq!(session.end(None), Status::Refused);
        assert!(text(&session, Part::Error).contains("not read"), "{}", text(&session, Part::Error));
    }

    #[test]
    fn calls_out_of_order_fail() {
        let mut session = Session::default();
        assert_eq!(session.feed(b"x"), Status::Failed);
        assert_eq!(session.end(None), Status::Failed);
        assert_eq!(session.supply(b"x".to_vec(), 0), Status::Failed);
        assert_eq!(session.begin(br#"{"op":"edit","edit":{}}"#), Status::Failed);
        assert_eq!(session.pull(br#"{"op":"gate"}"#, 8), Status::Failed);
        assert_eq!(session.pull(b"{", 8), Status::Failed);
        assert_eq!(session.pull(br#"{"op":"read","fiel":"a"}"#, 8), Status::Failed);
        assert!(text(&session, Part::Error).contains("fiel"), "{}", text(&session, Part::Error));
        session.reset();
        assert_eq!(text(&session, Part::Error), "");
    }

    #[test]
    fn other_bytes_than_needed_are_an_error() {
        for (bytes, offset) in [(&b""[..], 0), (b"\0asm", 1), (b"\0asm\x01\0\0\0\0", 0), (b"x", u64::MAX)] {
            let mut session = Session::default();
            assert_eq!(session.pull(br#"{"op":"read"}"#, 8), Status::Needs);
            assert_eq!(session.supply(bytes.to_vec(), offset), Status::Failed);
        }
    }

    #[test]
    fn supplied_bytes_are_limited() {
        let size = 200 << 20;
        let mut session = Session::default();
        let mut status = session.pull(br#"{"op":"read"}"#, size);
        // Custom sections of a kilobyte without end.
        let byte = |at: u64| match at {
            0..8 => b"\0asm\x01\0\0\0"[at as usize],
            _ => *[0, 0x80, 0x08].get(((at - 8) % 1_027) as usize).unwrap_or(&0),
        };
        let mut supplies = 0;
        while status == Status::Needs {
            let needed = session.needed();
            supplies += 1;
            status = session.supply(needed.clone().map(byte).collect(), needed.start);
        }
        assert_eq!(status, Status::Failed);
        assert!(text(&session, Part::Error).contains(r#""kind":"limit""#));
        assert!(supplies < 40, "{supplies} ranges");
    }
}
