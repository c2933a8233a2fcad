//! Reading one input, and the exit status of the outcome.

use sectile::{Cost, Error, Outcome, internal};
use sectile_audit::amount::Grouped;
use sectile_policy::internal::left_out_reason;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::{self, InputReader};
use crate::output::Output;
use crate::source::InputSource;

/// The result of reading an input, and the input's size if it could be opened.
pub struct SizedReading<T> {
    pub size: Option<u64>,
    pub outcome: Outcome<T>,
}

impl<T> SizedReading<T> {
    /// The result of reading an input of this size. Reports omit the cost of an input without
    /// results.
    pub fn new(size: u64, outcome: Outcome<T>) -> Self {
        match outcome.value() {
            Some(_) => Self { size: Some(size), outcome },
            None => Self::unread(Some(size), outcome.into_parts().1),
        }
    }

    fn unread(size: Option<u64>, error: Option<Error>) -> Self {
        Self { size, outcome: internal::outcome(None, error, Cost::default()) }
    }

    /// Opens a source and reads it.
    pub fn read(
        source: &InputSource,
        map: bool,
        read: impl FnOnce(&mut InputReader) -> Outcome<T>,
    ) -> Result<Self, Failure> {
        let opened = input::open(source, map);
        Self::or_empty(opened.map(|mut input| Self::new(input.len(), read(&mut input))))
    }

    /// Turns an input that cannot be opened into an empty reading, so that it also gets a report.
    pub fn or_empty(reading: Result<Self, Failure>) -> Result<Self, Failure> {
        match reading {
            Err(Failure::Input(error)) => Ok(Self::unread(None, Some(error))),
            reading => reading,
        }
    }

    /// Prints the error that ended the reading, if any, and returns the exit status.
    pub fn finish(self, source: &InputSource, output: &mut Output) -> Exit {
        self.finish_bounded(source, 0, output)
    }

    /// As [`finish`](Self::finish), for an answer from which this many rows were omitted.
    pub fn finish_bounded(self, source: &InputSource, left_out: u64, output: &mut Output) -> Exit {
        let (_, error, cost) = self.outcome.into_parts();
        if let Some(size) = self.size {
            print_cost(source, cost, size, output);
        }
        finish_bounded(source, error, left_out, output)
    }
}

/// Prints how much of a source was read.
pub fn print_cost(source: &InputSource, cost: Cost, size: u64, output: &mut Output) {
    let (read, size) = (Grouped(cost.bytes), Grouped(size));
    output.print_detail(Some(source), &format_args!("read {read} of {size} bytes"));
}

/// As [`finish`], for an answer from which this many rows were omitted.
pub fn finish_bounded(source: &InputSource, error: Option<Error>, left_out: u64, output: &mut Output) -> Exit {
    if left_out == 0 {
        return finish(source, error, output);
    }
    output.print_diagnostic(Some(source), &left_out_reason(left_out));
    finish(source, error, output);
    Exit::Failed
}

/// Prints the error that interrupted reading, if any, and returns the exit status.
pub fn finish(source: &InputSource, error: Option<Error>, output: &mut Output) -> Exit {
    let Some(error) = error else { return Exit::Done };
    output.print_failure(source, &Failure::Input(error));
    Exit::Failed
}
