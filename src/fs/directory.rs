//! Directories that are opened once. Names are looked up through the handle and links are not
//! followed, so that another process cannot redirect an operation by planting a link.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::atomic::Access;
use super::fingerprint::FileFingerprint;

/// An open directory. On other systems than Unix, each operation looks it up by its path.
#[derive(Debug)]
pub struct OpenDirectory {
    path: PathBuf,
    #[cfg(unix)]
    handle: File,
}

/// Kind of file that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// No file has the name.
    Missing,
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A FIFO, a socket or a device.
    Special,
}

impl OpenDirectory {
    /// Opens a directory. A symbolic link to one is followed.
    ///
    /// # Errors
    ///
    /// The error of the system, or that it is not a directory.
    pub fn open(path: &Path) -> io::Result<Self> {
        #[cfg(unix)]
        let handle = {
            use rustix::fs::OFlags;
            use rustix::io::Errno;
            let open = |flags| rustix::fs::open(path, flags | OFlags::DIRECTORY | OFlags::CLOEXEC, MODE_NONE);
            match open(OFlags::RDONLY) {
                // Without permission to list it, the names in it may still be usable.
                #[cfg(target_os = "linux")]
                Err(Errno::ACCESS) => open(OFlags::PATH)?,
                #[cfg(not(target_os = "linux"))]
                Err(error @ Errno::ACCESS) => return Err(error.into()),
                handle => handle?,
            }
        };
        #[cfg(not(unix))]
        if !fs::metadata(path)?.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
        Ok(Self {
            path: path.to_owned(),
            #[cfg(unix)]
            handle: handle.into(),
        })
    }

    /// Opens the directory of this name, which must not be a link, and creates it if it does not
    /// exist. Returns whether it was created.
    ///
    /// # Errors
    ///
    /// The error of the system, or the name is not that of a directory.
    pub fn open_or_create(&self, name: &OsStr) -> io::Result<(Self, bool)> {
        let path = self.path.join(name);
        #[cfg(unix)]
        {
            use rustix::fs::{OFlags, mkdirat, openat};
            use rustix::io::Errno;
            let created = match mkdirat(&self.handle, name, 0o777.into()) {
                Ok(()) => true,
                Err(Errno::EXIST) => false,
                Err(error) => return Err(error.into()),
            };
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let handle = openat(&self.handle, name, flags, MODE_NONE).map_err(|error| match self.kind(name) {
                Ok(NameKind::Link) => io::Error::new(ErrorKind::NotADirectory, "it is a symbolic link"),
                _ => error.into(),
            })?;
            Ok((Self { path, handle: handle.into() }, created))
        }
        #[cfg(not(unix))]
        {
            let created = match fs::create_dir(&path) {
                Ok(()) => true,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
                Err(error) => return Err(error),
            };
            match self.kind(name)? {
                NameKind::Directory => Ok((Self { path }, created)),
                NameKind::Link => Err(io::Error::new(ErrorKind::NotADirectory, "it is a symbolic link")),
                _ => Err(ErrorKind::NotADirectory.into()),
            }
        }
    }

    /// The path with which it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The kind of file that has this name.
    ///
    /// # Errors
    ///
    /// The error of the system.
    pub fn kind(&self, name: &OsStr) -> io::Result<NameKind> {
        #[cfg(unix)]
        {
            use rustix::fs::{AtFlags, FileType, statat};
            use rustix::io::Errno;
            match statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => Ok(match FileType::from_raw_mode(stat.st_mode) {
                    FileType::RegularFile => NameKind::File,
                    FileType::Directory => NameKind::Directory,
                    FileType::Symlink => NameKind::Link,
                    _ => NameKind::Special,
                }),
                Err(Errno::NOENT) => Ok(NameKind::Missing),
                Err(error) => Err(error.into()),
            }
        }
        #[cfg(not(unix))]
        match fs::symlink_metadata(self.path.join(name)) {
            Ok(metadata) if metadata.is_file() => Ok(NameKind::File),
            Ok(metadata) if metadata.is_dir() => Ok(NameKind::Directory),
            Ok(metadata) if metadata.is_symlink() => Ok(NameKind::Link),
            Ok(_) => Ok(NameKind::Special),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(NameKind::Missing),
            Err(error) => Err(error),
        }
    }

    /// Opens a file for reading, and also for writing if `to_write` is set. A link is refused.
    /// Opening a FIFO does not block.
    ///
    /// # Errors
    ///
    /// The error of the system.
    pub fn open_file(&self, name: &OsStr, to_write: bool) -> io::Result<File> {
        #[cfg(unix)]
        {
            use rustix::fs::{OFlags, openat};
            let access = if to_write { OFlags::RDWR } else { OFlags::RDONLY };
            let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            Ok(openat(&self.handle, name, flags, MODE_NONE)?.into())
        }
        #[cfg(not(unix))]
        {
            if self.kind(name)? == NameKind::Link {
                return Err(io::Error::new(ErrorKind::InvalidInput, "it is a symbolic link"));
            }
            fs::OpenOptions::new().read(true).write(to_write).open(self.path.join(name))
        }
    }

    /// Returns its entries, without `.` and `..`.
    ///
    /// # Errors
    ///
    /// The error of the system.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            let mut names = Vec::new();
            for entry in rustix::fs::Dir::read_from(&self.handle)? {
                let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
                if name != "." && name != ".." {
                    names.push(name);
                }
            }
            Ok(names)
        }
        #[cfg(not(unix))]
        fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    /// Waits until changes of its entries have reached the disk.
    ///
    /// # Errors
    ///
    /// The error of the system.
    pub fn sync(&self) -> io::Result<()> {
        #[cfg(unix)]
        return self.handle.sync_all();
        #[cfg(not(unix))]
        Ok(()) // a directory cannot be opened as a file
    }
}

