//! Rows of an earlier report are reused for files that have not changed.

use std::fs;
use std::path::PathBuf;

use sectile_audit::{Audit, Baseline, BaselineError, Format, Progress, SavedRows, SavedRowsError, WalkOptions};
use serde_json::Value;
use tempfile::TempDir;

use crate::store::{Store, gzip, tar};
use crate::{Answer, audit_store, default_audit, with_policy};
use sectile_testing::binary::{custom, module, numbered_module};

/// Writes a report to a file.
fn report(text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.jsonl");
    fs::write(&path, text).unwrap();
    (directory, path)
}

fn reuse(audit: Audit, text: &str) -> Result<Audit, BaselineError> {
    let (_directory, path) = report(text);
    audit.with_baseline(Baseline::open(path)?)
}

#[test]
fn unchanged_files_are_not_read_again() {
    let store = Store::large();
    let before = audit_store(&store);
    let same = Answer::run(&reuse(default_audit(), &before.text).unwrap(), &store.paths());
    same.assert_same(&before);
    let passed = same.outcome.summary.not_wasm_bytes_read; // other files have no row and are read again
    assert_eq!(same.progress.bytes_read(), passed, "nothing is read");
    assert!(before.progress.bytes_read() > 100 * passed);
    let (again, was) = (&same.outcome.summary, &before.outcome.summary);
    assert_eq!(
        (again.rows, again.accepted, again.refused, again.bytes),
        (was.rows, was.accepted, was.refused, was.bytes)
    );
    assert!(again.licenses() == was.licenses() && again.producers() == was.producers());
    assert!(was.archives > 0 && was.not_wasm > 0);
    assert_eq!((again.archives, again.not_wasm), (was.archives, was.not_wasm));
}

#[test]
fn files_in_reused_archives_are_counted() {
    let entries = [("a.wasm", numbered_module(0)), ("README", b"text".to_vec()), ("LICENSE", b"MIT".to_vec())];
    let entries = entries.map(|(name, bytes)| (name.to_owned(), bytes));
    let store = Store::new().with("a.tgz", gzip(&tar(&entries))).with("b.txt", b"text");
    let before = audit_store(&store);
    let again = Answer::run(&reuse(default_audit(), &before.text).unwrap(), &store.paths());
    again.assert_same(&before);
    assert_eq!((before.outcome.summary.archives, before.outcome.summary.not_wasm), (1, 3));
    assert_eq!((again.outcome.summary.archives, again.outcome.summary.not_wasm), (1, 3));
    assert_eq!(again.outcome.summary.archive_bytes_read, 0);
}

#[test]
fn changed_files_are_read_again() {
    let store = Store::large();
    let before = audit_store(&store);
    store.put("00/0.wasm", numbered_module(1));
    store.put("00/new.wasm", numbered_module(2));
    store.put("03/many.tgz", gzip(&tar(&[("package/only.wasm".to_owned(), numbered_module(3))])));
    fs::remove_file(store.path("01/1.wasm")).unwrap();
    fs::rename(store.path("02/2.wasm"), store.path("02/renamed.wasm")).unwrap();
    let whole = audit_store(&store);
    let reused = Answer::run(&reuse(default_audit(), &before.text).unwrap(), &store.paths());
    reused.assert_same(&whole);
    assert!(reused.progress.bytes_read() > 0 && reused.progress.bytes_read() < whole.progress.bytes_read() / 10);
}

#[test]
fn truncated_report_is_reused_up_to_its_end() {
    let store = Store::new()
        .with("a.wasm", numbered_module(0))
        .with("b.wasm.gz", gzip(&numbered_module(1)))
        .with("c.wasm", numbered_module(2));
    let whole = audit_store(&store);
    let head = whole.text.find('\n').unwrap() + 1;
    for end in (0..whole.text.len()).step_by(7) {
        match reuse(default_audit(), &whole.text[..end]) {
            Ok(audit) => Answer::run(&audit, &store.paths()).assert_same(&whole),
            Err(BaselineError::NotAReport) => assert!(end < head, "{end}"),
            Err(error) => panic!("{end}: {error}"),
        }
    }
}

