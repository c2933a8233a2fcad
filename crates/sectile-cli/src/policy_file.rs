//! Policies from files and from standard input.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use sectile_policy::{Policy, PolicyError, PolicySettings};

/// The name of standard input in messages and rule locations.
const STDIN_NAME: &str = "standard input";

/// Whether the argument names standard input.
pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The name of a policy in reports.
pub fn name(path: &Path) -> &OsStr {
    if is_stdin(path) { STDIN_NAME.as_ref() } else { path.as_os_str() }
}

/// Loads a policy; `-` is standard input.
pub fn read(path: &Path) -> Result<Policy, PolicyError> {
    if is_stdin(path) { Policy::read_from(STDIN_NAME, io::stdin().lock()) } else { Policy::read(path) }
}

/// Loads a policy with its effective settings; `-` is standard input.
pub fn read_settings(path: &Path) -> Result<PolicySettings, PolicyError> {
    if is_stdin(path) { PolicySettings::read_from(STDIN_NAME, io::stdin().lock()) } else { PolicySettings::read(path) }
}
