//! The metadata of a source.

use std::ffi::OsString;

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use sectile::Outcome;
use sectile_policy::report::Report;

use crate::item::Item;
use crate::{error, json, record};

/// The metadata of a source: its items, and the findings about them.
///
/// Values become Python objects when they are requested.
#[pyclass(frozen, module = "sectile")]
pub struct Metadata {
    name: OsString,
    size: u64,
    outcome: Outcome<sectile::Metadata<'static>>,
}

impl Metadata {
    /// The outcome must have a value.
    pub fn new(name: OsString, size: u64, outcome: Outcome<sectile::Metadata<'static>>) -> Self {
        Self { name, size, outcome }
    }

    /// The metadata.
    pub fn value(&self) -> &sectile::Metadata<'static> {
        self.outcome.value().expect("`new` requires a value")
    }

    /// The error that ended the read early.
    pub fn error(&self) -> Option<&sectile::Error> {
        self.outcome.error()
    }

    pub fn size(&self) -> u64 {
        self.size
    }
}

#[pymethods]
impl Metadata {
    /// The module or component that is the source itself.
    #[getter]
    fn root(this: &Bound<'_, Self>) -> Item {
        Item::new(this, 0)
    }

    /// All items in file order, the root first.
    #[getter]
    fn items<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        let items = this.get().value().items();
        PyList::new(this.py(), items.map(|item| Item::new(this, item.number())))
    }

    /// Returns the item at a path such as "3/0"; None if there is none.
    fn item(this: &Bound<'_, Self>, path: &str) -> PyResult<Option<Item>> {
        let path = path.parse().map_err(|fault| error::invalid(this.py(), &fault))?;
        Ok(this.get().value().item(&path).map(|item| Item::new(this, item.number())))
    }

    /// The anomalies of the source.
    #[getter]
    fn findings<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.value().findings().iter().map(|finding| record::finding(py, finding)).collect()
    }

    /// Length of the source in bytes.
    #[getter(size)]
    fn py_size(&self) -> u64 {
        self.size
    }

    /// Number of bytes that were read.
    #[getter]
    fn bytes_read(&self) -> u64 {
        self.outcome.cost().bytes
    }

    /// Whether the source was read to its end. Only the `partial` of an error was not.
    #[getter]
    fn is_complete(&self) -> bool {
        self.outcome.is_complete()
    }

    /// Returns the document of `sectile show --json`.
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let report = Report::new(&self.name, Some(self.size), &self.outcome);
        json::document(py, |out| report.write_json(out))
    }

    fn __repr__(&self) -> String {
        let (items, findings) = (self.value().items().len(), self.value().findings().len());
        format!("<sectile.Metadata of {:?}: items={items}, findings={findings}>", self.name.to_string_lossy())
    }
}
