//! Opens the binary that the name of a row of an audit stands for.

use std::error::Error as _;
use std::fs::File;
use std::io::{self, ErrorKind, Write};

use sectile::internal::other_error;
use sectile::{Error, Input};
use sectile_audit::{FileFormat, InsideSearch, RowName, RowReadError, RowReader, WalkOptions};
use sectile_oci::LayoutError;
use sectile_oci::registry::{RegistryImageError, Scheme};

use super::{MAX_SPOOLED, not_kept};
use crate::failure::Failure;
use crate::registry;
use crate::source::{InputLocation, InputSource};

/// Whether a file is an archive or a compressed file, which an audit opens.
pub fn is_packed(input: &Input) -> bool {
    matches!(FileFormat::detect(input), Ok(Some(format)) if format.is_opened())
}

/// Whether a source that cannot be opened may be the name of a row.
pub fn may_name(source: &InputSource, failure: &Failure) -> bool {
    match (source.location(), failure) {
        // A row does not depend on a platform.
        (InputLocation::RegistryImage(_), _) => names_entry(source) || source.platform().is_none() && is_final(failure),
        (InputLocation::LayoutImage, Failure::Input(error)) => {
            layout_error(error).is_some_and(|error| is_other_store(error) || is_other_shape(error))
        }
        (InputLocation::File | InputLocation::Url(_), Failure::Input(error)) => {
            io_error(error).is_some_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
        }
        _ => false,
    }
}

/// Whether the error of opening a source says more than that of reading a row.
fn is_final(failure: &Failure) -> bool {
    let Failure::Input(error) = failure else { return false };
    layout_error(error).is_some_and(is_other_shape)
}

/// The error of an image, in a layout or in a registry.
fn layout_error(error: &Error) -> Option<&LayoutError> {
    let of_registry = io_error(error).and_then(io::Error::get_ref).and_then(|error| error.downcast_ref());
    match of_registry {
        Some(RegistryImageError::Image(error)) => Some(error),
        _ => error.downcast_ref(),
    }
}

fn io_error(error: &Error) -> Option<&io::Error> {
    error.source().and_then(|error| error.downcast_ref())
}

/// Whether the name may be that of an image in another store, or of a layer.
fn is_other_store(error: &LayoutError) -> bool {
    matches!(error, LayoutError::NotLayout(_) | LayoutError::InvalidDigest { .. } | LayoutError::NoImage { .. })
}

/// Whether the image may have a binary elsewhere than in its only WebAssembly layer.
fn is_other_shape(error: &LayoutError) -> bool {
    matches!(
        error,
        LayoutError::NoWasmLayer { .. }
            | LayoutError::MultipleWasmLayers { .. }
            | LayoutError::AmbiguousImage(_)
            | LayoutError::AbsentBlob { .. }
    )
}

/// Opens the binary of the row that a source names. `None` if no store has such a row, or if the failure of opening the
/// source says more.
pub fn open(source: &InputSource, failure: Option<&Failure>) -> Option<Result<Input, Failure>> {
    let reader = RowReader::new().with_walk(walk_options(source));
    #[cfg(feature = "remote")]
    let reader = reader.with_remote(crate::remote::options());
    let reader = match source.location() {
        InputLocation::RegistryImage(_) => match registry::client(Scheme::Auto) {
            Ok(client) => reader.with_registry(client),
            Err(failure) => return Some(Err(failure)),
        },
        _ => reader,
    };
    let mut file = match tempfile::tempfile() {
        Ok(file) => BoundedFile { file, left: MAX_SPOOLED },
        Err(error) => return Some(Err(not_kept(error))),
    };
    match reader.copy(source.argument(), &mut file) {
        Ok(_) => Some(Input::from_file(file.file).map_err(Failure::Input)),
        Err(RowReadError::NoStore | RowReadError::Name(_)) => None,
        Err(RowReadError::NoBinary(names)) if names.is_empty() && !names_entry(source) => None,
        Err(error @ RowReadError::NoBinary(_)) => Some(Err(other_error(error).into())),
        Err(_) if failure.is_some_and(is_final) => None,
        Err(RowReadError::Read(error)) => Some(Err(Error::from(error).into())),
        Err(RowReadError::Write(_)) if file.left == 0 => {
            let message = format!("it has more than {MAX_SPOOLED} bytes: unpack it, and give it as a file");
            Some(Err(Failure::Other(message)))
        }
        Err(RowReadError::Write(error)) => Some(Err(not_kept(error))),
        Err(error) => Some(Err(other_error(error).into())),
    }
}

/// The default limits of an audit, with archives nested as deep as in the name. Each may be compressed in addition.
fn walk_options(source: &InputSource) -> WalkOptions {
    let depth = RowName::parse(source.argument()).map_or(0, |name| name.entries().len());
    let mut options = WalkOptions::default();
    options.inside = InsideSearch::Always;
    let max_nesting = u32::try_from(2 * depth).unwrap_or(WalkOptions::NESTING_LIMIT);
    options.max_nesting = max_nesting.clamp(options.max_nesting, WalkOptions::NESTING_LIMIT);
    options
}

/// A file of limited length.
struct BoundedFile {
    file: File,
    left: u64,
}

impl Write for BoundedFile {
    /// Writes nothing beyond the limit.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let written = self.file.write(&bytes[..most])?;
        self.left -= written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Whether a source may name an entry of an archive, or a layer of an image.
fn names_entry(source: &InputSource) -> bool {
    source.argument().as_encoded_bytes().contains(&b'!')
}
