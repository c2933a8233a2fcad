//! Audits any bytes as a file of a store. All runs give the same rows, in bounded work.

use std::fs;
use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use sectile_audit::{Audit, Format, Progress, RowReader, WalkOptions};
use sectile_policy::Policy;

/// Maximum number of bytes that the file may inflate to.
const MAX_INFLATED: u64 = 1 << 20;

/// Audits a directory with this file, on one thread and on two.
pub fn archives(data: &[u8]) {
    let directory = tempfile::tempdir().expect("there is a place for temporary files");
    let path = directory.path().join("a.wasm");
    fs::write(&path, data).expect("the file can be written");
    let audit = |threads| {
        let mut options = WalkOptions::default();
        (options.max_inflated, options.max_held_bytes, options.max_entries) = (MAX_INFLATED, MAX_INFLATED, 10_000);
        Audit::new(Policy::default()).with_walk(options).with_threads(threads)
    };
    for format in Format::ALL {
        let run = |threads| {
            let mut out = Vec::new();
            let outcome = audit(threads).run(&[directory.path().into()], Some(format), &mut out, &Progress::new());
            (out, outcome.expect("memory can be written").summary)
        };
        let (answer, summary) = run(1);
        assert_eq!(summary.store_bytes, data.len() as u64);
        assert!(run(2) == (answer, summary), "another answer in the format {}", format.name());
    }
}

/// Searches any bytes for binaries, as a file and as a stream. Both have the same rows. Each is a sound binary, and can
/// be read by its name.
pub fn inside(data: &[u8]) {
    let directory = tempfile::tempdir().expect("there is a place for temporary files");
    let text = [b"// ", data].concat(); // neither a binary nor most types of archives
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&text).expect("memory can be written");
    let compressed = encoder.finish().expect("memory can be written");
    let names = [("a", &text), ("b", &compressed)].map(|(name, bytes)| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).expect("the file can be written");
        let (mut lines, mut options) = (Vec::new(), WalkOptions::default());
        (options.max_inflated, options.max_nesting) = (64 * MAX_INFLATED, 6);
        let audit = Audit::new(Policy::default()).with_walk(options.clone()).with_threads(1).with_hashing(true);
        let outcome = audit.run(&[path.as_path().into()], Some(Format::Jsonl), &mut lines, &Progress::new());
        outcome.expect("memory can be written");
        let lines = String::from_utf8(lines).expect("JSON is UTF-8");
        let rows = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON"));
        let inside = rows.filter(|row| row.get("encoding").is_some()).map(|row| {
            let file = row["file"].as_str().expect("a file has a name").to_owned();
            assert_eq!(row["outcome"], "complete", "{file}");
            let (mut bytes, reader) = (Vec::new(), RowReader::new().with_walk(options.clone()));
            let copy = reader.copy(file.as_ref(), &mut bytes).expect("a row can be read by its name");
            assert_eq!(row["digest"], copy.digest.to_string());
            (file[path.as_os_str().len()..].to_owned(), row["digest"].clone())
        });
        inside.collect::<Vec<_>>()
    });
    assert_eq!(names[0], names[1]);
}

/// Reads any bytes as a Parquet report: its lines are an error, or the rows are written again like those lines.
#[cfg(feature = "parquet")]
pub fn parquet(data: &[u8]) {
    use sectile_audit::{FormatWriter, SavedRows};
    use std::io::Read;

    let write = |input: &[u8]| {
        let mut out = Vec::new();
        let rows = SavedRows::read(input)?;
        rows.write(&mut [FormatWriter::new(Format::Csv, &mut out)])?;
        Ok::<_, sectile_audit::SavedRowsError>(out)
    };
    let Ok(mut lines) = sectile_audit::parquet_lines(&data, data.len() as u64) else {
        assert!(!sectile_audit::is_parquet(&data) || write(data).is_err());
        return;
    };
    let mut text = Vec::new();
    lines.read_to_end(&mut text).expect("the file can be read");
    assert_eq!(write(data).ok(), write(&text).ok());
}
