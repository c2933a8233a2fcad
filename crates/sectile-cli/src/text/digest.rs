//! Digests of a file.

use std::ffi::OsStr;
use std::io::{self, Write};

use sectile::digest::Digests;
use sectile_audit::amount::ByteSize;

use super::layout::Layout;
use super::style::DIMMED;

/// Writes the digests of a file and of its content.
pub fn write_digests(
    file: &OsStr,
    size: u64,
    digests: &Digests,
    layout: Layout,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "{}", layout.heading(file, &ByteSize(size).to_string()))?;
    layout.labeled(out, "file", digests.file())?;
    match digests.content() {
        Some(content) => layout.labeled(out, "but custom sections", content),
        None => layout.labeled(out, "but custom sections", format_args!("{DIMMED}(unknown){DIMMED:#}")),
    }
}
