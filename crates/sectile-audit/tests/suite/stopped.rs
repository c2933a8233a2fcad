//! Audits that are stopped, or whose output cannot be written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use sectile_audit::{Baseline, Format, Progress, write_atomic};

use crate::store::Store;
use crate::{Answer, audit_store, default_audit};
use sectile_testing::binary::numbered_module;

/// Stops the audit, or fails, after this number of bytes.
struct Ends<'p> {
    written: Vec<u8>,
    after: usize,
    stops: Option<&'p Progress>,
}

impl Write for Ends<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written.len() >= self.after {
            match self.stops {
                Some(progress) => progress.stop(),
                None => return Err(io::Error::other("no room is left")),
            }
        }
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn stopped_audit_is_marked_and_can_be_continued() {
    let store = Store::large();
    let whole = audit_store(&store);
    let mut stopped = 0;
    for after in [0, 1, 20_000, 100_000, 150_000] {
        let progress = Progress::new();
        let mut out = Ends { written: Vec::new(), after, stops: Some(&progress) };
        let outcome = default_audit().run(&store.paths(), Some(Format::Jsonl), &mut out, &progress).unwrap();
        let text = String::from_utf8(out.written).unwrap();
        let end: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(end["summary"]["stopped"], outcome.stop.is_some(), "{after}");
        stopped += u64::from(outcome.summary.rows < whole.outcome.summary.rows);

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report");
        fs::write(&path, &text).unwrap();
        let again =
            Answer::run(&default_audit().with_baseline(Baseline::open(&path).unwrap()).unwrap(), &store.paths());
        again.assert_same(&whole);
        let rows = text.lines().count() - 2;
        assert!(rows == 0 || again.progress.bytes_read() < whole.progress.bytes_read(), "{after}");
    }
    assert!(stopped >= 3, "{stopped}");
}

/// A stop does not wait until a large file is hashed, and the file has no row.
#[test]
fn stop_does_not_wait_for_a_large_file() {
    let store = Store::new().with("a.wasm", numbered_module(0)).with("large.wasm", "");
    File::options().write(true).open(store.path("large.wasm")).unwrap().set_len(1 << 40).unwrap();
    let progress = Arc::new(Progress::new());
    let (ends, ended) = mpsc::channel();
    let waiting = Arc::clone(&progress);
    thread::spawn(move || {
        let audit = default_audit().with_threads(1).with_hashing(true);
        let outcome = audit.run(&store.paths(), Some(Format::Jsonl), &mut io::sink(), &waiting).unwrap();
        _ = ends.send(outcome); // the receiver may have timed out
    });
    thread::sleep(Duration::from_millis(300));
    progress.stop();
    let outcome = ended.recv_timeout(Duration::from_secs(60)).expect("it ends");
    assert!(outcome.stop.is_some() && outcome.summary.rows == 1, "{:?}", outcome.summary);
}

#[test]
fn writer_error_ends_the_audit() {
    let store = Store::large();
    for after in [0, 1, 300, 20_000, 100_000] {
        for threads in [1, 2, 8] {
            let mut out = Ends { written: Vec::new(), after, stops: None };
            let audit = default_audit().with_threads(threads);
            let error = audit.run(&store.paths(), Some(Format::Jsonl), &mut out, &Progress::new()).unwrap_err();
            assert_eq!(error.to_string(), "no room is left", "{after} {threads}");
        }
    }
}

#[test]
fn failed_write_keeps_the_old_file() {
    let (store, target) = (Store::large(), Store::new().with("answer", "the old one"));
    let path = target.path("answer");
    let error = write_atomic(&path, |out| {
        let mut out = Tight { out, left: 5_000 };
        default_audit().run(&store.paths(), Some(Format::Jsonl), &mut out, &Progress::new())
    });
    assert_eq!(error.unwrap_err().to_string(), "no room is left");
    assert_eq!(fs::read_to_string(&path).unwrap(), "the old one");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    write_atomic(&path, |out| default_audit().run(&store.paths(), Some(Format::Jsonl), out, &Progress::new())).unwrap();
    assert!(fs::read_to_string(&path).unwrap() == audit_store(&store).text, "it is another");
}

/// Fails after this number of bytes.
struct Tight<'o> {
    out: &'o mut dyn Write,
    left: usize,
}

impl Write for Tight<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or_else(|| io::Error::other("no room is left"))?;
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
