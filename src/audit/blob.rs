//! What a store shows: blobs, and where looking failed.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::ops::Range;

#[cfg(feature = "remote")]
use super::reading::Looked;
use crate::digest::Digest;
use crate::finding::Code;
use crate::store::Input;

/// Who is shown what a store holds, on one thread.
pub(super) trait Look {
    /// Whether what lies in this file, in this state and under these names, is known from an earlier report: then nothing of
    /// it is read. Its rows were taken from there.
    fn knows(&mut self, place: &Place, state: &State) -> bool;

    /// Whether it will be said to be known, asked ahead of its turn.
    #[cfg(feature = "remote")]
    fn will_know(&self, place: &Place, state: &State) -> bool;

    /// A file of so many bytes is looked into, whatever it turns out to be.
    fn open(&mut self, bytes: u64);

    /// A blob that begins as WebAssembly does, or that its store says is WebAssembly.
    fn see(&mut self, blob: Blob<'_>);

    /// Something that was passed over, or could not be read.
    fn trouble(&mut self, trouble: Trouble);

    /// A file, or an entry of an archive, that is something else, and nothing to look into; with the bytes that telling that
    /// took.
    fn pass(&mut self, bytes_read: u64);

    /// An archive was looked into, and all that it holds was shown, unless it was asked to stop.
    fn archive(&mut self, archive: Archive<'_>);

    /// Whether to stop as soon as possible: somebody asks for it.
    fn stops(&self) -> bool;
}

/// Bytes that are WebAssembly, or are said to be.
pub(super) struct Blob<'b> {
    pub(super) place: Place,
    /// What tells that it was written to since.
    pub(super) state: Option<State>,
    /// What the store calls it by its content; nobody has checked that.
    pub(super) digest: Option<Digest>,
    pub(super) content: Content<'b>,
}

/// An archive, or a compressed file, that was looked into.
pub(super) struct Archive<'b> {
    pub(super) place: &'b Place,
    pub(super) state: &'b State,
    /// Bytes of its file that were read to find its entries, and to inflate them. (What is handed over as a part of the file is
    /// counted by who reads it, and what is on its way is in this count.)
    pub(super) bytes_read: u64,
    /// Whether its file could be read. What could not may be another time.
    pub(super) was_read: bool,
}

/// Where a blob's bytes are.
pub(super) enum Content<'b> {
    /// In a file, to be read at any position: all of it, or an archive's entry as it is stored.
    Part {
        input: &'b Input,
        range: Range<u64>,
        /// Of the range, the first bytes, which were read to tell what it is.
        head: &'b [u8],
    },
    /// On their way: what something compressed inflates to. Once passed they are gone.
    Stream(&'b mut dyn Read),
    /// Far away, and read before its turn.
    #[cfg(feature = "remote")]
    Looked(Box<Looked<'b>>),
}

/// Where something lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The path of the file, or the URL of the object; of an archive's entry, the archive's and the entry's:
    /// `dist/app.tgz!package/app.wasm`. A file of a layout or a registry's storage is called by its path, too.
    pub(super) file: OsString,
    /// Under which other names it is found, in the order of the walk: further links of a file, the images that have it as a
    /// layer (`oci:DIR:NAME`, `repository:tag`).
    pub(super) others: Vec<OsString>,
}

impl Place {
    pub(super) fn new(file: impl Into<OsString>) -> Self {
        Self { file: file.into(), others: Vec::new() }
    }

    /// Every name that it is found under, its own first.
    pub(super) fn names(&self) -> impl Iterator<Item = &OsStr> {
        [&*self.file].into_iter().chain(self.others.iter().map(|name| &**name))
    }
}

/// The state that a file or an object was in: whatever changes it changes this. It is compared with that of an earlier report, as
/// a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State(pub(super) String);

/// Something that was passed over, or could not be read.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) place: Place,
    pub(super) state: Option<State>,
    /// One of the codes about stores, in the table of findings.
    pub(super) code: Code,
    /// What is wrong, in a line; it may quote the store.
    pub(super) message: String,
}
