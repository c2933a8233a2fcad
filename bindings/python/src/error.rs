//! Errors as Python exceptions.

use std::io;
use std::path::Path;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use sectile::Error;
use sectile::splice::WriteError;
use sectile_advisories::{DatabaseError, VexError};
use sectile_audit::{BaselineError, ListError, ParquetReportError};
use sectile_cli::embedded::RowsError;
use sectile_policy::PolicyError;
use sectile_policy::diff::ReportError;
use sectile_remote::RemoteError;

use crate::record;

/// The exception of an invalid argument.
pub fn invalid(py: Python<'_>, message: &impl ToString) -> PyErr {
    raised(record::SECTILE_ERROR.create(py, (message.to_string(),)))
}

/// The exception of an error of the library. `path` is the file that it is about.
pub fn from_sectile(py: Python<'_>, error: &Error, path: Option<&Path>) -> PyErr {
    from_system(py, error, path).unwrap_or_else(|| from_input(py, error, None))
}

/// The exception of an input that is not valid, with the metadata before the fault.
pub fn from_input(py: Python<'_>, error: &Error, partial: Option<Bound<'_, PyAny>>) -> PyErr {
    let none = None::<u64>;
    let path = error.downcast_ref::<sectile::edit::EditError>().is_none().then(|| error.path().to_string());
    raised(record::SECTILE_ERROR.create(py, (located(error), error.offset(), path, none, none, partial)))
}

/// The exception of an error of the system or of a Python object; `None` for an invalid input.
pub fn from_system(py: Python<'_>, error: &Error, path: Option<&Path>) -> Option<PyErr> {
    if let Some(system) = error.io_error() {
        return from_io(py, system, &error.message(), path);
    }
    match error.downcast_ref() {
        Some(WriteError::ReadOnly) => Some(os_error(py, errno::ACCES, &error.message(), path)),
        Some(WriteError::Locked) => Some(os_error(py, errno::AGAIN, &error.message(), path)),
        Some(_) => None,
        None if !error.is_io() => None,
        None if path.is_some_and(Path::is_dir) => Some(os_error(py, errno::ISDIR, &error.message(), path)),
        None => Some(PyOSError::new_err(named(&error.message(), path))),
    }
}

/// The exception of a policy that cannot be read.
pub fn from_policy(py: Python<'_>, error: &PolicyError) -> PyErr {
    let message = error.to_string();
    match error {
        PolicyError::Io { file, source, .. } => {
            from_io(py, source, &source.to_string(), Some(file)).unwrap_or_else(|| invalid(py, &message))
        }
        PolicyError::Invalid { line, column, .. } => {
            let none = None::<&str>;
            raised(record::SECTILE_ERROR.create(py, (message, none, none, *line, *column)))
        }
        _ => invalid(py, &message),
    }
}

/// The exception of an error of the system, or of an output.
pub fn from_io_error(py: Python<'_>, error: &io::Error, path: Option<&Path>) -> PyErr {
    from_io(py, error, &error.to_string(), path).unwrap_or_else(|| invalid(py, error))
}

/// The exception of a file that cannot be written.
pub fn from_write(py: Python<'_>, error: WriteError, path: Option<&Path>) -> PyErr {
    match error {
        WriteError::Write(error) => from_io_error(py, &error, path),
        error => from_sectile(py, &error.into(), path),
    }
}

/// The exception of a new file whose path exists.
pub fn exists(py: Python<'_>, path: &Path) -> PyErr {
    os_error(py, errno::EXIST, "File exists", Some(path))
}

/// The exception of roots that cannot be listed.
pub fn from_list(py: Python<'_>, error: &ListError) -> PyErr {
    match error {
        ListError::Path { path, source } => from_io_error(py, source, Some(path)),
        ListError::Store { source: RemoteError::Denied(_), .. } => os_error(py, errno::ACCES, &error.to_string(), None),
        ListError::Store { source: RemoteError::Missing | RemoteError::MissingBucket, .. } => {
            os_error(py, errno::NOENT, &error.to_string(), None)
        }
        _ => PyOSError::new_err(error.to_string()),
    }
}

