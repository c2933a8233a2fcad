//! Adding images to a layout.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::index::Index;
use super::{INDEX_FILE, LayoutError, MARKER_FILE, REF_NAME_KEY, blob_path, check_marker, open_regular, read_json};
use crate::descriptor::MAX_MANIFEST_SIZE;
use crate::image::check_unchanged;
use crate::{Image, ImageDraft, ImageOptions};
use sectile::Input;
use sectile::digest::{Digest, Hasher};
use sectile::internal::atomic::{Access, AtomicFile, Directory};
use sectile::internal::lock::{LockError, Locked};
use sectile::splice::{Plan, WriteError, WriteOptions};

/// An image layout that is open for adding images, and locked against other writers until it is dropped.
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
    directory: PathBuf,
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

    /// Returns whether the index changed. It does not if it already had the image under the same name.
    pub fn index_changed(&self) -> bool {
        self.index_changed
    }
}

/// The name of an image in a layout. Source: the grammar of `org.opencontainers.image.ref.name` in `annotations.md` of
/// the image specification.
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
    /// Opens the layout in a directory. Creates the directory if it does not exist, and a layout if it is empty.
    ///
    /// Of the options, only [`WriteOptions::sync`] is used.
    ///
    /// # Errors
    ///
    /// The directory has other contents, another process is writing to the layout, or the system reports an error.
    pub fn open_or_create(directory: impl AsRef<Path>, options: WriteOptions) -> Result<Self, LayoutError> {
        let directory = directory.as_ref().to_owned();
        create_directory(&directory, options)?;
        let marker = directory.join(MARKER_FILE);
        let file = match open_regular(&marker) {
            Err(LayoutError::Missing(_)) => {
                check_empty(&directory)?;
                match write_file(&marker, br#"{"imageLayoutVersion":"1.0.0"}"#, options, AtomicFile::put_new) {
                    // Another process has created it in the meantime.
                    Err(LayoutError::Write { source: WriteError::Place(error), .. })
                        if error.kind() == ErrorKind::AlreadyExists => {}
                    result => result?,
                }
                open_regular(&marker)?
            }
            file => file?,
        };
        check_marker(&directory)?;
        let lock = Locked::alone(file).map_err(|error| match error {
            LockError::Held => LayoutError::Locked,
            LockError::Io(error) => LayoutError::Write { file: marker, source: WriteError::Open(error) },
        })?;
        create_directory(&directory.join("blobs"), options)?;
        create_directory(&directory.join("blobs").join("sha256"), options)?;
        Ok(Self { directory, options, _lock: lock })
    }

    /// Adds the image of the result of a plan for an input: three blobs and a descriptor in the index.
    ///
    /// The descriptor replaces the one of the same name. Everything else in the layout is unchanged, including blobs
    /// that are no longer referenced. The input is hashed while it is copied. Each file is written atomically, and the
    /// index last.
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
        let index_path = self.directory.join(INDEX_FILE);
        let mut index = match read_json(&index_path) {
            Ok(bytes) => Index::parse(&index_path, &bytes)?,
            Err(LayoutError::Missing(_)) => Index::new(),
            Err(error) => return Err(error),
        };

        let layer = self.write_temporary(|out| plan.write_to(input, out))?;
        check_unchanged(input)?;
        let image = draft.image(layer.digest, layer.size)?;
        self.store(layer)?;
        self.add_blob(image.config())?;
        self.add_blob(image.manifest())?;

        let mut descriptor = image.descriptor().clone();
        if let Some(RefName(name)) = name {
            descriptor = descriptor.with_annotation(REF_NAME_KEY, name);
        }
        let index_changed = index.add(&index_path, &descriptor)?;
        if index_changed {
            let json = index.to_json();
            if json.len() as u64 > MAX_MANIFEST_SIZE {
                return Err(LayoutError::IndexTooLarge(json.len() as u64));
            }
            write_file(&index_path, &json, self.options, AtomicFile::put)?;
        }
        Ok(AddedImage { image, index_changed })
    }

    fn add_blob(&self, bytes: &[u8]) -> Result<(), LayoutError> {
        if is_stored(&blob_path(&self.directory, Digest::new(bytes)), bytes.len() as u64)? {
            return Ok(());
        }
        self.store(self.write_temporary(|out| out.write_all(bytes))?)
    }

    /// Writes a blob outside the directory of blobs, where other tools would take an incomplete file for a blob.
    fn write_temporary(
        &self,
        write: impl FnOnce(&mut HashingWriter<&File>) -> io::Result<()>,
    ) -> Result<TemporaryBlob, LayoutError> {
        let path = self.directory.join("blob");
        let failed = |source| LayoutError::Write { file: self.directory.clone(), source };
        let file = AtomicFile::create(&path, Access::Default).map_err(|error| failed(WriteError::Create(error)))?;
        let mut out = HashingWriter { out: file.file(), hasher: Hasher::new(), len: 0 };
        write(&mut out).map_err(|error| failed(WriteError::Write(error)))?;
        let HashingWriter { hasher, len, .. } = out;
        Ok(TemporaryBlob { file, digest: hasher.finish(), size: len })
    }

    /// Moves a blob to the path of its digest, unless it is already stored.
    fn store(&self, blob: TemporaryBlob) -> Result<(), LayoutError> {
        let path = blob_path(&self.directory, blob.digest);
        if is_stored(&path, blob.size)? {
            return Ok(());
        }
        finish(blob.file.at(&path), &path, self.options, AtomicFile::put)
    }
}

