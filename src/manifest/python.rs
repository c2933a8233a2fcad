//! pyproject.toml. Source: the packaging specifications `pyproject-toml` (PEP 621, PEP 639) and `well-known-project-urls`.

use super::error::ManifestError;
use super::found::{self, Found, about_license_file, is_outside, meant, text, unsaid};
use super::place::{Notice, NoticeKind};
use super::table::{Becomes, Row};
use crate::document::Value;
use crate::escape::quoted;
use crate::metadata::{Field, meant_license};

pub(super) const ROWS: &[Row] = &[
    Row::new("project.name", Becomes::Name, text),
    Row::field("project.version", Field::Version, text),
    Row::field("project.authors", Field::Authors, people),
    Row::field("project.maintainers", Field::Authors, people),
    Row::field("project.description", Field::Description, text),
    Row::field("project.license", Field::Licenses, license),
    Row::new("project.license-files", Becomes::Nothing, license_files),
    Row::field("project.urls.source", Field::Source, text),
    Row::field("project.urls.repository", Field::Source, text),
    Row::field("project.urls.sourcecode", Field::Source, text),
    Row::field("project.urls.github", Field::Source, text),
    Row::field("project.urls.homepage", Field::Homepage, text),
    Row::field("project.urls.documentation", Field::Documentation, text),
    Row::field("project.urls.docs", Field::Documentation, text),
    Row::new("project.dynamic", Becomes::Nothing, dynamic),
    Row::new("project.keywords", Becomes::Nothing, unsaid),
    Row::new("project.classifiers", Becomes::Nothing, unsaid),
];

/// Tables with a name, an address or both.
fn people(found: &Found<'_>, _: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    let Value::List(list) = &found.node.value else { return Err(found.expected("a list of tables")) };
    let person = |found: Found<'_>| {
        if !matches!(found.node.value, Value::Table(_)) {
            return Err(found.expected("a table with `name` and `email`"));
        }
        let part = |key| found.entry(key).map(|found| found.text()).transpose();
        Ok(match (part("name")?, part("email")?) {
            (Some(name), Some(email)) => format!("{name} <{email}>"),
            (name, email) => name.or(email).unwrap_or_default().to_owned(),
        })
    };
    list.iter().map(|node| person(found.element(node))).collect()
}

/// An expression; or, as it was before PEP 639, a table with a text or the name of a file. What is a text may be the whole
/// licence: it is taken where it is an expression, or means one.
fn license(found: &Found<'_>, notices: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    let Value::Table(_) = found.node.value else { return found::license(found, notices) };
    if let Some(file) = found.entry("file") {
        notices.push(file.dropped(about_license_file(file.text()?)));
        return Ok(Vec::new());
    }
    let text = found.entry("text").ok_or_else(|| found.wrong("it has neither `text` nor `file`"))?;
    let written = text.text()?.trim();
    if meant_license(written).is_none() && !Field::Licenses.check(written).is_empty() {
        notices.push(text.dropped("the licence's text is no SPDX expression; write one as `license`"));
        return Ok(Vec::new());
    }
    notices
        .push(found.notice(NoticeKind::Rewritten, "a table is the older form, and its text is taken as an expression"));
    Ok(vec![meant(&text, written, notices)])
}

fn license_files(found: &Found<'_>, notices: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    let globs = match &found.node.value {
        // Before PEP 639 some tools took a table with `paths` or `globs`.
        Value::Table(entries) => {
            entries.iter().map(|(_, node)| found.element(node).texts()).collect::<Result<Vec<_>, _>>()?
        }
        _ => vec![found.texts()?],
    };
    for glob in globs.into_iter().flatten() {
        if is_outside(glob) || glob.split('/').any(|part| part == "..") {
            return Err(found.wrong(format!("{} leads out of the package", quoted(glob))));
        }
        notices.push(found.dropped(about_license_file(glob)));
    }
    Ok(Vec::new())
}

/// Keys whose values only a build gives.
fn dynamic(found: &Found<'_>, notices: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    for key in found.texts()? {
        let of_key =
            |row: &Row| row.key().strip_prefix("project.").and_then(|rest| rest.split('.').next()) == Some(key);
        if ROWS.iter().any(|row| row.becomes() != Becomes::Nothing && of_key(row)) {
            let message = format!("{} is left to the build, and cannot be taken from here", quoted(key));
            notices.push(found.dropped(message));
        }
    }
    Ok(Vec::new())
}

/// A label as it counts: without punctuation, space and case.
pub(super) fn normalised(label: &str) -> String {
    let counts = |character: &char| !(character.is_ascii_punctuation() || character.is_whitespace());
    label.chars().filter(counts).flat_map(char::to_lowercase).collect()
}
