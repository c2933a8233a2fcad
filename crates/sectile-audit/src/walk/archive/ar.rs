//! Reads ar archives, such as Debian packages and static libraries. Sources: ar(5), deb(5).

use std::io::{BufRead, Read};

use super::{ArchiveWalker, EntryPath, name};
use crate::fill::fill;
use sectile::FindingCode;

/// The first bytes of an archive.
pub(super) const MAGIC: &[u8] = b"!<arch>\n";

/// Length of the header of an entry.
const HEADER_LEN: usize = 60;

/// Maximum length of a name after its header, and of the table of long names.
const MAX_NAMES: u64 = 1 << 20;

impl ArchiveWalker<'_> {
    /// Inspects the entries of an archive. Returns whether it was read to its end.
    pub(super) fn ar(&mut self, path: &EntryPath<'_>, reader: &mut dyn BufRead, level: u32) {
        self.drain(reader, MAGIC.len() as u64);
        let mut long_names = Vec::new();
        while !self.should_stop() {
            let mut header = [0; HEADER_LEN];
            match fill(reader, &mut header) {
                Ok(HEADER_LEN) => {}
                Ok(0) | Err(_) => return, // an error is reported by the reader
                Ok(_) => return self.report_ar(path, "it ends in a header"),
            }
            let Some(size) = Self::ar_size(&header) else {
                return self.report_ar(path, "the header of an entry is malformed");
            };
            if !self.budget.entry() {
                return;
            }
            let raw_name = header[..16].trim_ascii_end();
            let mut body = reader.take(size);
            if raw_name == b"//" {
                long_names.clear();
                _ = (&mut body).take(MAX_NAMES).read_to_end(&mut long_names);
            } else if raw_name != b"/" && raw_name != b"/SYM64/" {
                let entry = Self::ar_name(raw_name, &long_names, &mut body);
                let entry = name(&entry);
                self.stream(&EntryPath::new(path, &entry), &mut body, level + 1);
            }
            let left = body.limit();
            let skipped = self.drain(reader, left + size % 2);
            if skipped < left && !self.should_stop() {
                return self.report_ar(path, "it ends in the data of an entry");
            }
        }
    }

    fn ar_size(header: &[u8; HEADER_LEN]) -> Option<u64> {
        let size = std::str::from_utf8(header[48..58].trim_ascii_end()).ok()?;
        size.parse().ok().filter(|_| header[58..] == *b"`\n")
    }

    /// The name of an entry: in its header, in the table of GNU, or before the data as in BSD.
    fn ar_name(raw: &[u8], long_names: &[u8], body: &mut dyn Read) -> Vec<u8> {
        let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u64>().ok();
        if let Some(len) = raw.strip_prefix(b"#1/").and_then(number) {
            let mut name = Vec::new();
            _ = body.take(len.min(MAX_NAMES)).read_to_end(&mut name);
            return name.into_iter().take_while(|&byte| byte != 0).collect();
        }
        if let Some(at) = raw.strip_prefix(b"/").and_then(number) {
            let rest = usize::try_from(at).ok().and_then(|at| long_names.get(at..)).unwrap_or_default();
            let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
            return rest[..end].strip_suffix(b"/").unwrap_or(&rest[..end]).to_vec();
        }
        raw.strip_suffix(b"/").unwrap_or(raw).to_vec()
    }

    fn report_ar(&mut self, path: &EntryPath<'_>, message: &str) {
        self.report(path, FindingCode::MalformedArchive, message.to_owned());
    }
}

/// Whether a file is an archive with a whole header.
pub(super) fn is_ar(head: &[u8]) -> bool {
    let header = head.strip_prefix(MAGIC).and_then(|rest| rest.first_chunk::<HEADER_LEN>());
    header.is_some_and(|header| ArchiveWalker::ar_size(header).is_some())
}
