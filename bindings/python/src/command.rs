//! The command.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command `sectile` with these arguments, and returns its exit status.
///
/// It writes to the standard output of the process: flush `sys.stdout` first.
#[pyfunction]
pub fn run(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| sectile_cli::embedded::run(arguments))
}