#[test]
fn later_settings_disable_the_baseline() {
    let store = Store::new().with("a.wasm", numbered_module(0)).with("b.wasm", numbered_module(1));
    let before = audit_store(&store);
    let whole = Answer::run(&default_audit().with_hashing(true), &store.paths());
    let since = reuse(default_audit(), &before.text).unwrap();
    Answer::run(&since.with_hashing(true), &store.paths()).assert_same(&whole);
}

/// Findings with exceptions are reused in all formats.
#[test]
fn rows_with_exceptions_are_reused_in_all_formats() {
    let policy = "[[exceptions]]\npaths = \"*/vendor/*\"\ncodes = \"not-spdx\"\nreason = \"theirs: \\u202E</a>\"\n\
                  [[exceptions]]\npaths = \"*/old/*\"\nreason = \"until it is built anew\"\nexpires = 2026-03-31\n";
    let audit = || with_policy(policy).with_day("2026-03-30".parse().unwrap());
    let store = Store::new()
        .with("vendor/a.wasm", numbered_module(3))
        .with(
            "old/b.tgz",
            gzip(&tar(&[("b.wasm".to_owned(), numbered_module(3)), ("c.wasm".to_owned(), numbered_module(0))])),
        )
        .with("ours/c.wasm", numbered_module(3));
    let before = Answer::run(&audit(), &store.paths());
    assert_eq!((before.outcome.summary.accepted, before.outcome.summary.refused), (3, 1), "{}", before.text);
    let same = Answer::run(&reuse(audit(), &before.text).unwrap(), &store.paths());
    same.assert_same(&before);
    assert_eq!((same.progress.bytes_read(), same.outcome.summary.accepted), (0, 3));
    // These formats are written from the parsed findings, not from the saved line.
    for format in [Format::Sarif, Format::Html, Format::Csv] {
        let written = |audit: &Audit| {
            let mut out = Vec::new();
            audit.run(&store.paths(), Some(format), &mut out, &Progress::new()).unwrap();
            String::from_utf8(out).unwrap()
        };
        let (anew, since) = (written(&audit()), written(&reuse(audit(), &before.text).unwrap()));
        let judged = |text: &str| match format {
            Format::Sarif => {
                let log: Value = serde_json::from_str(text).unwrap();
                log["runs"][0]["results"].as_array().unwrap().iter().map(Value::to_string).collect()
            }
            Format::Html => {
                let rows = text.split_once("class=\"rows\">").unwrap().1.split_once("</script>").unwrap().0;
                let rows = rows.lines().filter(|line| !line.is_empty());
                rows.map(|line| serde_json::from_str::<Value>(line).unwrap()[18].to_string()).collect()
            }
            // The last column is the number of bytes read.
            _ => text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect::<Vec<_>>(),
        };
        let excused = ["theirs: ", "until it is built anew"].map(|reason| anew.matches(reason).count());
        assert!(format == Format::Csv || excused.iter().all(|count| *count > 0), "{format:?} {excused:?}");
        assert_eq!(judged(&since), judged(&anew), "{format:?}");
    }
    // An invalid exception invalidates its row.
    for (from, to) in [("2026-03-31", "2026-02-31"), ("\"until it is built anew\"", "\" \"")] {
        let text = before.text.replace(from, to);
        assert_ne!(text, before.text);
        let again = Answer::run(&reuse(audit(), &text).unwrap(), &store.paths());
        again.assert_same(&before);
        assert!(again.progress.bytes_read() > 0, "{from}");
    }
}

#[test]
fn report_truncated_during_the_audit_is_not_needed() {
    let store = Store::new().with("a.wasm", numbered_module(0)).with("b.wasm", numbered_module(1));
    let whole = audit_store(&store);
    let (_directory, path) = report(&whole.text);
    let audit = default_audit().with_baseline(Baseline::open(&path).unwrap()).unwrap();
    fs::write(&path, "").unwrap();
    let again = Answer::run(&audit, &store.paths());
    again.assert_same(&whole);
    assert_eq!(again.progress.bytes_read(), whole.progress.bytes_read());
}

