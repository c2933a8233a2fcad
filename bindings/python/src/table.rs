//! Rows in columns, which Arrow's consumers take as they are.

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchIterator};
use arrow_schema::{DataType, SchemaRef};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList};

use crate::summary::Summary;

const STREAM: &CStr = c"arrow_array_stream";

/// Rows in columns. `pyarrow.table`, `polars.DataFrame`, `duckdb.sql` and `pandas.DataFrame.from_arrow` take it as it is.
///
/// Iteration gives each row as a dictionary.
#[pyclass(frozen, module = "sectile")]
pub struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    summary: Option<Py<Summary>>,
}

impl Table {
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>, summary: Option<Py<Summary>>) -> Self {
        Self { schema, batches, summary }
    }

    fn len(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

#[pymethods]
impl Table {
    /// The counts over all rows of an audit; `None` for keys.
    #[getter]
    fn summary(&self, py: Python<'_>) -> Option<Py<Summary>> {
        self.summary.as_ref().map(|summary| summary.clone_ref(py))
    }

    /// Names of the columns.
    #[getter]
    fn columns(&self) -> Vec<&str> {
        self.schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    fn __len__(&self) -> usize {
        self.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyDict>> {
        let len = self.len();
        let position = if index < 0 { index.checked_add_unsigned(len) } else { Some(index) };
        let mut row = position.and_then(|position| usize::try_from(position).ok()).unwrap_or(len);
        for batch in &self.batches {
            if row < batch.num_rows() {
                return row_dictionary(py, &self.schema, batch, row);
            }
            row -= batch.num_rows();
        }
        Err(PyIndexError::new_err("row index out of range"))
    }

    fn __iter__(table: PyRef<'_, Self>) -> RowIterator {
        RowIterator { table: table.into(), batch: 0, row: 0 }
    }

    fn __repr__(&self) -> String {
        format!("<sectile.Table of {} rows and {} columns>", self.len(), self.schema.fields().len())
    }

    /// The rows as a stream of Arrow's C interface. The requested schema is ignored, as the interface permits.
    #[pyo3(signature = (requested_schema = None))]
    #[allow(unused_variables)]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let batches = self.batches.clone().into_iter().map(Ok);
        let reader = RecordBatchIterator::new(batches, Arc::clone(&self.schema));
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), STREAM)
    }
}

/// Iterates over the rows of a table.
#[pyclass]
pub struct RowIterator {
    table: Py<Table>,
    batch: usize,
    row: usize,
}

#[pymethods]
impl RowIterator {
    fn __iter__(iterator: PyRef<'_, Self>) -> PyRef<'_, Self> {
        iterator
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let table = self.table.get();
        while let Some(batch) = table.batches.get(self.batch) {
            if self.row < batch.num_rows() {
                self.row += 1;
                return row_dictionary(py, &table.schema, batch, self.row - 1).map(Some);
            }
            (self.batch, self.row) = (self.batch + 1, 0);
        }
        Ok(None)
    }
}

fn row_dictionary<'py>(
    py: Python<'py>,
    schema: &SchemaRef,
    batch: &RecordBatch,
    row: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = PyDict::new(py);
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        dictionary.set_item(field.name(), value(py, column, row)?)?;
    }
    Ok(dictionary)
}

/// A value as a Python object. Columns have no other types.
fn value<'py>(py: Python<'py>, column: &ArrayRef, row: usize) -> PyResult<Bound<'py, PyAny>> {
    if column.is_null(row) {
        return Ok(py.None().into_bound(py));
    }
    Ok(match column.data_type() {
        DataType::Boolean => column.as_boolean().value(row).into_pyobject(py)?.to_owned().into_any(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into_pyobject(py)?.into_any(),
        DataType::Utf8 => column.as_string::<i32>().value(row).into_pyobject(py)?.into_any(),
        DataType::Binary => PyBytes::new(py, column.as_binary::<i32>().value(row)).into_any(),
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            let items = (0..items.len()).map(|item| value(py, &items, item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_any()
        }
        DataType::Struct(fields) => {
            let parts = PyDict::new(py);
            for (field, part) in fields.iter().zip(column.as_struct().columns()) {
                parts.set_item(field.name(), value(py, part, row)?)?;
            }
            parts.into_any()
        }
        other => unreachable!("no column has the type {other}"),
    })
}
