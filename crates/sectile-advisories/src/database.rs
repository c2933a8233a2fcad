//! Databases of advisories, and the index over them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use foldhash::fast::FixedState;

use sectile::internal::{beginning, quoted};

use crate::files::{self, AdvisoryFile};
use crate::{Advisory, Affected, DatabaseError, Ecosystem, osv, rustsec};

/// The advisories of one or more databases, by package.
#[derive(Clone, Default)]
pub struct Advisories {
    databases: Vec<Database>,
    problems: Vec<Problem>,
    affected: Vec<Arc<Affected>>,
    /// For each ecosystem, what affects a package.
    by_package: [HashMap<Box<str>, OfPackage, FixedState>; Ecosystem::ALL.len()],
}

/// A database that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Database {
    /// The path, as the caller wrote it.
    pub path: Box<str>,
    /// The format.
    pub format: DatabaseFormat,
    /// The commit of a Git work tree.
    pub commit: Option<Box<str>>,
    /// SHA-256 digest in hexadecimal digits: of a ZIP archive, or of the paths and contents of the
    /// files in a directory.
    pub digest: Box<str>,
    /// The newest date of an advisory, as `YYYY-MM-DD`.
    pub date: Box<str>,
    /// Number of advisories that may match.
    pub advisories: u64,
    /// Number of withdrawn advisories.
    pub withdrawn: u64,
    /// Number of advisories about the Rust toolchain or about other ecosystems.
    pub unrelated: u64,
    /// Number of problems.
    pub problems: u64,
}

/// The format of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseFormat {
    /// `RustSec`'s TOML in Markdown.
    RustSec,
    /// OSV records in JSON.
    Osv,
}

impl Database {
    /// A database without advisories.
    pub fn new(path: impl Into<Box<str>>, format: DatabaseFormat, digest: impl Into<Box<str>>) -> Self {
        Self {
            path: path.into(),
            format,
            commit: None,
            digest: digest.into(),
            date: Box::default(),
            advisories: 0,
            withdrawn: 0,
            unrelated: 0,
            problems: 0,
        }
    }
}

impl fmt::Display for Database {
    /// Writes one line: format, date, commit or digest, and number of advisories. It quotes the
    /// database: escape it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match &self.commit {
            Some(commit) => ("commit", commit),
            None => ("digest", &self.digest),
        };
        let name = beginning(name, 12);
        write!(f, "{} of {}, {kind} {name} ({} advisories)", self.format.title(), self.date, self.advisories)
    }
}

impl DatabaseFormat {
    /// All formats.
    pub const ALL: [Self; 2] = [Self::RustSec, Self::Osv];

    /// The name in prose: `RustSec` or `OSV`.
    const fn title(self) -> &'static str {
        match self {
            Self::RustSec => "RustSec",
            Self::Osv => "OSV",
        }
    }

    /// `rustsec` or `osv`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RustSec => "rustsec",
            Self::Osv => "osv",
        }
    }
}

/// A part of a database that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Path of the file in the database.
    pub file: Box<str>,
    /// The problem, which may quote the file: escape it.
    pub message: Box<str>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}

/// A version of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackageId<'a> {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// The name.
    pub name: &'a str,
    /// The version.
    pub version: &'a str,
}

/// The package of Go's standard library.
const GO_LIBRARY: &str = "stdlib";

/// The package of Rust's standard library.
const RUST_LIBRARY: &str = "std";

impl<'a> PackageId<'a> {
    /// A version of a package.
    pub fn new(ecosystem: Ecosystem, name: &'a str, version: &'a str) -> Self {
        Self { ecosystem, name, version }
    }

    /// The identity of a package that cargo-auditable recorded. `None` for the root package, and for
    /// packages of other sources than crates.io: an advisory about a package of the same name is
    /// not about them.
    pub fn from_recorded(name: &'a str, version: &'a str, source: &str, is_root: bool) -> Option<Self> {
        (source == "crates.io" && !is_root).then(|| Self::new(Ecosystem::CratesIo, name, version))
    }

    /// The standard library that a compiler linked, by its name and its version in the `producers`
    /// section. `None` for other compilers, and without a version.
    pub fn from_compiler(name: &str, version: &'a str) -> Option<Self> {
        let (ecosystem, library) = match name {
            "rustc" => (Ecosystem::Rust, RUST_LIBRARY),
            "Go cmd/compile" => (Ecosystem::Go, GO_LIBRARY),
            _ => return None,
        };
        let version = version.split_whitespace().next()?;
        Some(Self::new(ecosystem, library, version))
    }

