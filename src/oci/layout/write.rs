//! Images added to a layout.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::index::Index;
use super::{INDEX_FILE, LayoutError, MARKER, REF_NAME, blob_path, check_marker, open_regular, read_json};
use crate::atomic::{Access, AtomicFile, Directory};
use crate::digest::{Digest, Hasher};
use crate::limits::Limits;
use crate::lock::{LockError, Locked};
use crate::oci::descriptor::MAX_MANIFEST;
use crate::oci::{Draft, Image, ImageError, ImageOptions};
use crate::splice::{Plan, WriteError, WriteOptions};
use crate::store::Input;

/// An image layout that is open for adding, and locked against others who would, as long as this lives.
///
/// ```no_run
/// use sectile::{Input, Limits, edit::Edit, oci::{ImageOptions, Layout}};
///
/// let input = Input::open("app.wasm")?;
/// let plan = Edit::new().plan(&input, Limits::default())?.plan; // as it is
/// let layout = Layout::open_or_create("layout", Default::default())?;
/// let name = "1.0.0".parse()?;
/// let added = layout.add(&input, &plan, Some(&name), &ImageOptions::default(), Limits::default())?;
/// println!("{}", added.image.descriptor().digest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Layout {
    directory: PathBuf,
    options: WriteOptions,
    _marker: Locked,
}

/// An image that was added.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Added {
    /// The image.
    pub image: Image,
    /// Whether the index was changed: it is not where the image stood in it already, under the same name.
    pub changed: bool,
}

/// What an image is called in a layout. Source: the grammar of `org.opencontainers.image.ref.name` in the image
/// specification's `annotations.md`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefName(String);

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
            Err(LayoutError::RefName(text.to_owned()))
        }
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Layout {
    /// Opens the layout in a directory. Where there is no directory, or nothing in it, a layout is made. Of the options
    /// [`WriteOptions::sync`] counts.
    ///
    /// # Errors
    ///
    /// The directory holds something else; someone else writes to the layout; and what the system says.
    pub fn open_or_create(directory: impl AsRef<Path>, options: WriteOptions) -> Result<Self, LayoutError> {
        let directory = directory.as_ref().to_owned();
        make_directory(&directory, options)?;
        let marker = directory.join(MARKER);
        let file = match open_regular(&marker) {
            Err(LayoutError::Missing(_)) => {
                check_empty(&directory)?;
                match put(&marker, br#"{"imageLayoutVersion":"1.0.0"}"#, options, AtomicFile::put_new) {
                    // Somebody else was faster.
                    Err(LayoutError::Write { source: WriteError::Place(error), .. })
                        if error.kind() == ErrorKind::AlreadyExists => {}
                    result => result?,
                }
                open_regular(&marker)?
            }
            file => file?,
        };
        check_marker(&directory)?;
        let locked = Locked::alone(file).map_err(|error| match error {
            LockError::Held => LayoutError::Locked,
            LockError::Io(error) => LayoutError::Write { file: marker, source: WriteError::Open(error) },
        })?;
        make_directory(&directory.join("blobs"), options)?;
        make_directory(&directory.join("blobs").join("sha256"), options)?;
        Ok(Self { directory, options, _marker: locked })
    }

    /// Adds the image of what a plan makes of the input that it was made for: its three blobs, and an entry in the
    /// index, which takes the place of the one that has the same name. All else in the layout stays as it is; blobs that
    /// nothing points to any more, too.
    ///
    /// The input is read once, but for its metadata: it is hashed while it is copied. Each file is wholly there or not at
    /// all, and the index is the last.
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
        limits: Limits,
    ) -> Result<Added, LayoutError> {
        let draft = Draft::read(input, plan, options, limits)?;
        let index_path = self.directory.join(INDEX_FILE);
        let mut index = match read_json(&index_path) {
            Ok(bytes) => Index::parse(&index_path, &bytes)?,
            Err(LayoutError::Missing(_)) => Index::new(),
            Err(error) => return Err(error),
        };

        let layer = self.copy(input, plan)?;
        let image = draft.image(layer.digest, layer.size)?;
        self.place(layer)?;
        self.add_blob(image.config())?;
        self.add_blob(image.manifest())?;

        let mut descriptor = image.descriptor().clone();
        if let Some(RefName(name)) = name {
            descriptor = descriptor.annotated(REF_NAME, name);
        }
        let changed = index.add(&index_path, &descriptor)?;
        if changed {
            let json = index.to_json();
            if json.len() as u64 > MAX_MANIFEST {
                return Err(LayoutError::IndexTooLarge(json.len() as u64));
            }
            put(&index_path, &json, self.options, AtomicFile::put)?;
        }
        Ok(Added { image, changed })
    }

    /// Writes what a plan makes into a file that has no place yet, and hashes it on the way.
    fn copy(&self, input: &Input, plan: &Plan) -> Result<Unplaced, LayoutError> {
        let blob = self.write(|out| plan.write_to(input, out))?;
        match input.changed() {
            Ok(false) => Ok(blob),
            Ok(true) => Err(ImageError::Changed.into()),
            Err(error) => Err(ImageError::Io(error).into()),
        }
    }

    fn add_blob(&self, bytes: &[u8]) -> Result<(), LayoutError> {
        if is_there(&blob_path(&self.directory, Digest::of(bytes)), bytes.len() as u64)? {
            return Ok(());
        }
        self.place(self.write(|out| out.write_all(bytes))?)
    }

    /// Writes a blob, not among the others: what a killed writer leaves there, other tools would take for one.
    fn write(&self, write: impl FnOnce(&mut Hashing<&File>) -> io::Result<()>) -> Result<Unplaced, LayoutError> {
        let beside = self.directory.join("blob");
        let failed = |source| LayoutError::Write { file: self.directory.clone(), source };
        let file = AtomicFile::create(&beside, Access::Default).map_err(|error| failed(WriteError::Create(error)))?;
        let mut out = Hashing { out: file.file(), hasher: Hasher::new(), len: 0 };
        write(&mut out).map_err(|error| failed(WriteError::Write(error)))?;
        let Hashing { hasher, len, .. } = out;
        Ok(Unplaced { file, digest: hasher.finish(), size: len })
    }

    /// Puts a blob where its digest says, unless it is there already.
    fn place(&self, blob: Unplaced) -> Result<(), LayoutError> {
        let place = blob_path(&self.directory, blob.digest);
        if is_there(&place, blob.size)? {
            return Ok(());
        }
        finish(blob.file.at(&place), &place, self.options, AtomicFile::put)
    }
}

