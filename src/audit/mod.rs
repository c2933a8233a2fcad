//! Many files: a store is walked, every binary in it read and judged, and each has its row.

mod blob;
mod earlier;
mod form;
mod outline;
mod pipeline;
mod progress;
mod reading;
mod root;
mod row;
#[cfg(test)]
mod sample;
mod summary;
mod walk;
mod whole;
mod worker;

use std::ffi::OsString;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

pub use self::earlier::{Earlier, EarlierError};
pub use self::form::Form;
use self::pipeline::Shared;
pub use self::progress::Progress;
pub use self::root::Root;
pub use self::row::{Drawn, Ended, Largest, Reason, Row, RowShare};
pub use self::summary::{BrokenBlob, CodeCount, KindCount, LargestSection, ProducerCount, Summary, WorstBlob};
pub use self::walk::WalkOptions;
pub use self::whole::write_whole;
use crate::policy::{Day, Policy};

/// An audit: what is judged by, and how stores are walked.
///
/// ```no_run
/// use sectile::Policy;
/// use sectile::audit::{Audit, Form, Progress};
///
/// let audit = Audit::new(Policy::read("policy.toml")?);
/// let audited = audit.run(&["store".into()], Some(Form::Jsonl), &mut std::io::stdout(), &Progress::new())?;
/// println!("{} rows", audited.summary.rows);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Audit {
    policy: Arc<Policy>,
    walking: WalkOptions,
    threads: usize,
    earlier: Option<Earlier>,
    today: Option<Day>,
    about: About,
}

impl Audit {
    /// An audit by this policy, on as many threads as the system says that it runs at once.
    pub fn new(policy: impl Into<Arc<Policy>>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (policy, walking) = (policy.into(), WalkOptions::default());
        Self { policy, walking, threads, earlier: None, today: None, about: About::default() }.fingerprinted()
    }

    /// Walks stores in this way.
    #[must_use]
    pub fn with_walk(self, walking: WalkOptions) -> Self {
        Self { walking, ..self }.fingerprinted()
    }

    /// Reads on so many threads: on one at the least, on 1,024 at the most, and on fewer where the system gives no more. The rows
    /// are the same, and in the same order, on any number.
    #[must_use]
    pub fn on_threads(self, threads: usize) -> Self {
        Self { threads: threads.clamp(1, 1_024), ..self }
    }

    /// Computes the digest of every blob, for which all of each is read, and compares it with what its store calls it by.
    #[must_use]
    pub fn hashing(mut self, hashes: bool) -> Self {
        self.about.hashed = hashes;
        self
    }

    /// Judges as on this day, which says what exceptions have expired. Without it, those that expire do not hold.
    #[must_use]
    pub fn on_day(mut self, today: Day) -> Self {
        self.about.day = Some(today.to_string());
        Self { today: Some(today), ..self }.fingerprinted()
    }

    /// Says in the answer what the policy is called.
    #[must_use]
    pub fn by_name(mut self, policy: impl Into<OsString>) -> Self {
        self.about.policy = Some(policy.into());
        self
    }

    /// Takes the rows of what did not change since an earlier report from there, and reads nothing of it. This is said last: the
    /// report is compared with what was said before, and is not made use of where it does not agree with what is said after.
    ///
    /// # Errors
    ///
    /// That report is not comparable: it was made by another version, by another policy, with archives looked into less or
    /// more far, or without the digests that this audit computes.
    pub fn since(self, earlier: Earlier) -> Result<Self, EarlierError> {
        earlier.check(&self.about)?;
        Ok(Self { earlier: Some(earlier), ..self })
    }

    /// Walks what lies at these roots, and writes an answer: the same bytes for the same stores, whatever the threads do. `None`
    /// writes nothing, for who wants the summary alone.
    ///
    /// # Errors
    ///
    /// Those of the writer, and that of the system where it gives no thread. What cannot be read of the stores is no error, but
    /// has a row.
    pub fn run(
        &self,
        roots: &[Root],
        form: Option<Form>,
        out: &mut dyn Write,
        progress: &Progress,
    ) -> io::Result<Audited> {
        let about = About { paths: roots.iter().map(Root::name).collect(), ..self.about.clone() };
        if let Some(form) = form {
            form.head(&about, out)?;
        }
        let (summary, stop) = Shared::new(self, form, progress).run(roots, out)?;
        if let Some(form) = form {
            form.tail(&about, &summary, stop.as_ref(), out)?;
        }
        Ok(Audited { about, summary, stop })
    }

    /// How many files a walk of these roots meets, archives not looked into: what the work can be compared with. `None` where the
    /// audit is asked to stop, and where objects lie far away: who lists them twice pays twice.
    pub fn count(&self, roots: &[Root], progress: &Progress) -> Option<u64> {
        if !roots.iter().all(|root| root.as_path().is_some()) {
            return None;
        }
        let mut files = 0;
        walk::walk(roots, &self.walking, &|| progress.stops(), &mut |unit| {
            files += unit.len() as u64;
            if progress.stops() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (!progress.stops()).then_some(files)
    }

    /// With what tells one policy from another, days on which it judges differently, and how far archives are looked into.
    fn fingerprinted(mut self) -> Self {
        let has_expired = |last: Day| self.today.is_none_or(|today| today > last);
        let expiring = self.policy.exceptions().filter(|exception| exception.expires().is_some_and(has_expired));
        let WalkOptions { nested, inflated, entries, held, .. } = self.walking;
        self.about.fingerprint =
            format!("{}/{}/{nested}.{inflated}.{entries}.{held}", self.policy.fingerprint(), expiring.count());
        self
    }
}

/// What became of an audit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Audited {
    /// What its answer says of it.
    pub about: About,
    /// What it comes to.
    pub summary: Summary,
    /// Where it was stopped; `None` where it was not.
    pub stop: Option<Stop>,
}

/// What an answer says of the audit itself. Nothing in it comes from a clock or from the host, unless whoever asks puts it there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// What was audited.
    pub paths: Vec<OsString>,
    /// What the policy is called, if somebody said it.
    pub policy: Option<OsString>,
    /// What tells one policy from another, which of its exceptions had expired, and how far archives were looked into.
    pub fingerprint: String,
    /// Whether every digest was computed.
    pub hashed: bool,
    /// The day, as `2026-01-31`, if somebody said which.
    pub day: Option<String>,
}

impl About {
    /// Whether nobody asked for another policy than that which there is without one.
    fn is_by_default(&self) -> bool {
        self.fingerprint.starts_with(&Policy::default().fingerprint())
    }
}

/// Where an audit was stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stop {
    /// The last place whose row was written; `None` where there is no row. Of what lies before it, that may have none which was
    /// under way.
    pub behind: Option<OsString>,
}
