//! Atomic creation and replacement of files: a temporary file in the same directory, then a rename.

use std::collections::hash_map::RandomState;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use super::directory::{OpenDirectory, Place};

/// A temporary file with a random name in the directory of its final place. Dropping it before it
/// is put there removes it and leaves the place unchanged.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    temporary: Place,
    place: Place,
    is_persisted: bool,
}

/// Mode of a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only the owner may read and write.
    Private,
    /// Everyone whom the umask of the process permits.
    Default,
    /// As `Default`, but only the owner may write.
    OwnerWrites,
}

#[cfg(unix)]
impl Access {
    /// The mode of a new file, before the umask.
    pub(super) fn mode(self) -> u32 {
        match self {
            Self::Private => 0o600,
            Self::Default => 0o666,
            Self::OwnerWrites => 0o644,
        }
    }
}

impl AtomicFile {
    /// Creates a temporary file for `place`, which must not be a directory or a symbolic link.
    ///
    /// # Errors
    ///
    /// The temporary file cannot be created.
    pub fn create(place: Place, access: Access) -> io::Result<Self> {
        loop {
            let temporary = place.sibling(format!(".sectile-{:016x}.tmp", random()));
            match temporary.create_new(access) {
                Ok(file) => return Ok(Self { file, temporary, place, is_persisted: false }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether a name is that of a temporary file, which may be left over from a killed process.
    pub fn is_temporary(name: &std::ffi::OsStr) -> bool {
        let name = name.as_encoded_bytes();
        name.starts_with(b".sectile-") && name.ends_with(b".tmp")
    }

    /// The temporary file, open for writing.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Changes the final place to another on the same file system, for files whose name depends on
    /// their content.
    #[must_use]
    pub fn with_place(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Opens the directory of the final place for a later sync. Does nothing if `sync` is false.
    ///
    /// # Errors
    ///
    /// The directory cannot be opened.
    pub fn directory(&self, sync: bool) -> io::Result<Directory> {
        match &self.place {
            Place::Path(path) => Directory::open_parent(path, sync),
            Place::In(directory, _) => Ok(Directory(sync.then(|| DirectoryHandle::Open(directory.clone())))),
        }
    }

    /// Renames the file to its final place and replaces any file there.
    ///
    /// # Errors
    ///
    /// The file cannot be renamed. The temporary file is removed.
    pub fn persist(mut self) -> io::Result<()> {
        self.temporary.rename(&self.place)?;
        self.is_persisted = true;
        Ok(())
    }

    /// Renames the file to its final place, which must not exist.
    ///
    /// # Errors
    ///
    /// As for [`persist`](Self::persist), and the final place exists.
    pub fn persist_new(mut self) -> io::Result<()> {
        self.temporary.rename_new(&self.place)?;
        self.is_persisted = true;
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.is_persisted {
            _ = self.temporary.remove(); // if this fails, the name still marks it as temporary
        }
    }
}

/// Creates a file at a path that does not exist.
///
/// # Errors
///
/// The error of the system; [`ErrorKind::AlreadyExists`] if the path exists.
pub fn create_new(path: &Path, access: Access) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, access.mode());
    #[cfg(not(unix))]
    {
        _ = access; // the directory's permissions are inherited
    }
    options.open(path)
}

/// A directory to sync. It is opened before its entries change, so that a failure to open it
/// changes nothing.
#[derive(Debug)]
pub struct Directory(Option<DirectoryHandle>);

#[derive(Debug)]
enum DirectoryHandle {
    File(File),
    Open(Arc<OpenDirectory>),
}

impl Directory {
    /// Opens the directory of a file for a later sync. Does nothing if `sync` is false.
    ///
    /// # Errors
    ///
    /// The directory cannot be opened.
    pub fn open_parent(path: &Path, sync: bool) -> io::Result<Self> {
        // Only Unix can open a directory as a file.
        let is_opened = sync && cfg!(unix);
        Ok(Self(if is_opened { Some(DirectoryHandle::File(File::open(directory(path))?)) } else { None }))
    }

    /// Waits until changes of its entries have reached the disk.
    ///
    /// # Errors
    ///
    /// The error of the system.
    pub fn sync(&self) -> io::Result<()> {
        match &self.0 {
            None => Ok(()),
            Some(DirectoryHandle::File(file)) => file.sync_all(),
            Some(DirectoryHandle::Open(directory)) => directory.sync(),
        }
    }
}

/// The directory of a path: its parent, or `.` for a bare name.
pub fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// An unpredictable number, from the random keys of the standard library's hash tables.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    #[test]
    fn the_file_appears_only_when_it_is_persisted() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("a");
        let names = || fs::read_dir(directory.path()).unwrap().count();

        let dropped = AtomicFile::create(Place::Path(place.clone()), Access::Private).unwrap();
        dropped.file().write_all(b"no").unwrap();
        assert_eq!((names(), place.exists()), (1, false));
        drop(dropped);
        assert_eq!(names(), 0);

        for content in ["one", "two"] {
            let file = AtomicFile::create(Place::Path(place.clone()), Access::Default).unwrap();
            file.file().write_all(content.as_bytes()).unwrap();
            file.persist().unwrap();
            assert_eq!((fs::read_to_string(&place).unwrap(), names()), (content.to_owned(), 1));
        }

        let (late, new) = (directory.path().join("a"), directory.path().join("b"));
        let persist_new =
            |place: &Path| AtomicFile::create(Place::Path(place.to_owned()), Access::Default).unwrap().persist_new();
        assert_eq!(persist_new(&late).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!((fs::read_to_string(&place).unwrap(), names()), ("two".to_owned(), 1));
        persist_new(&new).unwrap();
        assert_eq!((new.exists(), names()), (true, 2));
    }

    #[test]
    fn a_bare_name_is_in_the_current_directory() {
        assert_eq!(directory(Path::new("a.wasm")), Path::new("."));
        assert_eq!(directory(Path::new("b/a.wasm")), Path::new("b"));
        assert_eq!(directory(Path::new("/a.wasm")), Path::new("/"));
    }
}
