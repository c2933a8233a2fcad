//! Summaries as JSON, to be merged across processes.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io;
use std::sync::Arc;

use serde::Deserialize;

use super::advisories::{AdvisoryCount, AffectedFile};
use super::bounded::{BoundedCounts, Tally};
use super::{CodeCount, IncompleteBlob, KindCount, RankedSection, RowCount, Summary, UnusedException, WorstBlob};
use crate::baseline::advisory_line::AdvisoryLine;
use crate::baseline::line::{ExceptionLine, OrderedMembers};
use crate::format::{write_or_null, write_unused_exceptions};
use crate::{ComparisonCounts, Completeness, RowKind};
use sectile::internal::json::{SCHEMA, put, write_array, write_object, write_os, write_text};
use sectile::{FindingCode, Severity};
use sectile_advisories::{AdvisoryMatch, PackageOrigin};
use sectile_policy::PolicyLocation;
use sectile_policy::diff::ReportCounts;
use sectile_policy::internal::{NameValue, write_location, write_match};

/// The reason why a text is not a summary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SummaryError {
    /// The text is not JSON, or lacks keys.
    #[error("not the summary of an audit as JSON: {0}")]
    Malformed(String),
    /// Another version wrote it.
    #[error("the summary is from version {0}, not {now}", now = env!("CARGO_PKG_VERSION"))]
    OtherVersion(String),
    /// This version does not know a value in it.
    #[error("unknown {0} in the summary")]
    Unknown(&'static str),
}

