//! Documents of one binary.

use std::io::{self, Write};

use sectile::digest::Hasher;

use super::part::Part;
use super::{Sbom, SbomFormat, cyclonedx, spdx};

impl Sbom<'_> {
    /// Writes the document as one JSON object and a line feed, with its keys in a fixed order.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn write(&self, format: SbomFormat, out: &mut impl Write) -> io::Result<()> {
        let part = Part::only(self);
        let mut out = HashingWriter { out, hasher: Hasher::new() };
        match format {
            SbomFormat::CycloneDx16 | SbomFormat::CycloneDx17 => {
                cyclonedx::write_head(format, self.created, &mut out)?;
                part.write_root_component(&mut out)?;
                write!(out, "}}")?;
            }
            SbomFormat::Spdx23 => spdx::write_head(self.root_name(), &part.created, &mut out)?,
        }
        for (position, array) in format.arrays().iter().enumerate() {
            let mut elements = OptionalArray { key: array.key, is_begun: false, out: &mut out };
            if !array.is_optional {
                elements.begin()?;
            }
            part.write_array(format, position, &mut elements)?;
            if elements.is_begun {
                write!(out, "]")?;
            }
        }
        match format {
            SbomFormat::CycloneDx16 | SbomFormat::CycloneDx17 => writeln!(out.out, "}}"),
            SbomFormat::Spdx23 => spdx::write_end(&out.hasher.finish().hex(), out.out),
        }
    }
}

/// Writes the key of an array before its first element.
struct OptionalArray<'o, W> {
    key: &'static str,
    is_begun: bool,
    out: &'o mut W,
}

impl<W: Write> OptionalArray<'_, W> {
    fn begin(&mut self) -> io::Result<()> {
        self.is_begun = true;
        write!(self.out, r#","{}":["#, self.key)
    }
}

impl<W: Write> Write for OptionalArray<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_begun {
            self.begin()?;
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Computes the digest of what is written.
struct HashingWriter<'o, W> {
    out: &'o mut W,
    hasher: Hasher,
}

impl<W: Write> Write for HashingWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
