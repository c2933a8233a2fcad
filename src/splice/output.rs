//! Rules for all output files: which paths are replaced, written to or rejected.
//!
//! | at the path | |
//! | --- | --- |
//! | nothing, or a dangling symbolic link | new file, at the target of the link |
//! | a regular file, or a link to one | replaced; mode, owner and extended attributes are preserved |
//! | a read-only file, or one with several hard links | rejected unless forced |
//! | a FIFO, a device, a link to an open file (`/dev/stdout`) | written to |
//! | a directory, a socket | rejected |

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file::finish;
use super::target::{LockPurpose, Target};
use super::{WriteError, WriteOptions, attributes};
use crate::fs::atomic::{Access, AtomicFile};
use crate::fs::directory::{NameKind, OpenDirectory, Place};
use crate::fs::fingerprint::{FileFingerprint, FileId};

/// Maximum number of symbolic links to follow to an output, as in Linux.
const MAX_LINKS: u32 = 40;

/// Destination of an output file, resolved and checked. Nothing is written yet.
#[derive(Debug)]
pub struct OutputPlace(PlaceKind);

#[derive(Debug)]
enum PlaceKind {
    /// No file exists.
    New(Place),
    /// A regular file, locked.
    Existing(Target),
    /// A file written to directly.
    Stream(File),
}

impl OutputPlace {
    /// Resolves a path. Symbolic links are followed, even if their target does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the file is read-only and `force` is not set, if another process edits it, or if it
    /// is a directory or a socket. Also fails if the system reports an error.
    pub fn open(path: &Path, options: WriteOptions) -> Result<Self, WriteError> {
        let purpose = LockPurpose::Replace { force: options.force };
        // This call lets the system check the links by its own rules, such as Linux's
        // `protected_symlinks`. `resolve` reads the links one by one, which bypasses these rules.
        let metadata = match fs::metadata(path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(WriteError::Open(error)),
        };
        let place = match resolve(path).map_err(WriteError::Open)? {
            Resolved::OpenFile(path) => PlaceKind::Stream(reopen(&path).map_err(WriteError::Open)?),
            Resolved::Path(path) => match metadata {
                None => PlaceKind::New(Place::Path(path)),
                Some(metadata) if metadata.is_file() => PlaceKind::Existing(Target::lock(&path, purpose)?),
                Some(_) => PlaceKind::Stream(open_special(&path)?),
            },
        };
        Ok(Self(place))
    }

    /// Resolves a name in an open directory. Replaces only regular files, because the caller did
    /// not choose the contents of the directory.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), and if the name exists and is not a regular file.
    pub fn open_in(directory: &Arc<OpenDirectory>, name: &Path, options: WriteOptions) -> Result<Self, WriteError> {
        let purpose = LockPurpose::Replace { force: options.force };
        let place = Place::In(directory.clone(), name.as_os_str().to_owned());
        match directory.kind(name.as_os_str()).map_err(WriteError::Open)? {
            NameKind::Missing => Ok(Self(PlaceKind::New(place))),
            NameKind::File => Ok(Self(PlaceKind::Existing(Target::lock_place(place, purpose)?))),
            _ => Err(WriteError::NotRegular),
        }
    }

    /// Returns the identity of an existing file.
    pub fn id(&self) -> Option<FileId> {
        match &self.0 {
            PlaceKind::New(_) => None,
            PlaceKind::Existing(target) => target.fingerprint.file,
            PlaceKind::Stream(file) => FileFingerprint::new(&file.metadata().ok().filter(fs::Metadata::is_file)?).file,
        }
    }

    /// Whether an existing regular file is empty; `true` if no regular file exists.
    ///
    /// # Errors
    ///
    /// The error of the system.
    pub fn is_empty(&self) -> io::Result<bool> {
        match &self.0 {
            PlaceKind::New(_) => Ok(true),
            PlaceKind::Existing(target) => Ok(target.fingerprint.len == 0),
            PlaceKind::Stream(file) => file.metadata().map(|metadata| !metadata.is_file() || metadata.len() == 0),
        }
    }