impl Summary {
    /// Writes the summary as one line of JSON with all that [`merge`](Self::merge) needs. [`from_json`](Self::from_json)
    /// reads it. Equal summaries have equal JSON.
    ///
    /// ```
    /// use sectile_audit::Summary;
    ///
    /// let mut total = Summary::default();
    /// for part in [Summary::default().to_json(), Summary::default().to_json()] {
    ///     total.merge(Summary::from_json(&part)?);
    /// }
    /// assert_eq!(total, Summary::default());
    /// # Ok::<(), sectile_audit::SummaryError>(())
    /// ```
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out).unwrap_or_else(|error| unreachable!("memory takes what is written: {error}"));
        String::from_utf8(out).unwrap_or_else(|error| unreachable!("JSON is UTF-8: {error}"))
    }

    /// Reads a summary that [`to_json`](Self::to_json) wrote. The orders of its rows (`nth`) are 0.
    ///
    /// # Errors
    ///
    /// The text is not such a summary, or another version wrote it.
    pub fn from_json(text: &str) -> Result<Self, SummaryError> {
        let document: SummaryDocument<'_> =
            serde_json::from_str(text).map_err(|error| SummaryError::Malformed(error.to_string()))?;
        if document.schema != SCHEMA || document.version != env!("CARGO_PKG_VERSION") {
            return Err(SummaryError::OtherVersion(document.version.into_owned()));
        }
        document.merge.into_summary()
    }

    fn write_json(&self, out: &mut Vec<u8>) -> io::Result<()> {
        put!(out, "{\"schema\":", SCHEMA, ",\"version\":")?;
        write_text(out, env!("CARGO_PKG_VERSION"))?;
        put!(out, ",\"merge\":{\"numbers\":")?;
        write_object(out, self.numbers(), |out, (name, number)| put!(out, "\"", name, "\":", number))?;
        put!(out, ",\"unused_exceptions\":")?;
        write_or_null(out, self.unused_exceptions.as_deref(), write_unused_exceptions)?;
        put!(out, ",\"comparison\":")?;
        let comparison = self.comparison.as_ref().map(comparison_numbers);
        write_or_null(out, comparison.as_ref(), |out, numbers| write_numbers(out, numbers))?;
        put!(out, ",\"by_row\":")?;
        write_object(out, RowKind::ALL, |out, kind| {
            let RowCount { rows, accepted, refused, by_completeness } = self.rows_of(kind);
            put!(out, "\"", kind.name(), "\":[", rows, ",", accepted, ",", refused, ",")?;
            write_numbers(out, &by_completeness)?;
            put!(out, "]")
        })?;
        for (name, counts) in [
            ("not_opened", &self.not_opened),
            ("licenses", &self.licenses),
            ("producers", &self.producers),
            ("versions", &self.versions),
        ] {
            put!(out, ",\"", name, "\":")?;
            write_counts(out, counts, |out, count| put!(out, count))?;
        }
        put!(out, ",\"kinds\":")?;
        write_counts(out, &self.kinds, |out, KindCount { sections, bytes, rows }| {
            write_numbers(out, &[sections, bytes, rows])
        })?;
        put!(out, ",\"codes\":")?;
        let codes = FindingCode::ALL.into_iter().zip(self.codes);
        write_object(out, codes.filter(|(_, count)| *count != CodeCount::default()), |out, (code, count)| {
            let CodeCount { rows, refused, excepted, findings } = count;
            put!(out, "\"", code.name(), "\":[", rows, ",", refused, ",", excepted, ",")?;
            write_numbers(out, &findings)?;
            put!(out, "]")
        })?;
        put!(out, ",\"advisories\":")?;
        write_array(out, self.advisories(), write_advisory_count)?;
        put!(out, ",\"largest\":")?;
        write_array(out, self.largest(), |out, section| {
            put!(out, "{\"file\":")?;
            write_os(out, &section.file)?;
            put!(out, ",\"kind\":")?;
            write_text(out, &section.kind)?;
            put!(out, ",\"name\":")?;
            write_or_null(out, section.name.as_deref(), write_text)?;
            put!(out, ",\"bytes\":", section.bytes, ",\"size\":")?;
            write_some_number(out, section.size)?;
            put!(out, "}")
        })?;
        put!(out, ",\"worst\":")?;
        write_array(out, self.worst(), |out, blob| {
            put!(out, "{\"file\":")?;
            write_os(out, &blob.file)?;
            put!(out, ",\"severity\":\"", blob.severity.name(), "\",\"refused\":", blob.refused)?;
            put!(out, ",\"code\":\"", blob.code.name(), "\",\"message\":")?;
            write_text(out, &blob.message)?;
            put!(out, ",\"rule\":")?;
            write_location(out, blob.location.as_ref())?;
            put!(out, "}")
        })?;
        put!(out, ",\"incomplete\":")?;
        write_array(out, self.incomplete(), |out, blob| {
            put!(out, "{\"file\":")?;
            write_os(out, &blob.file)?;
            put!(out, ",\"outcome\":\"", blob.completeness.name(), "\",\"message\":")?;
            write_text(out, &blob.message)?;
            put!(out, ",\"offset\":")?;
            write_some_number(out, blob.offset)?;
            put!(out, "}")
        })?;
        put!(out, "}}")
    }
}

fn write_advisory_count(out: &mut Vec<u8>, count: &AdvisoryCount) -> io::Result<()> {
    put!(out, "{")?;
    write_match(out, &AdvisoryMatch::new(Arc::clone(&count.affected), "", PackageOrigin::Declared))?;
    put!(out, ",\"versions\":")?;
    write_array(out, count.versions.iter().map(|version| &**version), |out, version: &str| write_text(out, version))?;
    put!(out, ",\"counts\":")?;
    write_numbers(out, &[count.rows, count.refused, count.excepted])?;
    put!(out, ",\"files\":")?;
    write_array(out, count.files(), |out, (_, file)| write_os(out, file))?;
    put!(out, "}")
}

fn write_counts<V: Tally>(
    out: &mut Vec<u8>,
    counts: &BoundedCounts<V>,
    write: impl Fn(&mut Vec<u8>, V) -> io::Result<()>,
) -> io::Result<()> {
    write_object(out, counts.kept(), |out, (key, count)| {
        write_text(out, key)?;
        put!(out, ":")?;
        write(out, count)
    })
}

fn write_numbers(out: &mut Vec<u8>, numbers: &[u64]) -> io::Result<()> {
    write_array(out, numbers, |out, number| put!(out, *number))
}

