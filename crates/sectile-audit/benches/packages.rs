//! Audits of compressed packages, where inflating is most of the work.
//!
//! | row | baseline | target |
//! | --- | --- | --- |
//! | packages of several formats | inflating alone, with the same library on the same threads | at most 1.15 x |
//! | the same | inflating alone with `miniz_oxide`, which the audit used before, on the same threads | at most 0.5 x |
//!
//! The second target is missed, at 0.56 x (`.tgz`) and 0.60 x (`.zip`) of the processor time. Of that, `zlib-rs` alone
//! takes 0.52 x and 0.55 x. The fastest library that was measured, `libdeflate`, takes 0.46 x and 0.50 x. The audit with
//! `miniz_oxide` took 1.05 x, so that it is 1.8 times faster now.
//!
//! `zlib-rs` has unsafe code, and `miniz_oxide` has none. `docs/audit.md` compares the libraries.
//!
//! Both sides take turns. The line gives the fastest round of each, and the median of the ratios of the rounds.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use flate2::Compression;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder};
use flate2::write::GzEncoder;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush};
use sectile_audit::{Audit, Progress, Root};
use sectile_policy::Policy;
use sectile_testing::bench::rounds::{paired, print_ratio};
use sectile_testing::bench::shapes;

fn main() {
    let measures = std::env::args().any(|arg| arg == "--bench"); // `cargo test --benches` runs it briefly
    let (packages, files, rounds) = if measures { (24, 120, 9) } else { (2, 3, 1) };
    let store = tempfile::tempdir().expect("there is a place for temporary files");
    let content = Content::new(files);
    let tgz = Packages::write(store.path(), "tgz", packages, |file| content.write_tgz(file));
    let zip = Packages::write(store.path(), "zip", packages, |file| content.write_zip(file));
    for packages in [&tgz, &zip] {
        packages.measure(&content, rounds);
    }
}

/// The files of a package: texts that compress as programs do, and a module.
struct Content {
    files: Vec<(String, Vec<u8>)>,
}

impl Content {
    fn new(files: usize) -> Self {
        let mut random = Random(1);
        let words: Vec<String> = (0..4_000).map(|_| random.word()).collect();
        let text = |random: &mut Random| {
            let mut text = String::new();
            while text.len() < 100_000 {
                // Few words are frequent and most are rare, as in a program.
                let rank = random.below(words.len()) * random.below(words.len()) / words.len();
                text += &words[rank];
                text.push(if random.below(8) == 0 { '\n' } else { ' ' });
            }
            text.into_bytes()
        };
        let mut files: Vec<_> = (0..files).map(|nth| (format!("package/lib/{nth}.js"), text(&mut random))).collect();
        let module = shapes::module(&[(1, "", 30), (3, "", 10), (10, "", 200_000), (0, "name", 20_000)]);
        files.push(("package/app.wasm".to_owned(), module));
        Self { files }
    }

    fn len(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes.len() as u64).sum()
    }

    fn write_tgz(&self, file: File) {
        let mut tar = tar::Builder::new(GzEncoder::new(file, Compression::default()));
        for (name, bytes) in &self.files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, name, &bytes[..]).expect("the file can be written");
        }
        tar.into_inner().and_then(GzEncoder::finish).expect("the file can be written");
    }

    fn write_zip(&self, file: File) {
        let mut zip = zip::ZipWriter::new(file);
        for (name, bytes) in &self.files {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("the file can be written");
            zip.write_all(bytes).expect("the file can be written");
        }
        zip.finish().expect("the file can be written");
    }
}

/// Copies of a package, of one format.
struct Packages {
    format: &'static str,
    directory: PathBuf,
    paths: Vec<PathBuf>,
}

impl Packages {
    fn write(store: &Path, format: &'static str, number: usize, write: impl Fn(File)) -> Self {
        let directory = store.join(format);
        fs::create_dir(&directory).expect("the file can be written");
        let paths: Vec<_> = (0..number).map(|nth| directory.join(format!("{nth:03}.{format}"))).collect();
        write(File::create(&paths[0]).expect("the file can be written"));
        for path in &paths[1..] {
            fs::copy(&paths[0], path).expect("the file can be written");
        }
        Self { format, directory, paths }
    }

