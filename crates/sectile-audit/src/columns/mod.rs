//! Rows as columns: Arrow record batches.

mod batches;
mod builder;
mod table;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
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
    schema: SchemaRef,
    columns: Vec<(Column, ColumnBuilder)>,
    /// Bytes of the texts of each row, plus a constant.
    row_bytes: Vec<usize>,
    bytes: usize,
}

/// Consecutive rows as columns.
#[derive(Debug)]
pub(crate) struct RowBatch {
    pub(crate) batch: RecordBatch,
    /// Bytes of each row.
    pub(crate) row_bytes: Vec<usize>,
}

/// Bytes that are counted for a row without texts.
const BARE_ROW_LEN: usize = 256;

impl RowColumns {
    pub(crate) fn new() -> Self {
        let builder = |column: Column| {
            let builder = ColumnBuilder::new(&column.value_type);
            (column, builder)
        };
        let columns = table::columns().into_iter().map(builder).collect();
        Self { schema: schema(), columns, row_bytes: Vec::new(), bytes: 0 }
    }

    pub(crate) fn add(&mut self, row: &Row<'_>) {
        let mut bytes = BARE_ROW_LEN;
        for (column, builder) in &mut self.columns {
            column.write(row, Cell::new(builder, &mut bytes));
        }
        self.row_bytes.push(bytes);
        self.bytes += bytes;
    }

    /// Bytes of the rows since the last batch.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Takes the rows since the last batch; `None` if there are none.
    pub(crate) fn take(&mut self) -> Option<RowBatch> {
        if self.row_bytes.is_empty() {
            return None;
        }
        self.bytes = 0;
        let arrays = self.columns.iter_mut().map(|(_, builder)| builder.finish()).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .unwrap_or_else(|error| unreachable!("each column has one value for each row: {error}"));
        Some(RowBatch { batch, row_bytes: std::mem::take(&mut self.row_bytes) })
    }
}

impl std::fmt::Debug for RowColumns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowColumns").field("rows", &self.row_bytes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
