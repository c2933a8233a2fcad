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
    /// There is no document.
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
            Operation::Sections => inspect::sections(request, source),
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
