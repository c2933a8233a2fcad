//! The command inside another program: the Python package.

use std::ffi::OsString;

use sectile::Input;
use sectile_audit::{Progress, Root};
use sectile_policy::{Day, Policy};
use thiserror::Error;

use crate::commands::diff::side::Side;
use crate::commands::{audit, diff};
use crate::failure::Failure;
use crate::judge::Judge;
use crate::source::InputSource;

/// Runs `sectile` with these arguments, without the name of the program. Returns the exit status.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    super::run_with(&std::iter::once("sectile".into()).chain(args).collect::<Vec<_>>()).status()
}

/// The root that a PATH of `sectile audit` names, with the user's credentials.
///
/// # Errors
///
/// Returns the message of the command.
pub fn root(argument: OsString) -> Result<Root, String> {
    audit::root(&InputSource::new(argument)).map_err(|failure| failure.to_string())
}

/// The rows that `sectile diff` compares, as JSON lines: those of a report, of an audit of a root, or of one binary.
///
/// # Errors
///
/// The argument names nothing that has rows, or it cannot be read.
pub fn rows(argument: OsString, policy: &Policy, today: Option<Day>, progress: &Progress) -> Result<Input, RowsError> {
    let source = InputSource::new(argument);
    let judge = Judge { policy: policy.clone(), today };
    let rows = Side::open(&source).and_then(|side| side.into_rows(&source, &judge, progress));
    rows.map_err(|failure| {
        let message = diff::named_message(&source, &failure);
        let source = if let Failure::Input(error) = failure { Some(error) } else { None };
        RowsError { message, source }
    })
}

/// The reason why [`rows`] returns none: the message of the command.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct RowsError {
    message: String,
    /// The error of the input.
    #[source]
    pub source: Option<sectile::Error>,
}
