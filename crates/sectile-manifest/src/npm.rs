//! package.json. Sources: npm's documentation; npm's `normalize-package-data` and `hosted-git-info`
//! for persons and repositories; the output of wasm-pack for `collaborators`.

use super::entry::{ManifestEntry, about_license_file, correct_license, ignore_without_field, text};
use super::error::ManifestError;
use super::location::{NoticeKind, Notices};
use super::mapping::{KeyMapping, KeyTarget};
use super::repository;
use sectile::metadata::Field;
use sectile_document::Value;

pub(super) const MAPPINGS: &[KeyMapping] = &[
    KeyMapping::new("name", KeyTarget::Name, text),
    KeyMapping::field("version", Field::Version, text),
    KeyMapping::field("author", Field::Authors, people),
    KeyMapping::field("contributors", Field::Authors, people).joining(),
    KeyMapping::field("collaborators", Field::Authors, people),
    KeyMapping::field("maintainers", Field::Authors, people),
    KeyMapping::field("description", Field::Description, text),
    KeyMapping::field("license", Field::Licenses, license),
    KeyMapping::field("licenses", Field::Licenses, license),
    KeyMapping::field("repository", Field::Source, repository),
    KeyMapping::field("homepage", Field::Homepage, text),
    KeyMapping::new("keywords", KeyTarget::Ignored, ignore_without_field),
    KeyMapping::new("bugs", KeyTarget::Ignored, ignore_without_field),
    KeyMapping::new("funding", KeyTarget::Ignored, ignore_without_field),
];

/// Reads a person, or a list of persons.
fn people(entry: &ManifestEntry<'_>, _: &mut Notices) -> Result<Vec<String>, ManifestError> {
    match &entry.node.value {
        Value::List(list) => list.iter().map(|node| person(&entry.element(node))).collect(),
        _ => Ok(vec![person(entry)?]),
    }
}

/// Reads `Name <mail> (url)`, or an object with these parts.
fn person(entry: &ManifestEntry<'_>) -> Result<String, ManifestError> {
    if let Some(text) = entry.node.text() {
        return Ok(text.to_owned());
    }
    if !matches!(entry.node.value, Value::Table(_)) {
        return Err(entry.expected("a string, or an object with `name`, `email` and `url`"));
    }
    let part = |keys: [&str; 2], open: &str, close: &str| {
        let part = keys.into_iter().find_map(|key| entry.entry(key));
        let part = part.map(|part| part.text()).transpose()?.filter(|text| !text.is_empty());
        Ok(part.map(|text| format!("{open}{text}{close}")))
    };
    let parts = [part(["name"; 2], "", "")?, part(["email", "mail"], "<", ">")?, part(["url", "web"], "(", ")")?];
    Ok(parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// Reads an SPDX expression, or an obsolete form: an object with a `type`, or a list of
/// alternatives.
fn license(entry: &ManifestEntry<'_>, notices: &mut Notices) -> Result<Vec<String>, ManifestError> {
    let chosen = match &entry.node.value {
        Value::List(list) => {
            list.iter().map(|node| license_text(&entry.element(node))).collect::<Result<Vec<_>, _>>()?
        }
        _ => vec![license_text(entry)?],
    };
    if entry.node.text().is_none() {
        notices.push(entry.notice(NoticeKind::Rewritten, "deprecated form; write an SPDX expression"));
    }
    let mut licenses = Vec::new();
    for license in chosen {
        if let Some(file) = license.strip_prefix("SEE LICENSE IN ").or_else(|| license.strip_prefix("SEE LICENCE IN "))
        {
            notices.push(entry.dropped(about_license_file(file)));
        } else if license == "UNLICENSED" {
            notices.push(entry.dropped("`UNLICENSED` has no SPDX expression"));
        } else if !license.is_empty() {
            licenses.push(correct_license(entry, license, notices));
        }
    }
    let several = licenses.len() > 1;
    let compound = |license: String| if several && license.contains(' ') { format!("({license})") } else { license };
    let licenses: Vec<_> = licenses.into_iter().map(compound).collect();
    Ok(if licenses.is_empty() { Vec::new() } else { vec![licenses.join(" OR ")] })
}

fn license_text<'a>(entry: &ManifestEntry<'a>) -> Result<&'a str, ManifestError> {
    match &entry.node.value {
        Value::Table(_) => {
            let keys = ["type", "name"].into_iter().find_map(|key| entry.entry(key));
            keys.ok_or_else(|| entry.invalid("`type` is missing"))?.text()
        }
        Value::Text(text) => Ok(text),
        _ => Err(entry.expected("a string with an SPDX expression")),
    }
}

/// Reads a string, or an object with a URL and the directory of the package.
fn repository(entry: &ManifestEntry<'_>, notices: &mut Notices) -> Result<Vec<String>, ManifestError> {
    if entry.node.text().is_some() {
        return Ok(vec![repository::url(entry, entry.text()?, notices)]);
    }
    if !matches!(entry.node.value, Value::Table(_)) {
        return Err(entry.expected("a string, or an object with `url`"));
    }
    if let Some(directory) = entry.entry("directory") {
        directory.text()?;
        notices.push(directory.dropped("no matching field for the directory in the repository"));
    }
    let Some(url) = entry.entry("url") else {
        notices.push(entry.dropped("`url` is missing"));
        return Ok(Vec::new());
    };
    Ok(vec![repository::url(&url, url.text()?, notices)])
}
