//! Audits of many files: an [`Audit`] walks stores, reads and judges every WebAssembly binary in them, and writes a row
//! for each. Archives and other files have a row if there is a finding on them.
//!
//! A store is a directory tree, with the archives, image layouts and registry storages in it, or a remote object store
//! (feature `remote`), or the images of a registry (feature `registry`). The rows are written in a [`Format`], and counted in a [`Summary`].

pub mod amount;
mod baseline;
mod blob;
#[cfg(feature = "arrow")]
mod columns;
mod comparison;
mod context;
mod encoder;
mod fill;
mod format;
mod info;
mod inside;
mod outline;
mod output;
mod part;
mod pipeline;
mod progress;
mod reading;
mod root;
mod row;
mod row_name;
mod row_reader;
#[cfg(test)]
mod sample;
#[cfg(feature = "parquet")]
mod saved_lines;
mod saved_rows;
mod section_list;
mod summary;
mod walk;
mod worker;

use std::ffi::OsString;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use self::baseline::{Baseline, BaselineError};
#[cfg(feature = "arrow")]
pub use self::columns::{COLUMNS_VERSION, SCHEMA_KEY, schema};
pub use self::comparison::ComparisonCounts;
use self::comparison::RowComparison;
use self::context::{Context, RowVisitor};
use self::encoder::SpareTexts;
pub use self::format::{Format, FormatWriter, sbom_vulnerabilities};
pub use self::info::{AuditInfo, Stop};
pub use self::output::{ReportFile, ReportWriter, write_atomic};
pub use self::part::{ListError, Part, PartKind};
use self::pipeline::Pipeline;
pub use self::progress::Progress;
pub use self::root::Root;
pub use self::row::{Completeness, LargestSection, Reason, Row, RowKind, SectionSpan, SectionTotal};
pub use self::row_name::{RowName, RowNameError};
pub use self::row_reader::{RowCopy, RowReadError, RowReader};
#[cfg(feature = "parquet")]
pub use self::saved_lines::{ParquetReportError, is_parquet, parquet_lines};
pub use self::saved_rows::{SavedRows, SavedRowsError};
pub use self::summary::{
    AdvisoryCount, CodeCount, IncompleteBlob, KindCount, NotOpenedFiles, ProducerCount, RankedSection, RowCount,
    Summary, SummaryError, UnusedException, VerdictLine, WorstBlob,
};
pub use self::walk::{FileFormat, InsideSearch, WalkOptions};
#[cfg(feature = "remote")]
pub use sectile_remote::ListedObject;

use sectile::internal::fingerprint::FileId;
use sectile::splice::WriteError;
use sectile_policy::diff::{ReportIndex, ReportRoots};
use sectile_policy::{Day, Policy};

/// An audit: the policy to judge by, and how to walk stores.
///
/// ```no_run
/// use sectile_audit::{Audit, Format, Progress};
/// use sectile_policy::Policy;
///
/// let audit = Audit::new(Policy::read("policy.toml")?);
/// let outcome = audit.run(&["store".into()], Some(Format::Jsonl), &mut std::io::stdout(), &Progress::new())?;
/// println!("{} rows", outcome.summary.rows);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Audit {
    policy: Arc<Policy>,
    walk_options: WalkOptions,
    threads: usize,
    with_interface: bool,
    baseline: Option<Baseline>,
    compared: Option<ReportIndex>,
    today: Option<Day>,
    /// The files that the outputs replace, which must not be read.
    outputs: Vec<FileId>,
    info: AuditInfo,
}

impl Audit {
    /// Creates an audit by this policy, on as many threads as the system runs at once.
    pub fn new(policy: impl Into<Arc<Policy>>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (policy, walk_options) = (policy.into(), WalkOptions::default());
        let info = AuditInfo { databases: info::databases(&policy), packages: policy.packages, ..AuditInfo::default() };
        Self {
            policy,
            walk_options,
            threads,
            with_interface: false,
            baseline: None,
            compared: None,
            today: None,
            outputs: Vec::new(),
            info,
        }
        .fingerprinted()
    }

    /// Sets the options of the walk.
    #[must_use]
    pub fn with_walk(self, walk_options: WalkOptions) -> Self {
        Self { walk_options, ..self }.fingerprinted()
    }

