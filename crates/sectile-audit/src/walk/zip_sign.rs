//! Detects the records of a zip in a part of a file that begins as something else.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Whether the last bytes of a file may contain the end record of a zip with entries.
pub(super) fn has_zip_end(tail: &[u8]) -> bool {
    const RECORD: usize = 22;
    const ONE_ENTRY: u32 = 46;
    static END: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"PK\x05\x06"));
    // Searching forward uses vector instructions.
    END.find_iter(tail).any(|at| {
        tail.get(at..at + RECORD).is_some_and(|record| {
            let size = u32::from_le_bytes([record[12], record[13], record[14], record[15]]);
            record[10..12] != [0; 2] || size >= ONE_ENTRY
        })
    })
}

/// Whether bytes may contain an entry's header, or a record of a directory.
///
/// If a zip has no directory, 7-Zip finds an entry by its header at any position.
pub(super) fn has_zip_entry(bytes: &[u8]) -> bool {
    static RECORD: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"PK"));
    RECORD.find_iter(bytes).any(|at| match bytes[at..] {
        [_, _, 3, 4, ..] => is_entry(&bytes[at..], 8),
        [_, _, 1, 2, ..] => is_entry(&bytes[at..], 10),
        _ => false,
    })
}

/// Whether a record has a known method at this position, and after it data or a name.
fn is_entry(record: &[u8], method: usize) -> bool {
    let short = |at: usize| Some(u16::from_le_bytes([*record.get(at)?, *record.get(at + 1)?]));
    let has_data = record.get(method + 10..method + 20).is_some_and(|values| values.iter().any(|&byte| byte != 0));
    short(method).is_some_and(is_known_method) && has_data
}

/// Whether APPNOTE 4.4.5 defines a compression method.
pub(super) fn is_known_method(method: u16) -> bool {
    matches!(method, 0..=10 | 12 | 14 | 18..=20 | 93..=99)
}
