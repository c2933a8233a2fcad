//! JSON documents as Python strings.

use std::io;

use pyo3::prelude::*;
use pyo3::types::PyString;

/// Returns the document that a function writes, without the line feed at its end.
pub fn document<T>(py: Python<'_>, write: impl FnOnce(&mut Vec<u8>) -> io::Result<T>) -> PyResult<Bound<'_, PyString>> {
    let mut json = Vec::new();
    write(&mut json)?;
    let json = json.strip_suffix(b"\n").unwrap_or(&json);
    Ok(PyString::new(py, &String::from_utf8_lossy(json)))
}
