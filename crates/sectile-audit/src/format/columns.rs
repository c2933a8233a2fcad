//! Outputs that take rows as columns: record batches, and streams of them.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;

use crate::columns::Batches;
use crate::encoder::EncodedRows;
use crate::{AuditInfo, Stop, Summary};

/// An output that takes rows as columns.
pub(super) trait ColumnOutput {
    fn head(&mut self, info: &AuditInfo) -> io::Result<()>;

    /// Writes rows with their text, or only a text.
    fn write(&mut self, rows: &EncodedRows, text: &[u8]) -> io::Result<()>;

    fn tail(&mut self, summary: &Summary, stop: Option<&Stop>) -> io::Result<()>;
}

/// Passes record batches to a function.
pub(super) struct BatchReceiver<'w> {
    batches: Batches,
    receive: &'w mut dyn FnMut(RecordBatch) -> io::Result<()>,
}

impl<'w> BatchReceiver<'w> {
    pub(super) fn new(receive: &'w mut dyn FnMut(RecordBatch) -> io::Result<()>) -> Self {
        Self { batches: Batches::new(), receive }
    }
}

impl ColumnOutput for BatchReceiver<'_> {
    fn head(&mut self, _: &AuditInfo) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, rows: &EncodedRows, _: &[u8]) -> io::Result<()> {
        match &rows.columns {
            Some(columns) => self.batches.add(columns, |full| (self.receive)(full.batch)),
            None => Ok(()),
        }
    }

    fn tail(&mut self, _: &Summary, _: Option<&Stop>) -> io::Result<()> {
        self.batches.finish()?.map_or(Ok(()), |batch| (self.receive)(batch))
    }
}

/// A stream of record batches in Arrow's format.
pub(super) struct ArrowStream<'w> {
    batches: Batches,
    out: &'w mut dyn Write,
    /// Writes to memory, which is copied to `out` after each batch.
    writer: Option<StreamWriter<Vec<u8>>>,
}

impl<'w> ArrowStream<'w> {
    pub(super) fn new(out: &'w mut dyn Write) -> Self {
        Self { batches: Batches::new(), out, writer: None }
    }
}

impl ColumnOutput for ArrowStream<'_> {
    fn head(&mut self, _: &AuditInfo) -> io::Result<()> {
        let writer = StreamWriter::try_new(Vec::new(), self.batches.schema()).map_err(write_error)?;
        drain(self.writer.insert(writer).get_mut(), self.out)
    }

    fn write(&mut self, rows: &EncodedRows, _: &[u8]) -> io::Result<()> {
        let Some((columns, writer)) = rows.columns.as_ref().zip(self.writer.as_mut()) else { return Ok(()) };
        self.batches.add(columns, |full| {
            writer.write(&full.batch).map_err(write_error)?;
            drain(writer.get_mut(), self.out)
        })
    }

    fn tail(&mut self, _: &Summary, _: Option<&Stop>) -> io::Result<()> {
        let Some(mut writer) = self.writer.take() else { return Ok(()) };
        if let Some(batch) = self.batches.finish()? {
            writer.write(&batch).map_err(write_error)?;
        }
        writer.finish().map_err(write_error)?;
        drain(writer.get_mut(), self.out)
    }
}

/// Moves bytes from memory to a writer.
pub(super) fn drain(bytes: &mut Vec<u8>, out: &mut dyn Write) -> io::Result<()> {
    let written = out.write_all(bytes);
    bytes.clear();
    written
}

fn write_error(error: ArrowError) -> io::Error {
    io::Error::other(error)
}
