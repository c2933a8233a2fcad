//! Audits of stores, compared with the minimum that any program must do, and with the program that a user would write.
//!
//! | row | baseline | target |
//! | --- | --- | --- |
//! | many small modules, warm | the minimum: on as many threads, a loop that walks, opens, gets the state, reads a page, gets the state again, closes, and writes a row of the same size | at most 1.3 x |
//! | the real corpus, warm | walkdir, rayon, `fs::read` and `wasm_metadata` | 100 x |
//! | the real corpus, cold | its size | less than 1 % read |
//! | the real corpus as one .tar.gz, warm | `tar -xzf` and the same program | 3 x |
//! | the real corpus with all packages, warm | the audit without, and reading the data sections on as many threads | at most 1.5 x |
//! | the real corpus with the search for hidden binaries, warm | the same | |
//!
//! Except in the last row, the audit does not search for hidden binaries, as with `--inside never`. Both sides take turns. The line gives the fastest round of each, and the median of the ratios of the rounds.
//!
//! `SECTILE_FILES=1000000` sets the number of small modules, to show that time is linear and memory constant.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use rayon::iter::{IntoParallelRefIterator, ParallelBridge, ParallelIterator};
use sectile::scan::{DataRequest, Section, SectionKind, Visitor};
use sectile::{Input, Limits};
use sectile_audit::{Audit, AuditOutcome, Format, InsideSearch, Progress, Root, WalkOptions};
use sectile_policy::{Packages, Policy};
use sectile_testing::bench::rounds::{paired, print_ratio};
use sectile_testing::bench::shapes;
use sectile_testing::files::project;

fn main() {
    let measures = std::env::args().any(|arg| arg == "--bench"); // `cargo test --benches` runs it briefly
    let files = std::env::var("SECTILE_FILES").ok().and_then(|files| files.parse().ok());
    let files = if measures { files.unwrap_or(100_000) } else { 200 };
    small(files, if measures { 7 } else { 1 });
    real(if measures { 5 } else { 0 });
}

/// Measures many small modules.
fn small(files: usize, rounds: usize) {
    let store = tempfile::tempdir().expect("there is a place for temporary files");
    let bytes = make(store.path(), files);
    let roots = [Root::from(store.path())];
    let audit = audit_with(Policy::default(), InsideSearch::Never);
    let mut answer = tempfile::tempfile().expect("there is a place for temporary files");
    let begun = memory();
    let AuditOutcome { summary, .. } =
        audit.run(&roots, Some(Format::Jsonl), &mut answer, &Progress::new()).expect("the file can be written");
    assert_eq!((summary.rows, summary.accepted), (files as u64, files as u64));
    let row = vec![b'x'; (answer.metadata().expect("it is open").len() / files as u64) as usize];
    println!("{files} files of {bytes} bytes, rows of {} bytes; {} more KiB at the peak", row.len(), memory() - begun);

    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let ratios = paired(
        rounds,
        || {
            audit
                .run(&roots, Some(Format::Jsonl), &mut temporary_file(), &Progress::new())
                .expect("the file can be written")
                .summary
                .rows
        },
        || floor(store.path(), threads, &row, &mut temporary_file()),
    );
    print_ratio(&format!("audit/{files}-small"), "the floor", &ratios, 1.3);
}

/// Writes a store of small modules, a thousand in each directory.
fn make(store: &Path, files: usize) -> u64 {
    let parts = [(1, "", 30), (3, "", 10), (7, "", 40), (10, "", 0), (0, "name", 100), (0, "producers", 60)];
    let mut module = shapes::module(&parts);
    module.extend(b"\x00\x1a\x08licensesMIT OR Apache-2.0");
    for nth in 0..files {
        let directory = store.join(format!("{:04}", nth / 1_000));
        if nth % 1_000 == 0 {
            fs::create_dir(&directory).expect("the file can be written");
        }
        fs::write(directory.join(format!("{nth:07}.wasm")), &module).expect("the file can be written");
    }
    module.len() as u64
}

fn temporary_file() -> File {
    tempfile::tempfile().expect("there is a place for temporary files")
}

