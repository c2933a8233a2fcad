//! Batches of an equal number of rows, whatever the batches of the threads are.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::builder::ColumnBuilder;
use super::{RowBatch, schema};

/// Maximum number of rows of a batch.
pub(crate) const MAX_BATCH_ROWS: usize = 8_192;

/// A batch ends with the row that reaches this number of bytes.
const BATCH_LEN: usize = 16 << 20;

/// A batch that is full.
#[cfg_attr(not(feature = "parquet"), allow(dead_code))] // only Parquet needs the other fields
pub(crate) struct FullBatch {
    pub(crate) batch: RecordBatch,
    /// The number of its last row among the rows that were added.
    pub(crate) last: usize,
    /// Bytes of its rows, which depend on the rows alone.
    pub(crate) bytes: usize,
}

/// Joins the batches of the threads. The rows of a batch depend on the rows alone.
#[derive(Debug)]
pub(crate) struct Batches {
    schema: SchemaRef,
    rows: RowBatch,
    len: usize,
    bytes: usize,
}

impl Batches {
    pub(crate) fn new() -> Self {
        Self { schema: schema(), rows: RowBatch::new(), len: 0, bytes: 0 }
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds rows, and calls `write` with each batch that is full.
    pub(crate) fn add<E: From<io::Error>>(
        &mut self,
        rows: &RowBatch,
        mut write: impl FnMut(FullBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut start, all) = (0, rows.row_bytes.len());
        for (nth, bytes) in rows.row_bytes.iter().enumerate() {
            self.len += 1;
            self.bytes += bytes;
            if self.len == MAX_BATCH_ROWS || self.bytes >= BATCH_LEN {
                self.extend(rows, start..nth + 1);
                start = nth + 1;
                let bytes = self.bytes;
                write(FullBatch { batch: self.take()?, last: nth, bytes })?;
            }
        }
        self.extend(rows, start..all);
        Ok(())
    }

    /// The last batch, unless it is empty.
    pub(crate) fn finish(&mut self) -> io::Result<Option<RecordBatch>> {
        if self.len == 0 { Ok(None) } else { self.take().map(Some) }
    }

    fn extend(&mut self, rows: &RowBatch, range: Range<usize>) {
        if !range.is_empty() {
            for (column, values) in self.rows.columns.iter_mut().zip(&rows.columns) {
                column.extend(values, range.clone());
            }
        }
    }

    fn take(&mut self) -> io::Result<RecordBatch> {
        (self.len, self.bytes) = (0, 0);
        let arrays = self.rows.columns.iter_mut().map(ColumnBuilder::finish).collect::<Result<_, _>>();
        let batch = arrays.and_then(|arrays| RecordBatch::try_new(Arc::clone(&self.schema), arrays));
        batch.map_err(io::Error::other)
    }
}
