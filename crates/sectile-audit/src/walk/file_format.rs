//! Names the format of a single file, as a walk detects it.

use std::io;

use super::file::{HEAD_LEN, read_head};
use super::file_kind::FileKind;
use super::probe::{Probe, ProbeBuffer};
use crate::fill::fill_exact_at;
use sectile::Input;

/// The format of a file that may hold binaries and is not a binary itself.
///
/// ```no_run
/// use sectile::Input;
/// use sectile_audit::FileFormat;
///
/// let format = FileFormat::detect(&Input::open("app.tgz")?)?;
/// assert_eq!(format.map(FileFormat::name), Some("gzip"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFormat {
    name: &'static str,
    is_opened: bool,
}

impl FileFormat {
    /// Detects the format by content, like an audit. `None` for WebAssembly and for all other files.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn detect(input: &Input) -> io::Result<Option<Self>> {
        let mut head = [0; HEAD_LEN];
        let head = read_head(input, &mut head)?;
        let kind = FileKind::detect_in(input, 0..input.len(), head);
        match Self::opened(kind) {
            None if kind == FileKind::Wasm => return Ok(None),
            None => {}
            format => return Ok(format),
        }
        let read_at = |buffer: &mut [u8], offset| fill_exact_at(input, buffer, offset);
        let probe = Probe::read(kind, head, input.len(), &mut ProbeBuffer::default(), read_at)?;
        match probe.format {
            _ if probe.tar.is_some() => Ok(Self::opened(FileKind::Tar)),
            _ if probe.has_zip_end => Ok(Self::opened(FileKind::Zip)),
            Some(name) => Ok(Some(Self { name, is_opened: false })),
            None => Ok(None),
        }
    }

    /// Detects a format that an audit opens by the first 4 KiB of a file, or all of a shorter one.
    pub fn detect_head(head: &[u8]) -> Option<Self> {
        Self::opened(FileKind::detect(&head[..head.len().min(HEAD_LEN)]))
    }

    fn opened(kind: FileKind) -> Option<Self> {
        let name = match kind {
            FileKind::Gzip => "gzip",
            FileKind::Zstd => "zstd",
            FileKind::Runtime => "compressed Substrate runtime",
            FileKind::Zip => "zip",
            FileKind::Tar => "tar",
            FileKind::Wasm | FileKind::Other => return None,
        };
        Some(Self { name, is_opened: true })
    }

    /// Its name in reports and policies.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether an audit inspects the contents of such a file.
    pub fn is_opened(self) -> bool {
        self.is_opened
    }
}
