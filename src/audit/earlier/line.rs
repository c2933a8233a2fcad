//! Lines of a report, read back.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::audit::blob::Place;
use crate::audit::row::{Ended, Largest, Reason, Row, RowShare, Source};
use crate::finding::{Code, Finding, Severity};
use crate::metadata::Field;
use crate::policy::{Exception, Judged};
use crate::report::json::SCHEMA;
use crate::scan::ItemKind;

/// What the first line says of the audit, as far as it matters.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    pub(super) version: String,
    pub(super) fingerprint: String,
    pub(super) hashed: bool,
}

impl Head {
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct First {
            schema: u32,
            audit: Head,
        }
        let first: First = serde_json::from_slice(line).ok()?;
        (first.schema == SCHEMA).then_some(first.audit)
    }
}

/// What a row is found by.
#[derive(Deserialize)]
pub(super) struct Key<'l> {
    #[serde(borrow)]
    state: Option<Cow<'l, str>>,
}

impl<'l> Key<'l> {
    /// The state of the row that a line is, if it is one and has one.
    pub(super) fn state(line: &'l [u8]) -> Option<Cow<'l, str>> {
        serde_json::from_slice::<Self>(line).ok()?.state
    }
}

/// A row as it stands in a report.
#[derive(Deserialize)]
pub(super) struct Line<'l> {
    #[serde(borrow)]
    file: Name<'l>,
    size: Option<u64>,
    #[serde(borrow)]
    locations: Vec<Name<'l>>,
    #[serde(borrow)]
    state: Option<Cow<'l, str>>,
    #[serde(borrow)]
    digest: Option<Cow<'l, str>>,
    verified: bool,
    #[serde(borrow)]
    item: Option<Item<'l>>,
    /// Of the items, those that lie too deep to be given.
    #[serde(default)]
    items_left_out: u64,
    #[serde(borrow)]
    shares: Ordered<'l, [u64; 2]>,
    #[serde(borrow)]
    largest: Option<LargestLine<'l>>,
    #[serde(borrow)]
    findings: Vec<FindingLine<'l>>,
    accepted: bool,
    #[serde(borrow)]
    outcome: Cow<'l, str>,
    #[serde(borrow)]
    reason: Option<ReasonLine<'l>>,
    bytes_read: u64,
}

/// A text, or the bytes of what is none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Name<'l> {
    Text(#[serde(borrow)] Cow<'l, str>),
    Bytes { base64: String },
}

#[derive(Deserialize)]
struct Item<'l> {
    #[serde(borrow)]
    kind: Cow<'l, str>,
    #[serde(borrow)]
    name: Option<Name<'l>>,
    #[serde(borrow)]
    annotations: Ordered<'l, Name<'l>>,
    #[serde(borrow)]
    producers: Ordered<'l, Vec<[Cow<'l, str>; 2]>>,
    #[serde(default)]
    dependencies: Vec<serde::de::IgnoredAny>,
    #[serde(borrow)]
    items: Vec<Self>,
}

#[derive(Deserialize)]
struct LargestLine<'l> {
    #[serde(borrow)]
    kind: Cow<'l, str>,
    #[serde(borrow)]
    name: Option<Cow<'l, str>>,
    bytes: u64,
}

#[derive(Deserialize)]
struct FindingLine<'l> {
    #[serde(borrow)]
    code: Cow<'l, str>,
    #[serde(borrow)]
    severity: Cow<'l, str>,
    #[serde(borrow)]
    path: Cow<'l, str>,
    offset: u64,
    #[serde(borrow)]
    section: Option<Cow<'l, str>>,
    #[serde(borrow)]
    message: Cow<'l, str>,
    #[serde(default = "once")]
    count: u64,
    refused: bool,
    #[serde(borrow, default)]
    excepted: Option<ExceptionLine<'l>>,
}

#[derive(Deserialize)]
struct ExceptionLine<'l> {
    #[serde(borrow)]
    reason: Cow<'l, str>,
    #[serde(borrow)]
    expires: Option<Cow<'l, str>>,
}

fn once() -> u64 {
    1
}

#[derive(Deserialize)]
struct ReasonLine<'l> {
    #[serde(borrow)]
    message: Cow<'l, str>,
    offset: Option<u64>,
}

impl<'l> Line<'l> {
    pub(super) fn parse(text: &'l str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether this is a row of what lies at a place (itself, or in the archive that it is), in this state, and one that need
    /// not be made again.
    pub(super) fn holds(&self, place: &Place, state: &str, in_archive: bool) -> bool {
        let (Some(file), Some(findings)) = (self.file.os(), self.judged()) else { return false };
        let of_place = match file.as_encoded_bytes().strip_prefix(place.file.as_encoded_bytes()) {
            Some([]) => names(&self.locations).is_some_and(|names| place.names().eq(names.iter().map(|name| &**name))),
            Some([b'!', ..]) => in_archive,
            _ => false,
        };
        // Of what was not read where it lies, all is said only with the line that stands behind what an archive holds.
        let was_read = matches!(self.ended(), Some(Ended::Complete | Ended::Partial)) && self.bytes_read > 0;
        let was_changed = findings.iter().any(|judged| judged.finding.code == Code::Changed);
        of_place && self.state.as_deref() == Some(state) && (in_archive || was_read) && !was_changed
    }

    fn ended(&self) -> Option<Ended> {
        Ended::ALL.into_iter().find(|ended| ended.name() == self.outcome)
    }

    /// The findings, if all of them are known here.
    fn judged(&self) -> Option<Vec<Judged<'static>>> {
        self.findings.iter().map(FindingLine::judged).collect()
    }

