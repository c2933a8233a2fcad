//! Detects types that the first bytes of a file do not show: archives that are opened from their end or from later
//! blocks, and formats with signatures elsewhere.
//!
//! The last [`TAIL_LEN`] bytes of each file are read, because any file may have a zip at its end, even WebAssembly.

use std::io;

#[cfg(any(feature = "registry", feature = "remote"))]
use bytes::Bytes;
#[cfg(any(feature = "registry", feature = "remote"))]
use sectile::drive::{Fetch, FetchOptions, PrefetchedHead};

use super::archive::ZipSign;
use super::file_kind::{FileKind, TAIL_LEN, find_tar};
use super::formats::{self, Sample, VOLUME_AT, VOLUME_LEN};
use super::overlay::{OVERLAY_LEN, overlay_start};
use super::zip_sign::{has_zip_end, has_zip_entry};

/// A buffer for the parts of a file after its first page.
#[derive(Default)]
pub(super) struct ProbeBuffer {
    /// Space for a tail. It is allocated once, and not cleared between files.
    tail: Vec<u8>,
    tail_len: usize,
    volume: Vec<u8>,
}

impl ProbeBuffer {
    /// All bytes of a file of this length, if the last probe read them.
    pub(super) fn whole(&self, len: u64) -> Option<&[u8]> {
        (self.tail_len as u64 == len).then(|| &self.tail[..self.tail_len])
    }
}

/// Archives and formats in a file that its first bytes do not show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Probe {
    /// Whether a zip may end at its end.
    pub(super) has_zip_end: bool,
    /// Whether it begins as a file of no format, and may have entries of a zip without a directory at its end.
    pub(super) has_zip_entries: bool,
    /// Position of a tar's header, if the file does not begin as an archive.
    pub(super) tar: Option<u64>,
    /// The format that is not opened.
    pub(super) format: Option<&'static str>,
    /// Number of bytes read.
    pub(super) bytes_read: u64,
}

impl Probe {
    /// Probes a file of this kind and of length `len` that starts with `head`. `read_at` fills a buffer from an offset.
    pub(super) fn read(
        kind: FileKind,
        head: &[u8],
        len: u64,
        buffer: &mut ProbeBuffer,
        mut read_at: impl FnMut(&mut [u8], u64) -> io::Result<()>,
    ) -> io::Result<Self> {
        let ProbeBuffer { tail, tail_len, volume } = buffer;
        *tail_len = 0;
        volume.clear();
        if len <= head.len() as u64 {
            return Ok(Self::new(kind, Sample { head, volume, tail: head }, 0));
        }
        *tail_len = usize::try_from(len).map_or(TAIL_LEN, |len| len.min(TAIL_LEN));
        if tail.len() < *tail_len {
            *tail = vec![0; *tail_len];
        }
        let tail = &mut tail[..*tail_len];
        let tail_start = len - tail.len() as u64;
        // The tail of a short file contains a part of its head.
        let known = usize::try_from(tail_start).ok().and_then(|start| head.get(start..)).unwrap_or_default();
        let (start, rest) = tail.split_at_mut(known.len());
        start.copy_from_slice(known);
        read_at(rest, tail_start + known.len() as u64)?;
        let mut bytes_read = rest.len() as u64;
        if len >= VOLUME_AT + VOLUME_LEN as u64 {
            if let Some(at) = VOLUME_AT.checked_sub(tail_start) {
                volume.extend(&tail[at as usize..at as usize + VOLUME_LEN]);
            } else {
                volume.resize(VOLUME_LEN, 0);
                read_at(volume, VOLUME_AT)?;
                bytes_read += VOLUME_LEN as u64;
            }
        }
        let mut probe = Self::new(kind, Sample { head, volume, tail }, tail_start);
        if let Some(start) = overlay_start(head).filter(|&start| start < len && probe.format.is_none()) {
            let mut overlay = [0; OVERLAY_LEN];
            let overlay = &mut overlay[..usize::try_from(len - start).map_or(OVERLAY_LEN, |len| len.min(OVERLAY_LEN))];
            read_at(overlay, start)?;
            bytes_read += overlay.len() as u64;
            probe.format = formats::detect(Sample { head: overlay, ..Sample::default() });
        }
        Ok(Self { bytes_read, ..probe })
    }

