//! OSV records. Source: the OSV schema 1.7.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use semver::Version;
use serde::Deserialize;
use serde_json::Value;

use crate::advisory::{checked_id, one_line};
use crate::database::ParsedAdvisory;
use crate::ranges::{Interval, VersionSet};
use crate::rating::from_vector;
use crate::targets::exclude_wasm;
use crate::{Advisory, AdvisoryClass, Affected, Ecosystem, Rating};

#[derive(Deserialize)]
struct Record {
    schema_version: Option<String>,
    id: String,
    modified: String,
    withdrawn: Option<String>,
    aliases: Option<Vec<String>>,
    summary: Option<String>,
    details: Option<String>,
    severity: Option<Vec<SeverityEntry>>,
    affected: Option<Vec<AffectedEntry>>,
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct SeverityEntry {
    r#type: String,
    score: String,
}

#[derive(Deserialize)]
struct AffectedEntry {
    package: Option<PackageEntry>,
    severity: Option<Vec<SeverityEntry>>,
    ranges: Option<Vec<RangeEntry>>,
    versions: Option<Vec<String>>,
    ecosystem_specific: Option<Value>,
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct PackageEntry {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct RangeEntry {
    r#type: String,
    events: Vec<Event>,
}

/// One change of state: exactly one of its members is present.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Introduced(String),
    Fixed(String),
    LastAffected(String),
    Limit(String),
}

/// Parses a record.
pub(crate) fn parse(text: &str) -> Result<ParsedAdvisory, String> {
    let record: Record = serde_json::from_str(text).map_err(|error| format!("not an OSV record: {error}"))?;
    if let Some(version) = record.schema_version.as_deref().filter(|version| !version.starts_with("1.")) {
        return Err(format!("its schema version `{version}` is not supported"));
    }
    checked_id(&record.id)?;
    let mut notes = Vec::new();
    let mut affected = Vec::new();
    let shared = shared_advisory(&record, &mut notes);
    for entry in record.affected.iter().flatten() {
        let Some(package) = &entry.package else { continue };
        let Some(ecosystem) = Ecosystem::from_name(&package.ecosystem) else { continue };
        let advisory = own_advisory(&shared, entry, &mut notes);
        affected.push(affected_package(advisory, ecosystem, &package.name, entry, &mut notes)?);
    }
    Ok(ParsedAdvisory {
        date: day(&record.modified).ok_or("`modified` is not a date-time")?,
        is_withdrawn: record.withdrawn.is_some(),
        id: record.id,
        affected,
        notes,
    })
}

/// The advisory of the whole record.
fn shared_advisory(record: &Record, notes: &mut Vec<String>) -> Arc<Advisory> {
    let first_line =
        |text: &str| text.trim_start_matches(['#', ' ', '\n']).lines().next().unwrap_or_default().to_owned();
    let title = record.summary.clone().filter(|summary| !summary.trim().is_empty());
    let title = title.unwrap_or_else(|| record.details.as_deref().map(first_line).unwrap_or_default());
    let mut advisory = Advisory {
        aliases: record.aliases.iter().flatten().map(|alias| alias.as_str().into()).collect(),
        class: if record.id.starts_with("MAL-") { AdvisoryClass::Malware } else { AdvisoryClass::Vulnerability },
        title: one_line(&title),
        url: format!("https://osv.dev/vulnerability/{}", record.id).into(),
        ..Advisory::new(record.id.as_str())
    };
    rate(&mut advisory, record.severity.as_deref(), notes);
    if advisory.rating.is_none() {
        advisory.rating = word(record.database_specific.as_ref(), "severity").and_then(Rating::from_word);
    }
    Arc::new(advisory)
}

/// The advisory of one package, which may have its own severity and class.
fn own_advisory(shared: &Arc<Advisory>, entry: &AffectedEntry, notes: &mut Vec<String>) -> Arc<Advisory> {
    let mut own = Advisory::clone(shared);
    let specific = entry.database_specific.as_ref();
    if let Some(kind) = word(specific, "informational") {
        own.class = AdvisoryClass::informational(kind);
    }
    rate(&mut own, entry.severity.as_deref(), notes);
    if own.rating.is_none()
        && let Some(vector) = word(specific, "cvss")
    {
        match from_vector(vector) {
            Ok((rating, score)) => (own.rating, own.score) = (Some(rating), Some(score)),
            Err(note) => notes.push(note),
        }
    }
    if own == **shared { Arc::clone(shared) } else { Arc::new(own) }
}

/// Sets the severity by the CVSS vector of the newest version.
fn rate(advisory: &mut Advisory, entries: Option<&[SeverityEntry]>, notes: &mut Vec<String>) {
    let mut newest = "";
    for entry in entries.into_iter().flatten().filter(|entry| entry.r#type.starts_with("CVSS_")) {
        match from_vector(&entry.score) {
            Ok((rating, score)) if *newest < *entry.r#type => {
                newest = &entry.r#type;
                (advisory.rating, advisory.score) = (Some(rating), Some(score));
            }
            Ok(_) => {}
            Err(note) => notes.push(note),
        }
    }
}

fn affected_package(
    advisory: Arc<Advisory>,
    ecosystem: Ecosystem,
    name: &str,
    entry: &AffectedEntry,
    notes: &mut Vec<String>,
) -> Result<Affected, String> {
    let (mut intervals, mut fixed) = (Vec::new(), BTreeSet::new());
    let ranges = entry.ranges.iter().flatten().filter(|range| range.r#type != "GIT");
    for range in ranges {
        intervals.extend(intervals_of(ecosystem, &range.events)?);
        fixed.extend(range.events.iter().filter_map(|event| match event {
            Event::Fixed(version) => Some(version.as_str()),
            _ => None,
        }));
    }
    let mut fixed: Vec<&str> = fixed.into_iter().collect();
    fixed.sort_by_cached_key(|version| ecosystem.version(version));
    let listed = entry.versions.iter().flatten();
    let mut affected = Affected {
        versions: VersionSet::Inside(intervals),
        listed: listed.map(|version| version.as_str().into()).collect(),
        ..Affected::new(advisory, ecosystem, name)
    };
    affected.scope.fixed = fixed.into_iter().map(Into::into).collect();
    if affected.versions.is_empty() && affected.listed.is_empty() {
        notes.push(format!("it states no versions of `{name}`, so it affects none"));
    }
    if let Some(specific) = &entry.ecosystem_specific {
        add_scope(&mut affected, specific);
    }
    Ok(affected)
}

/// Adds the affected functions and targets, as the databases of Rust and Go write them.
fn add_scope(affected: &mut Affected, specific: &Value) {
    let (mut functions, mut targets) = (Vec::new(), BTreeSet::new());
    let strings = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect()
    };
    let affects = &specific["affects"];
    functions.extend(strings(&affects["functions"]));
    let (architectures, systems) = (strings(&affects["arch"]), strings(&affects["os"]));
    let mut excludes_wasm = exclude_wasm(&architectures, &systems);
    targets.extend([architectures, systems].concat());
    let imports = specific["imports"].as_array().map(Vec::as_slice).unwrap_or_default();
    for import in imports {
        let path = import["path"].as_str().unwrap_or_default();
        functions.extend(strings(&import["symbols"]).into_iter().map(|symbol| format!("{path}.{symbol}")));
        targets.extend([strings(&import["goarch"]), strings(&import["goos"])].concat());
    }
    // Go limits each package of a module by itself.
    let is_excluded = |import: &Value| exclude_wasm(&strings(&import["goarch"]), &strings(&import["goos"]));
    excludes_wasm |= !imports.is_empty() && imports.iter().all(is_excluded);
    affected.scope.excludes_wasm = excludes_wasm;
    affected.scope.functions = functions.into_iter().map(Into::into).collect();
    affected.scope.targets = targets.into_iter().map(Into::into).collect();
}

/// The intervals of affected versions. Source: "Evaluation" in the OSV schema.
fn intervals_of(ecosystem: Ecosystem, events: &[Event]) -> Result<Vec<Interval>, String> {
    /// Events of one version in the order in which they count: a fix ends an interval that the
    /// version might begin again, and a last affected version ends the one that it began.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum Change {
        Fixed,
        Introduced,
        LastAffected,
    }
    let parse = |text: &str| {
        ecosystem.version(text).ok_or_else(|| format!("`{text}` is not a version of {}", ecosystem.name()))
    };
    let (mut changes, mut limits) = (Vec::new(), Vec::new());
    for event in events {
        let (change, text) = match event {
            // 0 sorts before every version.
            Event::Introduced(text) if text == "0" => {
                changes.push((None, Change::Introduced));
                continue;
            }
            Event::Introduced(text) => (Change::Introduced, text),
            Event::Fixed(text) => (Change::Fixed, text),
            Event::LastAffected(text) => (Change::LastAffected, text),
            Event::Limit(text) => {
                limits.push(if text == "*" { None } else { Some(parse(text)?) });
                continue;
            }
        };
        changes.push((Some(parse(text)?), change));
    }
    let precedence = |one: &Option<Version>, other: &Option<Version>| match (one, other) {
        (Some(one), Some(other)) => one.cmp_precedence(other),
        _ => one.is_some().cmp(&other.is_some()),
    };
    changes.sort_by(|one, other| precedence(&one.0, &other.0).then(one.1.cmp(&other.1)));
    let (mut intervals, mut start) = (Vec::new(), None);
    for (version, change) in changes {
        match (change, version) {
            (Change::Introduced, version) => {
                start.get_or_insert(version.map_or(Bound::Unbounded, Bound::Included));
            }
            (Change::Fixed, Some(version)) => {
                intervals.extend(start.take().map(|start| Interval { start, end: Bound::Excluded(version) }));
            }
            (Change::LastAffected, Some(version)) => {
                intervals.extend(start.take().map(|start| Interval { start, end: Bound::Included(version) }));
            }
            (_, None) => {}
        }
    }
    intervals.extend(start.map(|start| Interval { start, end: Bound::Unbounded }));
    // Only versions before any of the limits are affected.
    let limit = limits.into_iter().max_by(|one, other| match (one, other) {
        (Some(one), Some(other)) => one.cmp_precedence(other),
        _ => one.is_none().cmp(&other.is_none()),
    });
    if let Some(Some(limit)) = limit {
        for interval in &mut intervals {
            interval.cut(&limit);
        }
    }
    Ok(intervals)
}

/// The day of a date-time.
fn day(text: &str) -> Option<String> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.to_string().get(..10)?.to_owned())
}

fn word<'v>(value: Option<&'v Value>, key: &str) -> Option<&'v str> {
    value?.get(key)?.as_str()
}
