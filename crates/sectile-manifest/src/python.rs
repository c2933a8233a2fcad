//! pyproject.toml. Sources: the packaging specifications `pyproject-toml` (PEP 621, PEP 639) and
//! `well-known-project-urls`; Poetry's documentation of pyproject.toml for `tool.poetry`.

use super::entry::{
    self, ManifestEntry, about_license_file, correct_license, ignore_without_field, is_outside, one_or_more, text,
};
use super::error::ManifestError;
use super::location::{NoticeKind, Notices};
use super::mapping::{KeyMapping, KeyTarget};
use sectile::internal::corrected_license;
use sectile::internal::quoted;
use sectile::metadata::Field;
use sectile_document::Value;

pub(super) const MAPPINGS: &[KeyMapping] = &[
    KeyMapping::new("project.name", KeyTarget::Name, text),
    KeyMapping::field("project.version", Field::Version, text),
    KeyMapping::field("project.authors", Field::Authors, people),
    KeyMapping::field("project.maintainers", Field::Authors, people),
    KeyMapping::field("project.description", Field::Description, text),
    KeyMapping::field("project.license", Field::Licenses, license),
    KeyMapping::new("project.license-files", KeyTarget::Ignored, license_files),
    KeyMapping::field("project.urls.source", Field::Source, text),
    KeyMapping::field("project.urls.repository", Field::Source, text),
    KeyMapping::field("project.urls.sourcecode", Field::Source, text),
    KeyMapping::field("project.urls.github", Field::Source, text),
    KeyMapping::field("project.urls.homepage", Field::Homepage, text),
    KeyMapping::field("project.urls.documentation", Field::Documentation, text),
    KeyMapping::field("project.urls.docs", Field::Documentation, text),
    KeyMapping::new("project.dynamic", KeyTarget::Ignored, dynamic),
    KeyMapping::new("project.keywords", KeyTarget::Ignored, ignore_without_field),
    KeyMapping::new("project.classifiers", KeyTarget::Ignored, ignore_without_field),
    KeyMapping::new("tool.poetry.name", KeyTarget::Name, text),
    KeyMapping::field("tool.poetry.version", Field::Version, text),
    KeyMapping::field("tool.poetry.authors", Field::Authors, one_or_more),
    KeyMapping::field("tool.poetry.maintainers", Field::Authors, one_or_more),
    KeyMapping::field("tool.poetry.description", Field::Description, text),
    KeyMapping::field("tool.poetry.license", Field::Licenses, poetry_license),
    KeyMapping::field("tool.poetry.homepage", Field::Homepage, text),
    KeyMapping::field("tool.poetry.repository", Field::Source, text),
    KeyMapping::field("tool.poetry.documentation", Field::Documentation, text),
    KeyMapping::new("tool.poetry.keywords", KeyTarget::Ignored, ignore_without_field),
    KeyMapping::new("tool.poetry.classifiers", KeyTarget::Ignored, ignore_without_field),
];

/// Reads tables with `name`, `email` or both.
fn people(entry: &ManifestEntry<'_>, _: &mut Notices) -> Result<Vec<String>, ManifestError> {
    let Value::List(list) = &entry.node.value else { return Err(entry.expected("a list of tables")) };
    let person = |entry: ManifestEntry<'_>| {
        if !matches!(entry.node.value, Value::Table(_)) {
            return Err(entry.expected("a table with `name` and `email`"));
        }
        let part = |key| entry.entry(key).map(|entry| entry.text()).transpose();
        Ok(match (part("name")?, part("email")?) {
            (Some(name), Some(email)) => format!("{name} <{email}>"),
            (name, email) => name.or(email).unwrap_or_default().to_owned(),
        })
    };
    list.iter().map(|node| person(entry.element(node))).collect()
}

/// Reads an SPDX expression, or the form before PEP 639: a table with a text or a file name. The
/// text may be a whole license. It is used only if it is an SPDX expression or a known variant of
/// one.
fn license(entry: &ManifestEntry<'_>, notices: &mut Notices) -> Result<Vec<String>, ManifestError> {
    let Value::Table(_) = entry.node.value else { return entry::license(entry, notices) };
    if let Some(file) = entry.entry("file") {
        notices.push(file.dropped(about_license_file(file.text()?)));
        return Ok(Vec::new());
    }
    let text = entry.entry("text").ok_or_else(|| entry.invalid("`text` or `file` is missing"))?;
    let written = text.text()?.trim();
    if corrected_license(written).is_none() && !Field::Licenses.check(written).is_empty() {
        notices.push(text.dropped("the license text is not an SPDX expression; write one as `license`"));
        return Ok(Vec::new());
    }
    notices
        .push(entry.notice(NoticeKind::Rewritten, "a table is the deprecated form; its text is used as an expression"));
    Ok(vec![correct_license(&text, written, notices)])
}

/// Reads an SPDX expression, or Poetry's word for no license.
fn poetry_license(entry: &ManifestEntry<'_>, notices: &mut Notices) -> Result<Vec<String>, ManifestError> {
    if entry.text()?.eq_ignore_ascii_case("proprietary") {
        notices.push(entry.dropped("`Proprietary` is not an SPDX expression; write `LicenseRef-…`"));
        return Ok(Vec::new());
    }
    entry::license(entry, notices)
}

fn license_files(entry: &ManifestEntry<'_>, notices: &mut Notices) -> Result<Vec<String>, ManifestError> {
    let globs = match &entry.node.value {
        // Before PEP 639 some tools accepted a table with `paths` or `globs`.
        Value::Table(entries) => {
            entries.iter().map(|(_, node)| entry.element(node).texts()).collect::<Result<Vec<_>, _>>()?
        }
        _ => vec![entry.texts()?],
    };
    for glob in globs.into_iter().flatten() {
        if is_outside(glob) || glob.split('/').any(|part| part == "..") {
            return Err(entry.invalid(format!("{} is outside the package", quoted(glob))));
        }
        notices.push(entry.dropped(about_license_file(glob)));
    }
    Ok(Vec::new())
}

/// Adds notices about fields that the build computes.
fn dynamic(entry: &ManifestEntry<'_>, notices: &mut Notices) -> Result<Vec<String>, ManifestError> {
    for key in entry.texts()? {
        let is_key = |mapping: &KeyMapping| {
            mapping.key().strip_prefix("project.").and_then(|rest| rest.split('.').next()) == Some(key)
        };
        if MAPPINGS.iter().any(|mapping| mapping.target() != KeyTarget::Ignored && is_key(mapping)) {
            let message = format!("{} is computed by the build and cannot be read from the manifest", quoted(key));
            notices.push(entry.dropped(message));
        }
    }
    Ok(Vec::new())
}

/// A label normalized for comparison: without punctuation, white space and case.
pub(super) fn normalized_label(label: &str) -> String {
    let counts = |character: &char| !(character.is_ascii_punctuation() || character.is_whitespace());
    label.chars().filter(counts).flat_map(char::to_lowercase).collect()
}
