//! Compares the modules that all readers extract with the audit's answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::audits::{self, Answer};
use super::generator::Case;
use super::libraries::{self, Libraries};
use super::programs::{self, Extraction};

/// A directory for cases and extracted files, in memory where the system supports that.
pub(crate) struct Workshop {
    directory: TempDir,
    libraries: Libraries,
}

/// The cases of one comparison, with all answers.
pub(crate) struct Comparison {
    pub(crate) extractions: Vec<Extraction>,
    pub(crate) answers: Vec<Answer>,
    /// Total times of the readers and of the audit.
    pub(crate) times: (Duration, Duration),
    /// The cases whose audit is slow, with its time.
    pub(crate) slow: Vec<(usize, Duration)>,
}

/// The kinds of answers about an extracted module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It has a row.
    Listed,
    /// Its archive has an error.
    Found,
    Hidden,
}

/// Minimum time of a slow audit. Most cases take milliseconds.
const SLOW: Duration = Duration::from_secs(4);

impl Workshop {
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let directory = tempfile::Builder::new().prefix("sectile-readers-").tempdir_in(place).unwrap();
        let libraries = Libraries::build(directory.path());
        Self { directory, libraries }
    }

    /// Extracts these cases with all readers, and audits them. Programs get one case in `sample`.
    pub(crate) fn compare(&self, cases: &[Case], sample: usize) -> Comparison {
        self.compare_with(cases, sample, &|_| true)
    }

    /// Extracts these cases with the readers of some names, and audits them.
    pub(crate) fn compare_with(
        &self,
        cases: &[Case],
        sample: usize,
        reads: &(dyn Fn(&str) -> bool + Sync),
    ) -> Comparison {
        let [files, outputs] = ["cases", "out"].map(|name| self.directory.path().join(name));
        for directory in [&files, &outputs] {
            fs::create_dir(directory).unwrap();
        }
        let path = |(nth, case): (usize, &Case)| files.join(libraries::file_name(nth, case.extension));
        let paths: Vec<PathBuf> = cases.iter().enumerate().map(path).collect();
        paths.iter().zip(cases).for_each(|(path, case)| libraries::write(path, &case.bytes));
        let pairs: Vec<(&Path, &Case)> = paths.iter().map(PathBuf::as_path).zip(cases).collect();
        let begun = Instant::now();
        let mut extractions = thread::scope(|scope| {
            let libraries = scope.spawn(|| self.libraries.extract_all(&files, reads));
            let mut extractions =
                programs::extract_all(&pairs, &outputs, |nth, program| nth % sample == 0 && reads(program));
            extractions.extend(libraries.join().unwrap());
            extractions
        });
        extractions.sort();
        let extracted = begun.elapsed();
        let answers = audits::audit(&files, cases.len());
        let audited = begun.elapsed() - extracted;
        let mut slow = Vec::new();
        if audited > SLOW {
            for (nth, path) in paths.iter().enumerate() {
                let begun = Instant::now();
                audits::audit_file(path);
                slow.extend(Some((nth, begun.elapsed())).filter(|(_, time)| *time > SLOW));
            }
        }
        for directory in [&files, &outputs] {
            fs::remove_dir_all(directory).unwrap();
        }
        Comparison { extractions, answers, times: (extracted, audited), slow }
    }
}

impl Comparison {
    pub(crate) fn class(&self, extraction: &Extraction) -> Class {
        let answer = &self.answers[extraction.case];
        if answer.listed.contains(&extraction.module) {
            Class::Listed
        } else if !answer.errors.is_empty() {
            Class::Found
        } else {
            Class::Hidden
        }
    }

    /// The extractions that the audit missed, by case.
    pub(crate) fn hidden(&self) -> BTreeMap<usize, Vec<&Extraction>> {
        let mut hidden: BTreeMap<usize, Vec<&Extraction>> = BTreeMap::new();
        for extraction in self.extractions.iter().filter(|extraction| self.class(extraction) == Class::Hidden) {
            hidden.entry(extraction.case).or_default().push(extraction);
        }
        hidden
    }
}

/// The counts of all comparisons.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) cases: usize,
    rows: BTreeMap<String, Counts>,
    all: Counts,
    /// Number of cases in which the audit found an error.
    pub(crate) with_errors: usize,
}

#[derive(Default)]
struct Counts {
    cases: usize,
    listed: usize,
    found: usize,
    hidden: usize,
}

impl Counts {
    fn count(&mut self, class: Class) {
        match class {
            Class::Listed => self.listed += 1,
            Class::Found => self.found += 1,
            Class::Hidden => self.hidden += 1,
        }
    }
}

impl Table {
    pub(crate) fn add(&mut self, comparison: &Comparison) {
        self.cases += comparison.answers.len();
        self.with_errors += comparison.answers.iter().filter(|answer| !answer.errors.is_empty()).count();
        let (mut opened, mut modules) = (BTreeSet::new(), BTreeSet::new());
        for extraction in &comparison.extractions {
            let Extraction { case, module, reader } = extraction;
            let row = self.rows.entry(reader.clone()).or_default();
            let class = comparison.class(extraction);
            row.count(class);
            row.cases += usize::from(opened.insert((Some(reader), *case)));
            self.all.cases += usize::from(opened.insert((None, *case)));
            if modules.insert((*case, *module)) {
                self.all.count(class);
            }
        }
    }

    pub(crate) fn hidden(&self) -> usize {
        self.all.hidden
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cases, {} of them with an error of the audit's\n", self.cases, self.with_errors)?;
        writeln!(
            f,
            "{:24}{:>10}{:>10}{:>10}{:>14}{:>8}",
            "reader", "cases", "modules", "listed", "finding only", "hidden"
        )?;
        let all = ("any", &self.all);
        for (reader, counts) in self.rows.iter().map(|(reader, counts)| (&**reader, counts)).chain([all]) {
            let Counts { cases, listed, found, hidden } = counts;
            let modules = listed + found + hidden;
            writeln!(f, "{reader:24}{cases:>10}{modules:>10}{listed:>10}{found:>14}{hidden:>8}")?;
        }
        Ok(())
    }
}
