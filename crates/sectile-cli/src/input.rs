//! Opening inputs.

mod row;

pub use self::row::is_packed;

#[cfg(unix)]
use std::fs::File;
use std::io::{self, Read, Write};
#[cfg(unix)]
use std::sync::OnceLock;

use sectile::digest::{Digest, Hasher};
use sectile::drive::ReadAt;
#[cfg(unix)]
use sectile::internal::fingerprint;
#[cfg(unix)]
use sectile::internal::fingerprint::{FileFingerprint, FileId};
use sectile::metadata::StreamReader;
use sectile::scan::Visitor;
use sectile::splice::{WriteError, check_whole};
use sectile::{Error, Input, Limits, Outcome};
#[cfg(feature = "remote")]
use sectile_audit::FileFormat;
use sectile_oci::LayoutImage;
use sectile_oci::registry::RegistryImage;
use sectile_policy::diff::{BinaryReading, FactsReader};
use sectile_policy::{Policy, PolicyReader, Reading, read_input};
#[cfg(feature = "remote")]
use sectile_remote::local_path;

use crate::display::escaped;
use crate::failure::Failure;
use crate::remote::{self, RemoteInput};
use crate::source::{InputLocation, InputSource};

/// Maximum number of bytes copied to a temporary file, from standard input or from a registry.
const MAX_SPOOLED: u64 = 1 << 30;

#[cfg(not(feature = "remote"))]
pub const LACKS_REMOTE: &str = "this build of `sectile` cannot read URLs of web servers and stores: build it with \
                                `--features remote`";

/// An open input.
pub enum InputReader {
    Local(Input),
    Remote(Box<RemoteInput>),
}

/// Evaluates the same expression for either variant.
macro_rules! either {
    ($reader:expr, $input:ident => $do:expr) => {
        match $reader {
            InputReader::Local($input) => $do,
            InputReader::Remote($input) => $do,
        }
    };
}

impl InputReader {
    pub fn len(&self) -> u64 {
        either!(self, input => input.len())
    }

    pub fn scan<V: for<'w> Visitor<'w>>(&mut self, visitor: &mut V, limits: Limits) -> Outcome<()> {
        either!(self, input => input.scan(visitor, limits))
    }

    pub fn read_by(&mut self, reader: PolicyReader<StreamReader>) -> Outcome<Reading<'static>> {
        match self {
            Self::Local(input) => reader.read_input(input),
            Self::Remote(remote) => remote.collect(reader),
        }
    }

    pub fn read_facts(&mut self, reader: FactsReader) -> BinaryReading {
        match self {
            Self::Local(input) => reader.read_input(input),
            Self::Remote(remote) => remote.collect(reader).into(),
        }
    }

    pub fn read_with_policy(&mut self, policy: &Policy) -> Outcome<Reading<'static>> {
        match self {
            Self::Local(input) => read_input(input, policy),
            Self::Remote(remote) => remote.read_with_policy(policy),
        }
    }

    /// The digest of all bytes of a local file; `None` for a remote one, which is read by ranges.
    pub fn digest(&self) -> Result<Option<Digest>, Failure> {
        let Self::Local(input) = self else { return Ok(None) };
        let (mut hasher, mut offset) = (Hasher::new(), 0);
        let mut buffer = vec![0; 1 << 20];
        loop {
            match input.read_at(&mut buffer, offset).map_err(Error::from)? {
                0 => return Ok(Some(hasher.finish())),
                read => {
                    hasher.update(&buffer[..read]);
                    offset += read as u64;
                }
            }
        }
    }

    /// Reads bytes from an offset and returns their number; 0 at the end.
    pub fn read_part(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::Local(input) => input.read_at(buffer, offset),
            Self::Remote(remote) => remote.read_part(buffer, offset),
        }
    }
}

