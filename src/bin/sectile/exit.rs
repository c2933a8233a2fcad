//! What the command answers to whoever runs it.

use std::process::ExitCode;

/// The exit status, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// What was asked for is done.
    Done = 0,
    /// The question was answered with no.
    No = 1,
    /// Something could not be done.
    Failed = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
