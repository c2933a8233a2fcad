//! A report as one line of JSON. The tree is written item by item, without recursion: it may be as
//! deep as the [`Limits`](sectile::Limits) allow.

mod advisories;
mod budget;
mod codes;
mod digest;
mod edit;
mod interface;
mod name_value;
mod packages;
mod sections;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::ops::Range;

pub use self::advisories::{write_advisories, write_databases, write_match};
use self::budget::Budget;
pub use self::budget::reason;
pub use self::codes::write_codes_json;
pub use self::name_value::NameValue;
pub use self::sections::SectionsJson;

use super::Report;
use crate::{Exception, JudgedFinding, PolicyLocation, Verdict};
use sectile::Error;
use sectile::internal::json::{SCHEMA, put, write_array, write_base64, write_object, write_os, write_safe, write_text};
use sectile::inventory::Package;
use sectile::metadata::{Field, Item, Metadata, Producers, ProducersField, Value};
use sectile::{Finding, FindingCode, Severity};

impl Report<'_> {
    /// Writes the report as one JSON object and a line feed, with its keys in a fixed order. A text
    /// that is not UTF-8 is given as `{"base64":…}`.
    ///
    /// The JSON has at most 40 bytes for each byte of the file, or 256 KiB for a short file. Items
    /// and findings beyond that are omitted. Returns their number; the outcome is partial if it is
    /// not 0.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<u64> {
        let mut budget = Budget::for_size(self.size);
        self.write_head(out)?;
        put!(out, ",\"item\":")?;
        self.write_root(out, u32::MAX, &mut budget)?;
        put!(out, ",\"findings\":[")?;
        for (nth, finding) in self.findings().enumerate() {
            budget.write(out, |out| {
                put!(out, if nth > 0 { "," } else { "" })?;
                write_unjudged(out, finding)
            })?;
        }
        put!(out, "]")?;
        packages::write_packages(self, out, &mut budget)?;
        match budget.reason().filter(|_| self.error.is_none()) {
            Some(reason) => write_partial(out, &reason, None)?,
            None => write_outcome(out, self.error)?,
        }
        put!(out, ",\"bytes_read\":", self.cost.bytes, "}\n")?;
        Ok(budget.left_out())
    }

    /// Writes the findings as a policy judges them, as one JSON object and a line feed.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write_verdict_json(&self, verdict: &Verdict<'_>, out: &mut impl Write) -> io::Result<()> {
        self.write_head(out)?;
        put!(out, ",\"findings\":")?;
        write_array(out, verdict.findings(), write_judged)?;
        write_advisories(out, verdict.findings())?;
        write_packages(self, out)?;
        if let Some(databases) = verdict.databases() {
            put!(out, ",\"databases\":")?;
            write_databases(out, databases)?;
        }
        put!(out, ",\"excepted\":", verdict.excepted(), ",\"accepted\":", verdict.is_accepted())?;
        write_outcome(out, self.error)?;
        put!(out, ",\"bytes_read\":", self.cost.bytes, "}\n")
    }

    fn write_head(&self, out: &mut impl Write) -> io::Result<()> {
        write_head(out, self.file, self.size)
    }

    fn write_root(&self, out: &mut impl Write, deepest: u32, budget: &mut Budget) -> io::Result<()> {
        match self.metadata {
            Some(metadata) => self.write_tree(out, metadata, deepest, budget),
            None => put!(out, "null"),
        }
    }

    fn write_tree(
        &self,
        out: &mut impl Write,
        metadata: &Metadata<'_>,
        deepest: u32,
        budget: &mut Budget,
    ) -> io::Result<()> {
        let mut open = 0; // items that are not closed yet
        for item in metadata.items().filter(|item| item.depth() <= deepest) {
            let is_written = budget.write(out, |out| {
                for _ in item.depth()..open {
                    put!(out, "]}")?;
                }
                if item.index() > 0 {
                    put!(out, ",")?;
                }
                write_item_head(out, item, self.size)?;
                if !item.is_complete() {
                    put!(out, ",\"incomplete\":true")?;
                }
                if let Some(interface) = self.interface.filter(|_| item.parent().is_none()) {
                    interface::write_interface(out, interface)?;
                }
                put!(out, ",\"items\":[")
            })?;
            if is_written {
                open = item.depth() + 1;
            }
        }
        for _ in 0..open {
            put!(out, "]}")?;
        }
        if open == 0 {
            put!(out, "null")?; // the root was left out
        }
        Ok(())
    }
}

/// Writes the root item of a report, with nested items down to this depth; `null` if nothing was
/// read.
///
/// # Errors
///
/// Errors of the writer.
pub fn write_item(report: &Report<'_>, out: &mut impl Write, deepest: u32) -> io::Result<()> {
    report.write_root(out, deepest, &mut Budget::unlimited())
}

