//! Adding images to a layout.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use super::index::Index;
use super::{INDEX_FILE, LayoutError, MARKER_FILE, REF_NAME_KEY, check_marker_json, read_json_file};
use crate::binary_layer::BinaryLayer;
use crate::descriptor::MAX_MANIFEST_SIZE;
use crate::hashing_writer::HashingWriter;
use crate::image::check_unchanged;
use crate::{Descriptor, Image, ImageDraft, ImageOptions};
use sectile::Input;
use sectile::digest::{Digest, Hasher};
use sectile::internal::atomic::{Access, AtomicFile, Directory};
use sectile::internal::directory::{NameKind, OpenDirectory, Place};
use sectile::internal::fingerprint::FileId;
use sectile::internal::lock::{LockError, Locked};
use sectile::internal::{self, OutputPlace};
use sectile::splice::{Plan, WriteError, WriteOptions};

/// An image layout that is open for adding images, and locked against other writers until dropped.
///
/// ```no_run
/// use sectile::{Input, splice::Plan};
/// use sectile_oci::{ImageOptions, Layout};
///
/// let input = Input::open("app.wasm")?;
/// let plan = Plan::identity(&input);
/// let layout = Layout::open_or_create("layout", Default::default())?;
/// let name = "1.0.0".parse()?;
/// let added = layout.add(&input, &plan, Some(&name), &ImageOptions::default())?;
/// println!("{}", added.image().descriptor().digest());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Layout {
    directory: Arc<OpenDirectory>,
    blobs: Arc<OpenDirectory>,
    options: WriteOptions,
    _lock: Locked,
}

/// An image that was added to a layout.
#[derive(Clone, Debug)]
pub struct AddedImage {
    image: Image,
    index_changed: bool,
}

impl AddedImage {
    /// Returns the image.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Converts the result into the image.
    pub fn into_image(self) -> Image {
        self.image
    }

    /// Returns whether the index changed. It is unchanged if it already had the image under the
    /// same name.
    pub fn index_changed(&self) -> bool {
        self.index_changed
    }
}

/// The name of an image in a layout. Source: the grammar of `org.opencontainers.image.ref.name` in
/// `annotations.md` of the image specification.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefName(String);

