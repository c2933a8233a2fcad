//! Documents of several binaries, written while the binaries are read.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, Read, Seek, SeekFrom, Write};

use sectile::digest::{Digest, Hasher};
use tempfile::SpooledTempFile;

use super::elements::Elements;
use super::part::Part;
use super::reference::{BINARY_NUMBER, CREATED, SEPARATOR};
use super::spdx::spdx_time;
use super::{Sbom, SbomFormat, cyclonedx, spdx};

/// Writes a document of several binaries, such as those of a store.
///
/// The memory does not grow with the number of binaries, except for 32 bytes for each license that
/// is not on the SPDX list. The first array is written at once. The others follow it in the document,
/// and are kept in temporary files once they are larger than 1 MiB.
///
/// ```
/// use sectile_sbom::{Sbom, SbomCollection, SbomFormat};
///
/// let metadata = sectile::read_slice(b"\0asm\x01\0\0\0")?;
/// let mut document = Vec::new();
/// let mut collection = SbomCollection::new(SbomFormat::CycloneDx17, "store", None);
/// collection.begin(&mut document).expect("memory can be written");
/// for name in ["a.wasm", "b.wasm"] {
///     let mut part = Vec::new();
///     Sbom::from_metadata(&metadata).with_name(name).write_part(SbomFormat::CycloneDx17, &mut part);
///     collection.add(&part, &mut document).expect("memory can be written");
/// }
/// collection.finish(true, &mut document).expect("memory can be written");
/// assert!(document.ends_with(b"}\n"));
/// # Ok::<(), sectile::Error>(())
/// ```
#[derive(Debug)]
pub struct SbomCollection {
    format: SbomFormat,
    name: String,
    created: Option<String>,
    /// The time in the form of SPDX.
    spdx_created: String,
    /// Number of binaries.
    binaries: u64,
    /// The arrays after the first, in the order of the document.
    rest: Vec<ArrayFile>,
    /// Whether the first array has an element.
    has_first: bool,
    /// Digests of elements that may occur again.
    distinct: HashSet<[u8; 32]>,
    /// The digest of the document, which names an SPDX document.
    hasher: Hasher,
}

/// The elements of an array.
#[derive(Debug)]
struct ArrayFile {
    file: SpooledTempFile,
    is_empty: bool,
}

/// The bytes of an array that are kept in memory.
const MAX_IN_MEMORY: usize = 1 << 20;

impl SbomCollection {
    /// A document of a store with this name, at this RFC 3339 date-time.
    pub fn new(format: SbomFormat, name: impl Into<String>, created: Option<&str>) -> Self {
        let new_file = |_: &_| ArrayFile { file: SpooledTempFile::new(MAX_IN_MEMORY), is_empty: true };
        Self {
            format,
            name: name.into(),
            created: created.map(ToOwned::to_owned),
            spdx_created: spdx_time(created),
            binaries: 0,
            rest: format.arrays()[1..].iter().map(new_file).collect(),
            has_first: false,
            distinct: HashSet::new(),
            hasher: Hasher::new(),
        }
    }

