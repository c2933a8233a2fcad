//! Writes workflow commands of GitHub Actions, which become annotations of a run.
//!
//! Source: "Workflow commands for GitHub Actions", setting an error, a warning or a notice message.

use std::fmt;
use std::io::{self, Write};

use crate::{Completeness, Row, Stop, Summary, VerdictLine};
use sectile::{Escaped, Severity};

/// Begins a group, which folds the commands in the log.
pub(super) fn head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "::group::sectile audit")
}

/// Writes an annotation for each finding that is not excepted, and one for a binary that is not complete.
pub(super) fn row(row: &Row<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let file = Escaped::bytes(row.file.as_encoded_bytes()).to_string();
    let mut annotate = |severity: Severity, title: &str, message: &str| {
        let command = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        writeln!(out, "::{command} file={},title={}::{}", Property(&file), Property(title), Data(message))
    };
    // Findings that an earlier report has are known.
    let is_known = |nth| row.change.is_some() && !row.is_new_finding(nth);
    let findings = row.findings.iter().enumerate().filter(|(nth, _)| !is_known(*nth));
    for judged in findings.map(|(_, judged)| judged).filter(|judged| judged.exception().is_none()) {
        let severity = if judged.is_refused() { Severity::Error } else { judged.severity().min(Severity::Warning) };
        let rule = judged.location().map(|location| format!(" (by {location})")).unwrap_or_default();
        let message = format!("{}{rule}", judged.finding().message());
        annotate(severity, judged.finding().code().name(), &format!("{file}: {}", Escaped::new(&message)))?;
    }
    if let (Completeness::Partial | Completeness::Unread, Some(reason)) = (row.completeness, &row.reason) {
        annotate(Severity::Error, row.completeness.name(), &format!("{file}: {}", Escaped::new(&reason.message)))?;
    }
    Ok(())
}

/// Ends the group and writes the verdict.
pub(super) fn tail(summary: &Summary, stop: Option<&Stop>, out: &mut dyn Write) -> io::Result<()> {
    let stopped = if stop.is_some() { "; stopped before its end" } else { "" };
    writeln!(out, "::endgroup::\nsectile: {}{stopped}", VerdictLine(summary))
}

/// The data of a command.
struct Data<'a>(&'a str);

impl fmt::Display for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A"))
    }
}

/// A property of a command. The characters that divide properties are also escaped.
struct Property<'a>(&'a str);

impl fmt::Display for Property<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Data(self.0).to_string().replace(':', "%3A").replace(',', "%2C"))
    }
}
