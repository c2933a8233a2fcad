//! An entry as its header and the headers that extend it describe it, and whether all readers agree.

use std::borrow::Cow;

use super::extension::{Extension, ExtensionType};
use super::header::{HeaderBlock, Number};
use super::sparse::{SparseLayout, SparseMap};
use crate::walk::archive::{has_wasm_extension, name};

/// An entry, or a header that extends others.
pub(super) struct Member {
    pub(super) name: Cow<'static, [u8]>,
    pub(super) kind: MemberKind,
    /// Whether one of its names is that of a WebAssembly file.
    pub(super) expects_wasm: bool,
    /// Length of its data for most readers.
    pub(super) size: u64,
    /// Other lengths of its data.
    pub(super) other_sizes: Vec<u64>,
    /// Whether it is possible that no reader finds its length.
    pub(super) is_unsized: bool,
    pub(super) layout: Option<SparseLayout>,
    /// Further maps, which some readers use.
    pub(super) other_layouts: Vec<SparseLayout>,
    pub(super) doubt: Option<Doubt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberKind {
    Extension(ExtensionType),
    File,
    /// The list of a directory's entries. Some readers treat it as a file.
    Dump,
    Link,
    /// A directory, a device or a FIFO.
    NoData,
}

/// The reason to examine all data for further headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Ordinary archives have it, and readers disagree only if they find other headers.
    Possible,
    /// Readers disagree.
    Certain(&'static str),
}

impl MemberKind {
    fn new(header: HeaderBlock<'_>) -> Self {
        match header.type_flag() {
            flag if let Some(extension) = ExtensionType::new(flag) => Self::Extension(extension),
            b'1' | b'2' => Self::Link,
            b'3'..=b'6' => Self::NoData,
            b'D' => Self::Dump,
            _ => Self::File,
        }
    }

    /// Whether its data follows for most readers.
    pub(super) fn has_data(self) -> bool {
        matches!(self, Self::File | Self::Dump)
    }
}

/// The first size that a header's octal field cannot hold.
const LARGE: u64 = 1 << 33;

impl Member {
    /// Combines a header with the extension before it and the global one.
    pub(super) fn new(header: HeaderBlock<'_>, extension: &Extension, globals: &Extension) -> Self {
        Self::with_kind(header, extension, globals, MemberKind::new(header))
    }

    /// Combines them for readers that treat the header as one of this kind.
    pub(super) fn with_kind(
        header: HeaderBlock<'_>,
        extension: &Extension,
        globals: &Extension,
        kind: MemberKind,
    ) -> Self {
        let raw_name = header.name();
        let expects_wasm = has_wasm_extension(&name(&raw_name)) || extension.expects_wasm || globals.expects_wasm;
        let chosen = extension.name.as_ref().or(globals.name.as_ref());
        let mut member = Self {
            name: chosen.map_or(raw_name, |chosen| chosen.clone().into()),
            kind,
            expects_wasm,
            size: 0,
            other_sizes: Vec::new(),
            is_unsized: false,
            layout: None,
            other_layouts: Vec::new(),
            doubt: None,
        };
        if !header.has_plain_checksum() {
            member.disagree("the checksum of a header is not a plain number");
        }
        if !header.has_plain_fields() {
            member.doubt = member.doubt.or(Some(Doubt::Possible));
        }
        if let Some(reason) = extension.doubt.or(globals.doubt) {
            member.disagree(reason);
        }
        member.set_sizes(header, extension, globals);
        let is_extension = matches!(kind, MemberKind::Extension(_));
        if !is_extension {
            member.set_layout(header, extension, globals);
            let has_own_name = extension.name.is_none() && globals.name.is_none();
            let is_directory =
                has_own_name && header.ends_in_slash() || extension.ends_in_slash || globals.ends_in_slash;
            if !has_own_name && header.ends_in_slash() && header.type_flag() == 0 && member.size > 0 {
                // The name is truncated after a slash. Python treats it as a directory, and ends unless a header
                // follows.
                member.doubt = member.doubt.or(Some(Doubt::Possible));
            }
            member.check_type(header.type_flag(), is_directory);
        }
        member
    }

    /// Further sizes of the data of a sparse entry, for readers that do not see that it is sparse.
    pub(super) fn plain_sizes(&self) -> &[u64] {
        let is_disputed = self.layout.is_some() && matches!(self.doubt, Some(Doubt::Certain(_)));
        if is_disputed { &self.other_sizes } else { &[] }
    }

    fn disagree(&mut self, reason: &'static str) {
        self.doubt = match self.doubt {
            Some(Doubt::Certain(first)) => Some(Doubt::Certain(first)),
            _ => Some(Doubt::Certain(reason)),
        };
    }