    /// Sets the number of threads, from 1 to 1,024; other values are clamped.
    ///
    /// The audit uses fewer threads if the system refuses some. The rows and their order do not depend on the number.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads: threads.clamp(1, 1_024), ..self }
    }

    /// Sets whether to compute the digest of every blob and to compare it with the one in its store.
    ///
    /// All bytes of each blob are read for it.
    #[must_use]
    pub fn with_hashing(mut self, hashes: bool) -> Self {
        self.info.hashed = hashes;
        self
    }

    /// Reads the imports and exports of each binary, and writes them in the JSON of its row.
    #[must_use]
    pub fn with_interface(self) -> Self {
        Self { with_interface: true, ..self }
    }

    /// Sets the day, which decides which exceptions have expired. Without it, exceptions that expire do not apply.
    #[must_use]
    pub fn with_day(mut self, today: Day) -> Self {
        self.info.day = Some(today.to_string());
        Self { today: Some(today), ..self }.fingerprinted()
    }

    /// Sets the name of the policy in the output.
    #[must_use]
    pub fn with_policy_name(mut self, name: impl Into<OsString>) -> Self {
        self.info.policy_name = Some(name.into());
        self
    }

    /// Sets the time of SBOMs, as an RFC 3339 date-time. Without it, `CycloneDX` documents have none.
    #[must_use]
    pub fn with_created(mut self, time: impl Into<String>) -> Self {
        self.info.created = Some(time.into());
        self
    }

    /// Reuses the rows of an earlier report for files that have not changed since, without reading them.
    ///
    /// Call it last: the report is checked against the settings so far. It is ignored if later settings differ from it.
    ///
    /// # Errors
    ///
    /// Returns an error if the report is not comparable: another version or another policy made it, with other limits
    /// on archives, or without the digests that this audit computes.
    pub fn with_baseline(self, baseline: Baseline) -> Result<Self, BaselineError> {
        baseline.check(&self.info)?;
        Ok(Self { baseline: Some(baseline), ..self })
    }

    /// Compares each row with the row of the same name in an earlier report. Rows of that report that are not found again
    /// are gone. Each index serves one run.
    #[must_use]
    pub fn with_comparison(self, earlier: ReportIndex) -> Self {
        Self { compared: Some(earlier), ..self }
    }

    /// Adds a file that an output is written to. If the audit would read it, under any of its names,
    /// [`run`](Self::run) stops and returns an error.
    #[must_use]
    pub fn with_output(mut self, report: &ReportFile) -> Self {
        self.outputs.extend(report.protected());
        self
    }

    /// Walks these roots, and writes the rows in a format. `None` writes nothing and returns the summary only.
    ///
    /// The output is the same for the same stores, for any number of threads.
    ///
    /// # Errors
    ///
    /// Returns the errors of the writer, and the error of the system if it refuses the first thread. A file that cannot
    /// be read is not an error: it has a row.
    pub fn run(
        &self,
        roots: &[Root],
        format: Option<Format>,
        out: &mut dyn Write,
        progress: &Progress,
    ) -> io::Result<AuditOutcome> {
        let mut output = format.map(|format| FormatWriter::new(format, out));
        self.run_with_outputs(roots, output.as_mut_slice(), progress)
    }

    /// As [`run`](Self::run), with one writer for each of several formats.
    ///
    /// ```no_run
    /// use sectile_audit::{Audit, Format, FormatWriter, Progress};
    /// use sectile_policy::Policy;
    ///
    /// let (mut rows, mut page) = (Vec::new(), Vec::new());
    /// let outputs = &mut [
    ///     FormatWriter::new(Format::Jsonl, &mut rows),
    ///     FormatWriter::new(Format::Html, &mut page),
    /// ];
    /// Audit::new(Policy::default()).run_with_outputs(&["store".into()], outputs, &Progress::new())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run): the error of the first writer that fails ends the audit.
    pub fn run_with_outputs(
        &self,
        roots: &[Root],
        outputs: &mut [FormatWriter<'_>],
        progress: &Progress,
    ) -> io::Result<AuditOutcome> {
        self.run_with(roots, outputs, None, progress)
    }

    /// Walks these roots, and calls a function with each row as it is judged, before its binary is closed.
    ///
    /// The worker threads call the function, several at once and in any order: no row waits for another one.
    /// [`Row::nth`] orders the rows. A function that breaks stops the audit soon; other threads may still call it a few
    /// times.
    ///
    /// ```no_run
    /// use std::ops::ControlFlow;
    /// use std::sync::Mutex;
    ///
    /// use sectile_audit::{Audit, Progress, Row};
    /// use sectile_policy::Policy;
    ///
    /// let rows = Mutex::new(Vec::new());
    /// let visit = |row: &Row<'_>| {
    ///     let packages: Vec<_> = row.packages().map(|package| package.name.clone()).collect();
    ///     rows.lock().unwrap().push((row.nth, row.file.clone().into_owned(), packages));
    ///     ControlFlow::Continue(())
    /// };
    /// Audit::new(Policy::default()).visit(&["store".into()], &visit, &Progress::new())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the system if it refuses the first thread.
    pub fn visit(
        &self,
        roots: &[Root],
        visit: &(dyn Fn(&Row<'_>) -> ControlFlow<()> + Sync),
        progress: &Progress,
    ) -> io::Result<AuditOutcome> {
        self.run_with(roots, &mut [], Some(visit), progress)
    }

    fn run_with(
        &self,
        roots: &[Root],
        outputs: &mut [FormatWriter<'_>],
        visitor: Option<RowVisitor<'_>>,
        progress: &Progress,
    ) -> io::Result<AuditOutcome> {
        let info = AuditInfo { paths: roots.iter().map(Root::name).collect(), ..self.info.clone() };
        for output in &mut *outputs {
            output.head(&info)?;
        }
        let comparison = self.compared.as_ref().map(|index| RowComparison::new(index, ReportRoots::new(&info.paths)));
        let context = Context {
            policy: &self.policy,
            today: self.today,
            with_interface: self.with_interface,
            hashes: self.info.hashed,
            baseline: self.baseline.as_ref().filter(|baseline| baseline.check(&self.info).is_ok()),
            comparison: comparison.as_ref(),
            visitor,
            formats: outputs.iter().map(|output| output.format).collect(),
            spare_texts: SpareTexts::default(),
            progress,
            exceptions: self.policy.exception_use(),
            outputs: &self.outputs,
            met_output: AtomicBool::new(false),
            gave_up: AtomicBool::new(false),
        };
        let pipeline = Pipeline { context: &context, walk_options: &self.walk_options, threads: self.threads };
        let (mut summary, stop) = pipeline.run(roots, outputs)?;
        summary.set_unused_exceptions(context.exceptions.unused().filter(|_| stop.is_none()).map(Into::into));
        if context.met_output.into_inner() {
            return Err(io::Error::other(WriteError::AmongInputs));
        }
        if let Some(comparison) = &comparison {
            // The rows of a stopped audit that are missing are not gone.
            write_gone(comparison, stop.is_none(), &mut summary, outputs)?;
        }
        for output in outputs {
            output.tail(&info, &summary, stop.as_ref())?;
        }
        Ok(AuditOutcome { info, summary, stop })
    }

    /// Counts the files below these roots, without looking into archives, as a total for a progress display.
    ///
    /// Returns `None` if a stop was requested, or if a root is remote: a second listing of it would cost as many requests
    /// as the first.
    pub fn count(&self, roots: &[Root], progress: &Progress) -> Option<u64> {
        if !roots.iter().all(|root| root.as_path().is_some()) {
            return None;
        }
        let mut files = 0;
        walk::walk(roots, &self.walk_options, &|| progress.stop_requested(), &mut |unit| {
            files += unit.len() as u64;
            if progress.stop_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (!progress.stop_requested()).then_some(files)
    }

    /// Lists the parts of these roots, for audits in other processes. Reads no file and no object.
    ///
    /// Calls a function with each part until it breaks. Ignore rules apply to the files, but not inside of image layouts.
    ///
    /// ```no_run
    /// use std::ops::ControlFlow;
    ///
    /// use sectile_audit::{Audit, Progress};
    /// use sectile_policy::Policy;
    ///
    /// let mut parts = Vec::new();
    /// Audit::new(Policy::default()).list(&["store".into()], &Progress::new(), &mut |part| {
    ///     parts.push(part);
    ///     ControlFlow::Continue(())
    /// })?;
    /// # Ok::<(), sectile_audit::ListError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A root does not exist, or a store cannot be listed to its end. A directory that cannot be listed is a part.
    pub fn list(
        &self,
        roots: &[Root],
        progress: &Progress,
        send: &mut dyn FnMut(Part) -> ControlFlow<()>,
    ) -> Result<(), ListError> {
        walk::list(roots, &self.walk_options, &|| progress.stop_requested(), send)
    }

    /// Updates the fingerprint of everything that changes a verdict: the policy, its expired exceptions, the limits on
    /// archives.
    fn fingerprinted(mut self) -> Self {
        let has_expired = |last: Day| self.today.is_none_or(|today| today > last);
        let expiring = self.policy.exceptions().filter(|exception| exception.expiry().is_some_and(has_expired));
        self.info.inside = self.walk_options.inside;
        let inside = self.info.inside.name();
        let WalkOptions { max_nesting, max_inflated, max_entries, max_held_bytes, max_rows, max_row_bytes, .. } =
            self.walk_options;
        self.info.fingerprint = format!(
            "{}/{}/{inside}.{max_nesting}.{max_inflated}.{max_entries}.{max_held_bytes}.{max_rows}.{max_row_bytes}",
            self.policy.fingerprint(),
            expiring.count()
        );
        self
    }
}

/// Writes the rows that are gone since an earlier report, if all others were found.
fn write_gone(
    comparison: &RowComparison<'_>,
    is_complete: bool,
    summary: &mut Summary,
    outputs: &mut [FormatWriter<'_>],
) -> io::Result<()> {
    if let Some(error) = comparison.take_error() {
        return Err(io::Error::other(error));
    }
    let counts = summary.comparison.get_or_insert_default();
    for gone in comparison.gone_rows().filter(|_| is_complete) {
        let gone = gone.map_err(io::Error::other)?;
        counts.counts.add(&gone);
        let mut text = Vec::new();
        for output in &mut *outputs {
            text.clear();
            output.format.gone(&gone, &mut text);
            output.write_text(&text)?;
        }
    }
    Ok(())
}

/// The outcome of an audit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuditOutcome {
    /// The facts about the audit that its output states.
    pub info: AuditInfo,
    /// The counts over all rows.
    pub summary: Summary,
    /// Where the audit was stopped, or `None` if it ran to its end.
    pub stop: Option<Stop>,
}
