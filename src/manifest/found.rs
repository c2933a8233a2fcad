//! A key that was found, and the ways in which any manifest's keys are read.

use std::path::Path;

use super::error::ManifestError;
use super::place::{Notice, NoticeKind, Place};
use crate::document::{Node, Value};
use crate::escape::quoted;
use crate::metadata::meant_license;

/// A key of a manifest, and its value.
pub(super) struct Found<'a> {
    pub(super) file: &'a Path,
    pub(super) key: String,
    pub(super) node: &'a Node,
}

impl<'a> Found<'a> {
    pub(super) fn place(&self) -> Place {
        Place { file: self.file.to_owned(), line: self.node.line, key: self.key.clone() }
    }

    /// An entry of the table that this is.
    pub(super) fn entry(&self, key: &str) -> Option<Found<'a>> {
        let node = self.node.entry(key).filter(|node| !matches!(node.value, Value::Null))?;
        Some(Found { file: self.file, key: format!("{}.{key}", self.key), node })
    }

    /// An element of the list that this holds.
    pub(super) fn element(&self, node: &'a Node) -> Found<'a> {
        Found { file: self.file, key: self.key.clone(), node }
    }

    pub(super) fn wrong(&self, message: impl Into<String>) -> ManifestError {
        ManifestError::Key { place: Box::new(self.place()), message: message.into() }
    }

    /// That it is not of the kind that it is to be.
    pub(super) fn expected(&self, expected: &str) -> ManifestError {
        self.wrong(format!("it is to be {expected}, and is {}", self.node.kind()))
    }

    pub(super) fn text(&self) -> Result<&'a str, ManifestError> {
        self.node.text().ok_or_else(|| self.expected("a string"))
    }

    pub(super) fn texts(&self) -> Result<Vec<&'a str>, ManifestError> {
        let Value::List(list) = &self.node.value else { return Err(self.expected("a list of strings")) };
        list.iter().map(|node| self.element(node).text()).collect()
    }

    pub(super) fn notice(&self, kind: NoticeKind, message: impl Into<String>) -> Notice {
        Notice { place: self.place(), kind, message: message.into() }
    }

    pub(super) fn dropped(&self, why: impl Into<String>) -> Notice {
        self.notice(NoticeKind::Dropped, why)
    }
}

/// A string, as it is.
pub(super) fn text(found: &Found<'_>, _: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    Ok(vec![found.text()?.to_owned()])
}

/// A list of strings.
pub(super) fn texts(found: &Found<'_>, _: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    Ok(found.texts()?.into_iter().map(str::to_owned).collect())
}

/// A string, or a list of them.
pub(super) fn one_or_more(found: &Found<'_>, notices: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    match found.node.value {
        Value::List(_) => texts(found, notices),
        _ => text(found, notices),
    }
}

/// A licence. One that is no SPDX expression becomes the one that it means, where that is clear.
pub(super) fn license(found: &Found<'_>, notices: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    Ok(vec![meant(found, found.text()?, notices)])
}

/// The expression that a licence means, with a notice; or the licence as it is.
pub(super) fn meant(found: &Found<'_>, license: &str, notices: &mut Vec<Notice>) -> String {
    let Some(meant) = meant_license(license) else { return license.to_owned() };
    let message =
        format!("{} is no SPDX expression, and is taken for the one it means: {}", quoted(license), quoted(&meant));
    notices.push(found.notice(NoticeKind::Rewritten, message));
    meant
}

/// Something that no field says; an empty list says nothing itself.
#[allow(clippy::unnecessary_wraps)] // it stands in tables beside those that can fail
pub(super) fn unsaid(found: &Found<'_>, notices: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    if !matches!(&found.node.value, Value::List(list) if list.is_empty()) {
        notices.push(found.dropped("no field says it"));
    }
    Ok(Vec::new())
}

/// A file with the licence's text, which is named and not read.
pub(super) fn license_file(found: &Found<'_>, notices: &mut Vec<Notice>) -> Result<Vec<String>, ManifestError> {
    notices.push(found.dropped(about_license_file(found.text()?)));
    Ok(Vec::new())
}

/// Why a file with the licence's text is not taken.
pub(super) fn about_license_file(path: &str) -> String {
    let lies = if is_outside(path) { ", which lies outside of the package," } else { "" };
    format!("the licence's text in {}{lies} is not read; a licence is taken from an SPDX expression", quoted(path))
}

/// Whether a path leads out of the directory that it begins in.
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
    fn paths_that_lead_out() {
        for outside in ["../LICENSE", "a/../../LICENSE", "/etc/passwd", "C:\\LICENSE", "..\\LICENSE", ".."] {
            assert!(is_outside(outside), "{outside}");
        }
        for inside in ["LICENSE", "./LICENSE", "a/../LICENSE", "a/b", "", "..LICENSE"] {
            assert!(!is_outside(inside), "{inside}");
        }
    }
}
