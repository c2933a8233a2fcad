//! The bytes of a zip that do not belong to an entry or a record.

use std::io;
use std::ops::Range;

use super::super::ArchiveWalker;
use super::super::bytes::{FileWindow, TarSource, ZipBytes};
use super::super::tar::TarStream;
use super::records::LocalHeader;
use super::{ZipSign, ZipWalk};
use crate::walk::file_kind::{FileKind, TAR_BLOCK, find_tar};
use sectile::FindingCode;

/// The end of the signature block of an Android package. The directory follows it.
const APK_SIGNATURE: &[u8] = b"APK Sig Block 42";

/// The first bytes of files that carry a zip: scripts, programs of Unix, Windows and macOS, extensions of Chrome, and
/// markers of archives that were, or might have been, split.
const ZIP_CARRIERS: [&[u8]; 11] = [
    b"#!",
    b"\x7fELF",
    b"MZ",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"Cr24",
    b"PK\x07\x08",
    b"PK00",
];

impl ArchiveWalker<'_> {
    /// Reports bytes of a zip that no entry covers, unless they are expected. Readers ignore them.
    pub(super) fn uncovered_bytes(&mut self, walk: &mut ZipWalk<'_, '_>, sign: ZipSign) -> io::Result<()> {
        let (origin, len) = (walk.entries.origin(), walk.entries.len());
        let (mut from, mut total, mut first) = (origin, 0, None);
        while let Some(gap) = walk.claims.gap(from..len, 1) {
            if self.should_stop() {
                return Ok(());
            }
            from = gap.end;
            let is_signature = walk.directories.contains(&gap.end) && ends_as_signature(&mut walk.entries, &gap)?;
            let is_ordinary = is_signature
                || gap.start == origin && is_carrier(&mut walk.entries, sign)?
                || is_padding(&mut walk.entries, &gap)?;
            if !is_ordinary {
                total += gap.end - gap.start;
                first.get_or_insert(gap.start);
            }
        }
        if let Some(first) = first {
            let message = format!("{total} bytes of it belong to no entry, the first of them at offset {first}");
            self.report(walk.path, FindingCode::UncoveredBytes, message);
        }
        Ok(())
    }
}

impl ArchiveWalker<'_> {
    /// The position of a tar in bytes that no entry and no record covers. GNU tar and Python skip the blocks before it.
    pub(super) fn tar_in_gap(&mut self, walk: &mut ZipWalk<'_, '_>) -> io::Result<Option<u64>> {
        const WINDOW: u64 = 128 * TAR_BLOCK as u64;
        let len = walk.entries.len();
        let mut from = walk.entries.origin();
        while let Some(gap) = walk.claims.gap(from..len, TAR_BLOCK as u64) {
            from = gap.end;
            let mut start = gap.start.next_multiple_of(TAR_BLOCK as u64);
            while start < gap.end && !self.should_stop() {
                let window = walk.entries.peek_at(start, (gap.end - start).min(WINDOW) as usize)?;
                if let Some(position) = find_tar(window, start) {
                    return Ok(Some(position));
                }
                start += WINDOW;
            }
        }
        Ok(None)
    }

    /// Walks a tar in bytes that no entry covers.
    pub(super) fn uncovered_tar(&mut self, walk: &ZipWalk<'_, '_>, position: u64) {
        self.dispute(walk.path, "it contains a tar outside of its entries, which some readers open instead".to_owned());
        match &walk.entries {
            ZipBytes::FileWindow(part) => {
                let range = part.range.start + position..part.range.end;
                let mut tar = FileWindow::new(part.input, range, self.budget);
                self.tar(walk.path, TarSource::FileWindow(&mut tar), walk.level);
            }
            ZipBytes::Held(held) => {
                let mut bytes = held.from(position);
                self.tar(walk.path, TarSource::Stream(&mut TarStream::new(&mut bytes)), walk.level);
            }
        }
    }
}

/// Whether the file is one that carries a zip at its end, or its beginning was not kept.
fn is_carrier(bytes: &mut ZipBytes<'_>, sign: ZipSign) -> io::Result<bool> {
    if bytes.origin() > 0 {
        return Ok(true);
    }
    let head = bytes.peek_at(0, 8)?;
    let is_binary = sign != ZipSign::Start && FileKind::detect(head) != FileKind::Other;
    Ok(is_binary || ZIP_CARRIERS.iter().any(|start| head.starts_with(start)))
}

fn ends_as_signature(bytes: &mut ZipBytes<'_>, gap: &Range<u64>) -> io::Result<bool> {
    let len = APK_SIGNATURE.len() as u64;
    Ok(gap.end - gap.start >= len && bytes.peek_at(gap.end - len, APK_SIGNATURE.len())? == APK_SIGNATURE)
}

/// Whether a gap consists of headers without names and zeros. Some writers fill gaps with them.
fn is_padding(bytes: &mut ZipBytes<'_>, gap: &Range<u64>) -> io::Result<bool> {
    const WINDOW: u64 = 64 << 10;
    let mut at = gap.start;
    while at < gap.end {
        if LocalHeader::is_at(bytes, at)? {
            let header = LocalHeader::read(bytes, at)?.filter(|header| header.values.name.is_empty());
            let end = header.and_then(|header| header.data.checked_add(header.values.compressed));
            match end.filter(|&end| end <= gap.end) {
                Some(end) => at = end,
                None => return Ok(false),
            }
            continue;
        }
        let window = bytes.peek_at(at, (gap.end - at).min(WINDOW) as usize)?;
        let zeros = window.iter().take_while(|&&byte| byte == 0).count();
        if zeros == 0 {
            return Ok(false);
        }
        at += zeros as u64;
    }
    Ok(true)
}