    fn measure(&self, content: &Content, rounds: usize) {
        let roots = [Root::from(&*self.directory)];
        let audit = Audit::new(Policy::default());
        let ours = || {
            let outcome = audit.run(&roots, None, &mut io::sink(), &Progress::new()).expect("nothing is written");
            assert_eq!(outcome.summary.rows, self.paths.len() as u64);
            outcome.summary.rows
        };
        let inflated = content.len() * self.paths.len() as u64;
        println!("{} packages, {} MB inflated", self.paths.len(), inflated >> 20);
        let alone =
            paired(rounds, ours, || self.inflate(|compressed, buffer| with_flate2(self.format, compressed, buffer)));
        print_ratio(&format!("packages/{}", self.format), "inflating alone", &alone, 1.15);
        let before = paired(rounds, ours, || self.inflate(|compressed, _| with_miniz(self.format, compressed)));
        print_ratio(&format!("packages/{}", self.format), "inflating alone with miniz_oxide", &before, 0.5);
    }

    /// Inflates all packages on all threads. Returns the number of bytes.
    fn inflate(&self, inflate: impl Fn(&Path, &mut [u8]) -> u64 + Sync) -> u64 {
        let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, std::num::NonZero::get) {
                scope.spawn(|| {
                    let mut buffer = vec![0; 64 << 10];
                    while let Some(path) = self.paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                        bytes.fetch_add(inflate(path, &mut buffer), Ordering::Relaxed);
                    }
                });
            }
        });
        bytes.into_inner()
    }
}

/// Inflates a package with flate2, as the audit does.
fn with_flate2(format: &str, path: &Path, buffer: &mut [u8]) -> u64 {
    let file = File::open(path).expect("it was written");
    if format == "tgz" {
        return read_all(&mut MultiGzDecoder::new(BufReader::with_capacity(64 << 10, file)), buffer);
    }
    raw_entries(file, |entry| read_all(&mut DeflateDecoder::new(BufReader::with_capacity(64 << 10, entry)), buffer))
}

/// Inflates a package with `miniz_oxide`.
fn with_miniz(format: &str, path: &Path) -> u64 {
    const GZIP_HEADER: u64 = 10; // as the packages here were written: without a name
    let mut file = File::open(path).expect("it was written");
    if format == "tgz" {
        io::copy(&mut (&mut file).take(GZIP_HEADER), &mut io::sink()).expect("it can be read");
        return inflate_raw(&mut file);
    }
    raw_entries(file, |entry| inflate_raw(entry))
}

/// Calls a function with the compressed data of each entry of a zip.
fn raw_entries(file: File, mut inflate: impl FnMut(&mut dyn Read) -> u64) -> u64 {
    let mut zip = zip::ZipArchive::new(BufReader::new(file)).expect("it was written");
    (0..zip.len()).map(|nth| inflate(&mut zip.by_index_raw(nth).expect("the entry exists"))).sum()
}

fn read_all(reader: &mut impl Read, buffer: &mut [u8]) -> u64 {
    let mut len = 0;
    loop {
        match reader.read(buffer).expect("it was written") {
            0 => return len,
            read => len += black_box(&buffer[..read]).len() as u64,
        }
    }
}

fn inflate_raw(compressed: &mut dyn Read) -> u64 {
    let (mut state, mut len) = (InflateState::new_boxed(DataFormat::Raw), 0);
    let (mut input, mut output) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let read = compressed.read(&mut input).expect("it can be read");
        let mut rest = &input[..read];
        loop {
            let result = inflate(&mut state, rest, &mut output, MZFlush::None);
            rest = &rest[result.bytes_consumed..];
            len += black_box(&output[..result.bytes_written]).len() as u64;
            match result.status.expect("it was written") {
                miniz_oxide::MZStatus::StreamEnd => return len,
                _ if rest.is_empty() && result.bytes_written < output.len() => break,
                _ => {}
            }
        }
        assert!(read > 0, "it was written whole");
    }
}

/// A small generator, the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn word(&mut self) -> String {
        (0..3 + self.below(9)).map(|_| char::from(b'a' + self.below(26) as u8)).collect()
    }
}
