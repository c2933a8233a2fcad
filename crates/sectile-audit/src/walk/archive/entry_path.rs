//! The path of an entry through nested archives, and the names of rows that it gives.

use std::borrow::Cow;
use std::cell::Cell;
use std::ffi::{OsStr, OsString};

use crate::blob::BlobLocation;
use crate::row_name::{self, SEPARATOR};

/// Maximum length of an entry's name in bytes, that of a path on Linux (`PATH_MAX`). Readers cannot write longer ones.
pub(super) const MAX_NAME_LEN: usize = 4 << 10;

/// The path of an entry through nested archives.
pub(super) struct EntryPath<'c> {
    pub(super) outer: Option<&'c EntryPath<'c>>,
    pub(super) name: &'c OsStr,
    /// Whether its name or its store says that it is WebAssembly.
    pub(super) expects_wasm: bool,
    /// Whether it was opened as an archive. Findings on its entries belong to it.
    pub(super) is_archive: Cell<bool>,
    /// The encodings and compressions that were undone on the path, the last one first.
    pub(super) encodings: Option<&'c EncodingStep<'c>>,
    /// Whether it was found by the search in another entry, or is in such data.
    pub(super) is_hidden: bool,
}

/// An encoding or a compression that was undone.
pub(super) struct EncodingStep<'c> {
    pub(super) outer: Option<&'c EncodingStep<'c>>,
    pub(super) name: &'static str,
}

impl<'c> EntryPath<'c> {
    /// The path of an entry in this archive.
    pub(super) fn new(outer: &'c EntryPath<'c>, name: &'c OsStr) -> Self {
        let EntryPath { encodings, is_hidden, .. } = *outer;
        let expects_wasm = has_wasm_extension(name) && !is_hidden;
        Self { outer: Some(outer), name, expects_wasm, is_archive: Cell::new(false), encodings, is_hidden }
    }

    /// The same path, with a further hint that it is WebAssembly.
    pub(super) fn with_hint(&self, expects_wasm: bool) -> EntryPath<'c> {
        let EntryPath { outer, name, encodings, is_hidden, .. } = *self;
        let expects_wasm = self.expects_wasm || expects_wasm;
        EntryPath { outer, name, expects_wasm, is_archive: Cell::new(false), encodings, is_hidden }
    }
}

impl EntryPath<'_> {
    /// Whether it is an entry of the file itself.
    pub(super) fn is_outermost(&self) -> bool {
        self.outer.is_some_and(|outer| outer.outer.is_none())
    }

    /// The entry of the file itself that this entry is, or is in.
    pub(super) fn outermost(&self) -> Option<&Self> {
        if self.is_outermost() { Some(self) } else { self.outer?.outermost() }
    }

    /// The encodings of data that the search found, the outermost first. Empty for other entries.
    pub(super) fn hidden_encodings(&self) -> Vec<&'static str> {
        let steps = std::iter::successors(self.encodings.filter(|_| self.is_hidden), |step| step.outer);
        let mut names: Vec<_> = steps.map(|step| step.name).collect();
        names.reverse();
        names
    }

    /// The name of a row, with the name of an image instead of those of the file and of its entry.
    pub(super) fn name_in_layer(&self, image: &OsStr) -> OsString {
        let mut below = OsString::new();
        match self.outermost() {
            Some(layer) if !std::ptr::eq(layer, self) => self.push_below(layer, &mut below),
            _ => return image.to_owned(),
        }
        let mut name = row_name::escaped(image).into_owned();
        name.push(SEPARATOR);
        name.push(below);
        name
    }

    /// Appends the part of a row's name after the path of the file.
    pub(super) fn push_to(&self, text: &mut OsString) {
        if let Some(outer) = self.outer {
            outer.push_to(text);
            text.push(SEPARATOR);
            row_name::push_entry(&self.label(), text);
        }
    }

    /// The name, without the part that no file system keeps.
    pub(super) fn label(&self) -> Cow<'_, OsStr> {
        if self.has_long_name() { name(&self.name.as_encoded_bytes()[..MAX_NAME_LEN]) } else { self.name.into() }
    }

    pub(super) fn has_long_name(&self) -> bool {
        self.outer.is_some() && self.name.len() > MAX_NAME_LEN
    }

    /// The innermost archive on the path: the entry itself, or the archive that contains it.
    pub(super) fn archive(&self) -> &Self {
        match self.outer {
            Some(outer) if !self.is_archive.get() => outer.archive(),
            _ => self,
        }
    }

    /// Appends the names between an archive and this entry of it.
    pub(super) fn push_below(&self, archive: &Self, text: &mut OsString) {
        if let Some(outer) = self.outer.filter(|_| !std::ptr::eq(self, archive)) {
            outer.push_below(archive, text);
            if !text.is_empty() {
                text.push(SEPARATOR);
            }
            row_name::push_entry(&self.label(), text);
        }
    }
}

/// The location of an entry of the file at this location.
pub(super) fn location(file: &BlobLocation, path: &EntryPath<'_>) -> BlobLocation {
    if path.outer.is_none() {
        return file.clone();
    }
    let row_name = |name: &OsString| {
        let mut row_name = row_name::escaped(name).into_owned();
        path.push_to(&mut row_name);
        row_name
    };
    let other_names = file.other_names.iter().map(row_name).collect();
    BlobLocation { file: row_name(&file.file), other_names, omits_names: file.omits_names }
}

/// Whether a name ends in `.wasm` and is not that of a whiteout.
pub(in crate::walk) fn has_wasm_extension(name: &OsStr) -> bool {
    const EXTENSION: &[u8] = b".wasm";
    /// The start of a file name in a layer that removes a file of the layers below. Source: `layer.md` of the OCI
    /// image specification, *Whiteouts*.
    const WHITEOUT: &[u8] = b".wh.";
    let name = name.as_encoded_bytes();
    if name.rsplit(|&byte| byte == b'/').next().is_some_and(|file| file.starts_with(WHITEOUT)) {
        return false;
    }
    let start = name.len().checked_sub(EXTENSION.len());
    start.is_some_and(|start| name[start..].eq_ignore_ascii_case(EXTENSION))
}

/// The name without the extension of a compression.
pub(super) fn stem(name: &OsStr) -> &OsStr {
    let path = std::path::Path::new(name);
    let is_compression = path
        .extension()
        .is_some_and(|ending| ["gz", "zst", "br", "bz2", "xz"].iter().any(|known| ending.eq_ignore_ascii_case(known)));
    path.file_stem().filter(|_| is_compression).unwrap_or(name)
}

/// The name of an entry as a name of the platform.
pub(super) fn name(bytes: &[u8]) -> Cow<'_, OsStr> {
    #[cfg(unix)]
    {
        Cow::Borrowed(std::os::unix::ffi::OsStrExt::from_bytes(bytes))
    }
    #[cfg(not(unix))]
    {
        match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(name) => Cow::Borrowed(OsStr::new(name)),
            Cow::Owned(name) => Cow::Owned(name.into()),
        }
    }
}
