//! Writes Parquet: the columns of the rows, and the JSON lines of the same rows.
//!
//! The lines are in blocks between the row groups, where readers of Parquet skip them: a later audit reads them as it
//! reads a report in the format `jsonl`. [`crate::saved_lines`] describes the layout.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use snap::write::FrameEncoder;

use super::columns::{ColumnOutput, drain};
use super::jsonl;
use crate::columns::{Batches, FullBatch, MAX_BATCH_ROWS, SCHEMA_KEY, schema_value};
use crate::encoder::EncodedRows;
use crate::saved_lines::{Block, MAX_BLOCK_TEXT, write_trailer};
use crate::{AuditInfo, Stop, Summary};

/// A row group ends with the batch that reaches this number of rows.
const GROUP_ROWS: usize = 8 * MAX_BATCH_ROWS;

/// A row group ends with the batch that reaches this number of bytes.
const GROUP_LEN: usize = 128 << 20;

/// Columns with the least and the largest value of each row group, which filters use.
const WITH_STATISTICS: [&str; 8] = ["file", "image", "size", "outcome", "accepted", "errors", "warnings", "refused"];

/// Columns whose values are mostly different.
const WITHOUT_DICTIONARY: [&str; 10] = [
    "file",
    "size",
    "digest",
    "state",
    "bytes_read",
    "largest.bytes",
    "sections.list.element.bytes",
    "packages.list.element.offset",
    "findings.list.element.offset",
    "reason.offset",
];

/// The keys of the file's metadata for the first and the last line of `jsonl`.
const AUDIT_KEY: &str = "sectile.audit";
const SUMMARY_KEY: &str = "sectile.summary";

pub(super) struct ParquetFile<'w> {
    out: &'w mut dyn Write,
    batches: Batches,
    /// Writes to memory, which is copied to `out` after each row group and each block.
    writer: Option<FileWriter>,
}

impl<'w> ParquetFile<'w> {
    pub(super) fn new(out: &'w mut dyn Write) -> Self {
        Self { out, batches: Batches::new(), writer: None }
    }
}

impl ColumnOutput for ParquetFile<'_> {
    fn head(&mut self, info: &AuditInfo) -> io::Result<()> {
        let mut line = Vec::new();
        jsonl::head(info, &mut line)?;
        let mut properties = WriterProperties::builder()
            .set_created_by(concat!("sectile ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(None)
            .set_key_value_metadata(Some(vec![
                KeyValue::new(SCHEMA_KEY.to_owned(), schema_value()),
                KeyValue::new(AUDIT_KEY.to_owned(), text(&line)),
            ]))
            .set_write_batch_size(MAX_BATCH_ROWS)
            // The trailer must be directly before the metadata, where no index of pages may be.
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true);
        for column in WITH_STATISTICS {
            properties = properties.set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::Chunk);
        }
        for column in WITHOUT_DICTIONARY {
            let path = ColumnPath::new(column.split('.').map(str::to_owned).collect());
            properties = properties.set_column_dictionary_enabled(path, false);
        }
        let options = ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
        let schema = self.batches.schema().clone();
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema, options).map_err(write_error)?;
        let writer = self.writer.insert(FileWriter {
            writer,
            group_rows: 0,
            group_bytes: 0,
            lines: Vec::new(),
            lines_len: 0,
            blocks: Vec::new(),
        });
        writer.add_lines(&line, self.out)
    }

    fn write(&mut self, rows: &EncodedRows, text: &[u8]) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let mut at = 0;
        if let Some(columns) = &rows.columns {
            self.batches.add(columns, |FullBatch { batch, last, bytes }| {
                // The text of the rows so far, so that the file does not depend on the batches of the threads.
                let end = rows.saved_ends.get(last).copied().unwrap_or(at).min(text.len());
                writer.add_lines(&text[at..end], self.out)?;
                at = end;
                writer.add_batch(&batch, bytes, self.out)
            })?;
        }
        writer.add_lines(&text[at..], self.out)
    }

    fn tail(&mut self, summary: &Summary, stop: Option<&Stop>) -> io::Result<()> {
        let Some(mut writer) = self.writer.take() else { return Ok(()) };
        if let Some(batch) = self.batches.finish()? {
            writer.add_batch(&batch, 0, self.out)?; // the last row group ends with it
        }
        let mut line = Vec::new();
        jsonl::tail(summary, stop, &mut line)?;
        writer.add_lines(&line, self.out)?;
        writer.finish(&line, self.out)
    }
}

/// A file that is being written.
struct FileWriter {
    writer: ArrowWriter<Vec<u8>>,
    /// Rows and bytes of the current row group.
    group_rows: usize,
    group_bytes: usize,
    /// The text of the current block. It is compressed at once, because frames depend on the lengths of the writes.
    lines: Vec<u8>,
    /// Length of all lines in blocks.
    lines_len: u64,
    blocks: Vec<Block>,
}

impl FileWriter {
    fn add_batch(&mut self, batch: &RecordBatch, bytes: usize, out: &mut dyn Write) -> io::Result<()> {
        self.writer.write(batch).map_err(write_error)?;
        self.group_rows += batch.num_rows();
        self.group_bytes += bytes;
        if self.group_rows >= GROUP_ROWS || self.group_bytes >= GROUP_LEN { self.end_group(out) } else { Ok(()) }
    }

    fn end_group(&mut self, out: &mut dyn Write) -> io::Result<()> {
        (self.group_rows, self.group_bytes) = (0, 0);
        self.writer.flush().map_err(write_error)?;
        self.drain(out)
    }

    fn add_lines(&mut self, mut text: &[u8], out: &mut dyn Write) -> io::Result<()> {
        while !text.is_empty() {
            let (begin, rest) = text.split_at(text.len().min(MAX_BLOCK_TEXT - self.lines.len()));
            self.lines.extend_from_slice(begin);
            text = rest;
            if self.lines.len() == MAX_BLOCK_TEXT {
                self.end_block(out)?;
            }
        }
        Ok(())
    }

    fn end_block(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let mut encoder = FrameEncoder::new(Vec::new());
        encoder.write_all(&self.lines)?;
        let block = encoder.into_inner().map_err(|error| io::Error::other(error.error().to_string()))?;
        self.lines_len += self.lines.len() as u64;
        self.lines.clear();
        self.blocks.push(Block { start: self.writer.bytes_written() as u64, len: block.len() as u64 });
        self.writer.write_all(&block)?;
        self.drain(out)
    }

    fn finish(mut self, summary: &[u8], out: &mut dyn Write) -> io::Result<()> {
        self.end_group(out)?;
        self.end_block(out)?;
        let mut trailer = Vec::new();
        write_trailer(&self.blocks, self.lines_len, &mut trailer);
        self.writer.write_all(&trailer)?;
        self.writer.append_key_value_metadata(KeyValue::new(SUMMARY_KEY.to_owned(), text(summary)));
        self.writer.finish().map_err(write_error)?;
        self.drain(out)
    }

    fn drain(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.writer.sync()?;
        drain(self.writer.inner_mut(), out)
    }
}

/// A line as text.
fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
}

fn write_error(error: ParquetError) -> io::Error {
    io::Error::other(error)
}