    /// Returns the path of an existing regular file, without symbolic links.
    pub fn existing_path(&self) -> Option<PathBuf> {
        match &self.0 {
            PlaceKind::Existing(target) => Some(target.path()),
            _ => None,
        }
    }

    /// Rejects files that [`create`](Self::create) would reject.
    ///
    /// # Errors
    ///
    /// Fails if an in-place edit of the file was interrupted. Without `force`, also fails if the
    /// file is read-only or has several hard links.
    pub fn check_replaceable(&self, options: WriteOptions) -> Result<(), WriteError> {
        let PlaceKind::Existing(target) = &self.0 else { return Ok(()) };
        target.check_whole()?;
        if options.force { Ok(()) } else { target.check_replaceable() }
    }

    /// Returns an existing regular file that would be replaced, open for reading.
    pub fn existing(&self) -> Option<&File> {
        match &self.0 {
            PlaceKind::Existing(target) => Some(&target.file),
            _ => None,
        }
    }

    /// Rejects the destination if it is the file with this identity.
    ///
    /// # Errors
    ///
    /// [`WriteError::SameFile`].
    pub fn check_other_than(&self, input: Option<FileId>) -> Result<(), WriteError> {
        if input.is_some() && self.id() == input { Err(WriteError::SameFile) } else { Ok(()) }
    }

    /// Creates a temporary file in the directory of the destination.
    ///
    /// # Errors
    ///
    /// As for [`check_replaceable`](Self::check_replaceable), or the temporary file cannot be
    /// created.
    pub fn create(self, options: WriteOptions) -> Result<OutputFile, WriteError> {
        self.create_with(Access::Default, options)
    }

    /// Like [`create`](Self::create), with the mode for a new file. A replaced file keeps its mode.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create).
    pub fn create_with(self, access: Access, options: WriteOptions) -> Result<OutputFile, WriteError> {
        let (place, access) = match &self.0 {
            PlaceKind::New(place) => (place.clone(), access),
            PlaceKind::Existing(target) => (target.place.clone(), Access::Private),
            PlaceKind::Stream(_) => return self.with_file(None, options),
        };
        self.check_replaceable(options)?;
        let file = AtomicFile::create(place, access).map_err(WriteError::Create)?;
        self.with_file(Some(file), options)
    }

    /// Uses an already written temporary file, which must be on the file system of the destination.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create).
    pub fn take(self, file: AtomicFile, options: WriteOptions) -> Result<OutputFile, WriteError> {
        self.check_replaceable(options)?;
        let file = match &self.0 {
            PlaceKind::New(place) | PlaceKind::Existing(Target { place, .. }) => file.with_place(place.clone()),
            PlaceKind::Stream(_) => return Err(WriteError::NotRegular),
        };
        self.with_file(Some(file), options)
    }

    fn with_file(self, file: Option<AtomicFile>, options: WriteOptions) -> Result<OutputFile, WriteError> {
        let kind = match (self.0, file) {
            (PlaceKind::New(_), Some(file)) => OutputKind::New(file),
            (PlaceKind::Existing(target), Some(file)) => OutputKind::Replacement { file, target },
            (PlaceKind::Stream(file), None) => OutputKind::Stream(file),
            _ => return Err(WriteError::NotRegular),
        };
        Ok(OutputFile { kind, options })
    }
}

/// An output being written. If it is dropped before [`finish`](Self::finish), an existing file
/// stays unchanged. Data already sent to a FIFO or device cannot be revoked.
#[derive(Debug)]
pub struct OutputFile {
    kind: OutputKind,
    options: WriteOptions,
}

#[derive(Debug)]
enum OutputKind {
    New(AtomicFile),
    Replacement { file: AtomicFile, target: Target },
    Stream(File),
}

impl OutputFile {
    /// Returns the file to write to.
    pub fn file(&self) -> &File {
        match &self.kind {
            OutputKind::New(file) | OutputKind::Replacement { file, .. } => file.file(),
            OutputKind::Stream(file) => file,
        }
    }

    /// Returns the temporary file; `None` if the output is written directly.
    pub(super) fn temporary(&self) -> Option<&AtomicFile> {
        match &self.kind {
            OutputKind::New(file) | OutputKind::Replacement { file, .. } => Some(file),
            OutputKind::Stream(_) => None,
        }
    }

