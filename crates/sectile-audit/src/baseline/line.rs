//! Parses the lines of a report.

use std::borrow::Cow;
use std::ffi::OsStr;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::advisory_line::{AdvisoryLine, DatabaseLine};
use super::reading_line::{FoundPackageLine, ImportLine, SectionLine};
use crate::AuditInfo;
use crate::blob::BlobLocation;
use crate::row::{Completeness, LargestSection, Reason, Row, RowKind, RowSource, SectionTotal};
use crate::row_name;
use crate::{InsideSearch, UnusedException};
use sectile::internal::json::SCHEMA;
use sectile::internal::{finding, with_count};
use sectile::metadata::{Field, Package};
use sectile::scan::ItemKind;
use sectile::{FindingCode, Severity};
use sectile_policy::internal::{NameValue, reused, reused_exception, with_advisory};
use sectile_policy::{Exception, JudgedFinding, Packages, PolicyLocation};

/// The first line.
#[derive(Debug)]
pub(crate) struct HeaderLine {
    pub(crate) version: String,
    /// The facts about the audit, without names that are not valid on this platform.
    pub(crate) info: AuditInfo,
}

/// The reason why a line is not the first line of a report that this version reads.
pub(crate) enum HeaderError {
    NotAReport,
    /// The line has another version of the schema.
    Schema(u32),
}

impl HeaderLine {
    pub(crate) fn parse(line: &[u8]) -> Result<Self, HeaderError> {
        /// The keys that every version has.
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
            #[serde(rename = "audit")]
            _audit: IgnoredAny,
        }
        match serde_json::from_slice(line) {
            Ok(Version { schema: SCHEMA, .. }) => Self::parse_current(line).ok_or(HeaderError::NotAReport),
            Ok(Version { schema, .. }) => Err(HeaderError::Schema(schema)),
            Err(_) => Err(HeaderError::NotAReport),
        }
    }

    fn parse_current(line: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct First<'l> {
            #[serde(borrow)]
            audit: Header<'l>,
        }
        #[derive(Deserialize)]
        struct Header<'l> {
            version: String,
            #[serde(borrow)]
            paths: Vec<NameValue<'l>>,
            #[serde(borrow)]
            policy: Option<NameValue<'l>>,
            fingerprint: String,
            day: Option<String>,
            hashed: bool,
            #[serde(default)]
            searched: bool,
            #[serde(default)]
            inside: String,
            #[serde(default)]
            databases: Vec<DatabaseLine>,
        }
        let First { audit } = serde_json::from_slice(line).ok()?;
        let name = |name: &NameValue<'_>| name.to_os_name().map(Cow::into_owned);
        let info = AuditInfo {
            paths: audit.paths.iter().filter_map(name).collect(),
            policy_name: audit.policy.as_ref().and_then(name),
            fingerprint: audit.fingerprint,
            hashed: audit.hashed,
            packages: if audit.searched { Packages::All } else { Packages::Declared },
            inside: InsideSearch::ALL.into_iter().find(|inside| inside.name() == audit.inside).unwrap_or_default(),
            day: audit.day,
            created: None,
            databases: audit.databases.into_iter().filter_map(DatabaseLine::into_database).collect(),
        };
        Some(Self { version: audit.version, info })
    }
}

/// The key of a row.
#[derive(Deserialize)]
pub(crate) struct StateKey<'l> {
    #[serde(borrow)]
    state: Option<Cow<'l, str>>,
}

