//! One row: what is said of one blob, or of one place that could not be looked into.

use std::borrow::Cow;
use std::ffi::OsStr;

use super::blob::Place;
use super::outline::Piece;
use crate::finding::Severity;
use crate::metadata::{Field, Metadata};
use crate::policy::{Judged, Verdict};
use crate::report::Report;
use crate::scan::ItemKind;

/// What an audit says of one blob, or of one place of a store that could not be looked into.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row<'r> {
    /// Its number: larger than those of the rows before it, in the order of the walk, and not the next one. (Rows are made without
    /// knowing how many there are before them.)
    pub nth: u64,
    /// The path of the file; of an archive's entry, the archive's path, `!`, and the entry's.
    pub file: Cow<'r, OsStr>,
    /// Under which other names it is found.
    pub others: Vec<Cow<'r, OsStr>>,
    /// Its length in bytes, if it is known.
    pub size: Option<u64>,
    /// The state that its file was in, as a text: a later audit reads it anew only if that is another one.
    pub state: Option<Cow<'r, str>>,
    /// Its SHA-256, as `sha256:…`: as its store calls it, or as it was computed.
    pub digest: Option<Cow<'r, str>>,
    /// Whether the digest was computed from all bytes. (One that differs from its store's is a finding.)
    pub verified: bool,
    /// How far it was read.
    pub ended: Ended,
    /// Why not all was read.
    pub reason: Option<Reason<'r>>,
    /// What the root item is; `None` where nothing could be read.
    pub kind: Option<ItemKind>,
    /// The root item's name.
    pub name: Option<Cow<'r, str>>,
    /// The root item's annotations that are UTF-8, in the order of the table.
    pub annotations: Vec<(Field, Cow<'r, str>)>,
    /// How many items there are in the tree.
    pub items: u64,
    /// What made it: field, name and version of the producers of every item, each once.
    pub producers: Vec<[Cow<'r, str>; 3]>,
    /// How many packages it was built from, over all items.
    pub packages: u64,
    /// Its bytes by kind of section, over the whole tree; sections that hold items are counted by what they hold.
    pub shares: Vec<RowShare<'r>>,
    /// The largest of its sections that holds no item.
    pub largest: Option<Largest<'r>>,
    /// Its sections, to be drawn to scale; empty where nobody asked.
    pub drawn: Vec<Drawn<'r>>,
    /// What is wrong or notable, and how bad that is under the policy.
    pub judged: Vec<Judged<'r>>,
    /// Whether the policy has nothing against it, and all of it was read.
    pub accepted: bool,
    /// Bytes that were read of it where it lies; 0 of what an archive inflates to, whose bytes are counted together.
    pub bytes_read: u64,
    /// What the row is made of.
    pub(super) source: Source<'r>,
}

/// What a row is made of.
#[derive(Clone, Debug)]
pub(super) enum Source<'r> {
    /// A reading.
    Read(Report<'r>),
    /// A row of an earlier report: its line of JSON, without the line feed.
    Earlier(&'r str),
}

/// How far something was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// To its end.
    Complete,
    /// It breaks off; what stands before is there.
    Partial,
    /// Nothing of it could be read.
    Unread,
    /// It was passed over on purpose: a symbolic link, a FIFO.
    Skipped,
}

impl Ended {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Complete, Self::Partial, Self::Unread, Self::Skipped];

    /// `complete`, `partial`, `unread` or `skipped`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Unread => "unread",
            Self::Skipped => "skipped",
        }
    }
}

/// Why not all was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason<'r> {
    /// What is wrong. It may quote the input.
    pub message: Cow<'r, str>,
    /// The absolute byte offset where it is.
    pub offset: Option<u64>,
}

/// The sections of one kind, over a whole tree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowShare<'r> {
    /// What their ids mean, and of custom ones what the convention calls them, or `custom`.
    pub kind: Cow<'r, str>,
    /// How many there are.
    pub sections: u64,
    /// Their bytes in all, headers included.
    pub bytes: u64,
}

/// The largest section.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Largest<'r> {
    /// What its id means: `code`, `custom`.
    pub kind: Cow<'r, str>,
    /// A custom section's name.
    pub name: Option<Cow<'r, str>>,
    /// Its bytes, header included.
    pub bytes: u64,
}

/// A section to be drawn, or several small ones that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drawn<'r> {
    /// What its id means: `code`, `custom`, `core module`; `several` for a run of small ones.
    pub kind: Cow<'r, str>,
    /// A custom section's name.
    pub name: Option<Cow<'r, str>>,
    /// How many items enclose it; 1 for a section of the root.
    pub depth: u32,
    /// Absolute offsets of its first byte and one past its last.
    pub range: (u64, u64),
    /// How many sections it stands for.
    pub sections: u64,
}