    /// The identity of a package that the data of a binary names, with the type of its package URLs.
    /// `None` for other ecosystems, for crates of other sources than crates.io, and for local
    /// packages. The Rust compiler stands for its standard library, if it is a release.
    pub fn from_found(purl_type: &str, name: &'a str, version: &'a str, source: &str) -> Option<Self> {
        let ecosystem = Ecosystem::ALL.into_iter().find(|ecosystem| ecosystem.purl_type() == purl_type)?;
        let is_public = match ecosystem {
            Ecosystem::CratesIo => source == "crates.io",
            Ecosystem::Go | Ecosystem::Npm => source.is_empty(),
            Ecosystem::Rust => {
                let is_release = name == "rust" && ecosystem.version(version).is_some();
                return is_release.then(|| Self::new(ecosystem, RUST_LIBRARY, version));
            }
        };
        is_public.then(|| Self::new(ecosystem, name, version))
    }
}

/// The advisories that name a package.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Matches<'d> {
    /// Those that affect the version, the most important first. If several databases describe the
    /// same defect, only the most important description.
    pub affected: Vec<&'d Arc<Affected>>,
    /// Those that may affect it: the version cannot be compared.
    pub unjudged: Vec<&'d Arc<Affected>>,
}

impl Matches<'_> {
    /// The reason why the package could not be judged; `None` if it could be.
    pub fn incomparable(&self, package: PackageId<'_>) -> Option<String> {
        let first = self.unjudged.first()?;
        let [name, version] = [package.name, package.version].map(quoted);
        Some(format!("version {version} of {name} cannot be compared with the versions of {}", first.advisory().id))
    }
}

/// An advisory that was parsed.
pub(crate) struct ParsedAdvisory {
    pub(crate) id: String,
    /// The day of its last change, as `YYYY-MM-DD`.
    pub(crate) date: String,
    pub(crate) is_withdrawn: bool,
    /// Empty if it is about no supported ecosystem.
    pub(crate) affected: Vec<Affected>,
    /// Problems that cost only a part of the advisory.
    pub(crate) notes: Vec<String>,
}

/// Maximum number of problems that are kept for each database; further ones are counted.
const MAX_PROBLEMS: u64 = 64;

/// An advisory of `RustSec` that is not in use: a template.
const PLACEHOLDER: &str = "RUSTSEC-0000-0000";

impl Advisories {
    /// Adds the advisories of a database: a directory, or a ZIP archive of JSON files.
    ///
    /// # Errors
    ///
    /// The database cannot be read, is not of a known format or of both, or has no advisories. The
    /// advisories that were added before remain.
    pub fn read(&mut self, path: impl AsRef<Path>) -> Result<(), DatabaseError> {
        let path = path.as_ref();
        let mut reading = DatabaseReading::default();
        let identity = files::for_each(path, |name, file, text| reading.add(name, file, text))?;
        let DatabaseReading { rustsec, osv, date, affected, withdrawn, unrelated, problems, problem_count, .. } =
            reading;
        let format = match (rustsec, osv) {
            (Some(_), None) => DatabaseFormat::RustSec,
            (None, Some(_)) => DatabaseFormat::Osv,
            (Some(rustsec), Some(osv)) => return Err(DatabaseError::Mixed { rustsec, osv }),
            (None, None) => return Err(DatabaseError::Empty),
        };
        if affected.is_empty() && withdrawn == 0 {
            return Err(match problems.into_iter().next() {
                Some(problem) => DatabaseError::Unreadable(problem),
                None if format == DatabaseFormat::Osv => DatabaseError::Unrelated(unrelated),
                None => DatabaseError::Empty,
            });
        }
        let advisories: HashSet<&str> = affected.iter().map(|affected| &*affected.advisory().id).collect();
        self.databases.push(Database {
            commit: identity.commit.map(Into::into),
            date: date.into(),
            advisories: advisories.len() as u64,
            withdrawn,
            unrelated,
            problems: problem_count,
            ..Database::new(path.to_string_lossy(), format, identity.digest)
        });
        self.problems.extend(problems);
        for affected in affected {
            let of_ecosystem = &mut self.by_package[affected.ecosystem() as usize];
            let of_package = of_ecosystem.entry(affected.package().into()).or_default();
            of_package.indexes.push(self.affected.len() as u32);
            self.affected.push(Arc::new(affected));
        }
        for of_package in self.by_package.iter_mut().flat_map(HashMap::values_mut) {
            of_package.sort(&self.affected);
        }
        Ok(())
    }

    /// The databases that were read.
    pub fn databases(&self) -> &[Database] {
        &self.databases
    }

    /// The problems of all databases, at most 64 for each. [`Database::problems`] counts all.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Everything that the advisories affect.
    pub fn affected(&self) -> impl Iterator<Item = &Affected> {
        self.affected.iter().map(|affected| &**affected)
    }