fn write_some_number(out: &mut Vec<u8>, number: Option<u64>) -> io::Result<()> {
    write_or_null(out, number.as_ref(), |out, number| put!(out, *number))
}

fn comparison_numbers(comparison: &ComparisonCounts) -> [u64; 8] {
    let ReportCounts { new, gone, changed, unchanged, new_findings, gone_findings, .. } = comparison.counts;
    let ComparisonCounts { newly_refused, newly_unread, .. } = *comparison;
    [new, gone, changed, unchanged, new_findings, gone_findings, newly_refused, newly_unread]
}

fn comparison_from(
    [new, gone, changed, unchanged, new_findings, gone_findings, refused, unread]: [u64; 8],
) -> ComparisonCounts {
    let mut counts = ReportCounts::default();
    (counts.new, counts.gone, counts.changed, counts.unchanged) = (new, gone, changed, unchanged);
    (counts.new_findings, counts.gone_findings) = (new_findings, gone_findings);
    ComparisonCounts { counts, newly_refused: refused, newly_unread: unread }
}

#[derive(Deserialize)]
struct SummaryDocument<'l> {
    schema: u32,
    #[serde(borrow)]
    version: Cow<'l, str>,
    #[serde(borrow)]
    merge: SummaryParts<'l>,
}

#[derive(Deserialize)]
struct SummaryParts<'l> {
    #[serde(borrow)]
    numbers: OrderedMembers<'l, u64>,
    #[serde(borrow)]
    unused_exceptions: Option<Vec<ExceptionLine<'l>>>,
    comparison: Option<[u64; 8]>,
    #[serde(borrow)]
    by_row: OrderedMembers<'l, (u64, u64, u64, [u64; Completeness::ALL.len()])>,
    #[serde(borrow)]
    not_opened: OrderedMembers<'l, u64>,
    #[serde(borrow)]
    licenses: OrderedMembers<'l, u64>,
    #[serde(borrow)]
    producers: OrderedMembers<'l, u64>,
    #[serde(borrow)]
    versions: OrderedMembers<'l, u64>,
    #[serde(borrow)]
    kinds: OrderedMembers<'l, (u64, u64, u64)>,
    #[serde(borrow)]
    codes: OrderedMembers<'l, (u64, u64, u64, [u64; Severity::ALL.len()])>,
    #[serde(borrow)]
    advisories: Vec<AdvisoryPart<'l>>,
    #[serde(borrow)]
    largest: Vec<LargestPart<'l>>,
    #[serde(borrow)]
    worst: Vec<WorstPart<'l>>,
    #[serde(borrow)]
    incomplete: Vec<IncompletePart<'l>>,
}

#[derive(Deserialize)]
struct AdvisoryPart<'l> {
    #[serde(flatten)]
    advisory: AdvisoryLine,
    versions: Vec<Box<str>>,
    counts: [u64; 3],
    #[serde(borrow)]
    files: Vec<NameValue<'l>>,
}

#[derive(Deserialize)]
struct LargestPart<'l> {
    #[serde(borrow)]
    file: NameValue<'l>,
    kind: String,
    name: Option<String>,
    bytes: u64,
    size: Option<u64>,
}

#[derive(Deserialize)]
struct WorstPart<'l> {
    #[serde(borrow)]
    file: NameValue<'l>,
    #[serde(borrow)]
    severity: Cow<'l, str>,
    refused: u64,
    #[serde(borrow)]
    code: Cow<'l, str>,
    message: String,
    #[serde(borrow)]
    rule: Option<Cow<'l, str>>,
}

#[derive(Deserialize)]
struct IncompletePart<'l> {
    #[serde(borrow)]
    file: NameValue<'l>,
    #[serde(borrow)]
    outcome: Cow<'l, str>,
    message: String,
    offset: Option<u64>,
}