/// Opens the binary that a source stands for, local or remote. Local files are mapped into memory if `map` is set.
///
/// The source may be the name of a row of an audit.
pub fn open(source: &InputSource, map: bool) -> Result<InputReader, Failure> {
    match source.location() {
        InputLocation::Url(_) | InputLocation::RegistryImage(_) if map => {
            Err(Failure::Other("--map needs a local file".to_owned()))
        }
        #[cfg(feature = "remote")]
        InputLocation::Url(url) => match local_path(url)? {
            Some(path) => Ok(InputReader::Local(Input::open(path)?)),
            None => open_object(source, url),
        },
        #[cfg(not(feature = "remote"))]
        InputLocation::Url(_) => Err(Failure::Other(LACKS_REMOTE.to_owned())),
        InputLocation::RegistryImage(image) => open_registry_image(source, image),
        InputLocation::Stdin | InputLocation::File | InputLocation::LayoutImage => {
            Ok(InputReader::Local(open_binary(source, map)?))
        }
    }
}

/// Opens a binary that is read to its end. A remote one is copied to a temporary file.
pub fn open_whole(source: &InputSource) -> Result<Input, Failure> {
    match source.location() {
        InputLocation::Url(_) => match open(source, false)? {
            InputReader::Local(input) => Ok(input),
            InputReader::Remote(mut remote) => copy_remote(&mut remote),
        },
        _ => open_binary(source, false),
    }
}

/// Copies a remote binary to an unnamed temporary file.
fn copy_remote(remote: &mut RemoteInput) -> Result<Input, Failure> {
    const PART_LEN: u64 = 4 << 20;
    let len = remote.len();
    if len > MAX_SPOOLED {
        return Err(Failure::Other(format!("it has {len} bytes, and at most {MAX_SPOOLED} are kept: download it")));
    }
    let mut file = tempfile::tempfile().map_err(not_kept)?;
    let (mut buffer, mut at) = (vec![0; PART_LEN.min(len) as usize], 0);
    while at < len {
        match remote.read_part(&mut buffer[..PART_LEN.min(len - at) as usize], at) {
            Ok(0) => return Err(Failure::Input(Error::from(io::Error::from(io::ErrorKind::UnexpectedEof)))),
            Ok(read) => {
                file.write_all(&buffer[..read]).map_err(not_kept)?;
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::Input(error.into())),
        }
    }
    Ok(Input::from_file(file)?)
}

/// Opens a file, the layer of an image, or the binary that the name of a row of an audit stands for. A layer in a registry
/// is downloaded.
pub fn open_binary(source: &InputSource, map: bool) -> Result<Input, Failure> {
    let opened = open_local(source, map);
    let may_be_row = match &opened {
        Ok(input) => *source.location() == InputLocation::File && row::is_packed(input),
        Err(failure) => row::may_name(source, failure),
    };
    let row = if may_be_row { row::open(source, opened.as_ref().err()) } else { None };
    row.unwrap_or(opened)
}

/// Opens an object, or the binary in an archive that the URL names.
#[cfg(feature = "remote")]
fn open_object(source: &InputSource, url: &str) -> Result<InputReader, Failure> {
    let opened = RemoteInput::open_object(url);
    let may_be_row = match &opened {
        Ok(object) => FileFormat::detect_head(object.head()).is_some(),
        Err(failure) => failure.is_missing_object() && url.contains('!'),
    };
    let row = if may_be_row { row::open(source, opened.as_ref().err()) } else { None };
    row.map_or_else(|| Ok(InputReader::Remote(Box::new(opened?))), |row| Ok(InputReader::Local(row?)))
}

/// Opens the layer of an image in a registry, or the binary in it that the source names.
fn open_registry_image(source: &InputSource, image: &str) -> Result<InputReader, Failure> {
    let opened = remote::open_image(image, source.platform()).and_then(RemoteInput::from_image);
    let failure = opened.as_ref().err().filter(|failure| row::may_name(source, failure));
    let row = failure.and_then(|failure| row::open(source, Some(failure)));
    row.map_or_else(|| Ok(InputReader::Remote(Box::new(opened?))), |row| Ok(InputReader::Local(row?)))
}

