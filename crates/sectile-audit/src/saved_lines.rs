//! The JSON lines in a Parquet report.
//!
//! `audit` writes the same lines as in the format `jsonl` into the Parquet file, in blocks between the row groups, where
//! readers of Parquet skip them. Only these blocks are read here: nothing of Parquet's own metadata.
//!
//! ```text
//! PAR1  row groups and blocks  trailer  metadata  length of the metadata (u32)  PAR1
//! block:    part of the lines, in the frame format of Snappy, with checksums
//! trailer:  start and length of each block (u64, u64), length of all lines (u64), number of blocks (u32),
//!           version of the columns (u32), magic
//! ```
//!
//! All numbers are little-endian.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};

use sectile::drive::ReadAt;
use snap::read::FrameDecoder;

use super::columns::COLUMNS_VERSION;

/// The first and the last bytes of a Parquet file.
pub(crate) const PARQUET_MAGIC: &[u8] = b"PAR1";

/// The end of the trailer.
const MAGIC: &[u8; 8] = b"sectile\0";

/// Length of the trailer without the blocks.
const TRAILER_LEN: u64 = 24;

/// Length of a block in the trailer.
const BLOCK_ENTRY_LEN: usize = 16;

/// Maximum number of blocks: 4 TiB of lines.
const MAX_BLOCKS: u32 = 1 << 20;

/// Length of the text of a block, except of the last one.
pub(crate) const MAX_BLOCK_TEXT: usize = 4 << 20;

/// The place of a block in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) start: u64,
    pub(crate) len: u64,
}

/// The reason why a Parquet file is not a report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParquetReportError {
    /// The file cannot be read, or its rows cannot be copied.
    #[error("the Parquet report cannot be read")]
    Io(#[source] io::Error),
    /// The file does not end like a Parquet file.
    #[error("truncated Parquet file")]
    Truncated,
    /// The file has no lines of an audit.
    #[error(
        "a Parquet file that `sectile audit` did not write, or that another program wrote again: it has no saved rows"
    )]
    NoRows,
    /// The columns have another version.
    #[error(
        "the report has version {0} of the columns, and this version of Sectile reads version {now}; write the report again",
        now = COLUMNS_VERSION
    )]
    OtherColumns(u32),
    /// The saved rows are damaged.
    #[error("the saved rows of the Parquet report are damaged")]
    Damaged,
}

/// Writes the trailer.
pub(crate) fn write_trailer(blocks: &[Block], text_len: u64, out: &mut Vec<u8>) {
    for Block { start, len } in blocks {
        out.extend(start.to_le_bytes());
        out.extend(len.to_le_bytes());
    }
    out.extend(text_len.to_le_bytes());
    out.extend((blocks.len() as u32).to_le_bytes());
    out.extend(COLUMNS_VERSION.to_le_bytes());
    out.extend(MAGIC);
}

/// Whether a source begins like Parquet.
pub fn is_parquet(source: &(impl ReadAt + ?Sized)) -> bool {
    let mut head = [0; PARQUET_MAGIC.len()];
    read_exact_at(source, &mut head, 0).is_ok() && head == *PARQUET_MAGIC
}

/// Whether a file has the lines of an audit.
pub(crate) fn has_lines(source: &(impl ReadAt + ?Sized), len: u64) -> bool {
    matches!(blocks(source, len), Ok(_) | Err(ParquetReportError::OtherColumns(_)))
}

/// Opens a report for random access, as JSON lines. Those of a Parquet report are copied.
pub(crate) fn open_lines(file: File) -> Result<File, ParquetReportError> {
    if !is_parquet(&file) {
        return Ok(file);
    }
    let len = file.metadata().map_err(ParquetReportError::Io)?.len();
    parquet_lines(&file, len)
}

/// Reads a report from any input, as JSON lines. A Parquet report is copied first, because it is read from its end.
pub(crate) fn read_lines<'a>(mut input: impl BufRead + 'a) -> Result<Box<dyn BufRead + 'a>, ParquetReportError> {
    let head = input.fill_buf().map_err(ParquetReportError::Io)?;
    if !head.starts_with(PARQUET_MAGIC) {
        return Ok(Box::new(input));
    }
    let mut file = tempfile::tempfile().map_err(ParquetReportError::Io)?;
    let len = io::copy(&mut input, &mut file).map_err(ParquetReportError::Io)?;
    Ok(Box::new(BufReader::new(parquet_lines(&file, len)?)))
}