/// The minimum that any program must do, on this number of threads.
fn floor(store: &Path, threads: usize, row: &[u8], out: &mut File) -> u64 {
    const BATCH: usize = 64;
    let walk = ignore::WalkBuilder::new(store).standard_filters(false).sort_by_file_name(Ord::cmp).build();
    let files = walk.flatten().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
    let files = Mutex::new(files);
    let (sender, rows) = std::sync::mpsc::sync_channel::<Vec<u8>>(4 * threads);
    let number = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, files, number) = (sender.clone(), &files, &number);
            scope.spawn(move || {
                let mut page = [0; 4 << 10];
                loop {
                    let batch: Vec<PathBuf> = {
                        let mut files = files.lock().expect("no thread panics");
                        files.by_ref().take(BATCH).map(ignore::DirEntry::into_path).collect()
                    };
                    if batch.is_empty() {
                        return;
                    }
                    let mut rows = Vec::new();
                    for path in &batch {
                        let file = File::open(path).expect("the file exists");
                        black_box(file.metadata().expect("it is open").ino());
                        black_box(file.read_at(&mut page, 0).expect("it can be read"));
                        black_box(file.metadata().expect("it is open").ino());
                        rows.extend_from_slice(row);
                    }
                    number.fetch_add(batch.len() as u64, Ordering::Relaxed);
                    sender.send(rows).expect("the rows are received");
                }
            });
        }
        drop(sender);
        for rows in rows {
            out.write_all(&rows).expect("the file can be written");
        }
    });
    number.into_inner()
}

/// Measures the real corpus, if it was fetched.
fn real(rounds: usize) {
    let corpus = project().join("benches/corpus/files");
    if !corpus.exists() || rounds == 0 {
        println!("audit/corpus: was not fetched, or is not measured");
        return;
    }
    let corpus = corpus.canonicalize().expect("it exists");
    let roots = [Root::from(corpus.clone())];
    let audit = audit_with(Policy::default(), InsideSearch::Never);
    let ours = || {
        audit
            .run(&roots, Some(Format::Jsonl), &mut temporary_file(), &Progress::new())
            .expect("the file can be written")
            .summary
            .rows
    };
    let ratios = paired(rounds, ours, || theirs(&corpus));
    let fastest = ratios.theirs / ratios.ours;
    println!(
        "| audit/corpus: sectile {:.2} ms, walkdir + rayon + fs::read + wasm_metadata {:.0} ms, {fastest:.0} x as fast (median {:.0}; to reach 100): {}\n",
        ratios.ours * 1e3,
        ratios.theirs * 1e3,
        1.0 / ratios.median,
        if fastest >= 100.0 { "reached" } else { "MISSED" },
    );

    compressed(&corpus, &audit, rounds);
    searches(&corpus, rounds);

    let size = drop_from_cache(&corpus);
    let (before, progress) = (blocks_read(), Progress::new());
    audit.run(&roots, None, &mut std::io::sink(), &progress).expect("nothing is written");
    let (asked, came) = (progress.bytes_read(), blocks_read() - before);
    let percent = |bytes: u64| bytes as f64 / size as f64 * 100.0;
    println!(
        "| audit/corpus-cold: {asked} of {size} bytes read, {:.2} % (limit 1 %): {}; the disk gave {came}, {:.2} %\n",
        percent(asked),
        if percent(asked) < 1.0 { "reached" } else { "MISSED" },
        percent(came),
    );
}

/// Measures the corpus in one compressed tar.
fn compressed(corpus: &Path, audit: &Audit, rounds: usize) {
    let store = tempfile::tempdir().expect("there is a place for temporary files");
    let archive = store.path().join("corpus.tar.gz");
    tar(&["-chzf".as_ref(), archive.as_ref(), "-C".as_ref(), corpus.as_ref(), ".".as_ref()]);
    let roots = [Root::from(archive.clone())];
    let ours = || {
        let outcome = audit.run(&roots, Some(Format::Jsonl), &mut temporary_file(), &Progress::new());
        outcome.expect("the file can be written").summary.rows
    };
    let ratios = paired(rounds, ours, || {
        let extracted = tempfile::tempdir().expect("there is a place for temporary files");
        tar(&["-xzf".as_ref(), archive.as_ref(), "-C".as_ref(), extracted.path().as_ref()]);
        theirs(extracted.path())
    });
    let fastest = ratios.theirs / ratios.ours;
    println!(
        "| audit/corpus-tgz: sectile {:.0} ms, tar + walkdir + rayon + fs::read + wasm_metadata {:.0} ms, {fastest:.0} x as fast (median {:.0}; to reach 3): {}\n",
        ratios.ours * 1e3,
        ratios.theirs * 1e3,
        1.0 / ratios.median,
        if fastest >= 3.0 { "reached" } else { "MISSED" },
    );
}

