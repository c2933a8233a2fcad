//! Entries of manifests, and value parsers that several formats share.

use std::path::Path;

use super::error::ManifestError;
use super::location::{ManifestLocation, Notice, NoticeKind, Notices};
use super::own::qualified;
use sectile::internal::{corrected_license, differs_in_case, quoted};
use sectile_document::{Node, Value};

/// A key of a manifest, and its value.
pub(super) struct ManifestEntry<'a> {
    pub(super) file: &'a Path,
    pub(super) key: String,
    pub(super) node: &'a Node,
}

impl<'a> ManifestEntry<'a> {
    pub(super) fn location(&self) -> ManifestLocation {
        ManifestLocation { file: self.file.to_owned(), line: self.node.line, key: self.key.clone() }
    }

    /// An entry of this table.
    pub(super) fn entry(&self, key: &str) -> Option<ManifestEntry<'a>> {
        let node = self.node.entry(key).filter(|node| !matches!(node.value, Value::Null))?;
        Some(ManifestEntry { file: self.file, key: qualified(&self.key, key), node })
    }

    /// An element of this list.
    pub(super) fn element(&self, node: &'a Node) -> ManifestEntry<'a> {
        ManifestEntry { file: self.file, key: self.key.clone(), node }
    }

    pub(super) fn invalid(&self, message: impl Into<String>) -> ManifestError {
        ManifestError::InvalidKey { location: Box::new(self.location()), message: message.into() }
    }

    /// The error for an unknown key.
    pub(super) fn unknown(&self, advice: &str) -> ManifestError {
        let (location, start) = (Box::new(self.location()), self.node.key_start);
        ManifestError::UnknownKey { location, column: start as u64, advice: advice.to_owned() }
    }

    /// The error for a value of the wrong type.
    pub(super) fn expected(&self, expected: &str) -> ManifestError {
        self.invalid(format!("expected {expected}, found {}", self.node.kind()))
    }

    pub(super) fn text(&self) -> Result<&'a str, ManifestError> {
        self.node.text().ok_or_else(|| self.expected("a string"))
    }

    pub(super) fn texts(&self) -> Result<Vec<&'a str>, ManifestError> {
        let Value::List(list) = &self.node.value else { return Err(self.expected("a list of strings")) };
        list.iter().map(|node| self.element(node).text()).collect()
    }

    pub(super) fn notice(&self, kind: NoticeKind, message: impl Into<String>) -> Notice {
        Notice { location: self.location(), kind, message: message.into() }
    }

    pub(super) fn dropped(&self, reason: impl Into<String>) -> Notice {
        self.notice(NoticeKind::Dropped, reason)
    }
}

/// Reads a string.
pub(super) fn text(entry: &ManifestEntry<'_>, _: &mut Notices) -> Result<Vec<String>, ManifestError> {
    Ok(vec![entry.text()?.to_owned()])
}

/// Reads a list of strings.
pub(super) fn texts(entry: &ManifestEntry<'_>, _: &mut Notices) -> Result<Vec<String>, ManifestError> {
    Ok(entry.texts()?.into_iter().map(str::to_owned).collect())
}

/// Reads a string, or a list of strings.
pub(super) fn one_or_more(entry: &ManifestEntry<'_>, notices: &mut Notices) -> Result<Vec<String>, ManifestError> {
    match entry.node.value {
        Value::List(_) => texts(entry, notices),
        _ => text(entry, notices),
    }
}

/// Reads a license. A common misspelling becomes the SPDX expression that it means.
pub(super) fn license(entry: &ManifestEntry<'_>, notices: &mut Notices) -> Result<Vec<String>, ManifestError> {
    Ok(vec![correct_license(entry, entry.text()?, notices)])
}

/// The SPDX expression that a license most likely means, with a notice. Otherwise the license as
/// written.
pub(super) fn correct_license(entry: &ManifestEntry<'_>, license: &str, notices: &mut Notices) -> String {
    let Some(corrected) = corrected_license(license) else { return license.to_owned() };
    let message = if differs_in_case(license) {
        format!("{} is not written as SPDX lists it; using {}", quoted(license), quoted(&corrected))
    } else {
        format!("{} is not an SPDX expression; using {}", quoted(license), quoted(&corrected))
    };
    notices.push(entry.notice(NoticeKind::Rewritten, message));
    corrected
}

/// Ignores a value for which there is no field, with a notice unless it is an empty list.
#[allow(clippy::unnecessary_wraps)] // shares the type of the other readers
pub(super) fn ignore_without_field(
    entry: &ManifestEntry<'_>,
    notices: &mut Notices,
) -> Result<Vec<String>, ManifestError> {
    if !matches!(&entry.node.value, Value::List(list) if list.is_empty()) {
        notices.push(entry.dropped("no matching field"));
    }
    Ok(Vec::new())
}

/// Ignores the name of a license file, with a notice.
pub(super) fn license_file(entry: &ManifestEntry<'_>, notices: &mut Notices) -> Result<Vec<String>, ManifestError> {
    notices.push(entry.dropped(about_license_file(entry.text()?)));
    Ok(Vec::new())
}

/// Message about a license file that is not read.
pub(super) fn about_license_file(path: &str) -> String {
    let outside = if is_outside(path) { ", outside the package," } else { "" };
    format!("the license text in {}{outside} is not read; write an SPDX expression as the license", quoted(path))
}

/// Whether a path leaves the directory that it starts in.
pub(super) fn is_outside(path: &str) -> bool {
    let mut depth = 0i32;
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    path.starts_with(['/', '\\']) || path.as_bytes().get(1) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_directory() {
        for outside in ["../LICENSE", "a/../../LICENSE", "/etc/passwd", "C:\\LICENSE", "..\\LICENSE", ".."] {
            assert!(is_outside(outside), "{outside}");
        }
        for inside in ["LICENSE", "./LICENSE", "a/../LICENSE", "a/b", "", "..LICENSE"] {
            assert!(!is_outside(inside), "{inside}");
        }
    }
}