impl<'l> StateKey<'l> {
    /// The state in a row, if the line is a row with a state.
    pub(crate) fn state(line: &'l [u8]) -> Option<Cow<'l, str>> {
        serde_json::from_slice::<Self>(line).ok()?.state
    }
}

/// A row in a report.
#[derive(Deserialize)]
pub(crate) struct RowLine<'l> {
    #[serde(borrow)]
    row: Cow<'l, str>,
    #[serde(borrow)]
    file: NameValue<'l>,
    size: Option<u64>,
    #[serde(borrow)]
    locations: Vec<NameValue<'l>>,
    #[serde(default)]
    omits_locations: bool,
    #[serde(borrow)]
    state: Option<Cow<'l, str>>,
    #[serde(borrow)]
    digest: Option<Cow<'l, str>>,
    verified: bool,
    #[serde(borrow)]
    pub(super) item: Option<ItemLine<'l>>,
    /// `None` if the row does not have them all.
    #[serde(borrow, default, rename = "section_list")]
    pub(super) sections: Option<Vec<SectionLine<'l>>>,
    /// Number of items that are too deep for the report.
    #[serde(default)]
    pub(super) items_left_out: u64,
    #[serde(borrow)]
    section_totals: OrderedMembers<'l, [u64; 2]>,
    #[serde(borrow)]
    largest: Option<LargestSectionLine<'l>>,
    #[serde(borrow, default)]
    not_opened: OrderedMembers<'l, u64>,
    #[serde(borrow, default)]
    encoding: Vec<Cow<'l, str>>,
    #[serde(borrow)]
    findings: Vec<FindingLine<'l>>,
    #[serde(borrow, default)]
    pub(super) packages: Vec<FoundPackageLine<'l>>,
    /// Number of packages that were omitted.
    #[serde(default)]
    pub(super) packages_left_out: u64,
    #[serde(default)]
    advisories: Vec<AdvisoryLine>,
    accepted: bool,
    #[serde(borrow)]
    outcome: Cow<'l, str>,
    #[serde(borrow)]
    reason: Option<ReasonLine<'l>>,
    bytes_read: u64,
}

#[derive(Deserialize)]
pub(super) struct ItemLine<'l> {
    #[serde(borrow)]
    kind: Cow<'l, str>,
    #[serde(default)]
    pub(super) incomplete: bool,
    #[serde(borrow)]
    pub(super) name: Option<NameValue<'l>>,
    #[serde(borrow)]
    pub(super) annotations: OrderedMembers<'l, NameValue<'l>>,
    /// The values of the first of several sections.
    #[serde(borrow, default)]
    pub(super) first_annotations: OrderedMembers<'l, NameValue<'l>>,
    #[serde(borrow)]
    pub(super) producers: OrderedMembers<'l, Vec<[Cow<'l, str>; 2]>>,
    #[serde(default)]
    pub(super) incomplete_producers: bool,
    /// `None` if the item has no list.
    #[serde(borrow, default)]
    pub(super) dependencies: Option<Vec<PackageLine<'l>>>,
    /// `None` if the imports were not read.
    #[serde(borrow, default)]
    pub(super) imports: Option<Vec<ImportLine<'l>>>,
    #[serde(default)]
    pub(super) incomplete_interface: bool,
    pub(super) range: (u64, Option<u64>),
    #[serde(borrow)]
    pub(super) items: Vec<Self>,
}

#[derive(Deserialize)]
pub(super) struct PackageLine<'l> {
    #[serde(borrow)]
    name: Cow<'l, str>,
    #[serde(borrow)]
    version: Cow<'l, str>,
    #[serde(borrow)]
    source: Cow<'l, str>,
    #[serde(borrow)]
    kind: Cow<'l, str>,
    root: bool,
    dependencies: Vec<usize>,
}

#[derive(Deserialize)]
struct LargestSectionLine<'l> {
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
    #[serde(default = "default_count")]
    count: u64,
    refused: bool,
    #[serde(borrow)]
    rule: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    excepted: Option<ExceptionLine<'l>>,
}

#[derive(Deserialize)]
pub(crate) struct ExceptionLine<'l> {
    #[serde(borrow)]
    reason: Cow<'l, str>,
    #[serde(borrow, default)]
    expires: Option<Cow<'l, str>>,
    #[serde(borrow)]
    rule: Option<Cow<'l, str>>,
}

fn default_count() -> u64 {
    1
}

#[derive(Deserialize)]
struct ReasonLine<'l> {
    #[serde(borrow)]
    message: Cow<'l, str>,
    offset: Option<u64>,
}