#[cfg(unix)]
const MODE_NONE: rustix::fs::Mode = rustix::fs::Mode::empty();

/// The place of a file: a path, or a name in an open directory.
#[derive(Clone, Debug)]
pub enum Place {
    /// A path, looked up each time.
    Path(PathBuf),
    /// A name in an open directory.
    In(std::sync::Arc<OpenDirectory>, OsString),
}

impl Place {
    /// The path, for messages.
    pub fn path(&self) -> PathBuf {
        match self {
            Self::Path(path) => path.clone(),
            Self::In(directory, name) => directory.path.join(name),
        }
    }

    /// Another name in the same directory.
    pub(super) fn sibling(&self, name: String) -> Self {
        match self {
            Self::Path(path) => Self::Path(super::atomic::directory(path).join(name)),
            Self::In(directory, _) => Self::In(directory.clone(), name.into()),
        }
    }

    /// Opens the file, if it is not a link.
    pub(crate) fn open(&self, to_write: bool) -> io::Result<File> {
        match self {
            Self::Path(path) => {
                let mut options = fs::OpenOptions::new();
                crate::input::open(path, options.read(true).write(to_write), crate::input::Link::Refused)
            }
            Self::In(directory, name) => directory.open_file(name, to_write),
        }
    }

    /// The fingerprint of the regular file that has the name; `None` if another kind of file has
    /// it.
    pub(crate) fn fingerprint(&self) -> io::Result<Option<FileFingerprint>> {
        match self {
            Self::Path(path) => {
                let metadata = fs::symlink_metadata(path)?;
                Ok(metadata.is_file().then(|| FileFingerprint::new(&metadata)))
            }
            Self::In(directory, name) => match directory.kind(name)? {
                NameKind::File => Ok(Some(FileFingerprint::new(&directory.open_file(name, false)?.metadata()?))),
                NameKind::Missing => Err(ErrorKind::NotFound.into()),
                _ => Ok(None),
            },
        }
    }

    /// Creates a file that does not exist yet.
    pub(super) fn create_new(&self, access: Access) -> io::Result<File> {
        match self {
            Self::Path(path) => super::atomic::create_new(path, access),
            #[cfg(unix)]
            Self::In(directory, name) => {
                use rustix::fs::{Mode, OFlags, RawMode, openat};
                let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let mode = Mode::from_bits_truncate(access.mode() as RawMode); // narrower on macOS
                Ok(openat(&directory.handle, &**name, flags, mode)?.into())
            }
            #[cfg(not(unix))]
            Self::In(directory, name) => super::atomic::create_new(&directory.path.join(name), access),
        }
    }

    /// Removes the name.
    pub(super) fn remove(&self) -> io::Result<()> {
        match self {
            Self::Path(path) => fs::remove_file(path),
            #[cfg(unix)]
            Self::In(directory, name) => {
                Ok(rustix::fs::unlinkat(&directory.handle, &**name, rustix::fs::AtFlags::empty())?)
            }
            #[cfg(not(unix))]
            Self::In(..) => fs::remove_file(self.path()),
        }
    }

    /// Renames the file and replaces any file that has the new name.
    pub(super) fn rename(&self, to: &Self) -> io::Result<()> {
        match (self, to) {
            #[cfg(unix)]
            (Self::In(..), _) | (_, Self::In(..)) => {
                let ((from_directory, from), (to_directory, to)) = (self.at(), to.at());
                Ok(rustix::fs::renameat(from_directory, from, to_directory, to)?)
            }
            _ => fs::rename(self.path(), to.path()),
        }
    }

