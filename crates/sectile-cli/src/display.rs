//! Values that both messages and the text output show, escaped and shortened.

use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::time::Duration;

use sectile::internal::beginning;
use sectile::scan::ItemPath;
use sectile::{Escaped, Finding};
use sectile_policy::PolicyLocation;

/// Maximum depth of an item path shown in full, and of indentation in the item tree. Items may nest
/// a thousand deep.
pub const MAX_SHOWN_DEPTH: u32 = 16;

/// A duration in milliseconds, or in seconds if it is longer than one.
pub struct Elapsed(pub Duration);

impl Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs_f64() {
            seconds if seconds < 1.0 => write!(f, "{:.1} ms", seconds * 1e3),
            seconds => write!(f, "{seconds:.1} s"),
        }
    }
}

/// A file name that is safe to show; `-` is shown as standard input.
pub fn escaped(file: &OsStr) -> Escaped<'_> {
    Escaped::bytes(if file == "-" { b"standard input" } else { file.as_encoded_bytes() })
}

/// An item path without its middle if it is very long.
pub struct ShortPath<'a>(pub &'a ItemPath);

impl Display for ShortPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.indexes() {
            [first, .., before, last] if self.0.indexes().len() > MAX_SHOWN_DEPTH as usize => {
                write!(f, "{first}/…/{before}/{last}")
            }
            _ => self.0.fmt(f),
        }
    }
}

/// The location of a rule or an exception in its policy, after a space. Empty if it has none.
pub struct RuleLocation<'a>(pub Option<&'a PolicyLocation>);

impl Display for RuleLocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(location) => write!(f, " by {}", Escaped::new(&location.to_string())),
            None => Ok(()),
        }
    }
}

/// A warning about unused exceptions of a policy, with their locations and reasons.
pub struct UnusedExceptions<'a>(pub &'a [(Option<&'a PolicyLocation>, &'a str)]);

impl Display for UnusedExceptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_SHOWN: usize = 8;
        let number = self.0.len();
        write!(f, "warning: {number} exception{} of the policy excused nothing: ", if number == 1 { "" } else { "s" })?;
        for (nth, (location, reason)) in self.0.iter().take(MAX_SHOWN).enumerate() {
            f.write_str(if nth > 0 { ", " } else { "" })?;
            match location {
                Some(location) => write!(f, "{location} ({})", beginning(reason, 60))?,
                None => write!(f, "{}", beginning(reason, 60))?,
            }
        }
        if number > MAX_SHOWN {
            write!(f, ", and {} more", number - MAX_SHOWN)?;
        }
        Ok(())
    }
}

/// The offset, section and item of a finding, and its number of occurrences.
pub struct FindingLocation<'a>(pub &'a Finding);

impl Display for FindingLocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finding = self.0;
        write!(f, " (at offset {:#x}", finding.offset())?;
        if let Some(section) = finding.section() {
            write!(f, ", section {}", Escaped::new(section))?;
        }
        if !finding.path().is_root() {
            write!(f, ", in item {}", ShortPath(finding.path()))?;
        }
        if finding.count() > 1 {
            write!(f, ", {} times", finding.count())?;
        }
        f.write_str(")")
    }
}