/// Writes the key `packages` of a report, and `go_builds` if there are any. The JSON has at most 40
/// bytes for each byte of the file, or 256 KiB for a short file; `packages_left_out` counts the
/// rest.
///
/// # Errors
///
/// Errors of the writer.
pub fn write_packages(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut budget = Budget::for_size(report.size);
    packages::write_packages(report, out, &mut budget)?;
    match budget.left_out() {
        0 => Ok(()),
        left_out => put!(out, ",\"packages_left_out\":", left_out),
    }
}

/// The packages that [`write_packages`] writes.
pub fn listed_packages<'a>(report: &Report<'a>) -> impl Iterator<Item = Cow<'a, Package>> + use<'a> {
    packages::listed(report, Budget::for_size(report.size))
}

/// Writes the first keys of a report: the schema, the file and its size.
///
/// # Errors
///
/// Errors of the writer.
pub fn write_head(out: &mut impl Write, file: &OsStr, size: Option<u64>) -> io::Result<()> {
    put!(out, "{\"schema\":", SCHEMA, ",\"file\":")?;
    write_os(out, file)?;
    put!(out, ",\"size\":")?;
    match size {
        Some(size) => put!(out, size),
        None => put!(out, "null"),
    }
}

/// Writes an item up to its nested items.
fn write_item_head(out: &mut impl Write, item: Item<'_>, size: Option<u64>) -> io::Result<()> {
    put!(out, "{\"kind\":\"", item.kind().name(), "\",\"path\":\"", &item.path(), "\",\"range\":")?;
    match item.end().or(size) {
        Some(end) => write_range(out, &(item.start()..end))?,
        None => put!(out, "[", item.start(), ",null]")?,
    }
    put!(out, ",\"name\":")?;
    match item.name() {
        Some(name) => write_value(out, name)?,
        None => put!(out, "null")?,
    }
    put!(out, ",\"annotations\":")?;
    write_object(out, item.annotations(), |out, (field, value)| {
        put!(out, "\"", field.section(), "\":")?;
        write_value(out, value)
    })?;
    if Field::ALL.into_iter().any(|field| item.section_count(field) > 1) {
        write_first_annotations(out, item)?;
    }
    put!(out, ",\"producers\":")?;
    write_producers(out, item.producers())?;
    if !item.has_all_producers() {
        put!(out, ",\"incomplete_producers\":true")?;
    }
    if let Some(dependencies) = item.dependencies() {
        put!(out, ",\"dependencies\":")?;
        write_array(out, dependencies.packages(), write_package)?;
    }
    if let Some(value) = item.registry_metadata() {
        put!(out, ",\"registry_metadata\":")?;
        match value.as_str().filter(|text| is_json_object(text)) {
            Some(json) => write_compact(out, json)?,
            None => write_value(out, value)?,
        }
    }
    if item.debug_links().next().is_some() {
        put!(out, ",\"debug_links\":")?;
        write_array(out, item.debug_links(), |out, (section, value)| {
            put!(out, "[\"", section, "\",")?;
            write_value(out, value)?;
            put!(out, "]")
        })?;
    }
    Ok(())
}

/// Writes the values of the first sections of the fields that occur several times. Some readers use
/// these. A value that could not be read is omitted.
fn write_first_annotations(out: &mut impl Write, item: Item<'_>) -> io::Result<()> {
    let fields = Field::ALL.into_iter().filter(|field| item.section_count(*field) > 1);
    put!(out, ",\"first_annotations\":")?;
    write_object(out, fields.filter_map(|field| Some((field, item.first_annotation(field)?))), |out, (field, value)| {
        put!(out, "\"", field.section(), "\":")?;
        write_value(out, value)
    })
}

/// Writes the values of each field in the order of its first occurrence; a repeated field is one
/// key.
fn write_producers(out: &mut impl Write, producers: &Producers<'_>) -> io::Result<()> {
    let mut indexes = BTreeMap::new();
    let mut fields = Vec::new();
    for field in producers.fields() {
        let index = *indexes.entry(field.name()).or_insert_with(|| {
            fields.push((field.name(), Vec::new()));
            fields.len() - 1
        });
        fields[index].1.push(field);
    }
    write_object(out, fields, |out, (name, fields)| {
        write_text(out, name)?;
        put!(out, ":")?;
        let values = fields.iter().flat_map(ProducersField::values);
        write_array(out, values, |out, (name, version)| {
            put!(out, "[")?;
            write_text(out, name)?;
            put!(out, ",")?;
            write_text(out, version)?;
            put!(out, "]")
        })
    })
}

fn write_package<W: Write>(out: &mut W, package: &sectile::metadata::Package) -> io::Result<()> {
    put!(out, "{\"name\":")?;
    write_text(out, &package.name)?;
    put!(out, ",\"version\":")?;
    write_text(out, &package.version)?;
    put!(out, ",\"source\":")?;
    write_text(out, &package.source)?;
    let kind = if package.build { "build" } else { "runtime" };
    put!(out, ",\"kind\":\"", kind, "\",\"root\":", package.root, ",\"dependencies\":")?;
    write_array(out, &package.dependencies, |out, index| put!(out, *index as u64))?;
    put!(out, "}")
}

