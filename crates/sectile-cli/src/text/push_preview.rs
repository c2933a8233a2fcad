//! The preview of a push.

use std::io::{self, Write};

use sectile::Escaped;
use sectile_audit::amount::ByteSize;
use sectile_oci::{Descriptor, PushReport};

use super::layout::Layout;
use crate::display::escaped;

/// Writes the documents, blobs and annotations of an image, and whether its tag would move.
pub fn write_push_preview(report: &PushReport<'_>, columns: Layout, out: &mut impl Write) -> io::Result<()> {
    let (image, preview) = (report.image(), report.pushed());
    let shape = format!("would be pushed as {} (shape {})", preview.reference(), image.shape().name());
    writeln!(out, "{}: {shape}", escaped(report.file()))?;
    let is_sent = |blob: &Descriptor| preview.sent().contains(&blob.digest());
    let manifest = (image.descriptor(), preview.is_new());
    let config = (image.config_descriptor(), is_sent(image.config_descriptor()));
    let layer = (image.layer(), is_sent(image.layer()));
    for (label, (blob, is_sent)) in [("manifest", manifest), ("config", config), ("layer", layer)] {
        let state = if is_sent { "to be sent" } else { "already there" };
        let value = format!("{}  {}  {state}", blob.digest(), ByteSize(blob.size()));
        columns.labeled(out, label, value)?;
    }
    if let Some(tag) = preview.reference().tag() {
        let state = match (preview.previous(), preview.moved_from()) {
            (_, Some(previous)) => format!("moves from {previous}"),
            (Some(_), None) => "already names this image".to_owned(),
            (None, None) => "is new".to_owned(),
        };
        columns.labeled(out, &format!("tag {tag}"), state)?;
    }
    for (key, value) in image.annotations() {
        columns.labeled(out, "annotation", format_args!("{}={}", Escaped::new(key), Escaped::new(value)))?;
    }
    for (label, document) in [("manifest JSON", image.manifest()), ("config JSON", image.config())] {
        columns.labeled(out, label, Escaped::new(&String::from_utf8_lossy(document)))?;
    }
    Ok(())
}
