//! Rows of an audit. A row has the results for one binary, or for one archive or other file with
//! findings.

use std::borrow::Cow;
use std::ffi::OsStr;

use super::baseline::line::RowLine;
use super::blob::BlobLocation;
use super::outline::{Outline, OutlineSpan};
use super::section_list::SectionList;
use sectile::interface::{Extern, Interface};
use sectile::inventory::Package;
use sectile::metadata::{Field, Metadata};
use sectile::scan::ItemKind;
use sectile::{FindingCode, Severity};
use sectile_advisories::AdvisoryMatch;
use sectile_policy::diff::{FindingState, RowChange};
use sectile_policy::internal::{holds_items, listed_packages};
use sectile_policy::report::Report;
use sectile_policy::{JudgedFinding, Verdict};

/// A row of an audit: the results for one binary, or for one archive or other file with findings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row<'r> {
    /// Sort key of the row. Keys increase from row to row, with gaps.
    pub nth: u64,
    /// The kind of the row.
    pub row_kind: RowKind,
    /// The path of the file, or the first image that has it as a layer. For an archive entry, the path of the archive,
    /// `!`, and the path of the entry. [`RowReader`](crate::RowReader) reads the binary by this name.
    pub file: Cow<'r, OsStr>,
    /// Further names of the same blob.
    pub other_names: Vec<Cow<'r, OsStr>>,
    /// Whether the blob has names that `other_names` omits.
    pub omits_names: bool,
    /// Length in bytes, if known.
    pub size: Option<u64>,
    /// The state of the file as text. A later audit reads the file again only if the state differs.
    pub state: Option<Cow<'r, str>>,
    /// The SHA-256 digest as `sha256:…`: the computed digest, or otherwise the digest that the
    /// store states.
    pub digest: Option<Cow<'r, str>>,
    /// Whether the digest was computed from all bytes. If the store states another digest, that is
    /// a finding.
    pub verified: bool,
    /// How much of the blob was read.
    pub completeness: Completeness,
    /// Why the blob is not complete.
    pub reason: Option<Reason<'r>>,
    /// The kind of the root item, or `None` if nothing was read.
    pub kind: Option<ItemKind>,
    /// The name of the root item.
    pub name: Option<Cow<'r, str>>,
    /// The annotations of the root item that are UTF-8, in the order of [`Field::ALL`].
    pub annotations: Vec<(Field, Cow<'r, str>)>,
    /// Number of items in the tree.
    pub items: u64,
    /// Field, name and version of the producers of all items, without duplicates.
    pub producers: Vec<[Cow<'r, str>; 3]>,
    /// Number of packages: those that all items declare, and those that were found in the data.
    pub package_count: u64,
    /// Bytes by kind of section over the whole tree. A section that contains an item is not
    /// counted, but the sections of that item are.
    pub section_totals: Vec<SectionTotal<'r>>,
    /// The largest section that does not contain an item.
    pub largest: Option<LargestSection<'r>>,
    /// The layout of the sections; empty unless the format shows it.
    pub spans: Vec<SectionSpan<'r>>,
    /// The formats of the file or of archive entries that were not opened, with the number of files
    /// of each format.
    pub not_opened: Vec<(Cow<'r, str>, u64)>,
    /// The encodings in which another file contains the binary, the outermost first, such as `base64` and `gzip`.
    /// Empty for a file and for an archive's entry.
    pub encoding: Vec<Cow<'r, str>>,
    /// The findings, with their severity under the policy.
    pub findings: Vec<JudgedFinding<'r>>,
    /// Whether the blob was read completely and the policy accepts the findings.
    pub accepted: bool,
    /// Number of bytes read from the file itself; 0 for compressed archive entries, whose bytes are
    /// counted with the archive.
    pub bytes_read: u64,
    /// All sections, for the rules of a later judgment; `None` unless the format saves them.
    pub(super) sections: Option<SectionList>,
    /// The comparison with an earlier report, if one is requested.
    pub change: Option<Box<RowChange>>,
    pub(super) source: RowSource<'r>,
}

/// The origin of a row.
#[derive(Clone, Debug)]
pub(super) enum RowSource<'r> {
    /// A new reading.
    Report(Report<'r>),
    /// A row of an earlier report: its JSON line without the line feed.
    Baseline(&'r str),
}

/// The kind of a row: whether it describes a binary, an archive or another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RowKind {
    /// A binary: its content, its name or its store identifies it as WebAssembly. Every binary has
    /// a row.
    Binary,
    /// An archive, or a compressed file, with findings on it or on entries that are not binaries.
    Archive,
    /// Any other file or directory with findings: it is not followed, not opened, or cannot be read.
    File,
}

impl RowKind {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::Binary, Self::Archive, Self::File];

    /// The name in the output: `binary`, `archive` or `file`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Archive => "archive",
            Self::File => "file",
        }
    }

    /// The plural name in the output.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Binary => "binaries",
            Self::Archive => "archives",
            Self::File => "files",
        }
    }
}