/// Runs the program `tar`.
fn tar(arguments: &[&OsStr]) {
    let status = Command::new("tar").args(arguments).status().expect("tar is installed");
    assert!(status.success(), "{status}");
}

/// Measures what the searches of data sections add to reading them.
fn searches(corpus: &Path, rounds: usize) {
    let roots = [Root::from(corpus)];
    let run = |packages, inside| {
        let mut policy = Policy::default();
        policy.packages = packages;
        let outcome =
            audit_with(policy, inside).run(&roots, Some(Format::Jsonl), &mut temporary_file(), &Progress::new());
        outcome.expect("the file can be written").summary
    };
    let sections: Vec<(PathBuf, Range<u64>)> = (fs::read_dir(corpus).expect("it exists").flatten())
        .flat_map(|entry| data_sections(&entry.path()).into_iter().map(move |range| (entry.path(), range)))
        .collect();
    let reading = || {
        let rows = run(Packages::Declared, InsideSearch::Never).rows;
        sections.par_iter().for_each(|(path, range)| read(path, range));
        rows
    };
    let len: u64 = sections.iter().map(|(_, range)| range.end - range.start).sum();
    println!("{len} bytes of data sections");
    let ratios = paired(rounds, || run(Packages::All, InsideSearch::Never).rows, reading);
    print_ratio("audit/corpus-packages", "the audit and reading the data", &ratios, 1.5);
    let ratios = paired(rounds, || run(Packages::Declared, InsideSearch::Local).rows, reading);
    let (fastest, median) = (ratios.ours / ratios.theirs, ratios.median);
    println!("| audit/corpus-inside: {fastest:.2} x the audit and reading the data (median {median:.2})\n");
}

fn audit_with(policy: Policy, inside: InsideSearch) -> Audit {
    let mut options = WalkOptions::default();
    options.inside = inside;
    Audit::new(policy).with_walk(options)
}

/// Reads a range of a file in windows.
fn read(path: &Path, range: &Range<u64>) {
    let file = File::open(path).expect("the file exists");
    let (mut window, mut at) = (vec![0; 64 << 10], range.start);
    while at < range.end {
        let len = (range.end - at).min(window.len() as u64) as usize;
        at += black_box(file.read_at(&mut window[..len], at).expect("it can be read")) as u64;
    }
}

/// The data sections of a file at any depth.
fn data_sections(path: &Path) -> Vec<Range<u64>> {
    #[derive(Default)]
    struct Data(Vec<Range<u64>>);
    impl Visitor<'_> for Data {
        fn section(&mut self, section: &Section<'_>) -> DataRequest {
            if !section.is_custom() && section.kind() == SectionKind::Data {
                self.0.push(section.data());
            }
            DataRequest::Nothing
        }
    }
    let mut data = Data::default();
    // A file that is not sound has a row, too.
    let _ = Input::open(path).expect("the file exists").scan(&mut data, Limits::default());
    data.0
}

/// The program that a user would write.
fn theirs(corpus: &Path) -> u64 {
    let files = walkdir::WalkDir::new(corpus).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    let read = files.par_bridge().filter(|entry| {
        let bytes = fs::read(entry.path()).expect("it can be read");
        wasm_metadata::Payload::from_binary(&bytes).is_ok()
    });
    read.count() as u64
}

/// Drops the corpus from the page cache. Returns its size.
fn drop_from_cache(corpus: &Path) -> u64 {
    let mut size = 0;
    for entry in fs::read_dir(corpus).expect("it exists").flatten() {
        let file = File::open(entry.path()).expect("it can be read");
        let len = file.metadata().expect("it is open").len();
        file.sync_all().expect("it is on disk");
        rustix::fs::fadvise(&file, 0, std::num::NonZero::new(len), rustix::fs::Advice::DontNeed).expect("it is a file");
        size += len;
    }
    size
}

/// Bytes that block devices have read for this process.
fn blocks_read() -> u64 {
    numbered("/proc/self/io", "read_bytes: ")
}

/// Peak memory of this process in KiB.
fn memory() -> u64 {
    numbered("/proc/self/status", "VmHWM:")
}

fn numbered(file: &str, key: &str) -> u64 {
    let text = fs::read_to_string(file).expect("this is Linux");
    let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("the key exists");
    line.trim().trim_end_matches(" kB").parse().expect("it is a number")
}
