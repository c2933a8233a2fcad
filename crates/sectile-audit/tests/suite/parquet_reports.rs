//! Parquet reports serve later audits like JSON lines.

use std::fs;
use std::io::Read;

use sectile_audit::{
    Audit, Baseline, BaselineError, Format, FormatWriter, ParquetReportError, Progress, SavedRows, parquet_lines,
};
use sectile_testing::binary::numbered_module;

use crate::columns::varied;
use crate::store::{Store, gzip, tar};
use crate::{Answer, default_audit};

/// The outputs of one audit as Parquet and as JSON lines.
fn both(audit: &Audit, store: &Store) -> (Vec<u8>, String) {
    let (mut parquet, mut lines) = (Vec::new(), Vec::new());
    let outputs = &mut [FormatWriter::new(Format::Parquet, &mut parquet), FormatWriter::new(Format::Jsonl, &mut lines)];
    audit.run_with_outputs(&store.paths(), outputs, &Progress::new()).unwrap();
    (parquet, String::from_utf8(lines).unwrap())
}

fn lines_of(parquet: &[u8]) -> Result<String, ParquetReportError> {
    let mut text = String::new();
    parquet_lines(&parquet, parquet.len() as u64)?.read_to_string(&mut text).map_err(ParquetReportError::Io)?;
    Ok(text)
}

#[test]
fn saved_lines_are_those_of_the_format_jsonl() {
    let store = Store::large();
    // Archives without binaries, before and after all rows.
    let text = gzip(&tar(&[("a.txt".to_owned(), b"text".to_vec())]));
    store.put("00/0.tgz", &text);
    store.put("09/z.tgz", &text);
    for store in [store, varied(), Store::new().with("only.tgz", &text), Store::new()] {
        let (parquet, lines) = both(&default_audit(), &store);
        assert_eq!(lines_of(&parquet).unwrap(), lines);
    }
}

#[test]
fn unchanged_files_are_not_read_again() {
    let store = Store::large();
    let (parquet, lines) = both(&default_audit(), &store);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.parquet");
    fs::write(&path, &parquet).unwrap();
    let audit = || default_audit().with_baseline(Baseline::open(&path).unwrap()).unwrap();
    let again = Answer::run(&audit(), &store.paths());
    assert_eq!(again.progress.bytes_read(), again.outcome.summary.not_wasm_bytes_read, "nothing is read");
    let body = |text: &str| text[..text.trim_end().rfind('\n').unwrap()].to_owned();
    assert_eq!(again.body(), body(&lines));
    assert_eq!(body(&lines_of(&both(&audit(), &store).0).unwrap()), body(&lines), "also in the next Parquet report");
}

#[test]
fn rows_are_written_in_other_formats() {
    let (parquet, lines) = both(&default_audit(), &varied());
    for format in Format::ALL {
        let write = |input: &[u8]| {
            let mut out = Vec::new();
            SavedRows::read(input).unwrap().write(&mut [FormatWriter::new(format, &mut out)]).unwrap();
            out
        };
        assert!(write(&parquet) == write(lines.as_bytes()), "{}", format.name());
    }
}

#[test]
fn columns_of_another_version_are_an_error() {
    let (mut parquet, _) = both(&default_audit(), &Store::new().with("a.wasm", numbered_module(0)));
    let at = parquet.windows(8).rposition(|window| window == b"sectile\0").unwrap();
    parquet[at - 4] = 9;
    let error = lines_of(&parquet).unwrap_err();
    assert!(matches!(error, ParquetReportError::OtherColumns(9)));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.parquet");
    fs::write(&path, &parquet).unwrap();
    let message = "the report has version 9 of the columns, and this version of Sectile reads version 1";
    let error = Baseline::open(&path).unwrap_err();
    assert!(matches!(error, BaselineError::Parquet(_)) && error.to_string().starts_with(message), "{error}");
    let error = SavedRows::open(&path).unwrap_err();
    assert!(error.to_string().starts_with(message), "{error}");
    parquet[at] = b'S';
    assert!(matches!(lines_of(&parquet).unwrap_err(), ParquetReportError::NoRows));
}

/// Any change of a byte, and any truncation, is an error or does not touch the lines.
#[test]
fn damaged_files_are_errors() {
    let (parquet, lines) = both(&default_audit(), &Store::new().with("a.wasm", numbered_module(0)));
    for end in 0..parquet.len() {
        assert!(lines_of(&parquet[..end]).is_err(), "{end}");
    }
    for at in 0..parquet.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut damaged = parquet.clone();
            damaged[at] ^= change;
            if let Ok(text) = lines_of(&damaged) {
                assert_eq!(text, lines, "{at} {change:x}");
            }
        }
    }
    for count in [u32::MAX, 1 << 20, 2] {
        let mut hostile = parquet.clone();
        let at = hostile.windows(8).rposition(|window| window == b"sectile\0").unwrap() - 8;
        hostile[at..at + 4].copy_from_slice(&count.to_le_bytes());
        assert!(matches!(lines_of(&hostile).unwrap_err(), ParquetReportError::Damaged | ParquetReportError::NoRows));
    }
    assert!(matches!(lines_of(b"PAR1").unwrap_err(), ParquetReportError::Truncated));
}