/// A blob that is written, and not yet where its digest says.
struct Unplaced {
    file: AtomicFile,
    digest: Digest,
    size: u64,
}

/// Hashes what it writes.
struct Hashing<W> {
    out: W,
    hasher: Hasher,
    len: u64,
}

impl<W: Write> Write for Hashing<W> {
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

/// Whether a blob of this size is there. One that somebody left cut off is not: it is written anew.
fn is_there(place: &Path, size: u64) -> Result<bool, LayoutError> {
    match fs::symlink_metadata(place) {
        Ok(metadata) if metadata.is_file() => Ok(metadata.len() == size),
        Ok(_) => Err(LayoutError::NotRegular(place.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(LayoutError::io(place, error)),
    }
}

/// Makes a directory where there is none.
fn make_directory(path: &Path, options: WriteOptions) -> Result<(), LayoutError> {
    match fs::create_dir(path) {
        Ok(()) => {
            let parent = Directory::of(path, options.sync).and_then(|parent| parent.sync());
            parent.map_err(|error| LayoutError::io(path, error))
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()), // what it is, opening a file in it will tell
        Err(error) => Err(LayoutError::io(path, error)),
    }
}

/// Refuses to make a layout among other files.
fn check_empty(directory: &Path) -> Result<(), LayoutError> {
    let failed = |error| LayoutError::io(directory, error);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        // Whoever makes one at the same time has begun with this, or with the marker.
        let is_known = AtomicFile::is_temporary(&name) || name == MARKER;
        if !is_known {
            return Err(LayoutError::NotLayout(directory.to_owned()));
        }
    }
    Ok(())
}

/// Writes a file, and puts it into its place.
fn put(
    place: &Path,
    bytes: &[u8],
    options: WriteOptions,
    step: impl FnOnce(AtomicFile) -> io::Result<()>,
) -> Result<(), LayoutError> {
    let failed = |source| LayoutError::Write { file: place.to_owned(), source };
    let file = AtomicFile::create(place, Access::Default).map_err(|error| failed(WriteError::Create(error)))?;
    file.file().write_all(bytes).map_err(|error| failed(WriteError::Write(error)))?;
    finish(file, place, options, step)
}

fn finish(
    file: AtomicFile,
    place: &Path,
    options: WriteOptions,
    step: impl FnOnce(AtomicFile) -> io::Result<()>,
) -> Result<(), LayoutError> {
    crate::splice::finish(file, place, options, step, || Ok(()))
        .map_err(|source| LayoutError::Write { file: place.to_owned(), source })
}
