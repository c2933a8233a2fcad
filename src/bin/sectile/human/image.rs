//! Digests, and images.

use std::io::{self, Write};

use sectile::report::{DigestReport, LayoutReport};

use super::{Bytes, FAINT, STRONG, row};
use crate::output::escaped;

/// The digest of a file, and that of its content; nothing where there are none.
pub fn digests(report: &DigestReport<'_>, out: &mut impl Write) -> io::Result<()> {
    let (Some(size), Some(digests)) = (report.size, report.digests) else { return Ok(()) };
    writeln!(out, "{STRONG}{}{STRONG:#}: {}", escaped(report.file), Bytes(size))?;
    row(out, "file", digests.file)?;
    match digests.content {
        Some(content) => row(out, "but custom sections", content),
        None => row(out, "but custom sections", format_args!("{FAINT}(unknown){FAINT:#}")),
    }
}

/// What was added to a layout.
pub fn layout(report: &LayoutReport<'_>, out: &mut impl Write) -> io::Result<()> {
    let (added, layout) = (report.added, escaped(report.layout.as_os_str()));
    write!(out, "{STRONG}{layout}{STRONG:#}: ")?;
    match report.name {
        Some(name) => write!(out, "{name}")?,
        None => write!(out, "an image without a name")?,
    }
    let image = &added.image;
    writeln!(out, " {}", if added.changed { "is added" } else { "is there already" })?;
    row(out, "image", image.descriptor().digest)?;
    row(out, "config", image.config_descriptor().digest)?;
    row(out, "layer", format_args!("{}  {}", image.layer().digest, Bytes(image.layer().size)))
}
