//! The headers with additional values for the next entry, or for all further entries.
//!
//! Readers decode malformed records in different ways, so an [`Extension`] keeps every value that any of them may use.

use super::header::until_nul;
use crate::walk::archive::{has_wasm_extension, name};

/// All values for an entry in extended headers.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub(super) struct Extension {
    /// The last name.
    pub(super) name: Option<Vec<u8>>,
    /// Whether any of the names ends in a slash.
    pub(super) ends_in_slash: bool,
    /// Whether any of the names is that of a WebAssembly file.
    pub(super) expects_wasm: bool,
    /// All sizes of the data. The last one counts for most readers.
    pub(super) sizes: Vec<u64>,
    /// All sizes of the content, which differ from those of the data if it is sparse.
    pub(super) real_sizes: Vec<u64>,
    pub(super) sparse: SparseKeys,
    /// The maps of earlier headers, which some readers use.
    pub(super) other_maps: Vec<Vec<u64>>,
    /// Whether a record unsets the size. Python reads it as zero.
    pub(super) has_empty_size: bool,
    /// The reason why readers disagree.
    pub(super) doubt: Option<&'static str>,
    /// Whether it has more values than are kept.
    pub(super) is_overfull: bool,
    has_records: bool,
    has_long_name: bool,
}

/// The records about a sparse entry.
#[derive(Clone, Debug, Default)]
pub(super) struct SparseKeys {
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
    /// Offsets and lengths in turn.
    pub(super) map: Vec<u64>,
    pub(super) has_map: bool,
    pub(super) is_present: bool,
}

/// The types of headers that extend others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExtensionType {
    /// Records for the next entry.
    Local,
    /// Solaris records for the next entry. Some readers treat this header as a file.
    Solaris,
    /// Records for all further entries.
    Global,
    LongName,
    LongLink,
}

/// Maximum number of different sizes of one entry.
const MAX_SIZES: usize = 8;

/// Maximum number of maps of one entry that other headers replace.
const MAX_OTHER_MAPS: usize = 4;

/// Maximum length of a name that is kept. No system has longer ones.
const MAX_NAME: usize = 8 << 10;

/// Maximum number of parts of a sparse entry in records for all further entries.
const MAX_GLOBAL_PARTS: usize = 1 << 10;

/// Maximum length of a key, and of a size, that is searched for in malformed records.
const MAX_KEY: usize = 32;

impl ExtensionType {
    pub(super) fn new(type_flag: u8) -> Option<Self> {
        match type_flag {
            b'x' => Some(Self::Local),
            b'X' => Some(Self::Solaris),
            b'g' => Some(Self::Global),
            b'L' => Some(Self::LongName),
            b'K' => Some(Self::LongLink),
            _ => None,
        }
    }
}

