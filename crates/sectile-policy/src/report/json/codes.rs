//! The table of codes as JSON.

use std::io::{self, Write};

use sectile::FindingCode;
use sectile::internal::json::{SCHEMA, put, write_text};

/// Writes the explanation of each code as one JSON object and a line feed, as
/// `sectile explain --json` does.
///
/// # Errors
///
/// Errors of the writer.
pub fn write_codes_json(codes: impl IntoIterator<Item = FindingCode>, out: &mut impl Write) -> io::Result<()> {
    for code in codes {
        put!(out, "{\"schema\":", SCHEMA, ",\"code\":\"", code.name(), "\",\"severity\":\"", code.severity().name())?;
        put!(out, "\"")?;
        for (key, text) in [("help", code.help()), ("why", code.why()), ("fix", code.fix())] {
            put!(out, ",\"", key, "\":")?;
            write_text(out, text)?;
        }
        put!(out, "}\n")?;
    }
    Ok(())
}