impl RefName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RefName {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        let is_component = |component: &str| {
            // `--` is a separator too.
            let single = component.replace("--", "-");
            !component.contains("---")
                && single
                    .split(|character| "-._:@+".contains(character))
                    .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        };
        if text.split('/').all(is_component) {
            Ok(Self(text.to_owned()))
        } else {
            Err(LayoutError::InvalidRefName(text.to_owned()))
        }
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Layout {
    /// Opens the layout in a directory. Creates the directory if it does not exist, and a layout if
    /// it is empty.
    ///
    /// The directory itself may be a symbolic link, but nothing in it may be one. `blobs`,
    /// `blobs/sha256` and every file are looked up through directory handles that are opened once.
    ///
    /// # Errors
    ///
    /// - The directory has other contents, or a name in it is a link or a special file.
    /// - Another process is writing to the layout.
    /// - The system reports an error.
    pub fn open_or_create(directory: impl AsRef<Path>, options: WriteOptions) -> Result<Self, LayoutError> {
        let directory = Arc::new(open_root(directory.as_ref(), options)?);
        let marker = directory.path().join(MARKER_FILE);
        let file = match open_regular(&directory, MARKER_FILE) {
            Err(LayoutError::Missing(_)) => {
                check_empty(&directory)?;
                match write_marker(&directory, options) {
                    // Another process has created it in the meantime.
                    Err(WriteError::Place(error)) if error.kind() == ErrorKind::AlreadyExists => {}
                    result => result.map_err(|source| LayoutError::Write { file: marker.clone(), source })?,
                }
                open_regular(&directory, MARKER_FILE)?
            }
            file => file?,
        };
        check_marker_json(&marker, &read_json_file(&marker, &file)?)?;
        let lock = Locked::exclusive(file).map_err(|error| match error {
            LockError::Held => LayoutError::Locked(directory.path().to_owned()),
            LockError::Io(error) => LayoutError::Write { file: marker, source: WriteError::Open(error) },
        })?;
        let blobs = open_child(&open_child(&directory, "blobs", options)?, "sha256", options)?;
        Ok(Self { directory, blobs: Arc::new(blobs), options, _lock: lock })
    }

    /// Adds the image of the result of a plan for an input: three blobs and a descriptor in the
    /// index.
    ///
    /// The descriptor replaces the one of the same name. Everything else in the layout is
    /// unchanged, including blobs without a reference. A blob that is already stored is
    /// hashed, and rewritten if it is damaged. The input is hashed while it is copied. Each file is
    /// written atomically, the index last.
    ///
    /// # Errors
    ///
    /// See [`LayoutError`].
    pub fn add(
        &self,
        input: &Input,
        plan: &Plan,
        name: Option<&RefName>,
        options: &ImageOptions,
    ) -> Result<AddedImage, LayoutError> {
        let draft = ImageDraft::read(input, plan, options)?;
        let mut index = self.read_index()?; // fails before anything is written
        let source = internal::fingerprint(input).file;
        let content = BinaryLayer { shape: options.shape, input, plan };
        let mut unpacked = None;
        let layer = self.write_temporary(|out| {
            unpacked = content.write_to(out)?;
            Ok(())
        })?;
        check_unchanged(input)?;
        let image = draft.image(layer.digest, layer.size, unpacked)?;
        self.store(layer, source)?;
        self.add_blob(image.config(), source)?;
        self.add_blob(image.manifest(), source)?;

        let index_changed = self.add_descriptor(&mut index, image.descriptor(), name, source)?;
        Ok(AddedImage { image, index_changed })
    }

    /// Adds a blob from a reader, unless it is already stored. The reader must check the digest.
    /// Returns whether the blob was written.
    #[cfg(feature = "registry")]
    pub(crate) fn add_verified_blob<'r>(
        &self,
        digest: Digest,
        size: u64,
        open: impl FnOnce() -> io::Result<Box<dyn Read + 'r>>,
    ) -> Result<bool, LayoutError> {
        if self.is_stored(digest, size)? {
            return Ok(false);
        }
        let unread = |error: io::Error| match error.downcast::<LayoutError>() {
            Ok(error) => error,
            Err(source) => LayoutError::UnreadBlob { digest, source },
        };
        let mut reader = open().map_err(unread)?;
        let mut read_error = None;
        let written = self.write_temporary(|out| {
            let mut buffer = vec![0; READ_LEN];
            loop {
                match reader.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(len) => out.write_all(&buffer[..len])?,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => {
                        read_error = Some(error);
                        return Err(ErrorKind::InvalidData.into());
                    }
                }
            }
        });
        let blob = match read_error {
            Some(error) => return Err(unread(error)),
            None => written?,
        };
        if blob.digest != digest {
            return Err(LayoutError::DigestMismatch { expected: digest, found: blob.digest });
        }
        self.store(blob, None)?;
        Ok(true)
    }

    /// Adds a manifest to the index, under this name. Returns whether the index changed.
    #[cfg(feature = "registry")]
    pub(crate) fn add_to_index(&self, descriptor: &Descriptor, name: Option<&RefName>) -> Result<bool, LayoutError> {
        self.add_descriptor(&mut self.read_index()?, descriptor, name, None)
    }

    fn read_index(&self) -> Result<Index, LayoutError> {
        let path = self.directory.path().join(INDEX_FILE);
        match open_regular(&self.directory, INDEX_FILE) {
            Ok(file) => Index::parse(&path, &read_json_file(&path, &file)?),
            Err(LayoutError::Missing(_)) => Ok(Index::new()),
            Err(error) => Err(error),
        }
    }

    /// Adds a descriptor to the index, and writes the index if it changed.
    fn add_descriptor(
        &self,
        index: &mut Index,
        descriptor: &Descriptor,
        name: Option<&RefName>,
        source: Option<FileId>,
    ) -> Result<bool, LayoutError> {
        let path = self.directory.path().join(INDEX_FILE);
        let mut descriptor = descriptor.clone();
        if let Some(RefName(name)) = name {
            descriptor = descriptor.with_annotation(REF_NAME_KEY, name);
        }
        let index_changed = index.add(&path, &descriptor)?;
        if index_changed {
            let json = index.to_json();
            if json.len() as u64 > MAX_MANIFEST_SIZE {
                return Err(LayoutError::IndexTooLarge(json.len() as u64));
            }
            self.write_index(&json, source).map_err(|source| LayoutError::Write { file: path, source })?;
        }
        Ok(index_changed)
    }

    fn write_index(&self, json: &[u8], source: Option<FileId>) -> Result<(), WriteError> {
        let place = OutputPlace::open_in(&self.directory, Path::new(INDEX_FILE), self.options)?;
        place.check_other_than(source)?;
        let output = place.create(self.options)?;
        output.file().write_all(json).map_err(WriteError::Write)?;
        output.finish(|| Ok(()))
    }

    fn add_blob(&self, bytes: &[u8], source: Option<FileId>) -> Result<(), LayoutError> {
        if self.is_stored(Digest::new(bytes), bytes.len() as u64)? {
            return Ok(());
        }
        self.store(self.write_temporary(|out| out.write_all(bytes))?, source)
    }

    /// Writes a blob outside the directory of blobs. There, other tools would mistake an incomplete
    /// file for a blob.
    fn write_temporary(
        &self,
        write: impl FnOnce(&mut HashingWriter<&File>) -> io::Result<()>,
    ) -> Result<TemporaryBlob, LayoutError> {
        let failed = |source| LayoutError::Write { file: self.directory.path().to_owned(), source };
        let place = Place::In(self.directory.clone(), "blob".into());
        let file = AtomicFile::create(place, Access::Default).map_err(|error| failed(WriteError::Create(error)))?;
        let mut out = HashingWriter::new(file.file());
        write(&mut out).map_err(|error| failed(WriteError::Write(error)))?;
        let (digest, size) = out.finish();
        Ok(TemporaryBlob { file, digest, size })
    }

    /// Moves a blob to the name of its digest, unless it is already stored. A damaged blob is
    /// replaced.
    fn store(&self, blob: TemporaryBlob, source: Option<FileId>) -> Result<(), LayoutError> {
        if self.is_stored(blob.digest, blob.size)? {
            return Ok(());
        }
        let hex = blob.digest.hex();
        let write = || {
            let place = OutputPlace::open_in(&self.blobs, Path::new(&hex), self.options)?;
            place.check_other_than(source)?;
            place.take(blob.file, self.options)?.finish(|| Ok(()))
        };
        write().map_err(|source| LayoutError::Write { file: self.blobs.path().join(&hex), source })
    }

    /// Whether a blob is stored: a regular file of this size and with this digest.
    fn is_stored(&self, digest: Digest, size: u64) -> Result<bool, LayoutError> {
        let mut file = match open_regular(&self.blobs, &digest.hex()) {
            Ok(file) => file,
            Err(LayoutError::Missing(_)) => return Ok(false),
            Err(error) => return Err(error),
        };
        let failed = |error| LayoutError::io(&self.blobs.path().join(digest.hex()), error);
        if file.metadata().map_err(failed)?.len() != size {
            return Ok(false);
        }
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; READ_LEN];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(hasher.finish() == digest),
                Ok(len) => hasher.update(&buffer[..len]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

/// Number of bytes read at once from a stored blob.
const READ_LEN: usize = 256 << 10;

/// A blob in a temporary file.
struct TemporaryBlob {
    file: AtomicFile,
    digest: Digest,
    size: u64,
}

/// Opens the directory of a layout, and creates it if it does not exist.
fn open_root(path: &Path, options: WriteOptions) -> Result<OpenDirectory, LayoutError> {
    let failed = |error| LayoutError::io(path, error);
    match fs::create_dir(path) {
        Ok(()) => {
            Directory::open_parent(path, options.sync).and_then(|parent| parent.sync()).map_err(failed)?;
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {} // opening it reports other kinds
        Err(error) => return Err(failed(error)),
    }
    OpenDirectory::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotADirectory => LayoutError::io(&path.join(MARKER_FILE), error),
        _ => failed(error),
    })
}

