//! Audits: every binary of a store has its row, in the order of the walk, whatever the threads do and whatever lies beside it.

mod earlier;
#[cfg(unix)] // links, FIFOs, names that are no text
mod hostile;
#[cfg(feature = "remote")]
mod objects;
mod rows;
mod stopped;
mod store;

use serde_json::Value;

use sectile::Policy;
use sectile::audit::{Audit, Audited, Form, Progress, Root};

use self::store::Store;

/// An answer in lines of JSON.
struct Answer {
    text: String,
    audited: Audited,
    progress: Progress,
}

impl Answer {
    /// Of an audit of these roots.
    #[track_caller]
    fn of(audit: &Audit, roots: &[Root]) -> Self {
        let (mut out, progress) = (Vec::new(), Progress::new());
        let audited = audit.run(roots, Some(Form::Jsonl), &mut out, &progress).unwrap();
        let answer = Self { text: String::from_utf8(out).unwrap(), audited, progress };
        assert_eq!(answer.rows().len() as u64, answer.audited.summary.rows);
        answer
    }

    /// All but the last line, which says what was read for it, too.
    fn body(&self) -> &str {
        let end = self.text.trim_end().rfind('\n').unwrap();
        &self.text[..end]
    }

    /// Asserts that another answer has the same lines, but for the last.
    #[track_caller]
    fn is_as(&self, other: &Self) {
        let mut lines = self.body().lines().zip(other.body().lines());
        let first = lines.find(|(own, others)| own != others);
        assert!(first.is_none() && self.body().len() == other.body().len(), "{first:#?}");
    }

    /// What its rows are.
    fn rows(&self) -> Vec<Value> {
        let lines = self.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line.get("file").is_some()).collect()
    }

    /// The row of a file whose path ends so.
    #[track_caller]
    fn row(&self, end: &str) -> Value {
        let is_meant = |row: &Value| row["file"].as_str().is_some_and(|file| file.ends_with(end));
        let mut rows = self.rows().into_iter().filter(is_meant);
        let row = rows.next().unwrap_or_else(|| panic!("no row of {end} in {}", self.text));
        assert!(rows.next().is_none(), "several rows of {end}");
        row
    }
}

/// The codes of a row's findings.
fn codes(row: &Value) -> Vec<&str> {
    row["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

/// Of a store, by a policy that refuses errors, on two threads.
#[track_caller]
fn audited(store: &Store) -> Answer {
    Answer::of(&plain(), &store.paths())
}

fn plain() -> Audit {
    Audit::new(Policy::default()).on_threads(2)
}

#[track_caller]
fn by(policy: &str) -> Audit {
    Audit::new(Policy::parse("policy.toml", policy).unwrap_or_else(|error| panic!("{error}"))).on_threads(2)
}
