//! The verdict of an audit in one line.

use std::fmt;

use super::Summary;
use crate::RowKind;
use crate::amount::{Grouped, counted};
use sectile::Escaped;

/// The verdict of an audit in one line, safe on a terminal: `1 of 3 binaries refused, 1 not read to its end; 2 archives
/// with findings refused; 3 files not opened: xz (2), 7z (1)`.
#[derive(Clone, Copy, Debug)]
pub struct VerdictLine<'s>(pub &'s Summary);

impl VerdictLine<'_> {
    /// Whether anything is refused, not read to its end, or not opened.
    pub fn is_notable(&self) -> bool {
        self.0.refused > 0 || self.0.unread() > 0 || self.0.not_opened_files > 0
    }
}

impl fmt::Display for VerdictLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [binaries, archives, files] = RowKind::ALL.map(|kind| self.0.rows_of(kind));
        let total = counted(binaries.rows, "binary", "binaries");
        write!(f, "{} of {total} refused", Grouped(binaries.refused))?;
        match self.0.unread() {
            0 => {}
            1 => write!(f, ", 1 not read to its end")?,
            unread => write!(f, ", {} not read to their end", Grouped(unread))?,
        }
        let others = [(archives.refused, "archive", "archives"), (files.refused, "other file", "other files")];
        let others: Vec<_> = (others.into_iter())
            .filter(|(refused, ..)| *refused > 0)
            .map(|(refused, one, several)| counted(refused, one, several))
            .collect();
        if !others.is_empty() {
            write!(f, "; {} with findings refused", others.join(", "))?;
        }
        if self.0.not_opened_files > 0 {
            write!(f, "; {}", NotOpenedFiles(self.0))?;
        }
        Ok(())
    }
}

/// The files of formats that are not opened, by format: `3 files not opened: xz (2), 7z (1)`.
#[derive(Clone, Copy, Debug)]
pub struct NotOpenedFiles<'s>(pub &'s Summary);

/// Maximum number of formats in the list.
const MAX_FORMATS: usize = 8;

impl fmt::Display for NotOpenedFiles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let formats = self.0.not_opened();
        let mut shown: Vec<String> = formats
            .iter()
            .take(MAX_FORMATS)
            .map(|(format, files)| format!("{} ({})", Escaped::new(format), Grouped(*files)))
            .collect();
        if formats.len() > shown.len() {
            shown.push(format!("{} more formats", Grouped((formats.len() - shown.len()) as u64)));
        }
        write!(f, "{} not opened: {}", counted(self.0.not_opened_files, "file", "files"), shown.join(", "))
    }
}
