//! Searches a layer that is a tar archive for one file.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType, PaxExtensions};

/// Number of unpacked bytes of a layer that are searched: the limit of Envoy Gateway and Istio.
pub(super) const MAX_UNPACKED: u64 = 256 << 20;

/// Maximum size of a record with a long name.
const MAX_NAME_RECORD: u64 = 64 << 10;

/// Number of bytes of a binary that are read.
const HEADER_LEN: u64 = 8;

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileFact {
    /// The start of the file.
    Head(Vec<u8>),
    /// The file is a symbolic link.
    Symlink,
    /// The layer has no such file.
    Missing,
    /// The layer is not in the layout or registry.
    AbsentLayer,
    /// The layer cannot be unpacked.
    Malformed(String),
    /// Sectile cannot tell.
    Unknown(String),
}

/// Compression of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
}

/// Searches a layer for the first file with a name that is wanted.
///
/// Errors are those of the reader. Malformed archives are part of the result.
pub(super) fn find_file(
    layer: &mut dyn Read,
    compression: Compression,
    is_wanted: &dyn Fn(&[u8]) -> bool,
) -> io::Result<FileFact> {
    find_file_within(MAX_UNPACKED, layer, compression, is_wanted)
}

/// Searches this number of unpacked bytes.
fn find_file_within(
    limit: u64,
    layer: &mut dyn Read,
    compression: Compression,
    is_wanted: &dyn Fn(&[u8]) -> bool,
) -> io::Result<FileFact> {
    let mut layer = SourceReader { source: layer, error: None };
    let found = match compression {
        Compression::None => search(&mut layer, limit, is_wanted),
        Compression::Gzip => search(MultiGzDecoder::new(&mut layer), limit, is_wanted),
    };
    match (layer.error, found) {
        (Some(error), _) => Err(error),
        (None, Ok(found)) => Ok(found),
        (None, Err(error)) => Ok(FileFact::Malformed(error.to_string())),
    }
}

fn search(unpacked: impl Read, limit: u64, is_wanted: &dyn Fn(&[u8]) -> bool) -> io::Result<FileFact> {
    let mut archive = Archive::new(unpacked.take(limit));
    let mut long_name: Option<Vec<u8>> = None;
    // Raw entries: records with names are read here, with a limit.
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName | EntryType::XHeader => {
                if entry.size() > MAX_NAME_RECORD {
                    return Ok(FileFact::Unknown("a file name of more than 64 KiB".to_owned()));
                }
                let mut record = Vec::new();
                entry.read_to_end(&mut record)?;
                if kind == EntryType::GNULongName {
                    long_name = Some(record.split(|&byte| byte == 0).next().unwrap_or_default().to_vec());
                    continue;
                }
                for extension in PaxExtensions::new(&record) {
                    let extension = extension?;
                    match extension.key_bytes() {
                        b"path" => long_name = Some(extension.value_bytes().to_vec()),
                        b"size" => return Ok(FileFact::Unknown("a file of 8 GiB or more".to_owned())),
                        _ => {}
                    }
                }
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => {}
            _ => {
                let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
                if !is_wanted(&name) {
                    continue;
                }
                if entry.raw_file_position().saturating_add(entry.size()) > limit {
                    return Ok(FileFact::Malformed(format!("it ends after {limit} bytes")));
                }
                return match kind {
                    EntryType::GNUSparse => Ok(FileFact::Unknown("a sparse file".to_owned())),
                    EntryType::Link => Ok(FileFact::Unknown("a hard link".to_owned())),
                    EntryType::Symlink => Ok(FileFact::Symlink),
                    _ => read_head(entry).map(FileFact::Head),
                };
            }
        }
    }
    Ok(FileFact::Missing)
}

/// Reads the start of a binary.
pub(super) fn read_head(file: impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(HEADER_LEN).read_to_end(&mut head)?;
    Ok(head)
}

/// A reader that keeps its error, which is not an error of the archive.
struct SourceReader<'a> {
    source: &'a mut dyn Read,
    error: Option<io::Error>,
}

impl Read for SourceReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.source.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.error = Some(error);
                Err(io::Error::other("the layer cannot be read"))
            }
            result => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    fn archive(files: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, kind, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_entry_type(*kind);
            archive.append_data(&mut header, name, *bytes).unwrap();
        }
        archive.into_inner().unwrap()
    }

    fn find(limit: u64, mut bytes: &[u8]) -> FileFact {
        find_file_within(limit, &mut bytes, Compression::None, &|name| name == b"b").unwrap()
    }

    #[test]
    fn an_archive_is_searched_up_to_a_limit() {
        let zeros = vec![0; 8 << 10];
        let bytes = archive(&[("a", EntryType::Regular, &zeros), ("b", EntryType::Regular, b"found, and more")]);
        assert_eq!(find(1 << 20, &bytes), FileFact::Head(b"found, a".to_vec()));
        assert!(matches!(find(4 << 10, &bytes), FileFact::Malformed(_)));
        let end = 512 + (8 << 10) + 512 + 15;
        assert!(matches!(find(end - 1, &bytes), FileFact::Malformed(_)));
        assert_eq!(find(end, &bytes), FileFact::Head(b"found, a".to_vec()));
        assert_eq!(find(1 << 20, &archive(&[("a", EntryType::Regular, &zeros)])), FileFact::Missing);
    }

    #[test]
    fn links_and_long_records_are_distinguished() {
        assert_eq!(find(1 << 20, &archive(&[("b", EntryType::Symlink, b"")])), FileFact::Symlink);
        assert!(matches!(find(1 << 20, &archive(&[("b", EntryType::Link, b"")])), FileFact::Unknown(_)));
        let long = vec![b'a'; 65 << 10];
        let bytes = archive(&[("x", EntryType::GNULongName, &long), ("b", EntryType::Regular, b"")]);
        assert!(matches!(find(1 << 20, &bytes), FileFact::Unknown(_)));
    }

    #[test]
    fn errors_of_the_reader_are_not_those_of_the_archive() {
        struct Lost;
        impl Read for Lost {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::ConnectionReset.into())
            }
        }
        let error = find_file(&mut Lost, Compression::Gzip, &|_| true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let no_gzip = find_file(&mut &b"no gzip"[..], Compression::Gzip, &|_| true).unwrap();
        assert!(matches!(no_gzip, FileFact::Malformed(_)));
    }
}
