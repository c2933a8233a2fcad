//! The result of checking a policy.

use std::ffi::OsStr;
use std::io::{self, Write};

use sectile::{Escaped, Severity};
use sectile_policy::{Policy, PolicyWarning};

use super::style::{BOLD, counted, severity_style};
use crate::display::escaped;

/// Writes one line for each warning, then the result.
pub fn write_policy_check(
    file: &OsStr,
    policy: &Policy,
    warnings: &[PolicyWarning],
    out: &mut impl Write,
) -> io::Result<()> {
    let style = severity_style(Severity::Warning);
    for warning in warnings {
        match warning.location() {
            Some(location) => write!(out, "{}: ", Escaped::new(&location.to_string()))?,
            None => write!(out, "{}: ", escaped(file))?,
        }
        writeln!(out, "{style}warning{style:#}: {}", Escaped::new(warning.message()))?;
    }
    let (rules, exceptions) = (policy.rules().count() as u64, policy.exceptions().count() as u64);
    write!(
        out,
        "{}: {BOLD}ok{BOLD:#}, {}, {}",
        escaped(file),
        counted(rules, "rule"),
        counted(exceptions, "exception")
    )?;
    match warnings.len() as u64 {
        0 => writeln!(out),
        number => writeln!(out, ", {}", counted(number, "warning")),
    }
}