    /// Writes the start of the document.
    ///
    /// # Errors
    ///
    /// Errors of the writer.
    pub fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let mut text = Vec::new();
        match self.format {
            SbomFormat::CycloneDx16 | SbomFormat::CycloneDx17 => {
                cyclonedx::write_head(self.format, self.created.as_deref(), &mut text)?;
                cyclonedx::write_store(&self.name, &mut text)?;
                write!(text, r#"}},"components":["#)?;
            }
            SbomFormat::Spdx23 => {
                spdx::write_head(&self.name, &self.spdx_created, &mut text)?;
                write!(text, r#","packages":["#)?;
                spdx::write_store(&self.name, &mut text)?;
                self.has_first = true;
            }
        }
        self.write(&text, out)
    }

    /// Adds the parts of binaries, as [`Sbom::write_part`] writes them, one after another.
    ///
    /// # Errors
    ///
    /// Errors of the writer and of a temporary file.
    pub fn add(&mut self, parts: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let arrays = self.format.arrays();
        let lines: Vec<&[u8]> = parts.split(|&byte| byte == b'\n').collect();
        for part in lines.chunks_exact(arrays.len()) {
            self.binaries += 1;
            for (position, (line, array)) in part.iter().zip(arrays).enumerate() {
                let elements = if array.is_distinct { self.new_elements(line).into() } else { Cow::Borrowed(*line) };
                if elements.is_empty() {
                    continue;
                }
                let elements = self.completed(&elements);
                match position.checked_sub(1) {
                    None => {
                        let comma: &[u8] = if self.has_first { b"," } else { b"" };
                        self.has_first = true;
                        self.write(comma, out)?;
                        self.write(&elements, out)?;
                    }
                    Some(position) => {
                        let ArrayFile { file, is_empty } = &mut self.rest[position];
                        if !std::mem::take(is_empty) {
                            file.write_all(b",")?;
                        }
                        file.write_all(&elements)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes the end of the document. `is_complete` tells whether it has all binaries of the store,
    /// with all their data.
    ///
    /// # Errors
    ///
    /// Errors of the writer and of a temporary file.
    pub fn finish(mut self, is_complete: bool, out: &mut dyn Write) -> io::Result<()> {
        let write_store = match self.format {
            SbomFormat::CycloneDx16 | SbomFormat::CycloneDx17 => cyclonedx::write_store_elements::<Vec<u8>>,
            SbomFormat::Spdx23 => spdx::write_store_elements::<Vec<u8>>,
        };
        self.write(b"]", out)?;
        let files = std::mem::take(&mut self.rest);
        for (ArrayFile { mut file, is_empty }, array) in files.into_iter().zip(&self.format.arrays()[1..]) {
            let mut text = Vec::new();
            write_store(array.key, self.binaries, is_complete, &mut Elements::new(&mut text, b','))?;
            if is_empty && text.is_empty() && array.is_optional {
                continue;
            }
            self.write(format!(r#","{}":["#, array.key).as_bytes(), out)?;
            self.write(&text, out)?;
            if !is_empty && !text.is_empty() {
                self.write(b",", out)?;
            }
            file.seek(SeekFrom::Start(0))?;
            let mut buffer = vec![0; 64 << 10];
            loop {
                let read = file.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                self.write(&buffer[..read], out)?;
            }
            self.write(b"]", out)?;
        }
        let mut end = Vec::new();
        match self.format {
            SbomFormat::CycloneDx16 | SbomFormat::CycloneDx17 => end.extend_from_slice(b"}\n"),
            SbomFormat::Spdx23 => spdx::write_end(&self.hasher.finish().hex(), &mut end)?,
        }
        out.write_all(&end)
    }

    /// The elements of a line that do not occur yet, as those of an array.
    fn new_elements(&mut self, line: &[u8]) -> Vec<u8> {
        let mut new = Vec::new();
        for element in line.split(|&byte| byte == SEPARATOR).filter(|element| !element.is_empty()) {
            if self.distinct.insert(*Digest::new(element).as_bytes()) {
                if !new.is_empty() {
                    new.push(b',');
                }
                new.extend_from_slice(element);
            }
        }
        new
    }

    /// Replaces the control characters that stand for what only the document knows.
    fn completed(&self, elements: &[u8]) -> Vec<u8> {
        let number = self.binaries.to_string();
        let mut completed = Vec::with_capacity(elements.len() + elements.len() / 16);
        let mut rest = elements;
        while let Some(at) = rest.iter().position(|&byte| matches!(byte, BINARY_NUMBER | CREATED)) {
            completed.extend_from_slice(&rest[..at]);
            let value = if rest[at] == BINARY_NUMBER { &number } else { &self.spdx_created };
            completed.extend_from_slice(value.as_bytes());
            rest = &rest[at + 1..];
        }
        completed.extend_from_slice(rest);
        completed
    }

    fn write(&mut self, text: &[u8], out: &mut dyn Write) -> io::Result<()> {
        self.hasher.update(text);
        out.write_all(text)
    }
}

impl Sbom<'_> {
    /// Appends the part of a document of several binaries, for [`SbomCollection::add`]. The form of a
    /// part may change at any time.
    pub fn write_part(&self, format: SbomFormat, out: &mut Vec<u8>) {
        let part = Part::numbered(self);
        for array in 0..format.arrays().len() {
            part.write_array(format, array, out)
                .unwrap_or_else(|error| unreachable!("memory takes what is written: {error}"));
            out.push(b'\n');
        }
    }
}
