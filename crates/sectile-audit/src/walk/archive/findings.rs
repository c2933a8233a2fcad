//! The findings on one file and all archives in it, held until the file was walked.
//!
//! The code for damage is known only at the end: if the file contains a binary, readers may disagree about it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::blob::{ArchiveFinding, BlobLocation};
use sectile::FindingCode;
use sectile::internal::quoted;

/// Maximum number of findings of one code that are held for a file. Further ones are counted.
const MAX_HELD: u64 = 16;

/// Number of bytes of names and messages for a file at which further findings are only counted.
const MAX_HELD_BYTES: usize = 4 << 20;

/// Maximum number of formats that are counted by name.
const MAX_FORMATS: usize = 64;

/// The findings on a file and on the archives in it.
#[derive(Default)]
pub(super) struct ArchiveFindings {
    held: Vec<ArchiveFinding>,
    held_bytes: usize,
    counts: BTreeMap<FindingCode, FindingCount>,
    /// Number of entries that are not opened, by format.
    not_opened: BTreeMap<String, u64>,
    first_not_opened: Option<OsString>,
    has_binary: bool,
}

/// Number of findings of one code.
#[derive(Default)]
struct FindingCount {
    all: u64,
    held: u64,
}

/// The location of a finding: an archive, and the entry in it that the finding is about.
pub(super) struct FindingPlace {
    pub(super) archive: BlobLocation,
    pub(super) entry: Option<OsString>,
}

impl ArchiveFindings {
    /// Records that the file contains a binary.
    pub(super) fn set_has_binary(&mut self) {
        self.has_binary = true;
    }

    /// Whether nothing was reported.
    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.not_opened.is_empty()
    }

    /// Whether a binary was found since the last call. Resets the state.
    pub(super) fn take_has_binary(&mut self) -> bool {
        std::mem::take(&mut self.has_binary)
    }

    /// Adds a finding. The location is computed only if the finding is held.
    pub(super) fn add(&mut self, code: FindingCode, message: String, place: impl FnOnce() -> FindingPlace) {
        // Both codes are counted as one until the end of the file decides.
        let code = if code == FindingCode::DisputedArchive { FindingCode::MalformedArchive } else { code };
        let count = self.counts.entry(code).or_default();
        count.all += 1;
        if count.held == MAX_HELD || self.held_bytes >= MAX_HELD_BYTES {
            return;
        }
        count.held += 1;
        let FindingPlace { archive, entry } = place();
        self.held_bytes += archive.names().chain(entry.as_deref()).map(OsStr::len).sum::<usize>() + message.len();
        self.held.push(ArchiveFinding { archive, entry, code, message });
    }

    /// Counts a finding that is not listed separately.
    pub(super) fn count(&mut self, code: FindingCode) {
        self.counts.entry(code).or_default().all += 1;
    }

    /// Counts an entry of a format that is not opened.
    pub(super) fn add_not_opened(&mut self, format: &str, entry: impl FnOnce() -> OsString) {
        let is_counted = self.not_opened.len() < MAX_FORMATS || self.not_opened.contains_key(format);
        *self.not_opened.entry(if is_counted { format } else { "others" }.to_owned()).or_default() += 1;
        self.first_not_opened.get_or_insert_with(entry);
    }

    /// The findings and the formats that are not opened, at the end of the file at this location.
    pub(super) fn finish(mut self, file: &BlobLocation) -> (Vec<ArchiveFinding>, BTreeMap<String, u64>) {
        let of_file = |code, message| ArchiveFinding { archive: file.clone(), entry: None, code, message };
        for (code, count) in std::mem::take(&mut self.counts) {
            let more = count.all - count.held;
            if more > 0 {
                let what = match code {
                    FindingCode::NotFollowed => "links in it, which are not followed",
                    _ => "more of this kind in it",
                };
                self.held.push(of_file(code, format!("there are {more} {what}")));
            }
        }
        if !self.not_opened.is_empty() {
            let first = self.first_not_opened.filter(|first| !first.is_empty());
            let first = first.map(|first| format!("; the first is {}", quoted(&first.to_string_lossy())));
            let formats = format_counts(&self.not_opened);
            let message = format!("it holds formats that are not opened: {formats}{}", first.unwrap_or_default());
            self.held.push(of_file(FindingCode::NotOpened, message));
        }
        if self.has_binary {
            let is_fault = |finding: &&mut ArchiveFinding| finding.code == FindingCode::MalformedArchive;
            self.held.iter_mut().filter(is_fault).for_each(|finding| finding.code = FindingCode::DisputedArchive);
        }
        (self.held, self.not_opened)
    }
}

/// Formats with their numbers: `bzip2 (1), xz (2)`.
fn format_counts(formats: &BTreeMap<String, u64>) -> String {
    let counts: Vec<String> = formats.iter().map(|(format, count)| format!("{format} ({count})")).collect();
    counts.join(", ")
}
