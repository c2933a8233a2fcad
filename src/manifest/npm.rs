//! package.json. Source: npm's documentation of it; for persons and repositories, what its own tools make of them
//! (`normalize-package-data`, `hosted-git-info`).

use super::error::ManifestError;
use super::found::{Found, about_license_file, meant, text, unsaid};
use super::place::{Notice, NoticeKind};
use super::repository;
use super::table::{Becomes, Row};
use crate::document::Value;
use crate::metadata::Field;

pub(super) const ROWS: &[Row] = &[
    Row::new("name", Becomes::Name, text),
    Row::field("version", Field::Version, text),
    Row::field("author", Field::Authors, people),
    Row::field("contributors", Field::Authors, people).joining(),
    Row::field("maintainers", Field::Authors, people),
    Row::field("description", Field::Description, text),
    Row::field("license", Field::Licenses, license),
    Row::field("licenses", Field::Licenses, license),
    Row::field("repository", Field::Source, repository),
    Row::field("homepage", Field::Homepage, text),
    Row::new("keywords", Becomes::Nothing, unsaid),
    Row::new("bugs", Becomes::Nothing, unsaid),
    Row::new("funding", Becomes::Nothing, unsaid),
];

/// One, or a list of them.
fn people(found: &Found<'_>, _: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    match &found.node.value {
        Value::List(list) => list.iter().map(|node| person(&found.element(node))).collect(),
        _ => Ok(vec![person(found)?]),
    }
}

/// `Name <mail> (url)`, or the same as an object.
fn person(found: &Found<'_>) -> Result<String, ManifestError> {
    if let Some(text) = found.node.text() {
        return Ok(text.to_owned());
    }
    if !matches!(found.node.value, Value::Table(_)) {
        return Err(found.expected("a string, or an object with `name`, `email` and `url`"));
    }
    let part = |keys: [&str; 2], open: &str, close: &str| {
        let part = keys.into_iter().find_map(|key| found.entry(key));
        let part = part.map(|part| part.text()).transpose()?.filter(|text| !text.is_empty());
        Ok(part.map(|text| format!("{open}{text}{close}")))
    };
    let parts = [part(["name"; 2], "", "")?, part(["email", "mail"], "<", ">")?, part(["url", "web"], "(", ")")?];
    Ok(parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// An expression; or one of the forms that are no longer written: an object with a `type`, or a list of what can be chosen.
fn license(found: &Found<'_>, notices: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    let chosen = match &found.node.value {
        Value::List(list) => list.iter().map(|node| kind(&found.element(node))).collect::<Result<Vec<_>, _>>()?,
        _ => vec![kind(found)?],
    };
    if found.node.text().is_none() {
        notices.push(found.notice(NoticeKind::Rewritten, "this form is no longer written: write an SPDX expression"));
    }
    let mut licenses = Vec::new();
    for license in chosen {
        if let Some(file) = license.strip_prefix("SEE LICENSE IN ").or_else(|| license.strip_prefix("SEE LICENCE IN "))
        {
            notices.push(found.dropped(about_license_file(file)));
        } else if license == "UNLICENSED" {
            notices.push(found.dropped("it says that nobody is given a licence, for which there is no expression"));
        } else if !license.is_empty() {
            licenses.push(meant(found, license, notices));
        }
    }
    let several = licenses.len() > 1;
    let compound = |license: String| if several && license.contains(' ') { format!("({license})") } else { license };
    let licenses: Vec<_> = licenses.into_iter().map(compound).collect();
    Ok(if licenses.is_empty() { Vec::new() } else { vec![licenses.join(" OR ")] })
}

fn kind<'a>(found: &Found<'a>) -> Result<&'a str, ManifestError> {
    match &found.node.value {
        Value::Table(_) => {
            let keys = ["type", "name"].into_iter().find_map(|key| found.entry(key));
            keys.ok_or_else(|| found.wrong("it has no `type`"))?.text()
        }
        Value::Text(text) => Ok(text),
        _ => Err(found.expected("a string with an SPDX expression")),
    }
}

/// A string, or an object with the URL, and with the directory that the package has in there.
fn repository(found: &Found<'_>, notices: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    if found.node.text().is_some() {
        return Ok(vec![repository::url(found, found.text()?, notices)]);
    }
    if !matches!(found.node.value, Value::Table(_)) {
        return Err(found.expected("a string, or an object with `url`"));
    }
    if let Some(directory) = found.entry("directory") {
        directory.text()?;
        notices.push(directory.dropped("no field says which directory of the repository it is"));
    }
    let Some(url) = found.entry("url") else {
        notices.push(found.dropped("it has no `url`"));
        return Ok(Vec::new());
    };
    Ok(vec![repository::url(&url, url.text()?, notices)])
}