/// The exception of an earlier report whose rows cannot be reused.
pub fn from_baseline(py: Python<'_>, error: &BaselineError, path: &Path) -> PyErr {
    let system = match error {
        BaselineError::Io(system) | BaselineError::Parquet(ParquetReportError::Io(system)) => Some(system),
        _ => None,
    };
    from_file(py, error, system, path)
}

/// The exception of a report that cannot be compared.
pub fn from_report(py: Python<'_>, error: &ReportError, path: &Path) -> PyErr {
    let system = if let ReportError::Io(system) = error { Some(system) } else { None };
    from_file(py, error, system, path)
}

/// The exception of a path or a URL that has no rows to compare.
pub fn from_rows(py: Python<'_>, error: &RowsError, path: &Path) -> PyErr {
    let system = error.source.as_ref().and_then(|source| from_system(py, source, Some(path)));
    system.unwrap_or_else(|| invalid(py, error))
}

/// The exception of a database of advisories that cannot be used.
pub fn from_database(py: Python<'_>, error: &DatabaseError, path: &Path) -> PyErr {
    match error {
        DatabaseError::Read { path, source } => from_file(py, error, Some(source), path),
        _ => from_file(py, error, None, path),
    }
}

/// The exception of a VEX document that cannot be used.
pub fn from_vex(py: Python<'_>, error: &VexError, path: &Path) -> PyErr {
    match error {
        VexError::Read(system) => from_file(py, error, Some(system), path),
        VexError::Syntax { line, .. } | VexError::Statement { line, .. } => {
            let none = None::<&str>;
            raised(record::SECTILE_ERROR.create(py, (of_file(error, path), none, none, *line)))
        }
        _ => from_file(py, error, None, path),
    }
}

/// The exception of a file that cannot be used, because of an error of the system if there is one.
fn from_file(py: Python<'_>, error: &impl ToString, system: Option<&io::Error>, path: &Path) -> PyErr {
    let raised = system.and_then(|system| from_io(py, system, &system.to_string(), Some(path)));
    raised.unwrap_or_else(|| invalid(py, &of_file(error, path)))
}

fn of_file(error: &impl ToString, path: &Path) -> String {
    format!("{}: {}", path.display(), error.to_string())
}

/// The exception of an error of the system; `None` if an argument that the system never sees causes
/// it, such as a path with NUL.
fn from_io(py: Python<'_>, error: &io::Error, message: &str, path: Option<&Path>) -> Option<PyErr> {
    if let Some(raised) = error.get_ref().and_then(|error| error.downcast_ref::<PyErr>()) {
        return Some(raised.clone_ref(py));
    }
    match error.raw_os_error() {
        Some(code) => {
            let suffix = format!(" (os error {code})");
            Some(os_error(py, code, message.strip_suffix(&suffix).unwrap_or(message), path))
        }
        None if error.kind() == io::ErrorKind::InvalidInput => None,
        None => Some(PyOSError::new_err(named(message, path))),
    }
}

/// Python selects the subclass by the code.
fn os_error(py: Python<'_>, code: i32, message: &str, path: Option<&Path>) -> PyErr {
    let path = path.map(Path::as_os_str);
    match (code, message, path).into_pyobject(py) {
        Ok(arguments) => PyOSError::new_err(arguments.unbind()),
        Err(error) => error,
    }
}

fn named(message: &str, path: Option<&Path>) -> String {
    match path {
        Some(path) => format!("{message}: {:?}", path.to_string_lossy()),
        None => message.to_owned(),
    }
}

/// The message with its place, and the messages of the sources.
fn located(error: &Error) -> String {
    format!("{error:?}")
}

/// The codes of Linux, macOS and Windows' C library.
mod errno {
    pub const ACCES: i32 = 13;
    pub const AGAIN: i32 =
        if cfg!(any(target_os = "macos", target_os = "ios", target_os = "freebsd")) { 35 } else { 11 };
    pub const EXIST: i32 = 17;
    pub const ISDIR: i32 = 21;
    pub const NOENT: i32 = 2;
}

fn raised(created: PyResult<Bound<'_, PyAny>>) -> PyErr {
    created.map_or_else(|error| error, PyErr::from_value)
}