impl Extension {
    /// Whether it has no values.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_records && !self.has_long_name && self.doubt.is_none()
    }

    /// Whether it changes where an entry's data ends, or which content it has.
    fn changes_data(&self) -> bool {
        !self.sizes.is_empty() || !self.real_sizes.is_empty() || self.sparse.is_present || self.has_empty_size
    }

    /// Adds the name for the next entry.
    pub(super) fn add_long_name(&mut self, data: &[u8]) {
        if self.has_long_name || self.has_records {
            self.doubt = Some("more than one header names an entry");
        }
        self.has_long_name = true;
        self.add_name(until_nul(data));
    }

    /// Adds the records of a header: the data, and the padding of its last block.
    pub(super) fn add_records(&mut self, header: ExtensionType, data: &[u8], padding: &[u8]) {
        let mut added = Self::default();
        match added.parse(data) {
            Some(()) if padding.iter().all(|&byte| byte == 0) => {}
            _ => {
                added.doubt = Some("the records of an extended header are malformed");
                added.add_possible_records(data);
                added.add_possible_records(&[data, padding].concat()); // Python reads whole blocks
            }
        }
        let changes = added.changes_data() || added.name.is_some();
        if header == ExtensionType::Global && added.sparse.map.len() > 2 * MAX_GLOBAL_PARTS {
            added.is_overfull = true;
            added.sparse.map.truncate(2 * MAX_GLOBAL_PARTS);
        }
        match header {
            ExtensionType::Solaris => {
                added.doubt = Some("an extended header of Solaris is a file for some readers");
            }
            ExtensionType::Global if changes => {
                added.doubt = Some("a global header names or sizes the entries that follow");
            }
            _ if self.has_records => added.doubt = Some("an entry has two extended headers"),
            _ if self.has_long_name && added.name.is_some() => {
                added.doubt = Some("more than one header names an entry");
            }
            _ => {}
        }
        added.has_records = true;
        self.merge(added);
    }

    /// Adds the values of another extension. They override the old values where readers agree.
    pub(super) fn merge(&mut self, other: Self) {
        self.name = other.name.or(self.name.take());
        self.ends_in_slash |= other.ends_in_slash;
        self.expects_wasm |= other.expects_wasm;
        other.sizes.into_iter().for_each(|size| self.add_size(size));
        other.real_sizes.into_iter().for_each(|size| self.add_real_size(size));
        other.other_maps.into_iter().for_each(|map| self.add_other_map(map));
        if other.sparse.is_present {
            let earlier = std::mem::replace(&mut self.sparse, other.sparse);
            if earlier.has_map && earlier.map != self.sparse.map {
                self.add_other_map(earlier.map);
            }
        }
        self.has_empty_size |= other.has_empty_size;
        self.doubt = other.doubt.or(self.doubt);
        self.is_overfull |= other.is_overfull;
        self.has_records |= other.has_records;
        self.has_long_name |= other.has_long_name;
    }

    fn add_name(&mut self, value: &[u8]) {
        if !value.is_empty() {
            self.ends_in_slash |= value.ends_with(b"/");
            self.expects_wasm |= has_wasm_extension(&name(value));
            self.name = Some(value[..value.len().min(MAX_NAME)].to_vec());
        }
    }

    fn add_other_map(&mut self, map: Vec<u64>) {
        self.is_overfull |= self.other_maps.len() >= MAX_OTHER_MAPS;
        self.other_maps.push(map);
        self.other_maps.truncate(MAX_OTHER_MAPS);
    }

    fn add_size(&mut self, size: u64) {
        add(&mut self.sizes, size, &mut self.is_overfull);
    }

    fn add_real_size(&mut self, size: u64) {
        add(&mut self.real_sizes, size, &mut self.is_overfull);
    }

    /// Parses records: the length of the record, a space, a key, `=`, a value, and a line feed.
    fn parse(&mut self, mut records: &[u8]) -> Option<()> {
        while !records.is_empty() {
            let space = records.iter().take(20).position(|&byte| byte == b' ')?;
            let len = decimal(&records[..space])?;
            let record = records.get(space + 1..usize::try_from(len).ok()?)?.strip_suffix(b"\n")?;
            records = &records[len as usize..];
            // GNU tar skips blanks before a key.
            let equals = record.iter().position(|&byte| byte == b'=').filter(|_| !record.starts_with(b" "))?;
            self.add_record(&record[..equals], &record[equals + 1..]);
        }
        Some(())
    }

    fn add_record(&mut self, key: &[u8], value: &[u8]) {
        match key {
            b"path" => self.add_name(value),
            b"size" if value.is_empty() => self.has_empty_size = true,
            b"size" => {
                let before = self.sizes.len();
                self.add_number(value, Self::add_size);
                if before > 0 && self.sizes.len() > before {
                    self.doubt = Some("an extended header has two sizes");
                }
            }
            b"SCHILY.realsize" => self.add_number(value, Self::add_real_size),
            _ => {
                if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                    self.add_sparse_record(key, value);
                }
            }
        }
    }

    fn add_sparse_record(&mut self, key: &[u8], value: &[u8]) {
        const MALFORMED: &str = "the map of a sparse entry is malformed";
        let sparse = &mut self.sparse;
        sparse.is_present = true;
        match key {
            b"name" => self.add_name(value),
            b"size" | b"realsize" => self.add_number(value, Self::add_real_size),
            b"major" => sparse.major = decimal(value),
            b"minor" => sparse.minor = decimal(value),
            b"map" => {
                let numbers: Option<Vec<_>> = value.split(|&byte| byte == b',').map(decimal).collect();
                if sparse.has_map || numbers.is_none() {
                    self.doubt = Some(MALFORMED);
                }
                sparse.has_map = true;
                sparse.map = numbers.unwrap_or_default();
            }
            b"offset" | b"numbytes" => {
                let is_in_turn = (key == b"offset") == sparse.map.len().is_multiple_of(2);
                if !is_in_turn || decimal(value).is_none() {
                    self.doubt = Some(MALFORMED);
                }
                sparse.has_map = true;
                sparse.map.extend(decimal(value));
            }
            _ => {} // the number of parts, which the map has, too
        }
    }

    fn add_number(&mut self, value: &[u8], add: fn(&mut Self, u64)) {
        if let Some(number) = decimal(value) {
            return add(self, number);
        }
        self.doubt = Some("a number in an extended header is malformed");
        let start: Vec<u8> = value.iter().copied().skip_while(u8::is_ascii_whitespace).collect();
        let digits = start.strip_prefix(b"+").or(start.strip_prefix(b"-")).unwrap_or(&start);
        let python: Vec<u8> = digits.iter().copied().filter(|&byte| byte != b'_').collect();
        for digits in [digits, &python] {
            let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
            add(self, decimal(&digits[..len]).unwrap_or(0));
        }
        add(self, 0); // Python, and readers that skip such a record
    }

    /// Adds the values of everything that may be a record, wherever it is.
    fn add_possible_records(&mut self, data: &[u8]) {
        for (at, _) in data.iter().enumerate().filter(|(_, byte)| **byte == b'=') {
            let before = &data[at.saturating_sub(MAX_KEY)..at];
            let key = before.rsplit(|byte| !byte.is_ascii_graphic()).next().unwrap_or_default();
            let value = &data[at + 1..];
            match key {
                b"size" | b"SCHILY.realsize" => {
                    let value = line(&value[..value.len().min(MAX_KEY)]);
                    self.add_record(key, value);
                    // A wrong length cuts the number.
                    let digits = value.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
                    for len in 1..digits {
                        self.add_size(decimal(&value[..len]).unwrap_or(0));
                    }
                }
                b"path" => self.add_name(line(&value[..value.len().min(MAX_NAME)])),
                _ if key.starts_with(b"GNU.sparse.") => self.sparse.is_present = true,
                _ => {}
            }
        }
        self.doubt = Some("the records of an extended header are malformed");
    }
}