/// Copies the rows of a Parquet report to an unnamed temporary file, as JSON lines. The output is that of the same audit
/// in the format `jsonl`.
///
/// # Errors
///
/// The file cannot be read, is not such a report, or is damaged.
pub fn parquet_lines(source: &impl ReadAt, len: u64) -> Result<File, ParquetReportError> {
    let (blocks, text_len) = blocks(source, len)?;
    let mut file = tempfile::tempfile().map_err(ParquetReportError::Io)?;
    let mut copied = 0;
    for Block { start, len } in blocks {
        let range = BufReader::new(RangeReader { source, at: start, end: start + len });
        copied += copy(&mut FrameDecoder::new(range), &mut file)?;
    }
    if copied != text_len {
        return Err(ParquetReportError::Damaged);
    }
    file.rewind().map_err(ParquetReportError::Io)?;
    Ok(file)
}

/// Copies a block, and returns the length of its text. An error of the reader that is not one of the system means damage.
fn copy(block: &mut impl Read, out: &mut File) -> Result<u64, ParquetReportError> {
    let (mut buffer, mut copied) = (vec![0; 64 << 10], 0);
    loop {
        match block.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(read) => {
                out.write_all(&buffer[..read]).map_err(ParquetReportError::Io)?;
                copied += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error().is_some() => return Err(ParquetReportError::Io(error)),
            Err(_) => return Err(ParquetReportError::Damaged),
        }
    }
}

/// The blocks in their order, and the length of all lines.
fn blocks(source: &(impl ReadAt + ?Sized), len: u64) -> Result<(Vec<Block>, u64), ParquetReportError> {
    if !is_parquet(source) {
        return Err(ParquetReportError::Damaged);
    }
    let magic_len = PARQUET_MAGIC.len() as u64;
    let mut end = [0; 8];
    let at = len.checked_sub(8).filter(|at| *at >= magic_len).ok_or(ParquetReportError::Truncated)?;
    read(source, &mut end, at)?;
    let (metadata_len, magic) = end.split_at(4);
    if magic != PARQUET_MAGIC {
        return Err(ParquetReportError::Truncated);
    }
    let metadata = at.checked_sub(u64::from(number(metadata_len))).ok_or(ParquetReportError::Truncated)?;
    let trailer = metadata.checked_sub(TRAILER_LEN).filter(|at| *at >= magic_len).ok_or(ParquetReportError::NoRows)?;
    let mut fixed = [0; TRAILER_LEN as usize];
    read(source, &mut fixed, trailer)?;
    let (text_len, rest) = fixed.split_at(8);
    let (count, version) = (number(&rest[..4]), number(&rest[4..8]));
    if rest[8..] != *MAGIC {
        return Err(ParquetReportError::NoRows);
    }
    if version != COLUMNS_VERSION {
        return Err(ParquetReportError::OtherColumns(version));
    }
    if count > MAX_BLOCKS {
        return Err(ParquetReportError::Damaged);
    }
    let mut entries = vec![0; count as usize * BLOCK_ENTRY_LEN];
    let first = trailer.checked_sub(entries.len() as u64).ok_or(ParquetReportError::Damaged)?;
    read(source, &mut entries, first)?;
    let (mut blocks, mut last_end) = (Vec::with_capacity(count as usize), magic_len);
    for entry in entries.chunks_exact(BLOCK_ENTRY_LEN) {
        let (start, len) = (long(&entry[..8]), long(&entry[8..]));
        let end = start.checked_add(len).filter(|end| start >= last_end && *end <= first);
        last_end = end.ok_or(ParquetReportError::Damaged)?;
        blocks.push(Block { start, len });
    }
    Ok((blocks, long(text_len)))
}

fn number(bytes: &[u8]) -> u32 {
    long(bytes) as u32
}

/// A little-endian number of up to 8 bytes.
fn long(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn read(source: &(impl ReadAt + ?Sized), buffer: &mut [u8], at: u64) -> Result<(), ParquetReportError> {
    read_exact_at(source, buffer, at).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => ParquetReportError::Truncated,
        _ => ParquetReportError::Io(error),
    })
}

fn read_exact_at(source: &(impl ReadAt + ?Sized), buffer: &mut [u8], at: u64) -> io::Result<()> {
    RangeReader { source, at, end: at + buffer.len() as u64 }.read_exact(buffer)
}

/// Reads a range of a source from its start to its end.
struct RangeReader<'s, S: ?Sized> {
    source: &'s S,
    at: u64,
    end: u64,
}

impl<S: ReadAt + ?Sized> Read for RangeReader<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let len = buffer.len().min(left);
        let read = self.source.read_at(&mut buffer[..len], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
