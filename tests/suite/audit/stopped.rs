//! Audits that do not reach their end: somebody stops them, or their answer cannot be written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use sectile::audit::{Earlier, Form, Progress, write_whole};

use super::store::{Store, binary};
use super::{Answer, audited, plain};

/// Stops the audit, or fails, once so many bytes were written.
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
fn what_is_stopped_says_so_and_is_gone_on_with() {
    let store = Store::large();
    let whole = audited(&store);
    let mut stopped = 0;
    for after in [0, 1, 20_000, 100_000, 150_000] {
        let progress = Progress::new();
        let mut out = Ends { written: Vec::new(), after, stops: Some(&progress) };
        let audited = plain().run(&store.paths(), Some(Form::Jsonl), &mut out, &progress).unwrap();
        let text = String::from_utf8(out.written).unwrap();
        let end: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(end["summary"]["stopped"], audited.stop.is_some(), "{after}");
        stopped += u64::from(audited.summary.rows < whole.audited.summary.rows);

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report");
        fs::write(&path, &text).unwrap();
        let again = Answer::of(&plain().since(Earlier::open(&path).unwrap()).unwrap(), &store.paths());
        again.is_as(&whole);
        let rows = text.lines().count() - 2;
        assert!(rows == 0 || again.progress.bytes_read() < whole.progress.bytes_read(), "{after}");
    }
    assert!(stopped >= 3, "{stopped}");
}

/// What is read whole may be large: nobody waits for its end, and nothing is said of it.
#[test]
fn who_stops_does_not_wait_for_a_large_file() {
    let store = Store::new().with("a.wasm", binary(0)).with("large.wasm", "");
    File::options().write(true).open(store.path("large.wasm")).unwrap().set_len(1 << 40).unwrap();
    let progress = Arc::new(Progress::new());
    let (ends, ended) = mpsc::channel();
    let waiting = Arc::clone(&progress);
    thread::spawn(move || {
        let audit = plain().on_threads(1).hashing(true);
        let audited = audit.run(&store.paths(), Some(Form::Jsonl), &mut io::sink(), &waiting).unwrap();
        _ = ends.send(audited); // to nobody, where that was given up
    });
    thread::sleep(Duration::from_millis(300));
    progress.stop();
    let audited = ended.recv_timeout(Duration::from_secs(60)).expect("it ends");
    assert!(audited.stop.is_some() && audited.summary.rows == 1, "{:?}", audited.summary);
}

#[test]
fn a_writer_that_fails_ends_the_audit() {
    let store = Store::large();
    for after in [0, 1, 300, 20_000, 100_000] {
        for threads in [1, 2, 8] {
            let mut out = Ends { written: Vec::new(), after, stops: None };
            let audit = plain().on_threads(threads);
            let error = audit.run(&store.paths(), Some(Form::Jsonl), &mut out, &Progress::new()).unwrap_err();
            assert_eq!(error.to_string(), "no room is left", "{after} {threads}");
        }
    }
}

#[test]
fn an_answer_that_cannot_be_written_leaves_the_one_that_was_there() {
    let (store, place) = (Store::large(), Store::new().with("answer", "the old one"));
    let path = place.path("answer");
    let error = write_whole(&path, |out| {
        let mut out = Tight { out, left: 5_000 };
        plain().run(&store.paths(), Some(Form::Jsonl), &mut out, &Progress::new())
    });
    assert_eq!(error.unwrap_err().to_string(), "no room is left");
    assert_eq!(fs::read_to_string(&path).unwrap(), "the old one");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    write_whole(&path, |out| plain().run(&store.paths(), Some(Form::Jsonl), out, &Progress::new())).unwrap();
    assert!(fs::read_to_string(&path).unwrap() == audited(&store).text, "it is another");
}

/// Fails once so many more bytes were written.
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