/// Rows of one archive that exceed the memory limit are not reused.
#[test]
fn rows_that_exceed_the_memory_limit_are_not_reused() {
    let large = module(&[custom("description", vec![b'x'; 1 << 20])]);
    let entries: Vec<_> = (0..33).map(|nth| (format!("{nth}.wasm"), large.clone())).collect();
    let store = Store::new().with("few.tar", tar(&entries[..4])).with("many.tar", tar(&entries));
    let before = audit_store(&store);
    assert!(before.text.len() > 36 << 20);
    let same = Answer::run(&reuse(default_audit(), &before.text).unwrap(), &store.paths());
    same.assert_same(&before);
    let (again, first) = (same.outcome.summary.archive_bytes_read, before.outcome.summary.archive_bytes_read);
    assert!(again > 0 && again < first, "one was read again: {again} of {first}");
}

#[test]
fn modified_rows_are_not_reused() {
    let store = Store::new().with("a.wasm", numbered_module(3));
    let whole = audit_store(&store);
    for (from, to) in [
        ("\"outcome\":\"complete\"", "\"outcome\":\"unread\""),
        ("\"code\":\"not-spdx\"", "\"code\":\"no-code\""),
        ("\"code\":\"not-spdx\"", "\"code\":\"changed\""),
        ("a.wasm", "b.wasm"),
        ("\"size\":", "\"size\":-"),
        ("\"accepted\":false", "\"accepted\":no"),
        ("\"section_totals\":{", "\"section_totals\":[],\"not-totals\":{"),
    ] {
        let text = whole.text.replace(from, to);
        assert_ne!(text, whole.text);
        let again = Answer::run(&reuse(default_audit(), &text).unwrap(), &store.paths());
        again.assert_same(&whole);
        assert!(again.progress.bytes_read() > 0, "{from}");
    }
}

#[test]
fn reports_that_are_not_comparable_are_rejected() {
    let store = Store::new().with("a.wasm", numbered_module(0));
    let text = audit_store(&store).text;
    assert!(reuse(default_audit(), &text).is_ok());
    let other = "[[licenses]]\nallow = \"MIT\"\n";
    assert!(matches!(reuse(with_policy(other), &text), Err(BaselineError::OtherPolicy)));
    assert!(matches!(reuse(default_audit().with_hashing(true), &text), Err(BaselineError::NotHashed)));
    let hashed = Answer::run(&default_audit().with_hashing(true), &store.paths()).text;
    assert!(reuse(default_audit(), &hashed).is_ok()); // the report has more than this audit needs
    let version = text.replacen(env!("CARGO_PKG_VERSION"), "0.0.0", 1);
    assert!(
        matches!(reuse(default_audit(), &version), Err(BaselineError::OtherVersion(version)) if version == "0.0.0")
    );
    for text in ["", "{}\n", "{\"schema\":2,\"audit\":{}}\n", "file,size\n"] {
        assert!(matches!(reuse(default_audit(), text), Err(BaselineError::NotAReport)), "{text}");
    }
    for text in ["{\"schema\":1,\"audit\":{}}\n", "{\"schema\":1,\"audit\":[1]}\n"] {
        assert!(matches!(reuse(default_audit(), text), Err(BaselineError::OtherSchema(1))), "{text}");
        assert!(matches!(SavedRows::read(text.as_bytes()), Err(SavedRowsError::OtherSchema(1))), "{text}");
    }
}

#[test]
fn other_archive_limits_are_another_policy() {
    let store = Store::large();
    let shallow = || {
        let mut walking = WalkOptions::default();
        walking.max_nesting = 1;
        default_audit().with_walk(walking)
    };
    let before = Answer::run(&shallow(), &store.paths());
    assert!(before.outcome.summary.rows < audit_store(&store).outcome.summary.rows);
    assert!(reuse(shallow(), &before.text).is_ok());
    assert!(matches!(reuse(default_audit(), &before.text), Err(BaselineError::OtherPolicy)));
}