/// Opens a directory in another, and creates it if it does not exist. A link is refused.
fn open_child(parent: &OpenDirectory, name: &str, options: WriteOptions) -> Result<OpenDirectory, LayoutError> {
    let failed = |error| LayoutError::io(&parent.path().join(name), error);
    let (directory, created) = parent.open_or_create(name.as_ref()).map_err(failed)?;
    if created && options.sync {
        parent.sync().map_err(failed)?;
    }
    Ok(directory)
}

/// Opens a file of a layout, which must be a regular file and not a link.
fn open_regular(directory: &OpenDirectory, name: &str) -> Result<File, LayoutError> {
    let path = || directory.path().join(name);
    match directory.open_file(name.as_ref(), false) {
        Ok(file) => match file.metadata() {
            Ok(metadata) if metadata.is_file() => Ok(file),
            Ok(_) => Err(LayoutError::NotRegular(path())),
            Err(error) => Err(LayoutError::io(&path(), error)),
        },
        Err(error) => Err(match directory.kind(name.as_ref()) {
            Ok(NameKind::Missing) => LayoutError::Missing(path()),
            Ok(NameKind::File) => LayoutError::io(&path(), error),
            Err(error) => LayoutError::io(&path(), error),
            Ok(_) => LayoutError::NotRegular(path()),
        }),
    }
}

/// Refuses to create a layout in a directory with other files.
fn check_empty(directory: &OpenDirectory) -> Result<(), LayoutError> {
    for name in directory.names().map_err(|error| LayoutError::io(directory.path(), error))? {
        // Another process that creates a layout at the same time writes these first.
        let is_known = AtomicFile::is_temporary(&name) || name == MARKER_FILE;
        if !is_known {
            return Err(LayoutError::NotLayout(directory.path().to_owned()));
        }
    }
    Ok(())
}

/// Writes the file that makes a directory a layout.
fn write_marker(directory: &Arc<OpenDirectory>, options: WriteOptions) -> Result<(), WriteError> {
    let place = Place::In(directory.clone(), MARKER_FILE.into());
    let file = AtomicFile::create(place, Access::Default).map_err(WriteError::Create)?;
    file.file().write_all(br#"{"imageLayoutVersion":"1.0.0"}"#).map_err(WriteError::Write)?;
    internal::finish(file, options, AtomicFile::persist_new, || Ok(()))
}