    /// The row that it is; `text` is the line.
    pub(super) fn into_row(self, text: &'l str) -> Row<'l> {
        // Of it, nothing is read now.
        let mut row = Row {
            judged: self.judged().unwrap_or_default(),
            ended: self.ended().unwrap_or(Ended::Unread),
            others: self.locations.into_iter().skip(1).filter_map(|name| name.os()).collect(),
            size: self.size,
            state: self.state,
            digest: self.digest,
            verified: self.verified,
            reason: self.reason.map(|reason| Reason { message: reason.message, offset: reason.offset }),
            largest: self.largest.map(|found| Largest { kind: found.kind, name: found.name, bytes: found.bytes }),
            accepted: self.accepted,
            ..Row::bare(0, self.file.os().unwrap_or_default(), Source::Earlier(text))
        };
        row.shares =
            (self.shares.0.into_iter()).map(|(kind, [sections, bytes])| RowShare { kind, sections, bytes }).collect();
        row.items = self.items_left_out;
        if let Some(root) = self.item {
            row.kind = [ItemKind::Module, ItemKind::Component].into_iter().find(|kind| kind.name() == root.kind);
            row.name = root.name.as_ref().and_then(Name::text);
            row.annotations = (root.annotations.0.iter())
                .filter_map(|(key, value)| {
                    let field = Field::ALL.into_iter().find(|field| field.section() == *key)?;
                    Some((field, value.text()?))
                })
                .collect();
            let mut items = vec![root];
            while let Some(item) = items.pop() {
                row.items += 1;
                row.packages += item.dependencies.len() as u64;
                for (field, values) in item.producers.0 {
                    row.add_producers(values.into_iter().map(|[name, version]| [field.clone(), name, version]));
                }
                items.extend(item.items.into_iter().rev());
            }
        }
        row
    }
}

/// What files are called, if all of that can be said here.
fn names<'l>(names: &[Name<'l>]) -> Option<Vec<Cow<'l, OsStr>>> {
    names.iter().map(Name::os).collect()
}

/// Where the rows of an archive's entries end.
#[derive(Deserialize)]
pub(super) struct ArchiveLine<'l> {
    #[serde(borrow)]
    archive: Name<'l>,
    #[serde(borrow)]
    locations: Vec<Name<'l>>,
    #[serde(borrow)]
    state: Cow<'l, str>,
    rows: u64,
}

impl ArchiveLine<'_> {
    pub(super) fn is_one(text: &str) -> bool {
        text.contains("\"archive\":") && Self::parse(text).is_some()
    }

    pub(super) fn parse(text: &str) -> Option<ArchiveLine<'_>> {
        serde_json::from_str(text).ok()
    }

    /// Whether it is of what lies at a place, in this state.
    pub(super) fn holds(&self, place: &Place, state: &str) -> bool {
        let names = names(&self.locations);
        let is_file = self.archive.os().is_some_and(|file| *file == *place.file);
        is_file && self.state == state && names.is_some_and(|names| place.names().eq(names.iter().map(|name| &**name)))
    }

    /// How many rows stand before it.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }
}

impl<'l> Name<'l> {
    fn text(&self) -> Option<Cow<'l, str>> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bytes { .. } => None,
        }
    }

    /// What a file is called.
    fn os(&self) -> Option<Cow<'l, OsStr>> {
        match self {
            Self::Text(Cow::Borrowed(text)) => Some(Cow::Borrowed(OsStr::new(*text))),
            Self::Text(Cow::Owned(text)) => Some(Cow::Owned(OsString::from(text))),
            Self::Bytes { base64 } => os(STANDARD.decode(base64).ok()?).map(Cow::Owned),
        }
    }
}

/// What a file is called by these bytes; elsewhere than on Unix, a name that is no text is not made of bytes.
fn os(bytes: Vec<u8>) -> Option<OsString> {
    #[cfg(unix)]
    let name = Some(std::os::unix::ffi::OsStringExt::from_vec(bytes));
    #[cfg(not(unix))]
    let name = String::from_utf8(bytes).ok().map(OsString::from);
    name
}

impl FindingLine<'_> {
    fn judged(&self) -> Option<Judged<'static>> {
        let finding = Finding {
            code: Code::ALL.into_iter().find(|code| code.name() == self.code)?,
            path: self.path.parse().ok()?,
            offset: self.offset,
            section: self.section.as_deref().map(Into::into),
            message: self.message.clone().into_owned().into(),
            count: self.count,
        };
        let severity = Severity::ALL.into_iter().find(|severity| severity.name() == self.severity)?;
        let excepted = match &self.excepted {
            Some(excepted) => Some(Arc::new(excepted.exception()?)),
            None => None,
        };
        Some(Judged { finding: Cow::Owned(finding), rule: None, severity, refused: self.refused, excepted })
    }
}

impl ExceptionLine<'_> {
    /// As much of the exception as a report says.
    fn exception(&self) -> Option<Exception> {
        let exception = Exception::because(&self.reason).ok()?;
        match &self.expires {
            Some(day) => Some(exception.until(day.parse().ok()?)),
            None => Some(exception),
        }
    }
}

/// The members of an object, in their order.
struct Ordered<'l, T>(Vec<(Cow<'l, str>, T)>);

impl<'de: 'l, 'l, T: Deserialize<'de>> Deserialize<'de> for Ordered<'l, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Vec<(Cow<'de, str>, T)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Borrowed(key), value)) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members(std::marker::PhantomData)).map(Self)
    }
}

/// A text that is borrowed where it can be.
#[derive(Deserialize)]
struct Borrowed<'l>(#[serde(borrow)] Cow<'l, str>);