#[test]
fn expired_exception_is_another_policy() {
    let store = Store::new().with("vendor/a.wasm", numbered_module(3));
    let policy = "[[exceptions]]\npaths = \"*\"\ncodes = \"not-spdx\"\nreason = \"theirs\"\nexpires = 2026-03-31\n";
    let on = |day: &str| with_policy(policy).with_day(day.parse().unwrap());
    let before = Answer::run(&on("2026-03-30"), &store.paths());
    assert_eq!(before.outcome.summary.accepted, 1, "{}", before.text);
    assert!(reuse(on("2026-03-31"), &before.text).is_ok());
    assert!(matches!(reuse(on("2026-04-01"), &before.text), Err(BaselineError::OtherPolicy)));
    assert_eq!(Answer::run(&on("2026-04-01"), &store.paths()).outcome.summary.accepted, 0);
}

/// Timestamps have ticks, and the second content has the same length.
#[test]
fn a_file_that_changes_within_a_tick_is_read_again() {
    let with_license = |license: &str| module(&[custom("licenses", license)]);
    let (first, second) = (with_license("MIT"), with_license("ISC"));
    let packed = |bytes: &[u8]| tar(&[("a.wasm".to_owned(), bytes.to_vec())]);
    let directory = tempfile::tempdir().unwrap();
    for round in 0..60 {
        let store = Store::new().with("a.wasm", &first).with("a.tar", packed(&first));
        let before = audit_store(&store);
        let replace = |name: &str, bytes: &[u8]| match round % 3 {
            0 => store.put(name, bytes),
            1 => {
                // The file system may reuse the inode number of the removed file.
                fs::remove_file(store.path(name)).unwrap();
                store.put(name, bytes);
            }
            _ => {
                fs::write(directory.path().join("new"), bytes).unwrap();
                fs::rename(directory.path().join("new"), store.path(name)).unwrap();
            }
        };
        replace("a.wasm", &second);
        replace("a.tar", &packed(&second));
        let again = Answer::run(&reuse(default_audit(), &before.text).unwrap(), &store.paths());
        for row in again.rows() {
            assert_eq!(row["item"]["annotations"]["licenses"], "ISC", "round {round}: {}", again.text);
        }
        assert_eq!(again.rows().len(), 2);
    }
}

#[cfg(unix)]
#[test]
fn a_report_that_others_may_have_written_is_not_trusted() {
    use std::os::unix::fs::{PermissionsExt, chown};

    let store = Store::new().with("a.wasm", numbered_module(0));
    let (_directory, path) = report(&audit_store(&store).text);
    let set_mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    for mode in [0o600, 0o644, 0o755, 0o400] {
        set_mode(mode);
        assert!(Baseline::open(&path).is_ok(), "{mode:o}");
    }
    for mode in [0o620, 0o602, 0o666, 0o664] {
        set_mode(mode);
        let error = Baseline::open(&path).unwrap_err();
        assert_eq!(error.to_string(), "the earlier report is not trusted: others may write to it", "{mode:o}");
        default_audit().with_baseline(Baseline::open_trusted(&path).unwrap()).unwrap();
    }
    set_mode(0o600);
    if rustix::process::geteuid().is_root() {
        chown(&path, Some(65534), None).unwrap();
        let error = Baseline::open(&path).unwrap_err();
        assert_eq!(error.to_string(), "the earlier report is not trusted: it belongs to someone else");
        assert!(Baseline::open_trusted(&path).is_ok());
    }
    // The FIFO has no other end, so opening it must not block.
    let fifo = path.with_extension("fifo");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(matches!(Baseline::open(&fifo), Err(BaselineError::NotAReport)));
}

/// Rows of an earlier report are escaped like new ones.
#[test]
fn reused_rows_are_safe_on_a_terminal() {
    let store = Store::new().with("a.wasm", module(&[custom("vendor", "a\u{9b}31m\u{202e}\u{7f}b")]));
    let whole = audit_store(&store);
    assert!(whole.text.contains(r"a\u009b31m\u202e\u007fb"), "{}", whole.text);
    let raw = whole.text.replace(r"\u009b", "\u{9b}").replace(r"\u202e", "\u{202e}");
    let again = Answer::run(&reuse(default_audit(), &raw).unwrap(), &store.paths());
    again.assert_same(&whole);
    assert_eq!(again.progress.bytes_read(), 0);
}