    /// Checks early that the old file's owner, mode and attributes can be preserved.
    ///
    /// # Errors
    ///
    /// [`WriteError::Attribute`].
    pub fn check_attributes(&self) -> Result<(), WriteError> {
        match &self.kind {
            OutputKind::Replacement { file, target } => {
                attributes::carry_over(&target.file, file.file(), self.options.force)
            }
            OutputKind::New(_) | OutputKind::Stream(_) => Ok(()),
        }
    }

    /// Moves the file to its destination. Calls `unchanged` immediately before the move, and does
    /// not move the file if the call fails.
    ///
    /// # Errors
    ///
    /// The error of `unchanged`; another process changed or created the destination; or the system
    /// reports an error.
    pub fn finish(self, unchanged: impl FnOnce() -> Result<(), WriteError>) -> Result<(), WriteError> {
        let options = self.options;
        match self.kind {
            OutputKind::New(file) => finish(file, options, AtomicFile::persist_new, unchanged),
            OutputKind::Replacement { file, target } => {
                attributes::carry_over(&target.file, file.file(), options.force)?;
                finish(file, options, AtomicFile::persist, || unchanged().and_then(|()| target.check_unchanged()))
            }
            OutputKind::Stream(_) => unchanged(),
        }
    }
}

/// Target of a path.
enum Resolved {
    /// A path whose last component is not a symbolic link.
    Path(PathBuf),
    /// A procfs link to an open file of a process, such as `/proc/self/fd/1`.
    OpenFile(PathBuf),
}

/// Follows symbolic links in the last component of a path.
fn resolve(path: &Path) -> io::Result<Resolved> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(_) if is_procfs_link(&path) => return Ok(Resolved::OpenFile(path)),
            Ok(to) => path = crate::fs::atomic::directory(&path).join(to),
            Err(_) => return Ok(Resolved::Path(path)), // not a link; any other error is reported when the path is opened
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Whether a link is in procfs. Such a link may refer to a file that a process has open. The text
/// of the link may differ from the path of that file, and the file may have no path.
fn is_procfs_link(link: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        /// Source: `PROC_SUPER_MAGIC` in `linux/magic.h`.
        const PROC: u64 = 0x9fa0;
        let directory = crate::fs::atomic::directory(link);
        // Other procfs links, such as `/proc/self`, do not refer to files.
        rustix::fs::statfs(directory).is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| kind == PROC))
    }
    #[cfg(not(target_os = "linux"))]
    {
        _ = link;
        false
    }
}

/// Reopens the open file of a process. Output is appended to a regular file.
fn reopen(link: &Path) -> io::Result<File> {
    #[cfg(unix)]
    if let Some(own) = own_stream(link)? {
        return Ok(own);
    }
    let is_file = fs::metadata(link)?.is_file();
    OpenOptions::new().write(true).append(is_file).open(link)
}

/// Duplicates standard output or error of this process, to share the file position with processes
/// that inherited it.
#[cfg(unix)]
fn own_stream(link: &Path) -> io::Result<Option<File>> {
    use std::os::fd::AsFd;
    let own = format!("/proc/{}/", std::process::id());
    let is_own = fs::canonicalize(crate::fs::atomic::directory(link))?.starts_with(own);
    let stream = match link.file_name().and_then(std::ffi::OsStr::to_str) {
        Some("1") if is_own => io::stdout().as_fd().try_clone_to_owned()?,
        Some("2") if is_own => io::stderr().as_fd().try_clone_to_owned()?,
        _ => return Ok(None),
    };
    Ok(Some(stream.into()))
}

/// Opens a special file for writing.
fn open_special(path: &Path) -> Result<File, WriteError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket()) {
            return Err(WriteError::NotRegular);
        }
    }
    let file = OpenOptions::new().write(true).open(path).map_err(WriteError::Open)?;
    if file.metadata().map_err(WriteError::Open)?.is_file() {
        return Err(WriteError::Changed); // replaced since the caller's check
    }
    Ok(file)
}
