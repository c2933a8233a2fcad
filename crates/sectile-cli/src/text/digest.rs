//! Digests of a file.

use std::ffi::OsStr;
use std::io::{self, Write};

use sectile::digest::Digests;
use sectile_audit::amount::ByteSize;

use super::style::{FAINT, STRONG, labeled};
use crate::display::escaped;

/// Writes the digests of a file and of its content.
pub fn write_digests(file: &OsStr, size: u64, digests: &Digests, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{STRONG}{}{STRONG:#}: {}", escaped(file), ByteSize(size))?;
    labeled(out, "file", digests.file())?;
    match digests.content() {
        Some(content) => labeled(out, "but custom sections", content),
        None => labeled(out, "but custom sections", format_args!("{FAINT}(unknown){FAINT:#}")),
    }
}
