//! An image added to a layout.

use std::io::{self, Write};

use sectile_audit::amount::ByteSize;
use sectile_oci::LayoutReport;

use super::layout::Layout;
use super::style::BOLD;
use crate::display::escaped;

/// Writes the name and the digests of an image that was added to a layout.
pub fn write_layout(report: &LayoutReport<'_>, columns: Layout, out: &mut impl Write) -> io::Result<()> {
    let (added, layout) = (report.added(), escaped(report.layout().as_os_str()));
    write!(out, "{BOLD}{layout}{BOLD:#}: ")?;
    match report.name() {
        Some(name) => write!(out, "{name}")?,
        None => write!(out, "an image without a name")?,
    }
    let image = added.image();
    writeln!(out, " {}", if added.index_changed() { "is added" } else { "already exists" })?;
    columns.labeled(out, "image", image.descriptor().digest())?;
    columns.labeled(out, "config", image.config_descriptor().digest())?;
    columns.labeled(out, "layer", format_args!("{}  {}", image.layer().digest(), ByteSize(image.layer().size())))
}