/// A blob in a temporary file.
struct TemporaryBlob {
    file: AtomicFile,
    digest: Digest,
    size: u64,
}

/// A writer that hashes the bytes that it passes on.
struct HashingWriter<W> {
    out: W,
    hasher: Hasher,
    len: u64,
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.len += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns whether a blob of this size is stored. A truncated one is written again.
fn is_stored(path: &Path, size: u64) -> Result<bool, LayoutError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(metadata.len() == size),
        Ok(_) => Err(LayoutError::NotRegular(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(LayoutError::io(path, error)),
    }
}

/// Creates a directory if it does not exist.
fn create_directory(path: &Path, options: WriteOptions) -> Result<(), LayoutError> {
    match fs::create_dir(path) {
        Ok(()) => {
            let parent = Directory::open_parent(path, options.sync).and_then(|parent| parent.sync());
            parent.map_err(|error| LayoutError::io(path, error))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()), // opening a file in it reports other kinds
        Err(error) => Err(LayoutError::io(path, error)),
    }
}

/// Refuses to create a layout in a directory with other files.
fn check_empty(directory: &Path) -> Result<(), LayoutError> {
    let failed = |error| LayoutError::io(directory, error);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        // Another process that creates a layout at the same time begins with these.
        let is_known = AtomicFile::is_temporary(&name) || name == MARKER_FILE;
        if !is_known {
            return Err(LayoutError::NotLayout(directory.to_owned()));
        }
    }
    Ok(())
}

/// Writes a file atomically.
fn write_file(
    path: &Path,
    bytes: &[u8],
    options: WriteOptions,
    step: impl FnOnce(AtomicFile) -> io::Result<()>,
) -> Result<(), LayoutError> {
    let failed = |source| LayoutError::Write { file: path.to_owned(), source };
    let file = AtomicFile::create(path, Access::Default).map_err(|error| failed(WriteError::Create(error)))?;
    file.file().write_all(bytes).map_err(|error| failed(WriteError::Write(error)))?;
    finish(file, path, options, step)
}

fn finish(
    file: AtomicFile,
    path: &Path,
    options: WriteOptions,
    step: impl FnOnce(AtomicFile) -> io::Result<()>,
) -> Result<(), LayoutError> {
    sectile::internal::finish(file, path, options, step, || Ok(()))
        .map_err(|source| LayoutError::Write { file: path.to_owned(), source })
}