    /// Renames the file to a name that must not exist.
    pub(super) fn rename_new(&self, to: &Self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{RenameFlags, renameat_with};
            use rustix::io::Errno;
            let ((from_directory, from), (to_directory, to)) = (self.at(), to.at());
            match renameat_with(from_directory, from, to_directory, to, RenameFlags::NOREPLACE) {
                Err(Errno::INVAL | Errno::NOSYS) => {} // the file system does not support it
                renamed => return Ok(renamed?),
            }
        }
        self.rename_by_link(to)
    }

    /// Renames the file by a hard link, which fails if the new name exists. A kill between the two
    /// steps leaves both names.
    fn rename_by_link(&self, to: &Self) -> io::Result<()> {
        match self.link(to) {
            Ok(()) => {
                _ = self.remove(); // if this fails, the name still marks it as temporary
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
            Err(_) => {} // the file system does not support links
        }
        let exists = match to {
            Self::Path(path) => match fs::symlink_metadata(path) {
                Ok(_) => true,
                Err(error) if error.kind() == ErrorKind::NotFound => false,
                Err(error) => return Err(error),
            },
            Self::In(directory, name) => directory.kind(name)? != NameKind::Missing,
        };
        if exists { Err(ErrorKind::AlreadyExists.into()) } else { self.rename(to) }
    }

    fn link(&self, to: &Self) -> io::Result<()> {
        match (self, to) {
            #[cfg(unix)]
            (Self::In(..), _) | (_, Self::In(..)) => {
                let ((from_directory, from), (to_directory, to)) = (self.at(), to.at());
                let flags = rustix::fs::AtFlags::empty();
                Ok(rustix::fs::linkat(from_directory, from, to_directory, to, flags)?)
            }
            _ => fs::hard_link(self.path(), to.path()),
        }
    }

    /// The directory's handle, or that of the current directory, and the path below it.
    #[cfg(unix)]
    fn at(&self) -> (std::os::fd::BorrowedFd<'_>, &Path) {
        use std::os::fd::AsFd;
        match self {
            Self::Path(path) => (rustix::fs::CWD, path),
            Self::In(directory, name) => (directory.handle.as_fd(), Path::new(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn directory() -> (tempfile::TempDir, Arc<OpenDirectory>) {
        let directory = tempfile::tempdir().unwrap();
        let open = Arc::new(OpenDirectory::open(directory.path()).unwrap());
        (directory, open)
    }

    #[test]
    fn rename_by_link_does_not_replace_a_file() {
        let (directory, open) = directory();
        for make in [
            |path: PathBuf, _: &Arc<_>| Place::Path(path),
            |path: PathBuf, open: &Arc<OpenDirectory>| Place::In(open.clone(), path.file_name().unwrap().to_owned()),
        ] {
            let [from, to, taken] = ["from", "to", "taken"].map(|name| directory.path().join(name));
            let place = |path: &PathBuf| make(path.clone(), &open);
            fs::write(&from, "new").unwrap();
            fs::write(&taken, "old").unwrap();
            assert_eq!(place(&from).rename_by_link(&place(&taken)).unwrap_err().kind(), ErrorKind::AlreadyExists);
            assert_eq!((fs::read_to_string(&taken).unwrap(), from.exists()), ("old".to_owned(), true));
            place(&from).rename_by_link(&place(&to)).unwrap();
            assert_eq!((fs::read_to_string(&to).unwrap(), from.exists()), ("new".to_owned(), false));
            fs::remove_file(to).unwrap();
        }
    }

    #[test]
    fn directories_are_created_once_and_listed() {
        let (directory, open) = directory();
        let (child, created) = open.open_or_create("child".as_ref()).unwrap();
        assert!(created && child.path() == directory.path().join("child"));
        assert!(!open.open_or_create("child".as_ref()).unwrap().1);
        fs::write(directory.path().join("file"), "").unwrap();
        let mut names = open.names().unwrap();
        names.sort();
        assert_eq!(names, ["child", "file"]);
        assert_eq!(open.names().unwrap().len(), 2, "it can be listed again");
        for (name, kind) in [("child", NameKind::Directory), ("file", NameKind::File), ("other", NameKind::Missing)] {
            assert_eq!(open.kind(name.as_ref()).unwrap(), kind);
        }
        assert!(open.open_or_create("file".as_ref()).is_err());
        open.sync().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn links_are_refused_and_a_moved_directory_is_followed() {
        let (directory, open) = directory();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), directory.path().join("link")).unwrap();
        let error = open.open_or_create("link".as_ref()).unwrap_err();
        assert_eq!(error.to_string(), "it is a symbolic link");
        assert_eq!(open.kind("link".as_ref()).unwrap(), NameKind::Link);
        assert!(open.open_file("link".as_ref(), false).is_err());

        // The path now leads to another directory; the handle still refers to the original.
        let (child, _) = open.open_or_create("child".as_ref()).unwrap();
        fs::rename(directory.path().join("child"), directory.path().join("moved")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), directory.path().join("child")).unwrap();
        Place::In(Arc::new(child), "new".into()).create_new(Access::Default).unwrap();
        assert!(directory.path().join("moved/new").exists());
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }
}
