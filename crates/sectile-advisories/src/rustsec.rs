//! Advisories of `RustSec`'s database: TOML in Markdown. Source: the README of advisory-db.

use std::sync::Arc;

use semver::VersionReq;

use sectile_document::{Node, Value};

use crate::advisory::{checked_id, one_line};
use crate::database::ParsedAdvisory;
use crate::ranges::{Interval, VersionSet};
use crate::rating::from_vector;
use crate::targets::exclude_wasm;
use crate::{Advisory, AdvisoryClass, Affected, Ecosystem};

/// Parses an advisory of a collection, which is in the directory of this package.
pub(crate) fn parse(text: &str, collection: &str, package: &str) -> Result<ParsedAdvisory, String> {
    let (front_matter, title) = parts(text)?;
    // Newer advisories omit the name of the first table.
    let with_header;
    let front_matter = if front_matter.starts_with("[advisory]") {
        front_matter
    } else {
        with_header = format!("[advisory]\n{front_matter}");
        &with_header
    };
    let root = sectile_document::toml(front_matter)
        .map_err(|error| format!("invalid TOML in line {}: {}", error.line, error.message))?;
    let table = |name| root.entry(name).ok_or_else(|| format!("`[{name}]` is missing"));
    let (head, versions) = (table("advisory")?, table("versions")?);

    let id = checked_id(required(head, "id")?)?;
    let named = required(head, "package")?;
    if named != package {
        return Err(format!("it is about `{named}`, but is in the directory of `{package}`"));
    }
    if head.entry("source").is_some() {
        return Err("packages of other registries are not supported (`source`)".to_owned());
    }
    let (mut notes, mut rating, mut score) = (Vec::new(), None, None);
    if let Some(vector) = text_of(head, "cvss")? {
        match from_vector(vector) {
            Ok((found, of_vector)) => (rating, score) = (Some(found), Some(of_vector)),
            Err(note) => notes.push(note),
        }
    }
    let advisory = Advisory {
        aliases: strings(head, "aliases")?.into_iter().map(Into::into).collect(),
        class: text_of(head, "informational")?
            .map_or(AdvisoryClass::Vulnerability, |kind| AdvisoryClass::informational(kind.trim())),
        rating,
        score,
        title: one_line(title),
        url: if id.starts_with("RUSTSEC-") {
            format!("https://rustsec.org/advisories/{id}.html").into()
        } else {
            text_of(head, "url")?.unwrap_or_default().into()
        },
        ..Advisory::new(id)
    };

    if versions.entry("patched").is_none() {
        return Err("`versions.patched` is missing".to_owned());
    }
    let patched = strings(versions, "patched")?;
    let unaffected = strings(versions, "unaffected")?;
    let unaffected = patched.iter().chain(&unaffected).map(|range| interval(range)).collect::<Result<_, _>>()?;
    let ecosystem = if collection == "crates" { Ecosystem::CratesIo } else { Ecosystem::Rust };
    let mut affected = Affected::new(Arc::new(advisory), ecosystem, package);
    affected.versions = VersionSet::Outside(unaffected);
    affected.scope.fixed = patched.into_iter().map(Into::into).collect();
    if let Some(limits) = root.entry("affected") {
        let (architectures, systems) = (strings(limits, "arch")?, strings(limits, "os")?);
        affected.scope.excludes_wasm = exclude_wasm(&architectures, &systems);
        affected.scope.targets = architectures.into_iter().chain(systems).map(Into::into).collect();
        if let Some(Value::Table(functions)) = limits.entry("functions").map(|node| &node.value) {
            affected.scope.functions = functions.iter().map(|(name, _)| name.as_str().into()).collect();
        }
    }
    Ok(ParsedAdvisory {
        id: id.to_owned(),
        date: day(head, "date")?.ok_or("`date` is missing")?,
        is_withdrawn: day(head, "withdrawn")?.is_some(),
        // Other parts of the toolchain, such as Cargo, are not in binaries.
        affected: if ecosystem == Ecosystem::CratesIo || package == "std" { vec![affected] } else { Vec::new() },
        notes,
    })
}

/// The front matter and the title.
fn parts(text: &str) -> Result<(&str, &str), String> {
    let rest = text.strip_prefix("```toml").ok_or("it does not begin with TOML between fences")?;
    let (front_matter, rest) = rest.split_once("\n```").ok_or("the end of its TOML is missing")?;
    let title = rest.trim_start().strip_prefix("# ").ok_or("the heading after its TOML is missing")?;
    let (title, _) = title.split_once('\n').ok_or("the text after its heading is missing")?;
    Ok((front_matter.trim(), title.trim_end()))
}

fn interval(range: &str) -> Result<Interval, String> {
    let requirement: VersionReq =
        range.parse().map_err(|error| format!("`{range}` is not a range of versions: {error}"))?;
    Interval::from_requirement(&requirement)
}

fn required<'n>(table: &'n Node, key: &str) -> Result<&'n str, String> {
    text_of(table, key)?.filter(|text| !text.is_empty()).ok_or_else(|| format!("`{key}` is missing"))
}

fn text_of<'n>(table: &'n Node, key: &str) -> Result<Option<&'n str>, String> {
    match table.entry(key) {
        None => Ok(None),
        Some(node) => node.text().map(Some).ok_or_else(|| format!("`{key}` is {}, not a string", node.kind())),
    }
}

fn strings<'n>(table: &'n Node, key: &str) -> Result<Vec<&'n str>, String> {
    let Some(node) = table.entry(key) else { return Ok(Vec::new()) };
    let Value::List(list) = &node.value else { return Err(format!("`{key}` is {}, not a list", node.kind())) };
    list.iter().map(|node| node.text().ok_or_else(|| format!("`{key}` has {}, not a string", node.kind()))).collect()
}

fn day(table: &Node, key: &str) -> Result<Option<String>, String> {
    let Some(node) = table.entry(key) else { return Ok(None) };
    let (Value::Text(text) | Value::Date(text)) = &node.value else {
        return Err(format!("`{key}` is {}, not a date", node.kind()));
    };
    let day: jiff::civil::Date = text.parse().map_err(|_| format!("`{key}` is not a date"))?;
    Ok(Some(day.to_string()))
}
