//! The exit status.

use std::process::ExitCode;

/// The exit status, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// The command succeeded.
    Done,
    /// The answer to the question is no.
    No,
    /// Something failed.
    Failed,
    /// A child program failed with this status.
    Program(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Failed => 2,
            Exit::Program(status) => status,
        })
    }
}
