//! Sources: paths, bytes and file objects.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyMemoryView, PyString};
use sectile::drive::{self, ReadAt};
use sectile::internal::outcome;
use sectile::scan::{Collector, Visitor};
use sectile::{Cost, Input, Outcome};

use crate::error;
use crate::interruptible::Interruptible;
use crate::seekable_file::SeekableFile;

/// Name of a source without a path, as of standard input.
const UNNAMED: &str = "-";

/// An argument that names or is a source.
pub enum SourceArgument<'py> {
    Path(PathBuf),
    Bytes(PyBackedBytes),
    File(Bound<'py, PyAny>),
}

impl<'py> SourceArgument<'py> {
    /// Copies the bytes of a mutable object: another thread may change them without the interpreter
    /// lock. A memory map is read as a file.
    pub fn new(argument: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = argument.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.clone().into()));
        }
        if argument.cast::<PyString>().is_ok() {
            return Ok(Self::Path(argument.extract()?));
        }
        if argument.hasattr("__fspath__")? {
            return path_argument(argument).map(Self::Path);
        }
        if argument.hasattr("read")? && argument.hasattr("seek")? && argument.hasattr("tell")? {
            return Ok(Self::File(argument.clone()));
        }
        let Ok(view) = PyMemoryView::from(argument) else {
            let kind = argument.get_type().name()?;
            let message = format!("a source is a path, bytes or a seekable binary file, not `{kind}`");
            return Err(PyTypeError::new_err(message));
        };
        let bytes = view.call_method0("tobytes")?.cast_into::<PyBytes>()?;
        Ok(Self::Bytes(bytes.into()))
    }
}

/// The path of a text or of a path object, which may give bytes in the file system's encoding.
pub fn path_argument(argument: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    let os = argument.py().import("os")?;
    os.call_method1("fsdecode", (argument,))?.extract()
}

/// An open source.
pub struct Source<'py> {
    path: Option<PathBuf>,
    content: Content<'py>,
}

enum Content<'py> {
    Input(Input),
    Bytes(PyBackedBytes),
    File(SeekableFile<'py>),
}

impl<'py> Source<'py> {
    pub fn open(argument: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = argument.py();
        match SourceArgument::new(argument)? {
            SourceArgument::Path(path) => {
                let opened = py.detach(|| Input::open(&path));
                let input = opened.map_err(|error| error::from_sectile(py, &error, Some(&path)))?;
                Ok(Self { path: Some(path), content: Content::Input(input) })
            }
            SourceArgument::Bytes(bytes) => Ok(Self { path: None, content: Content::Bytes(bytes) }),
            SourceArgument::File(file) => Ok(Self { path: None, content: Content::File(SeekableFile::new(file)?) }),
        }
    }

    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Name in reports.
    pub fn name(&self) -> &OsStr {
        self.path.as_ref().map_or(OsStr::new(UNNAMED), |path| path.as_os_str())
    }

    pub fn len(&self) -> u64 {
        match &self.content {
            Content::Input(input) => input.len(),
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::File(file) => file.len(),
        }
    }

    /// Whether the file at the path has changed since it was opened.
    pub fn changed(&self) -> std::io::Result<bool> {
        match &self.content {
            Content::Input(input) => input.changed(),
            Content::Bytes(_) | Content::File(_) => Ok(false),
        }
    }

    /// Calls a function with the source and its length; without the interpreter lock, unless the
    /// source is a Python object.
    pub fn with_reader<T: Send>(&self, py: Python<'py>, read: impl FnOnce(&dyn ReadAt, u64) -> T + Send) -> T {
        let len = self.len();
        match &self.content {
            Content::Input(input) => py.detach(|| read(&Interruptible::new(input), len)),
            Content::Bytes(bytes) => py.detach(|| read(&&**bytes, len)),
            Content::File(file) => read(file, len),
        }
    }

    /// Reads the source with a collector. If its file changed during the read, `record_change`
    /// records it in the value.
    pub fn collect<C>(
        &self,
        py: Python<'py>,
        collector: C,
        record_change: impl FnOnce(&mut C::Value),
    ) -> Outcome<C::Value>
    where
        C: Collector<Value: Send> + for<'w> Visitor<'w> + Send,
    {
        let mut collected = self.with_reader(py, |reader, len| drive::collect_at(reader, len, collector));
        match (self.changed(), collected.value_mut()) {
            (Err(error), _) => outcome(None, Some(error.into()), Cost::default()),
            (Ok(true), Some(value)) => {
                record_change(value);
                collected
            }
            (Ok(_), _) => collected,
        }
    }

    pub fn into_name(self) -> OsString {
        self.path.map_or_else(|| UNNAMED.into(), PathBuf::into_os_string)
    }
}
