//! The rules for every file that is written: which places are replaced, written to or refused.
//!
//! | at the place | |
//! | --- | --- |
//! | nothing, or a symbolic link that leads nowhere | a new file, where the link leads |
//! | a regular file, or a link to one | replaced; it keeps mode, owner and extended attributes |
//! | a read-only file, or one with several hard links | refused unless forced |
//! | a FIFO, a device, a link to an open file (`/dev/stdout`) | written to |
//! | a directory, a socket | refused |

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

/// Maximum number of symbolic links on the way to an output, as in Linux.
const MAX_LINKS: u32 = 40;

/// The place of an output. It was looked up and can be written, and nothing is written yet.
#[derive(Debug)]
pub struct OutputPlace(PlaceKind);

#[derive(Debug)]
enum PlaceKind {
    /// No file exists.
    New(Place),
    /// A regular file, which is locked.
    Existing(Target),
    /// A file that is written to as it is.
    Stream(File),
}

impl OutputPlace {
    /// Looks up a path. Symbolic links are followed, to a file that does not exist too.
    ///
    /// # Errors
    ///
    /// The file is read-only and is not forced, another process edits it, it is a directory or a socket, or the system
    /// reports an error.
    pub fn open(path: &Path, options: WriteOptions) -> Result<Self, WriteError> {
        let purpose = LockPurpose::Replace { force: options.force };
        // The system refuses links that it does not trust, which are not looked up one by one then.
        let metadata = match fs::metadata(path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(WriteError::Open(error)),
        };
        let place = match resolve(path).map_err(WriteError::Open)? {
            Resolved::OpenFile(path) => PlaceKind::Stream(open_again(&path).map_err(WriteError::Open)?),
            Resolved::Path(path) => match metadata {
                None => PlaceKind::New(Place::Path(path)),
                Some(metadata) if metadata.is_file() => PlaceKind::Existing(Target::lock(&path, purpose)?),
                Some(_) => PlaceKind::Stream(open_special(&path)?),
            },
        };
        Ok(Self(place))
    }

    /// Looks up a name in an open directory. Only a regular file is replaced there: the caller named the directory, and
    /// not what is in it.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open); and the name belongs to something that is not a regular file.
    pub fn open_in(directory: &Arc<OpenDirectory>, name: &Path, options: WriteOptions) -> Result<Self, WriteError> {
        let purpose = LockPurpose::Replace { force: options.force };
        let place = Place::In(directory.clone(), name.as_os_str().to_owned());
        match directory.kind(name.as_os_str()).map_err(WriteError::Open)? {
            NameKind::Missing => Ok(Self(PlaceKind::New(place))),
            NameKind::File => Ok(Self(PlaceKind::Existing(Target::lock_place(place, purpose)?))),
            _ => Err(WriteError::NotRegular),
        }
    }

    /// The identity of the file at the place, if one exists.
    pub fn id(&self) -> Option<FileId> {
        match &self.0 {
            PlaceKind::New(_) => None,
            PlaceKind::Existing(target) => target.fingerprint.file,
            PlaceKind::Stream(file) => FileFingerprint::new(&file.metadata().ok().filter(fs::Metadata::is_file)?).file,
        }
    }

    /// Whether the regular file that exists at the place holds nothing; also if no regular file exists.
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

    /// The path of the regular file that exists at the place, without symbolic links.
    pub fn existing_path(&self) -> Option<PathBuf> {
        match &self.0 {
            PlaceKind::Existing(target) => Some(target.path()),
            _ => None,
        }
    }

    /// Refuses what [`create`](Self::create) would refuse.
    ///
    /// # Errors
    ///
    /// The file at the place is read-only or has several hard links and is not forced, or it was left torn by an edit
    /// in place.
    pub fn check_replaceable(&self, options: WriteOptions) -> Result<(), WriteError> {
        let PlaceKind::Existing(target) = &self.0 else { return Ok(()) };
        target.check_whole()?;
        if options.force { Ok(()) } else { target.check_replaceable() }
    }

    /// The regular file that exists at the place and is to be replaced, open for reading.
    pub fn existing(&self) -> Option<&File> {
        match &self.0 {
            PlaceKind::Existing(target) => Some(&target.file),
            _ => None,
        }
    }