    /// The advisories that affect a version of a package.
    pub fn matches(&self, package: PackageId<'_>) -> Matches<'_> {
        let mut matches = Matches::default();
        let Some(of_package) = self.by_package[package.ecosystem as usize].get(package.name) else { return matches };
        let parsed = package.ecosystem.version(package.version);
        for affected in of_package.indexes.iter().map(|index| &self.affected[*index as usize]) {
            match affected.affects(package.version, parsed.as_ref()) {
                Some(true) => matches.affected.push(affected),
                Some(false) => {}
                None => matches.unjudged.push(affected),
            }
        }
        if of_package.has_twins {
            remove_twins(&mut matches.affected);
        }
        matches
    }
}

impl PartialEq for Advisories {
    /// Compares the digests of the databases.
    fn eq(&self, other: &Self) -> bool {
        let digests = |advisories: &Self| advisories.databases.iter().map(|one| one.digest.clone()).collect::<Vec<_>>();
        digests(self) == digests(other)
    }
}

impl Eq for Advisories {}

impl fmt::Debug for Advisories {
    /// Writes the digests of the databases, which identify the advisories.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.databases.iter().map(|database| &database.digest)).finish()
    }
}

/// Everything that affects one package.
#[derive(Clone, Debug, Default)]
struct OfPackage {
    /// Indexes of [`Advisories::affected`], the most important first.
    indexes: Vec<u32>,
    /// Whether several of them may describe one defect.
    has_twins: bool,
}

impl OfPackage {
    fn sort(&mut self, affected: &[Arc<Affected>]) {
        let advisory = |index: &u32| affected[*index as usize].advisory();
        self.indexes.sort_by(|one, other| {
            let (one, other) = (advisory(one), advisory(other));
            other.weight().cmp(&one.weight()).then_with(|| one.id.cmp(&other.id))
        });
        let all: Vec<_> = self.indexes.iter().map(advisory).collect();
        self.has_twins = (1..all.len()).any(|nth| all[..nth].iter().any(|other| describe_one(all[nth], other)));
    }
}

/// Whether two advisories describe one defect: one of them names the other.
fn describe_one(one: &Advisory, other: &Advisory) -> bool {
    one.is_named(&other.id) || other.is_named(&one.id)
}

/// Removes the descriptions of a defect that an earlier one describes.
fn remove_twins(affected: &mut Vec<&Arc<Affected>>) {
    let mut kept: Vec<&Arc<Affected>> = Vec::with_capacity(affected.len());
    for candidate in affected.drain(..) {
        if !kept.iter().any(|other| describe_one(candidate.advisory(), other.advisory())) {
            kept.push(candidate);
        }
    }
    *affected = kept;
}

/// The state of reading a database.
#[derive(Default)]
struct DatabaseReading {
    /// The first file of each format.
    rustsec: Option<String>,
    osv: Option<String>,
    ids: HashSet<String>,
    date: String,
    affected: Vec<Affected>,
    withdrawn: u64,
    unrelated: u64,
    problems: Vec<Problem>,
    problem_count: u64,
}

impl DatabaseReading {
    fn add(&mut self, name: &str, file: AdvisoryFile<'_>, text: Result<&str, String>) {
        let text = text.map_err(|error| format!("cannot be read: {error}"));
        let parsed = match file {
            AdvisoryFile::RustSec { id: PLACEHOLDER, .. } => return,
            AdvisoryFile::RustSec { collection, package, id } => {
                self.rustsec.get_or_insert_with(|| name.to_owned());
                let parsed = text.and_then(|text| rustsec::parse(text, collection, package));
                parsed.and_then(|parsed| self.check_id(id, parsed))
            }
            AdvisoryFile::Osv => {
                self.osv.get_or_insert_with(|| name.to_owned());
                text.and_then(osv::parse)
            }
        };
        match parsed {
            Ok(parsed) => self.add_parsed(name, parsed),
            Err(message) => self.add_problem(name, message),
        }
    }

    /// Checks that the identifier is the name of the file, and the only one.
    fn check_id(&mut self, file: &str, parsed: ParsedAdvisory) -> Result<ParsedAdvisory, String> {
        if parsed.id != file {
            return Err(format!("its identifier is `{}`, not the name of the file", parsed.id));
        }
        if !self.ids.insert(parsed.id.clone()) {
            return Err("another file has the same identifier".to_owned());
        }
        Ok(parsed)
    }

    fn add_parsed(&mut self, name: &str, parsed: ParsedAdvisory) {
        for note in parsed.notes {
            self.add_problem(name, note);
        }
        self.date = std::mem::take(&mut self.date).max(parsed.date);
        if parsed.is_withdrawn {
            self.withdrawn += 1;
        } else if parsed.affected.is_empty() {
            self.unrelated += 1;
        } else {
            self.affected.extend(parsed.affected);
        }
    }

    fn add_problem(&mut self, name: &str, message: String) {
        if self.problem_count < MAX_PROBLEMS {
            self.problems.push(Problem { file: name.into(), message: message.into() });
        }
        self.problem_count += 1;
    }
}
