//! Writes `JUnit` XML: a test suite with one test case for each row.
//!
//! Each row has its own suite, because the counts of a larger suite would need a second pass over the rows. A test case
//! has the same name in every run, so that continuous integration can detect new failures.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::html::HtmlText;
use crate::{Completeness, Row};
use sectile_policy::JudgedFinding;

pub(super) fn head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"sectile audit\">")
}

pub(super) fn row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let file = HtmlText::bytes(row.file.as_encoded_bytes());
    let refused: Vec<_> = row.findings.iter().filter(|judged| judged.is_refused()).collect();
    let is_unread = matches!(row.completeness, Completeness::Partial | Completeness::Unread);
    let is_skipped = !row.accepted && refused.is_empty() && !is_unread;
    let [failures, errors, skipped] = [!refused.is_empty(), refused.is_empty() && is_unread, is_skipped].map(u8::from);
    write!(
        out,
        "<testsuite name=\"{file}\" tests=\"1\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">"
    )?;
    write!(out, "<testcase name=\"{file}\" classname=\"{}\">", row.row_kind.name())?;
    if let Some(first) = refused.first() {
        let (code, message) = (first.finding().code(), HtmlText::new(first.finding().message()));
        write!(out, "<failure type=\"{code}\" message=\"{message}\">{}</failure>", findings(refused.iter().copied()))?;
    } else if is_unread {
        let reason = row.reason.as_ref().map(|reason| &*reason.message).unwrap_or_default();
        write!(out, "<error type=\"{}\" message=\"{}\"/>", row.completeness.name(), HtmlText::new(reason))?;
    } else if is_skipped {
        write!(out, "<skipped/>")?;
    }
    let others = findings(row.findings.iter().filter(|judged| !judged.is_refused()));
    if !others.is_empty() {
        write!(out, "<system-out>{others}</system-out>")?;
    }
    writeln!(out, "</testcase></testsuite>")
}

pub(super) fn tail(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</testsuites>")
}

/// One line for each finding.
fn findings<'a>(judged: impl Iterator<Item = &'a JudgedFinding<'a>>) -> String {
    let mut lines = String::new();
    for judged in judged {
        let rule = judged.location().map(|location| format!(" (by {location})")).unwrap_or_default();
        let finding = format!("{}{rule}", judged.finding());
        let excepted = if judged.exception().is_some() { " (excepted)" } else { "" };
        _ = writeln!(lines, "{}: {}{excepted}", judged.severity(), HtmlText::new(&finding));
    }
    lines
}
