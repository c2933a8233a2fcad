//! The command inside another program: the Python package.

use std::ffi::OsString;

use sectile_audit::Root;

use crate::commands::audit;
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