impl SummaryParts<'_> {
    fn into_summary(self) -> Result<Summary, SummaryError> {
        let mut summary = Summary::default();
        for (name, number) in summary.numbers_mut() {
            let value = self.numbers.0.iter().find(|(key, _)| key == name);
            *number = value.map(|(_, value)| *value).ok_or(SummaryError::Unknown("numbers"))?;
        }
        if let Some(unused) = &self.unused_exceptions {
            let unused = unused.iter().map(ExceptionLine::to_unused).collect::<Option<Vec<UnusedException>>>();
            summary.unused_exceptions = Some(unused.ok_or(SummaryError::Unknown("exception"))?);
        }
        summary.comparison = self.comparison.map(comparison_from);
        for (kind, (rows, accepted, refused, by_completeness)) in self.by_row.0 {
            let kind = RowKind::ALL.into_iter().find(|known| known.name() == kind);
            let kind = kind.ok_or(SummaryError::Unknown("kind of rows"))?;
            summary.by_kind[kind as usize] = RowCount { rows, accepted, refused, by_completeness };
        }
        for (counts, parts) in [
            (&mut summary.not_opened, self.not_opened),
            (&mut summary.licenses, self.licenses),
            (&mut summary.producers, self.producers),
            (&mut summary.versions, self.versions),
        ] {
            parts.0.iter().for_each(|(key, count)| counts.add(key, *count));
        }
        for (kind, (sections, bytes, rows)) in &self.kinds.0 {
            summary.kinds.add(kind, KindCount { sections: *sections, bytes: *bytes, rows: *rows });
        }
        for (code, (rows, refused, excepted, findings)) in self.codes.0 {
            summary.codes[self::code(&code)? as usize] = CodeCount { rows, refused, excepted, findings };
        }
        for part in self.advisories {
            summary.advisories.add_count(part.into_count()?);
        }
        for LargestPart { file, kind, name, bytes, size } in self.largest {
            let file = self::file(&file)?;
            summary.largest.add(bytes, &file.clone(), || RankedSection { nth: 0, file, kind, name, bytes, size });
        }
        for part in self.worst {
            let blob = part.into_blob()?;
            summary.worst.add((blob.severity, blob.refused), &blob.file.clone(), || blob);
        }
        for IncompletePart { file, outcome, message, offset } in self.incomplete {
            let file = self::file(&file)?;
            let completeness = Completeness::ALL.into_iter().find(|known| known.name() == outcome);
            let completeness = completeness.ok_or(SummaryError::Unknown("outcome"))?;
            let blob = || IncompleteBlob { nth: 0, file: file.clone(), completeness, message, offset };
            summary.incomplete.add((), &file, blob);
        }
        Ok(summary)
    }
}

impl AdvisoryPart<'_> {
    fn into_count(self) -> Result<AdvisoryCount, SummaryError> {
        let found = self.advisory.to_match().ok_or(SummaryError::Unknown("advisory"))?;
        let mut count = AdvisoryCount::new(found.affected);
        [count.rows, count.refused, count.excepted] = self.counts;
        self.versions.into_iter().for_each(|version| count.add_version(version));
        for file in &self.files {
            let file = self::file(file)?;
            count.files.add((), &file, || AffectedFile { nth: 0, file: file.clone() });
        }
        Ok(count)
    }
}

impl WorstPart<'_> {
    fn into_blob(self) -> Result<WorstBlob, SummaryError> {
        let severity = Severity::ALL.into_iter().find(|known| known.name() == self.severity);
        let location = self.rule.as_deref().map(str::parse::<PolicyLocation>).transpose();
        Ok(WorstBlob {
            nth: 0,
            file: file(&self.file)?,
            severity: severity.ok_or(SummaryError::Unknown("severity"))?,
            refused: self.refused,
            code: code(&self.code)?,
            message: self.message,
            location: location.map_err(|_| SummaryError::Unknown("position of a rule"))?,
        })
    }
}

fn file(name: &NameValue<'_>) -> Result<OsString, SummaryError> {
    name.to_os_name().map(Cow::into_owned).ok_or(SummaryError::Unknown("name"))
}

fn code(name: &str) -> Result<FindingCode, SummaryError> {
    FindingCode::ALL.into_iter().find(|code| code.name() == name).ok_or(SummaryError::Unknown("code of a finding"))
}