impl<'l> RowLine<'l> {
    pub(crate) fn parse(text: &'l str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether this is a valid row of the location in this state: of the file itself, or of an entry if the file is an
    /// archive.
    pub(crate) fn matches(&self, location: &BlobLocation, state: &str, in_archive: bool) -> bool {
        let (Some(file), Some(findings), Some(_)) = (self.file.to_os_name(), self.judged(), self.row_kind()) else {
            return false;
        };
        let of_place = if *file == *location.file {
            names(&self.locations).is_some_and(|names| location.names().eq(names.iter().map(|name| &**name)))
        } else {
            in_archive && row_name::is_entry_of(&file, &location.file)
        };
        // A row with no bytes read comes from an archive, and is valid only with the line that ends the archive.
        let was_read =
            matches!(self.completeness(), Some(Completeness::Complete | Completeness::Partial)) && self.bytes_read > 0;
        let was_changed = findings.iter().any(|judged| judged.finding().code() == FindingCode::Changed);
        of_place && self.state.as_deref() == Some(state) && (in_archive || was_read) && !was_changed
    }

    /// Converts the line into a row of the audit that wrote it; `None` if this version does not know its kind, its
    /// outcome or the code of a finding.
    pub(crate) fn into_saved_row(self, nth: u64, text: &'l str) -> Option<Row<'l>> {
        self.row_kind()?;
        self.completeness()?;
        self.judged()?;
        let bytes_read = self.bytes_read;
        Some(Row { nth, bytes_read, ..self.into_row(text) })
    }

    fn row_kind(&self) -> Option<RowKind> {
        RowKind::ALL.into_iter().find(|kind| kind.name() == self.row)
    }

    fn completeness(&self) -> Option<Completeness> {
        Completeness::ALL.into_iter().find(|ended| ended.name() == self.outcome)
    }

    /// The findings, or `None` if this version does not know one of their codes, or an advisory.
    fn judged(&self) -> Option<Vec<JudgedFinding<'static>>> {
        let mut judged: Vec<_> = self.findings.iter().map(FindingLine::to_judged).collect::<Option<_>>()?;
        for line in &self.advisories {
            let finding = judged.get_mut(line.finding)?;
            *finding = with_advisory(finding.clone(), line.to_match()?.into());
        }
        Some(judged)
    }

    /// Converts the line, whose text is `text`, into a row.
    pub(crate) fn into_row(self, text: &'l str) -> Row<'l> {
        // `bytes_read` stays 0: this audit reads nothing of the file.
        let mut row = Row {
            row_kind: self.row_kind().unwrap_or(RowKind::Binary),
            findings: self.judged().unwrap_or_default(),
            completeness: self.completeness().unwrap_or(Completeness::Unread),
            not_opened: self.not_opened.0,
            encoding: self.encoding,
            other_names: self.locations.into_iter().skip(1).filter_map(|name| name.to_os_name()).collect(),
            omits_names: self.omits_locations,
            size: self.size,
            state: self.state,
            digest: self.digest,
            verified: self.verified,
            reason: self.reason.map(|reason| Reason { message: reason.message, offset: reason.offset }),
            largest: self.largest.map(|found| LargestSection {
                kind: found.kind,
                name: found.name,
                bytes: found.bytes,
            }),
            accepted: self.accepted,
            package_count: self.packages.len() as u64 + self.packages_left_out,
            ..Row::new(0, self.file.to_os_name().unwrap_or_default(), RowSource::Baseline(text))
        };
        row.section_totals = (self.section_totals.0.into_iter())
            .map(|(kind, [sections, bytes])| SectionTotal { kind, sections, bytes })
            .collect();
        row.items = self.items_left_out;
        if let Some(root) = self.item {
            row.kind = root.kind();
            row.name = root.name.as_ref().and_then(NameValue::text);
            row.annotations = (root.annotations.0.iter())
                .filter_map(|(key, value)| {
                    let field = Field::ALL.into_iter().find(|field| field.section() == *key)?;
                    Some((field, value.text()?))
                })
                .collect();
            let mut items = vec![root];
            while let Some(item) = items.pop() {
                row.items += 1;
                for (field, values) in item.producers.0 {
                    row.add_producers(values.into_iter().map(|[name, version]| [field.clone(), name, version]));
                }
                items.extend(item.items.into_iter().rev());
            }
        }
        row
    }
}

impl ItemLine<'_> {
    pub(super) fn kind(&self) -> Option<ItemKind> {
        [ItemKind::Module, ItemKind::Component].into_iter().find(|kind| kind.name() == self.kind)
    }
}

impl PackageLine<'_> {
    pub(super) fn write_to(&self, package: &mut Package) {
        package.name = self.name.clone().into_owned();
        package.version = self.version.clone().into_owned();
        package.source = self.source.clone().into_owned();
        package.build = self.kind == "build";
        package.root = self.root;
        package.dependencies.clone_from(&self.dependencies);
    }
}