/// Opens a local source, and maps it into memory if `map` is set. The layer of an image in a registry
/// is downloaded to a temporary file, and its digest is checked.
pub fn open_local(source: &InputSource, map: bool) -> Result<Input, Failure> {
    let input = match source.location() {
        InputLocation::Url(_) => {
            return Err(Failure::Other("this command needs a local file; download it first".to_owned()));
        }
        InputLocation::RegistryImage(image) => download(&remote::open_image(image, source.platform())?)?,
        InputLocation::Stdin => spool(io::stdin().lock())?,
        InputLocation::File => Input::open(source.argument())?,
        InputLocation::LayoutImage => open_layout_image(source)?.into_input(),
    };
    if is_stdout(&input) {
        return Err(WriteError::SameFile.into());
    }
    if !map {
        return Ok(input);
    }
    // SAFETY: the help of `--map` tells the user that nothing may change the file in the meantime.
    #[allow(unsafe_code)]
    let input = unsafe { input.map() }?;
    Ok(input)
}

/// Opens the image in a layout that a source names.
pub fn open_layout_image(source: &InputSource) -> Result<LayoutImage, Failure> {
    const NO_IMAGE: &str = "--image needs an image: `oci:DIR`, `oci:DIR:NAME` or `oci://HOST/REPOSITORY:TAG`";
    let locator = source.layout_image().ok_or_else(|| Failure::Other(NO_IMAGE.to_owned()))?;
    let image = locator.and_then(|locator| LayoutImage::open_for(&locator, source.platform()));
    Ok(image.map_err(Error::from)?)
}

/// Copies the layer of an image to an unnamed temporary file.
fn download(image: &RegistryImage) -> Result<Input, Failure> {
    let size = image.layer().size();
    if size > MAX_SPOOLED {
        let message = format!("the layer has {size} bytes, and at most {MAX_SPOOLED} are kept: use `sectile oci pull`");
        return Err(Failure::Other(message));
    }
    let mut file = tempfile::tempfile().map_err(not_kept)?;
    let mut layer = image.read_layer()?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        match layer.read(&mut buffer) {
            Ok(0) => return Ok(Input::from_file(file)?),
            Ok(len) => file.write_all(&buffer[..len]).map_err(not_kept)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::Input(error.into())),
        }
    }
}

/// Whether standard output is appended to this file.
fn is_stdout(input: &Input) -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        static STDOUT: OnceLock<Option<FileId>> = OnceLock::new();
        let stdout = STDOUT.get_or_init(|| {
            let metadata = File::from(io::stdout().as_fd().try_clone_to_owned().ok()?).metadata().ok()?;
            FileFingerprint::new(&metadata).file.filter(|_| metadata.is_file())
        });
        stdout.is_some() && fingerprint(input).file == *stdout
    }
    #[cfg(not(unix))]
    {
        _ = input;
        false
    }
}

/// Rejects a file that an interrupted in-place edit may have left inconsistent.
pub fn check_not_torn(source: &InputSource) -> Result<(), Failure> {
    match source.location() {
        InputLocation::Stdin | InputLocation::LayoutImage | InputLocation::RegistryImage(_) => Ok(()),
        _ => Ok(check_whole(source.argument())?),
    }
}

/// Copies a stream to an unnamed temporary file, so that it can be read at any offset.
fn spool(stream: impl Read) -> Result<Input, Failure> {
    let mut file = tempfile::tempfile().map_err(not_kept)?;
    let len = io::copy(&mut stream.take(MAX_SPOOLED + 1), &mut file).map_err(not_kept)?;
    if len > MAX_SPOOLED {
        return Err(Failure::Other(format!("it has more than {MAX_SPOOLED} bytes: give it as a file")));
    }
    Ok(Input::from_file(file)?)
}

/// The failure to keep an input in a temporary file.
#[allow(clippy::needless_pass_by_value)] // for `map_err`
pub fn not_kept(error: io::Error) -> Failure {
    let directory = std::env::temp_dir();
    let directory = escaped(directory.as_os_str());
    Failure::Other(format!(
        "cannot copy it to a temporary file in {directory}: {error}; TMPDIR selects another directory"
    ))
}
