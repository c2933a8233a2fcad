//! The regular files of a tar about which all readers agree.

use std::io::Read;

use super::extension::{Extension, ExtensionType};
use super::header::HeaderBlock;
use super::member::{Member, MemberKind};
use super::{Extensions, MAX_EXTENSION, padded};
use crate::walk::archive::budget::Budget;
use crate::walk::archive::bytes::{FileWindow, TarSource};
use crate::walk::file_kind::TAR_BLOCK;
use crate::walk::store_files::TarIndex;
use crate::walk::tar_store::normalized;
use sectile::Input;

/// Maximum number of entries.
const MAX_ENTRIES: u32 = 200_000;

/// Maximum length of a name. Names of blobs are shorter.
const MAX_NAME_LEN: usize = 256;

/// The regular files and the links by name, without a leading `./`. Returns `None` if readers may disagree about a header, or if two
/// files have the same name.
pub(in crate::walk) fn tar_files(input: &Input, budget: &Budget) -> Option<TarIndex> {
    let mut window = FileWindow::new(input, 0..input.len(), budget);
    let mut extensions = Extensions::default();
    let mut files = TarIndex::new();
    for _ in 0..MAX_ENTRIES {
        let mut block = [0; TAR_BLOCK];
        match TarSource::FileWindow(&mut window).block(&mut block).ok()? {
            TAR_BLOCK if block != [0; TAR_BLOCK] => {}
            _ => return Some(files),
        }
        let header = HeaderBlock(&block);
        let member = Member::new(header, &extensions.next, &extensions.global);
        if !header.has_checksum() || member.doubt.is_some() || member.layout.is_some() {
            return None;
        }
        let size = padded(member.size)?;
        match member.kind {
            MemberKind::Extension(kind) if size <= MAX_EXTENSION => {
                let mut bytes = Vec::new();
                TarSource::FileWindow(&mut window).reader().take(size).read_to_end(&mut bytes).ok()?;
                let (data, padding) = bytes.split_at_checked(member.size as usize)?;
                match kind {
                    ExtensionType::LongLink => {}
                    ExtensionType::LongName => extensions.next.add_long_name(data),
                    ExtensionType::Global => return None, // rare, and not written by tools for images
                    ExtensionType::Local | ExtensionType::Solaris => extensions.next.add_records(kind, data, padding),
                }
                continue;
            }
            MemberKind::Extension(_) => return None,
            MemberKind::File | MemberKind::Link => {
                let start = window.at();
                let name = std::str::from_utf8(&member.name).ok().filter(|name| name.len() <= MAX_NAME_LEN);
                let range = member.kind.has_data().then(|| start..start + member.size);
                let is_new = name.is_none_or(|name| files.insert(normalized(name).to_owned(), range).is_none());
                if !is_new || member.size > window.left() {
                    return None;
                }
            }
            MemberKind::Dump | MemberKind::NoData => {}
        }
        if member.kind.has_data() {
            window.skip(size);
        }
        extensions.next = Extension::default();
    }
    None
}