/// Writes a finding as a policy judges it.
///
/// # Errors
///
/// Errors of the writer.
pub fn write_judged<W: Write>(out: &mut W, judged: &JudgedFinding<'_>) -> io::Result<()> {
    write_finding(out, &judged.finding, judged.severity)?;
    put!(out, ",\"refused\":", judged.refused, ",\"rule\":")?;
    write_location(out, judged.location())?;
    if let Some(exception) = &judged.exception {
        write_exception(out, exception)?;
    }
    put!(out, "}")
}

/// Writes a finding with its default severity.
fn write_unjudged<W: Write>(out: &mut W, finding: &Finding) -> io::Result<()> {
    write_finding(out, finding, finding.severity())?;
    put!(out, "}")
}

/// Writes a finding, up to the end of its object.
fn write_finding<W: Write>(out: &mut W, finding: &Finding, severity: Severity) -> io::Result<()> {
    put!(
        out,
        "{\"code\":\"",
        finding.code().name(),
        "\",\"severity\":\"",
        severity.name(),
        "\",\"path\":\"",
        finding.path(),
        "\",\"offset\":",
        finding.offset()
    )?;
    put!(out, ",\"section\":")?;
    match finding.section() {
        Some(section) => write_text(out, section)?,
        None => put!(out, "null")?,
    }
    put!(out, ",\"message\":")?;
    write_text(out, finding.message())?;
    if finding.count() > 1 {
        put!(out, ",\"count\":", finding.count())?;
    }
    Ok(())
}

/// Writes the exception that excuses a finding.
fn write_exception(out: &mut impl Write, exception: &Exception) -> io::Result<()> {
    put!(out, ",\"excepted\":{\"reason\":")?;
    write_text(out, exception.reason())?;
    match exception.expiry() {
        Some(day) => put!(out, ",\"expires\":\"", day.to_string().as_str(), "\"")?,
        None => put!(out, ",\"expires\":null")?,
    }
    put!(out, ",\"rule\":")?;
    write_location(out, exception.location())?;
    put!(out, "}")
}

/// Writes the location of a rule or an exception, such as `"policy.toml:12"`; `null` if it has
/// none.
///
/// # Errors
///
/// Errors of the writer.
pub fn write_location(out: &mut impl Write, location: Option<&PolicyLocation>) -> io::Result<()> {
    match location {
        Some(location) => write_text(out, &location.to_string()),
        None => put!(out, "null"),
    }
}

fn write_outcome(out: &mut impl Write, error: Option<&Error>) -> io::Result<()> {
    let Some(error) = error else {
        return put!(out, ",\"outcome\":\"complete\"");
    };
    write_partial(out, &error.message(), error.offset())
}

fn write_partial(out: &mut impl Write, message: &str, offset: Option<u64>) -> io::Result<()> {
    put!(out, ",\"outcome\":\"partial\",\"reason\":{\"message\":")?;
    write_text(out, message)?;
    put!(out, ",\"offset\":")?;
    match offset {
        Some(offset) => put!(out, offset, "}"),
        None => put!(out, "null}"),
    }
}

fn write_range(out: &mut impl Write, range: &Range<u64>) -> io::Result<()> {
    put!(out, "[", range.start, ",", range.end, "]")
}

fn write_value(out: &mut impl Write, value: &Value<'_>) -> io::Result<()> {
    match value.as_str() {
        Some(text) => write_text(out, text),
        None => write_base64(out, value.as_bytes()),
    }
}

/// Whether a text is JSON that can be embedded.
fn is_json_object(text: &str) -> bool {
    !sectile::internal::check_registry_metadata(text)
        .iter()
        .any(|error| error.code() == FindingCode::MalformedRegistryMetadata)
}

/// Writes valid JSON without the white space between its tokens, which may contain line breaks.
fn write_compact(out: &mut impl Write, json: &str) -> io::Result<()> {
    let (mut in_string, mut escaped) = (false, false);
    for piece in json.split_inclusive(|character: char| {
        let ends = !in_string && character.is_ascii_whitespace();
        in_string ^= character == '"' && !escaped;
        escaped = in_string && character == '\\' && !escaped;
        ends
    }) {
        write_safe(out, piece.trim_end_matches([' ', '\t', '\n', '\r']))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_json_is_equivalent() {
        for json in [
            "{}",
            " { \"a b\" : [ 1 , 2.50 ,\r\n\"x \\\" y \\\\\" , null ] }\n",
            "{\"tail \":\" \\\\\", \"b\" : \" \\\" \"}",
        ] {
            let mut compact = Vec::new();
            write_compact(&mut compact, json).unwrap();
            let compact = String::from_utf8(compact).unwrap();
            assert!(!compact.contains('\n'));
            let parse = |json| serde_json::from_str::<serde_json::Value>(json).unwrap();
            assert_eq!(parse(&compact), parse(json));
            assert_eq!(
                compact.len(),
                serde_json::to_string(&parse(json)).unwrap().len() + compact.matches("2.50").count()
            );
        }
    }
}
