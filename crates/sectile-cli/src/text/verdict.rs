//! The verdict on a file.

use std::ffi::OsStr;
use std::io::{self, Write};

use sectile::{Escaped, Severity};
use sectile_policy::{JudgedFinding, Verdict};

use super::style::{BOLD, DIMMED, counted, severity_style};
use crate::display::{FindingLocation, RuleLocation, escaped};

/// Writes one line for each finding, then the verdict. `incomplete` is the answer for a truncated
/// or unreadable file.
pub fn write_verdict(file: &OsStr, verdict: &Verdict<'_>, incomplete: &str, out: &mut impl Write) -> io::Result<()> {
    let file = escaped(file);
    for judged in verdict.findings() {
        let (finding, style) = (judged.finding(), severity_style(judged.severity()));
        let message = Escaped::new(finding.message());
        write!(out, "{file}: {style}{}{style:#}: {message} [{}]", judged.severity(), finding.code())?;
        write!(out, "{DIMMED}{}{}{DIMMED:#}", FindingLocation(finding), RuleLocation(judged.location()))?;
        if let Some(exception) = judged.exception() {
            write!(out, ", excepted{}", RuleLocation(exception.location()))?;
            if let Some(last) = exception.expiry() {
                write!(out, " until {last}")?;
            }
            write!(out, ": {}", Escaped::new(exception.reason()))?;
        }
        writeln!(out)?;
    }
    let answer = match (verdict.is_complete(), verdict.is_accepted()) {
        (_, true) => "accepted",
        (true, false) => "refused",
        (false, false) => incomplete,
    };
    write!(out, "{file}: {BOLD}{answer}{BOLD:#}")?;
    for severity in Severity::ALL.into_iter().rev() {
        let counts = |judged: &&JudgedFinding<'_>| judged.severity() == severity && judged.exception().is_none();
        let of_severity = verdict.findings().iter().filter(counts);
        let number: u64 = of_severity.map(|judged| judged.finding().count()).sum();
        if number > 0 {
            write!(out, ", {}", counted(number, severity.name()))?;
        }
    }
    match verdict.excepted() {
        0 => writeln!(out),
        number => writeln!(out, ", {number} excepted"),
    }
}