/// The bytes up to the first line feed or NUL.
fn line(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == b'\n' || byte == 0).next().unwrap_or_default()
}

fn add(values: &mut Vec<u64>, value: u64, is_overfull: &mut bool) {
    // The last value counts for most readers.
    if let Some(at) = values.iter().position(|&other| other == value) {
        values.remove(at);
    }
    *is_overfull |= values.len() >= MAX_SIZES;
    if values.len() < MAX_SIZES {
        values.push(value);
    }
}

/// Decodes a number of digits only, of up to 63 bits.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse::<u64>().ok().filter(|number| number >> 63 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(records: &[u8]) -> Extension {
        let mut extension = Extension::default();
        extension.add_records(ExtensionType::Local, records, &[0; 9]);
        extension
    }

    #[test]
    fn plain_records_leave_no_doubt() {
        let extension = read(b"14 path=a.wasm\n11 size=12\n8 size=\n28 comment=x\n20 size=999999\n\n");
        assert!(extension.doubt.is_some(), "the first length is wrong");
        let extension = read(b"15 path=a.wasm\n11 size=12\n28 comment=x\n20 size=99999\n\n");
        assert_eq!((extension.doubt, &*extension.sizes, extension.expects_wasm), (None, &[12][..], true));
        let extension = read(b"8 size=\n8 path=\n");
        assert!(extension.doubt.is_none() && extension.has_empty_size && extension.name.is_none());
    }

    #[test]
    fn odd_records_give_all_sizes() {
        for (records, size) in [
            (&b"14 size=+1536\n"[..], 1536),
            (b"14 size= 1536\n", 1536),
            (b"15 size=0x1536\n", 0),
            (b"14 size=1_536\n", 1536),
            (b"13 size=1536\n\0\0", 1536),
            (b"12 size=1536\n", 153),
            (b"99 size=1536\n", 1536),
            (b"size=1536", 1536),
            (b"14  size=1536\n", 1536),
            (b"6 a=b\nx", 0),
        ] {
            let extension = read(records);
            assert!(extension.doubt.is_some(), "{records:?}");
            assert!(size == 0 || extension.sizes.contains(&size), "{records:?}: {extension:?}");
        }
        // Python reads the padding, too.
        let mut padded = Extension::default();
        padded.add_records(ExtensionType::Local, b"", b"11 size=99\n");
        assert!(padded.doubt.is_some() && padded.sizes.contains(&99));
    }
}