/// Decodes names, or returns `None` if one of them is not valid on this platform.
fn names<'l>(names: &[NameValue<'l>]) -> Option<Vec<Cow<'l, OsStr>>> {
    names.iter().map(NameValue::to_os_name).collect()
}

/// The line that ends the rows of an archive's entries.
#[derive(Deserialize)]
pub(crate) struct ArchiveLine<'l> {
    #[serde(borrow)]
    archive: NameValue<'l>,
    #[serde(borrow)]
    locations: Vec<NameValue<'l>>,
    #[serde(borrow)]
    state: Cow<'l, str>,
    rows: u64,
    not_wasm: u64,
}

impl ArchiveLine<'_> {
    pub(crate) fn is_archive_line(text: &str) -> bool {
        text.contains("\"archive\":") && Self::parse(text).is_some()
    }

    pub(crate) fn parse(text: &str) -> Option<ArchiveLine<'_>> {
        serde_json::from_str(text).ok()
    }

    /// Whether it ends the rows of the file at this location in this state.
    pub(crate) fn matches(&self, location: &BlobLocation, state: &str) -> bool {
        let names = names(&self.locations);
        let is_file = self.archive.to_os_name().is_some_and(|file| *file == *location.file);
        is_file
            && self.state == state
            && names.is_some_and(|names| location.names().eq(names.iter().map(|name| &**name)))
    }

    /// Number of rows before it.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Number of files in the archive that are not WebAssembly.
    pub(crate) fn not_wasm(&self) -> u64 {
        self.not_wasm
    }
}

impl FindingLine<'_> {
    fn to_judged(&self) -> Option<JudgedFinding<'static>> {
        let code = FindingCode::ALL.into_iter().find(|code| code.name() == self.code)?;
        let message = self.message.clone().into_owned();
        let finding = finding(code, self.path.parse().ok()?, self.offset, self.section.as_deref(), message);
        let finding = with_count(finding, self.count);
        let severity = Severity::ALL.into_iter().find(|severity| severity.name() == self.severity)?;
        let excepted = match &self.excepted {
            Some(excepted) => Some(reused_exception(excepted.to_exception()?, location(excepted.rule.as_deref())?)),
            None => None,
        };
        Some(reused(finding, severity, self.refused, location(self.rule.as_deref())?, excepted))
    }
}

/// Parses the position of a rule, if there is one. `None` for a text that is not a position.
#[allow(clippy::option_option)]
fn location(text: Option<&str>) -> Option<Option<PolicyLocation>> {
    text.map(str::parse).transpose().ok()
}

impl ExceptionLine<'_> {
    /// Restores an exception that excuses nothing. `None` if its position is not valid.
    pub(crate) fn to_unused(&self) -> Option<UnusedException> {
        let location = location(self.rule.as_deref())?;
        Some(UnusedException { reason: self.reason.clone().into_owned(), location })
    }

    /// Restores the parts of the exception that a report contains.
    fn to_exception(&self) -> Option<Exception> {
        let exception = Exception::new(&self.reason).ok()?;
        match &self.expires {
            Some(day) => Some(exception.with_expiry(day.parse().ok()?)),
            None => Some(exception),
        }
    }
}

/// The members of an object in their order.
pub(crate) struct OrderedMembers<'l, T>(pub(crate) Vec<(Cow<'l, str>, T)>);

impl<T> Default for OrderedMembers<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de: 'l, 'l, T: Deserialize<'de>> Deserialize<'de> for OrderedMembers<'l, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Vec<(Cow<'de, str>, T)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((BorrowedText(key), value)) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members(std::marker::PhantomData)).map(Self)
    }
}

/// A text that borrows from the input if possible.
#[derive(Deserialize)]
pub(super) struct BorrowedText<'l>(#[serde(borrow)] pub(super) Cow<'l, str>);