    fn set_sizes(&mut self, header: HeaderBlock<'_>, extension: &Extension, globals: &Extension) {
        let (size, readings) = match header.size() {
            Number::Plain(size) => (size, Vec::new()),
            Number::Odd(readings) => {
                self.disagree("the size of an entry is not a plain number");
                self.is_unsized = readings.iter().all(|&size| size == 0);
                (readings.first().copied().unwrap_or(0), readings)
            }
        };
        if matches!(self.kind, MemberKind::Extension(_)) {
            self.size = size;
            self.other_sizes = readings;
            self.other_sizes.retain(|&other| other != size);
            if !extension.sizes.is_empty() {
                self.disagree("an extended header sizes another extended header");
            }
            if extension.sparse.is_present || globals.sparse.is_present {
                self.disagree("an extended header makes another extended header sparse");
            }
            return;
        }
        self.size = extension.sizes.last().copied().unwrap_or(size);
        let others = extension.sizes.iter().chain(&globals.sizes);
        let others = others.chain(&extension.real_sizes).chain(&globals.real_sizes);
        self.other_sizes = readings.into_iter().chain([size]).chain(others.copied()).collect();
        self.other_sizes.sort_unstable();
        self.other_sizes.dedup();
        self.other_sizes.retain(|&other| other != self.size);
        if self.size != size {
            // A header cannot hold a large size, and has another number in its place.
            let is_replaced = matches!(size, 0 | 0o77_777_777_777 | 0o777_777_777_777) || size == self.size % LARGE;
            if self.size >= LARGE && is_replaced {
                self.doubt = self.doubt.or(Some(Doubt::Possible));
            } else {
                self.disagree("a header and its extended header give an entry different sizes");
            }
        }
        if extension.has_empty_size && size > 0 {
            self.other_sizes.push(0);
            self.doubt = self.doubt.or(Some(Doubt::Possible));
        }
        let is_sparse = extension.sparse.is_present || globals.sparse.is_present;
        let real_sizes = || extension.real_sizes.iter().chain(&globals.real_sizes);
        if !is_sparse && real_sizes().any(|&real| real != self.size) {
            self.disagree("an extended header gives an entry a second size");
        }
    }

    fn set_layout(&mut self, header: HeaderBlock<'_>, extension: &Extension, globals: &Extension) {
        let sparse = if extension.sparse.is_present { &extension.sparse } else { &globals.sparse };
        self.set_other_layouts(header, extension, globals);
        if header.type_flag() == b'S' {
            let (map, is_continued) = SparseMap::from_header(header);
            self.layout = Some(SparseLayout::Old { map, is_continued });
            if !header.is_gnu() || sparse.is_present {
                self.disagree("a sparse entry has two formats");
            }
        } else if sparse.is_present {
            let real_size = extension.real_sizes.last().or(globals.real_sizes.last()).copied();
            let is_in_data = sparse.major == Some(1) && sparse.minor == Some(0);
            let is_listed = matches!((sparse.major, sparse.minor), (None, None) | (Some(0), Some(0 | 1)));
            match real_size {
                Some(size) if sparse.has_map && is_listed => {
                    self.layout = Some(SparseLayout::Listed(SparseMap::new(&sparse.map, size)));
                }
                Some(size) if is_in_data && !sparse.has_map => self.layout = Some(SparseLayout::InData(Some(size))),
                _ => {
                    self.disagree("the records of a sparse entry contradict each other");
                    let size = real_size.unwrap_or(self.size);
                    self.layout = Some(if sparse.has_map {
                        SparseLayout::Listed(SparseMap::new(&sparse.map, size))
                    } else {
                        SparseLayout::InData(real_size)
                    });
                }
            }
            if extension.real_sizes.len() > 1 || !extension.sizes.is_empty() {
                self.disagree("a sparse entry has more sizes than its format allows");
            }
        }
    }

    /// Keeps the maps that the layout does not have.
    fn set_other_layouts(&mut self, header: HeaderBlock<'_>, extension: &Extension, globals: &Extension) {
        let is_old = header.type_flag() == b'S';
        let own = Some(&extension.sparse.map).filter(|_| is_old && extension.sparse.has_map);
        let is_overridden = is_old || extension.sparse.is_present;
        let global = Some(&globals.sparse.map).filter(|_| is_overridden && globals.sparse.has_map);
        let maps = extension.other_maps.iter().chain(&globals.other_maps).chain(own).chain(global);
        let sizes = extension.real_sizes.iter().chain(&globals.real_sizes);
        let size = sizes.copied().max().unwrap_or(self.size);
        self.other_layouts = maps.map(|map| SparseLayout::Listed(SparseMap::new(map, size))).collect();
    }

    fn check_type(&mut self, type_flag: u8, is_directory: bool) {
        let has_data = self.size > 0 || self.other_sizes.iter().any(|&size| size > 0);
        match type_flag {
            b'1'..=b'6' => {
                if has_data {
                    self.disagree("an entry of a type without data has a size");
                }
                if self.layout.take().is_some() {
                    self.disagree("an entry of a type without data is sparse");
                }
                // Most readers expect the next header at once.
                self.other_sizes.push(self.size);
                self.other_sizes.retain(|&size| size > 0);
                self.size = 0;
            }
            0 | b'0' | b'7' | b'S' if has_data && is_directory => {
                self.disagree("an entry with data has a name that ends in a slash");
                self.other_sizes.push(0);
            }
            // GNU tar writes `D`, the dump of a directory, and `V`, the label of a volume.
            b'D' if has_data => {
                self.expects_wasm = false;
                self.doubt = self.doubt.or(Some(Doubt::Possible));
            }
            b'V' if !has_data => {}
            0 | b'0' | b'7' | b'D' | b'S' => {}
            _ => self.disagree("an entry has a type that readers treat differently"),
        }
    }
}