    /// Probes parts of a file of this kind whose tail begins at `tail_start`.
    pub(super) fn new(kind: FileKind, sample: Sample<'_>, tail_start: u64) -> Self {
        let has_zip_end = kind != FileKind::Zip && has_zip_end(sample.tail);
        if kind.is_container() {
            return Self { has_zip_end, ..Self::default() };
        }
        let tar = find_tar(sample.head, 0).or_else(|| find_tar(sample.tail, tail_start));
        let format = formats::detect(sample);
        let is_plain = tar.is_none() && format.is_none();
        let has_zip_entries = is_plain && (has_zip_end || has_zip_entry(sample.head) || has_zip_entry(sample.tail));
        Self { has_zip_end, has_zip_entries, tar, format, bytes_read: 0 }
    }

    /// How a zip shows in it, if there may be one.
    pub(super) fn zip_sign(&self) -> Option<ZipSign> {
        if self.has_zip_entries { Some(ZipSign::Entries) } else { self.has_zip_end.then_some(ZipSign::End) }
    }

    /// Whether there may be an archive to inspect.
    pub(super) fn has_archive(&self) -> bool {
        self.zip_sign().is_some() || self.tar.is_some()
    }
}

/// Length of the first request for a remote source of this length: all of it, if its first bytes, its last bytes and
/// another request would cost more.
///
/// One that is called WebAssembly has its headers near its start, or far from it. Of others, more bytes are searched:
/// those of [`probe_tail`].
#[cfg(any(feature = "registry", feature = "remote"))]
pub(super) fn head_len(len: u64, expects_wasm: bool, options: FetchOptions) -> u64 {
    let first = if expects_wasm { WASM_HEAD_LEN } else { PREFIX_LEN };
    let in_parts = options.request_cost() + first + TAIL_LEN as u64;
    if len <= in_parts { len } else { first }
}

/// The first bytes of a remote source, in which its type is detected. They are the same under any cost of a request.
#[cfg(any(feature = "registry", feature = "remote"))]
pub(super) fn prefix<F: Fetch>(source: &PrefetchedHead<F>) -> Bytes {
    let head = source.head();
    head.slice(..head.len().min(PREFIX_LEN as usize))
}

/// Number of bytes at the start of a remote source in which archives and formats are searched. Includes the identifier
/// of a volume.
#[cfg(any(feature = "registry", feature = "remote"))]
const PREFIX_LEN: u64 = 64 << 10;

/// Length of the first request for a long remote source that is called WebAssembly.
#[cfg(any(feature = "registry", feature = "remote"))]
const WASM_HEAD_LEN: u64 = 16 << 10;

/// Detects types that only the first and the last bytes of a remote source of this length show. Requests those that the
/// head does not have. Of WebAssembly, the head suffices.
#[cfg(any(feature = "registry", feature = "remote"))]
pub(super) async fn probe_tail<F: Fetch>(
    kind: FileKind,
    source: &mut PrefetchedHead<F>,
    len: u64,
) -> io::Result<Probe> {
    if kind != FileKind::Wasm {
        source.extend_head(PREFIX_LEN).await?;
    }
    let head = prefix(source);
    let len = source.len().unwrap_or(len).max(source.head().len() as u64);
    let start = len.saturating_sub(TAIL_LEN as u64);
    let tail = source.prefetch_tail(start..len).await?;
    let volume = head.get(VOLUME_AT as usize..VOLUME_AT as usize + VOLUME_LEN).unwrap_or_default();
    Ok(Probe::new(kind, Sample { head: &head, volume, tail }, start))
}
