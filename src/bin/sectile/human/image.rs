//! Digests, and images.

use std::io::{self, Write};

use sectile::report::{DigestReport, LayoutReport};

use super::{Bytes, FAINT, STRONG, row};
use crate::output::escaped;

/// The digest of a file, and that of its content.
pub fn digests(report: &DigestReport<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{STRONG}{}{STRONG:#}: {}", escaped(report.file), Bytes(report.size))?;
    row(out, "file", report.digests.file)?;
    match report.digests.content {
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
