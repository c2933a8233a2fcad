//! Rows as columns: Arrow record batches.

mod batches;
mod builder;
mod table;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow_schema::{Field, Schema, SchemaRef};

pub(crate) use self::batches::Batches;
#[cfg(feature = "parquet")]
pub(crate) use self::batches::{FullBatch, MAX_BATCH_ROWS};
use self::builder::{Cell, ColumnBuilder};
use self::table::Column;
use crate::Row;

/// Version of the columns. It increases when a column is renamed, removed, or gets another type.
pub const COLUMNS_VERSION: u32 = 1;

/// The key of the schema's metadata, of Arrow and of Parquet. Its value is JSON: `{"columns":1,"version":"0.1.0"}` has the
/// [version of the columns](COLUMNS_VERSION) and that of Sectile.
pub const SCHEMA_KEY: &str = "sectile";

/// The value of the schema's metadata.
pub(crate) fn schema_value() -> String {
    format!("{{\"columns\":{COLUMNS_VERSION},\"version\":\"{}\"}}", env!("CARGO_PKG_VERSION"))
}

/// The schema of the record batches of an audit. `docs/rows.md` describes its columns.
pub fn schema() -> SchemaRef {
    let fields: Vec<Field> = table::columns().iter().map(Column::field).collect();
    Arc::new(Schema::new_with_metadata(fields, HashMap::from([(SCHEMA_KEY.to_owned(), schema_value())])))
}

/// Collects rows as columns, on one thread.
pub(crate) struct RowColumns {
    columns: Vec<Column>,
    rows: RowBatch,
    bytes: usize,
}

/// Consecutive rows as columns.
pub(crate) struct RowBatch {
    columns: Vec<ColumnBuilder>,
    /// Bytes of the texts of each row, plus a constant.
    row_bytes: Vec<usize>,
}

/// Bytes that are counted for a row without texts.
const BARE_ROW_LEN: usize = 256;

impl RowColumns {
    pub(crate) fn new() -> Self {
        Self { columns: table::columns(), rows: RowBatch::new(), bytes: 0 }
    }

    pub(crate) fn add(&mut self, row: &Row<'_>) {
        let mut bytes = BARE_ROW_LEN;
        for (column, builder) in self.columns.iter().zip(&mut self.rows.columns) {
            column.write(row, Cell::new(builder, &mut bytes));
        }
        self.rows.row_bytes.push(bytes);
        self.bytes += bytes;
    }

    /// Bytes of the rows since the last batch.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Takes the rows since the last batch; `None` if there are none.
    pub(crate) fn take(&mut self) -> Option<RowBatch> {
        if self.rows.row_bytes.is_empty() {
            return None;
        }
        self.bytes = 0;
        Some(self.rows.take())
    }
}

impl RowBatch {
    fn new() -> Self {
        let columns = table::columns().iter().map(|column| ColumnBuilder::new(&column.value_type)).collect();
        Self { columns, row_bytes: Vec::new() }
    }

    /// Takes the rows.
    fn take(&mut self) -> Self {
        let next = Vec::with_capacity(self.row_bytes.len());
        Self {
            columns: self.columns.iter_mut().map(ColumnBuilder::take).collect(),
            row_bytes: std::mem::replace(&mut self.row_bytes, next),
        }
    }
}

impl fmt::Debug for RowColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowColumns").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl fmt::Debug for RowBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowBatch").field("rows", &self.row_bytes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
