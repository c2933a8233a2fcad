//! The one way to write a file: beside the place where it is to stand, and then there in one step.

use std::collections::hash_map::RandomState;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use super::directory::{OpenDirectory, Place};

/// A file that is being written, under a random name in the directory of its place. Dropped before it is put there, it
/// is removed, and whatever stood there stays.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    temporary: Place,
    place: Place,
    is_placed: bool,
}

/// Who may read a file while it is written, and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone, until its mode is set.
    Private,
    /// Whom the process's umask lets.
    Default,
    /// As `Default`, but only its owner may write to it.
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
    /// Begins a file that is to stand at `place`, which must name a file and no symbolic link.
    ///
    /// # Errors
    ///
    /// What the system says when it is created.
    pub fn create(place: Place, access: Access) -> io::Result<Self> {
        loop {
            let temporary = place.sibling(format!(".sectile-{:016x}.tmp", random()));
            match temporary.create_new(access) {
                Ok(file) => return Ok(Self { file, temporary, place, is_placed: false }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether a file of this name is one that is being written, or whose writer was killed.
    pub fn is_temporary(name: &std::ffi::OsStr) -> bool {
        let name = name.as_encoded_bytes();
        name.starts_with(b".sectile-") && name.ends_with(b".tmp")
    }

    /// The temporary file, to be written to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives it another place, on the same file system: of what is called by its content, the name is known last.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// The directory of its place, to be synced; without `sync`, nothing is opened or synced.
    ///
    /// # Errors
    ///
    /// The error of opening it.
    pub fn directory(&self, sync: bool) -> io::Result<Directory> {
        match &self.place {
            Place::Path(path) => Directory::open_parent(path, sync),
            Place::In(directory, _) => Ok(Directory(sync.then(|| DirectoryHandle::Open(directory.clone())))),
        }
    }

    /// Puts the file into its place, over whatever stands there.
    ///
    /// # Errors
    ///
    /// What the system says when it is renamed; the temporary file is removed.
    pub fn put(mut self) -> io::Result<()> {
        self.temporary.rename(&self.place)?;
        self.is_placed = true;
        Ok(())
    }

    /// Puts the file into its place, where nothing stands.
    ///
    /// # Errors
    ///
    /// As for [`put`](Self::put); and something stands there by now.
    pub fn put_new(mut self) -> io::Result<()> {
        self.temporary.rename_new(&self.place)?;
        self.is_placed = true;
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.is_placed {
            _ = self.temporary.remove(); // what is left has a name that says what it is
        }
    }
}

/// Creates a file that is not there yet.
///
/// # Errors
///
/// The system's; [`ErrorKind::AlreadyExists`] if the path exists.
pub fn create_new(path: &Path, access: Access) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, access.mode());
    #[cfg(not(unix))]
    {
        _ = access; // who may read it is inherited from the directory
    }
    options.open(path)
}

/// A directory that is to be synced. It is opened before its names change: where that is not possible, nothing has
/// happened yet.
#[derive(Debug)]
pub struct Directory(Option<DirectoryHandle>);

#[derive(Debug)]
enum DirectoryHandle {
    File(File),
    Open(Arc<OpenDirectory>),
}

impl Directory {
    /// The directory of this file's name; without `sync`, nothing is opened or synced.
    ///
    /// # Errors
    ///
    /// The error of opening it.
    pub fn open_parent(path: &Path, sync: bool) -> io::Result<Self> {
        // Elsewhere a directory cannot be opened as a file.
        let is_opened = sync && cfg!(unix);
        Ok(Self(if is_opened { Some(DirectoryHandle::File(File::open(directory(path))?)) } else { None }))
    }

    /// Makes what happened to the names in it last.
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

/// The directory that a path's last name stands in.
pub fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A number that nobody can guess: the standard library's hash tables are keyed with one.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    #[test]
    fn the_file_appears_only_when_it_is_put() {
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
            file.put().unwrap();
            assert_eq!((fs::read_to_string(&place).unwrap(), names()), (content.to_owned(), 1));
        }

        let (late, new) = (directory.path().join("a"), directory.path().join("b"));
        let put_new =
            |place: &Path| AtomicFile::create(Place::Path(place.to_owned()), Access::Default).unwrap().put_new();
        assert_eq!(put_new(&late).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!((fs::read_to_string(&place).unwrap(), names()), ("two".to_owned(), 1));
        put_new(&new).unwrap();
        assert_eq!((new.exists(), names()), (true, 2));
    }

    #[test]
    fn a_bare_name_is_in_the_current_directory() {
        assert_eq!(directory(Path::new("a.wasm")), Path::new("."));
        assert_eq!(directory(Path::new("b/a.wasm")), Path::new("b"));
        assert_eq!(directory(Path::new("/a.wasm")), Path::new("/"));
    }
}