    /// Refuses the place if it has the file with this identity.
    ///
    /// # Errors
    ///
    /// [`WriteError::SameFile`].
    pub fn check_other_than(&self, input: Option<FileId>) -> Result<(), WriteError> {
        if input.is_some() && self.id() == input { Err(WriteError::SameFile) } else { Ok(()) }
    }

    /// Creates the file beside the place.
    ///
    /// # Errors
    ///
    /// The file at the place has several hard links and is not forced, it was left torn by an edit in place, or no file
    /// can be created.
    pub fn create(self, options: WriteOptions) -> Result<OutputFile, WriteError> {
        self.create_with(Access::Default, options)
    }

    /// Creates the file beside the place. If no file exists there, it gets this access.
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

    /// Takes a file that is written already, on the same file system.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create).
    pub fn take(self, file: AtomicFile, options: WriteOptions) -> Result<OutputFile, WriteError> {
        self.check_replaceable(options)?;
        let file = match &self.0 {
            PlaceKind::New(place) | PlaceKind::Existing(Target { place, .. }) => file.at(place.clone()),
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

/// A file that is being written. Dropped before it is finished, a file that existed stays as it was; what was written to
/// a FIFO or a device stays written.
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
    /// The file to write to.
    pub fn file(&self) -> &File {
        match &self.kind {
            OutputKind::New(file) | OutputKind::Replacement { file, .. } => file.file(),
            OutputKind::Stream(file) => file,
        }
    }

    /// The temporary file; `None` if the output is written to as it is.
    pub(super) fn temporary(&self) -> Option<&AtomicFile> {
        match &self.kind {
            OutputKind::New(file) | OutputKind::Replacement { file, .. } => Some(file),
            OutputKind::Stream(_) => None,
        }
    }

    /// Checks before long work that the new file can be given the old one's owner, mode and attributes.
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

    /// Puts the file into its place, if `unchanged` agrees at the last moment.
    ///
    /// # Errors
    ///
    /// The error of `unchanged`, the file at the place was changed meanwhile or has appeared, or the system reports an
    /// error.
    pub fn finish(self, unchanged: impl FnOnce() -> Result<(), WriteError>) -> Result<(), WriteError> {
        let options = self.options;
        match self.kind {
            OutputKind::New(file) => finish(file, options, AtomicFile::put_new, unchanged),
            OutputKind::Replacement { file, target } => {
                attributes::carry_over(&target.file, file.file(), options.force)?;
                finish(file, options, AtomicFile::put, || unchanged().and_then(|()| target.check_unchanged()))
            }
            OutputKind::Stream(_) => unchanged(),
        }
    }
}

/// Where a path leads.
enum Resolved {
    /// A path whose last name is not a symbolic link.
    Path(PathBuf),
    /// A link of the system to a file that a process has open, such as `/proc/self/fd/1`.
    OpenFile(PathBuf),
}

/// Follows the symbolic links that the last name of a path leads through.
fn resolve(path: &Path) -> io::Result<Resolved> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(_) if is_of_process(&path) => return Ok(Resolved::OpenFile(path)),
            Ok(to) => path = crate::fs::atomic::directory(&path).join(to),
            Err(_) => return Ok(Resolved::Path(path)), // not a link, or reported when it is opened
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Whether a link is of the file system that shows processes: what it leads to may have another path, or none.
fn is_of_process(link: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        /// Source: `PROC_SUPER_MAGIC` in `linux/magic.h`.
        const PROC: u64 = 0x9fa0;
        let directory = crate::fs::atomic::directory(link);
        // Its own links in that place, such as `/proc/self`, do not lead to files.
        rustix::fs::statfs(directory).is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| kind == PROC))
    }
    #[cfg(not(target_os = "linux"))]
    {
        _ = link;
        false
    }
}

/// Opens a file again that a process has open. A regular file is continued: what it holds already stays.
fn open_again(link: &Path) -> io::Result<File> {
    #[cfg(unix)]
    if let Some(own) = own_stream(link)? {
        return Ok(own);
    }
    let is_file = fs::metadata(link)?.is_file();
    OpenOptions::new().write(true).append(is_file).open(link)
}

/// The standard output or error of this process, which share their position with the processes that inherit them.
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

/// Opens something that is not a regular file, to write to it.
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
        return Err(WriteError::Changed); // since it was looked at
    }
    Ok(file)
}