/// How much of a blob was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Completeness {
    /// All of it.
    Complete,
    /// The part before a defect.
    Partial,
    /// Nothing.
    Unread,
    /// The file was skipped on purpose: it is a symbolic link, a FIFO, a socket, a device, or of a format that is not
    /// opened.
    Skipped,
}

impl Completeness {
    /// All variants.
    pub const ALL: [Self; 4] = [Self::Complete, Self::Partial, Self::Unread, Self::Skipped];

    /// The name in the output: `complete`, `partial`, `unread` or `skipped`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Unread => "unread",
            Self::Skipped => "skipped",
        }
    }
}

/// Why a blob is not complete.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason<'r> {
    /// The message, which may quote the input.
    pub message: Cow<'r, str>,
    /// The absolute byte offset of the defect, if it has one.
    pub offset: Option<u64>,
}

/// The total of the sections of one kind, over a whole tree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SectionTotal<'r> {
    /// The meaning of the section ID. For custom sections, the name of the convention, or `custom`.
    pub kind: Cow<'r, str>,
    /// Number of sections.
    pub sections: u64,
    /// Their total size in bytes, headers included.
    pub bytes: u64,
}

/// The largest section of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LargestSection<'r> {
    /// The meaning of the section ID: `code`, `custom`.
    pub kind: Cow<'r, str>,
    /// The name of a custom section.
    pub name: Option<Cow<'r, str>>,
    /// Size in bytes, header included.
    pub bytes: u64,
}

/// The position of a section, or of several consecutive small sections.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SectionSpan<'r> {
    /// The meaning of the section ID: `code`, `custom`, `core module`; `several` for a run of small sections.
    pub kind: Cow<'r, str>,
    /// The name of a custom section.
    pub name: Option<Cow<'r, str>>,
    /// Number of items that enclose it; 1 for a section of the root.
    pub depth: u32,
    /// Absolute byte offsets of its start and its end.
    pub range: (u64, u64),
    /// Number of sections in the span.
    pub sections: u64,
}

impl<'r> Row<'r> {
    /// Creates a row with only a file name.
    pub(super) fn new(nth: u64, file: Cow<'r, OsStr>, source: RowSource<'r>) -> Self {
        Self {
            nth,
            row_kind: RowKind::Binary,
            file,
            other_names: Vec::new(),
            omits_names: false,
            size: None,
            state: None,
            digest: None,
            verified: false,
            completeness: Completeness::Unread,
            reason: None,
            kind: None,
            name: None,
            annotations: Vec::new(),
            items: 0,
            producers: Vec::new(),
            package_count: 0,
            section_totals: Vec::new(),
            largest: None,
            spans: Vec::new(),
            sections: None,
            not_opened: Vec::new(),
            encoding: Vec::new(),
            findings: Vec::new(),
            accepted: false,
            bytes_read: 0,
            change: None,
            source,
        }
    }

    /// Creates a row from a report and its verdict.
    pub(super) fn for_report(nth: u64, location: &'r BlobLocation, report: Report<'r>, verdict: Verdict<'r>) -> Self {
        let completeness = match (report.metadata(), report.error()) {
            (Some(_), None) => Completeness::Complete,
            (Some(_), Some(_)) => Completeness::Partial,
            (None, Some(_)) => Completeness::Unread,
            (None, None) => Completeness::Skipped,
        };
        let reason = report.error().map(|error| Reason { message: error.message().into(), offset: error.offset() });
        let row = Self {
            other_names: location.other_names.iter().map(|name| Cow::Borrowed(&**name)).collect(),
            omits_names: location.omits_names,
            size: report.size(),
            completeness,
            reason,
            accepted: verdict.is_accepted(),
            findings: verdict.into_findings(),
            bytes_read: report.cost().bytes,
            package_count: report.package_count(),
            ..Self::new(nth, Cow::Borrowed(&*location.file), RowSource::Report(report))
        };
        match report.metadata() {
            Some(metadata) => row.with_metadata(metadata),
            None => row,
        }
    }