impl<'r> Row<'r> {
    /// A row of which nothing is known but what it is called.
    pub(super) fn bare(nth: u64, file: Cow<'r, OsStr>, source: Source<'r>) -> Self {
        Self {
            nth,
            file,
            others: Vec::new(),
            size: None,
            state: None,
            digest: None,
            verified: false,
            ended: Ended::Unread,
            reason: None,
            kind: None,
            name: None,
            annotations: Vec::new(),
            items: 0,
            producers: Vec::new(),
            packages: 0,
            shares: Vec::new(),
            largest: None,
            drawn: Vec::new(),
            judged: Vec::new(),
            accepted: false,
            bytes_read: 0,
            source,
        }
    }

    /// A row of a reading and what a policy makes of it.
    pub(super) fn of(nth: u64, place: &'r Place, report: Report<'r>, verdict: Verdict<'r>) -> Self {
        let ended = match (report.metadata, report.broken) {
            (Some(_), None) => Ended::Complete,
            (Some(_), Some(_)) => Ended::Partial,
            (None, Some(_)) => Ended::Unread,
            (None, None) => Ended::Skipped,
        };
        let reason = report.broken.map(|error| Reason { message: error.message().into(), offset: error.offset() });
        let row = Self {
            others: place.others.iter().map(|name| Cow::Borrowed(&**name)).collect(),
            size: report.size,
            ended,
            reason,
            accepted: verdict.is_accepted(),
            judged: verdict.judged,
            bytes_read: report.cost.bytes,
            ..Self::bare(nth, Cow::Borrowed(&*place.file), Source::Read(report))
        };
        match report.metadata {
            Some(metadata) => row.saying(metadata),
            None => row,
        }
    }

    /// With what the metadata says.
    fn saying(mut self, metadata: &'r Metadata<'r>) -> Self {
        let root = metadata.root();
        self.kind = Some(root.kind());
        self.name = root.name().and_then(|name| name.as_str()).map(Cow::Borrowed);
        let texts = root.annotations().filter_map(|(field, value)| Some((field, Cow::Borrowed(value.as_str()?))));
        self.annotations = texts.collect();
        self.items = metadata.items().len() as u64;
        self.shares.reserve(SHARES);
        for item in metadata.items() {
            self.packages += item.dependencies().map_or(0, |found| found.packages.len() as u64);
            for field in item.producers().fields() {
                let producer = |(name, version)| [field.name(), name, version].map(Cow::Borrowed);
                self.add_producers(field.values().map(producer));
            }
            for share in item.shares().filter(|share| !holds_items(item.kind(), share.kind)) {
                let at = self.shares.iter().position(|found| found.kind == share.kind).unwrap_or_else(|| {
                    self.shares.push(RowShare { kind: share.kind.into(), sections: 0, bytes: 0 });
                    self.shares.len() - 1
                });
                self.shares[at].sections += share.sections;
                self.shares[at].bytes += share.bytes;
            }
        }
        self
    }

    /// Adds producers that are not there yet.
    pub(super) fn add_producers(&mut self, producers: impl Iterator<Item = [Cow<'r, str>; 3]>) {
        for producer in producers {
            if self.producers.len() < MOST_PRODUCERS && !self.producers.contains(&producer) {
                self.producers.push(producer);
            }
        }
    }

    /// With where its sections lie.
    pub(super) fn outline(&mut self, largest: Option<Piece>, drawn: Vec<Piece>) {
        self.largest = largest.map(|piece| Largest {
            bytes: piece.bytes(),
            kind: piece.kind.into(),
            name: piece.name.map(|name| String::from(name).into()),
        });
        self.drawn = drawn.into_iter().map(Drawn::from).collect();
    }
}

/// Few blobs have sections of more kinds.
const SHARES: usize = 16;

/// Distinct producers of one blob that are given: comparing each with all others is to stay cheap.
const MOST_PRODUCERS: usize = 256;

/// Whether sections of this kind hold items, which are counted by what they hold.
fn holds_items(item: ItemKind, kind: &str) -> bool {
    item == ItemKind::Component && matches!(kind, "core module" | "component")
}

impl From<Piece> for Drawn<'_> {
    fn from(piece: Piece) -> Self {
        Self {
            kind: piece.kind.into(),
            name: piece.name.map(|name| String::from(name).into()),
            depth: piece.depth,
            range: (piece.start, piece.end),
            sections: piece.sections,
        }
    }
}

impl Row<'_> {
    /// The severity of the worst finding, if there is one.
    pub fn worst(&self) -> Option<Severity> {
        self.judged.iter().map(|judged| judged.severity).max()
    }

    /// Every name that it is found under, its own first.
    pub fn locations(&self) -> impl Iterator<Item = &OsStr> {
        [&*self.file].into_iter().chain(self.others.iter().map(|name| &**name))
    }
}
