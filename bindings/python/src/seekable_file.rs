//! Python file objects as sources.

use std::io;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sectile::drive::ReadAt;

/// A binary file object that can seek. Its position is restored at the end.
pub struct SeekableFile<'py> {
    file: Bound<'py, PyAny>,
    position: Bound<'py, PyAny>,
    len: u64,
}

impl<'py> SeekableFile<'py> {
    pub fn new(file: Bound<'py, PyAny>) -> PyResult<Self> {
        let position = file.call_method0("tell")?;
        file.call_method1("seek", (0, 2))?;
        let len = file.call_method0("tell")?.extract()?;
        Ok(Self { file, position, len })
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> PyResult<usize> {
        self.file.call_method1("seek", (offset, 0))?;
        let data = self.file.call_method1("read", (buffer.len(),))?;
        let Ok(data) = data.cast::<PyBytes>() else {
            let kind = data.get_type().name()?;
            let message = format!("the file's `read` returns `{kind}`, not `bytes`: open it in binary mode");
            return Err(PyTypeError::new_err(message));
        };
        let data = data.as_bytes();
        match buffer.get_mut(..data.len()) {
            Some(part) => part.copy_from_slice(data),
            None => return Err(PyValueError::new_err("the file's `read` returns more bytes than requested")),
        }
        Ok(data.len())
    }
}

impl ReadAt for SeekableFile<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        // `From<PyErr>` would turn `InterruptedError` into a kind that readers retry forever.
        self.read(buffer, offset).map_err(io::Error::other)
    }
}

impl Drop for SeekableFile<'_> {
    fn drop(&mut self) {
        _ = self.file.call_method1("seek", (&self.position, 0)); // the result of the call counts, not the position
    }
}
