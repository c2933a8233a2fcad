//! Batches of an equal number of rows, whatever the batches of the threads are.

use std::io;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;

use super::{RowBatch, schema};

/// Maximum number of rows of a batch.
pub(crate) const MAX_BATCH_ROWS: usize = 8_192;

/// A batch ends with the row that reaches this number of bytes.
const BATCH_LEN: usize = 16 << 20;

/// Joins the batches of the threads. The rows of a batch depend on the rows alone.
#[derive(Debug)]
pub(crate) struct Batches {
    schema: SchemaRef,
    parts: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl Batches {
    pub(crate) fn new() -> Self {
        Self { schema: schema(), parts: Vec::new(), rows: 0, bytes: 0 }
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds rows, and calls `write` with each batch that is full, and the number of its last row among these rows.
    pub(crate) fn add<E: From<io::Error>>(
        &mut self,
        rows: &RowBatch,
        mut write: impl FnMut(usize, RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut start, all) = (0, rows.row_bytes.len());
        for (nth, bytes) in rows.row_bytes.iter().enumerate() {
            self.rows += 1;
            self.bytes += bytes;
            if self.rows == MAX_BATCH_ROWS || self.bytes >= BATCH_LEN {
                self.parts.push(rows.batch.slice(start, nth + 1 - start));
                start = nth + 1;
                write(nth, self.take()?)?;
            }
        }
        if start < all {
            self.parts.push(rows.batch.slice(start, all - start));
        }
        Ok(())
    }

    /// The last batch, unless it is empty.
    pub(crate) fn finish(&mut self) -> io::Result<Option<RecordBatch>> {
        if self.parts.is_empty() { Ok(None) } else { self.take().map(Some) }
    }

    fn take(&mut self) -> io::Result<RecordBatch> {
        (self.rows, self.bytes) = (0, 0);
        let joined = concat_batches(&self.schema, &self.parts).map_err(io::Error::other);
        self.parts.clear();
        joined
    }
}
