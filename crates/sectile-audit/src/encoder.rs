//! Encodes rows in the output formats, on one thread.

use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(feature = "arrow")]
use super::columns::{RowBatch, RowColumns};
use super::{Format, Row};

/// Encodes rows in the output formats, on one thread.
#[derive(Debug)]
pub(super) struct RowEncoder {
    formats: Vec<Format>,
    texts: Vec<Vec<u8>>,
    /// The columns, if a format needs them.
    #[cfg(feature = "arrow")]
    columns: Option<RowColumns>,
    /// The number of the format whose text is saved beside columns, if there is one.
    #[cfg(feature = "parquet")]
    saved: Option<usize>,
    /// The length of its text after each row.
    #[cfg(feature = "parquet")]
    saved_ends: Vec<usize>,
}

/// Consecutive rows in the output formats.
#[derive(Debug, Default)]
pub(super) struct EncodedRows {
    /// The text of the rows in each output format.
    pub(super) texts: Vec<Vec<u8>>,
    /// The rows as columns, if a format needs them.
    #[cfg(feature = "arrow")]
    pub(super) columns: Option<RowBatch>,
    /// The length of the text that is saved beside columns after each row.
    #[cfg(feature = "parquet")]
    pub(super) saved_ends: Vec<usize>,
}

/// Maximum capacity in bytes that is reserved for the text of the next rows.
const MAX_RESERVED: usize = 512 << 10;

/// Buffers of rows that were written, for the next ones. Otherwise the allocator returns them to the system each time.
#[derive(Debug, Default)]
pub(super) struct SpareTexts(Mutex<Vec<Vec<u8>>>);

impl SpareTexts {
    /// Maximum number of buffers, so that they take at most 8 MiB.
    const MAX_LEN: usize = 16;

    /// Keeps the buffers of rows that were written.
    pub(super) fn add(&self, written: EncodedRows) {
        let mut spare = self.lock();
        for mut text in written.texts {
            if spare.len() < Self::MAX_LEN && (1..=MAX_RESERVED).contains(&text.capacity()) {
                text.clear();
                spare.push(text);
            }
        }
    }

    /// A spare buffer, or a new one of this capacity.
    fn take(&self, capacity: usize) -> Vec<u8> {
        self.lock().pop().unwrap_or_else(|| Vec::with_capacity(capacity))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RowEncoder {
    pub(super) fn new(formats: &[Format]) -> Self {
        Self {
            formats: formats.to_vec(),
            texts: vec![Vec::new(); formats.len()],
            #[cfg(feature = "arrow")]
            columns: formats.iter().any(|format| format.is_binary()).then(RowColumns::new),
            #[cfg(feature = "parquet")]
            saved: formats.iter().position(|format| *format == Format::Parquet),
            #[cfg(feature = "parquet")]
            saved_ends: Vec::new(),
        }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: &Row<'_>) {
        #[cfg(feature = "arrow")]
        if let Some(columns) = &mut self.columns {
            columns.add(row);
        }
        self.add_text(|format, text| format.row(row, text));
        #[cfg(feature = "parquet")]
        if let Some(saved) = self.saved {
            self.saved_ends.push(self.texts[saved].len());
        }
    }

    /// Adds the text of something else than a row, in the formats that have one.
    pub(super) fn add_text(&mut self, write: impl Fn(Format, &mut Vec<u8>)) {
        for (format, text) in self.formats.iter().zip(&mut self.texts) {
            let before = text.len();
            if before > 0 {
                text.extend_from_slice(format.separator().as_bytes());
            }
            let begin = text.len();
            write(*format, text);
            if text.len() == begin {
                text.truncate(before); // the format has no text for it
            }
        }
    }

    /// Length in bytes in all formats.
    pub(super) fn len(&self) -> usize {
        let texts = self.texts.iter().map(Vec::len).sum::<usize>();
        #[cfg(feature = "arrow")]
        let texts = texts + self.columns.as_ref().map_or(0, RowColumns::len);
        texts
    }

    /// Takes the rows so far.
    pub(super) fn take(&mut self, spare: &SpareTexts) -> EncodedRows {
        // Reserves about the length of these rows for the next ones.
        let next = self.texts.iter().map(|text| spare.take((text.len() + text.len() / 8).min(MAX_RESERVED)));
        let next = next.collect();
        EncodedRows {
            texts: std::mem::replace(&mut self.texts, next),
            #[cfg(feature = "arrow")]
            columns: self.columns.as_mut().and_then(RowColumns::take),
            #[cfg(feature = "parquet")]
            saved_ends: std::mem::take(&mut self.saved_ends),
        }
    }
}