    /// Returns this row of an earlier report with another JSON line.
    pub(super) fn with_saved_text<'t>(self, text: &'t str) -> Row<'t>
    where
        'r: 't,
    {
        Row { source: RowSource::Baseline(text), ..self }
    }

    /// Adds the values of the metadata.
    fn with_metadata(mut self, metadata: &'r Metadata<'r>) -> Self {
        let root = metadata.root();
        self.kind = Some(root.kind());
        self.name = root.name().and_then(|name| name.as_str()).map(Cow::Borrowed);
        let texts = root.annotations().filter_map(|(field, value)| Some((field, Cow::Borrowed(value.as_str()?))));
        self.annotations = texts.collect();
        self.items = metadata.items().len() as u64;
        self.section_totals.reserve(TYPICAL_KINDS);
        for item in metadata.items() {
            for field in item.producers().fields() {
                let producer = |(name, version)| [field.name(), name, version].map(Cow::Borrowed);
                self.add_producers(field.values().map(producer));
            }
            for share in item.section_sizes().filter(|share| !holds_items(item.kind(), share.name())) {
                let at = self.section_totals.iter().position(|found| found.kind == share.name()).unwrap_or_else(|| {
                    self.section_totals.push(SectionTotal { kind: share.name().into(), sections: 0, bytes: 0 });
                    self.section_totals.len() - 1
                });
                self.section_totals[at].sections += share.sections();
                self.section_totals[at].bytes += share.bytes();
            }
        }
        self
    }

    /// Adds producers, without duplicates.
    pub(super) fn add_producers(&mut self, producers: impl Iterator<Item = [Cow<'r, str>; 3]>) {
        for producer in producers {
            if self.producers.len() < MAX_PRODUCERS && !self.producers.contains(&producer) {
                self.producers.push(producer);
            }
        }
    }

    /// Marks the row as incomplete. An incomplete row is never accepted.
    pub(super) fn set_incomplete(&mut self, completeness: Completeness, message: String) {
        self.completeness = completeness;
        self.reason = Some(Reason { message: message.into(), offset: None });
        self.accepted = false;
    }

    /// Sets the layout of the sections.
    pub(super) fn set_outline(&mut self, outline: Outline) {
        let Outline { largest, spans, sections } = outline;
        self.largest = largest.map(|span| LargestSection {
            bytes: span.bytes(),
            kind: span.kind.into(),
            name: span.name.map(|name| String::from(name).into()),
        });
        self.spans = spans.into_iter().map(SectionSpan::from).collect();
        self.sections = sections;
    }

    /// Total length in bytes of the names, values and messages, without the syntax of a format.
    pub(super) fn text_len(&self) -> usize {
        let names = self.locations().map(OsStr::len).sum::<usize>();
        let values = self.annotations.iter().map(|(_, value)| value.len()).sum::<usize>();
        let producers = self.producers.iter().flatten().map(|text| text.len()).sum::<usize>();
        let messages = self.findings.iter().map(|judged| judged.finding().message().len()).sum::<usize>();
        let sections = self.sections.as_ref().map_or(0, SectionList::text_len);
        names + sections + self.name.as_deref().map_or(0, str::len) + values + producers + messages
    }

    /// Whether a finding is not in the earlier report that the row is compared with.
    pub fn is_new_finding(&self, nth: usize) -> bool {
        let states = self.change.as_ref().map(|change| change.findings.states());
        states.is_some_and(|states| states.get(nth) == Some(&FindingState::New))
    }

    /// The codes of the findings, without duplicates, in the order of their first occurrence.
    pub(super) fn codes(&self) -> Vec<FindingCode> {
        let mut codes = Vec::new();
        for judged in &self.findings {
            if !codes.contains(&judged.finding().code()) {
                codes.push(judged.finding().code());
            }
        }
        codes
    }
}

/// Initial capacity, enough for most blobs.
const TYPICAL_KINDS: usize = 16;

/// Maximum number of distinct producers of a row. Each new one is compared with all others.
const MAX_PRODUCERS: usize = 256;

impl From<OutlineSpan> for SectionSpan<'_> {
    fn from(span: OutlineSpan) -> Self {
        Self {
            kind: span.kind.into(),
            name: span.name.map(|name| String::from(name).into()),
            depth: span.depth,
            range: (span.start, span.end),
            sections: span.sections,
        }
    }
}

impl Row<'_> {
    /// The severity of the worst finding, if there is one.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(JudgedFinding::severity).max()
    }

    /// The advisories about its packages, the most important first.
    pub fn advisories(&self) -> impl Iterator<Item = &AdvisoryMatch> {
        self.findings.iter().filter_map(JudgedFinding::advisory)
    }

    /// The packages: those that all items declare, and those that were found in the data. They are bounded like those in
    /// the JSON of the row; [`package_count`](Self::package_count) is the number of all.
    pub fn packages(&self) -> impl Iterator<Item = Cow<'_, Package>> {
        let (read, saved) = match &self.source {
            RowSource::Report(report) => (Some(listed_packages(report)), None),
            RowSource::Baseline(line) => (None, RowLine::parse(line).map(|line| line.listed_packages())),
        };
        read.into_iter().flatten().chain(saved.into_iter().flatten().map(Cow::Owned))
    }

    /// The imports of the root item; `None` if they were not read.
    pub fn imports(&self) -> Option<impl Iterator<Item = Cow<'_, Extern>>> {
        let (read, saved) = match &self.source {
            RowSource::Report(report) => (report.interface().map(Interface::imports), None),
            RowSource::Baseline(line) => (None, RowLine::parse(line).and_then(|line| line.listed_imports())),
        };
        let is_known = read.is_some() || saved.is_some();
        let imports = read.into_iter().flatten().map(Cow::Borrowed);
        is_known.then(|| imports.chain(saved.into_iter().flatten().map(Cow::Owned)))
    }

    /// All names of the blob, its file first.
    pub fn locations(&self) -> impl Iterator<Item = &OsStr> {
        [&*self.file].into_iter().chain(self.other_names.iter().map(|name| &**name))
    }
}
