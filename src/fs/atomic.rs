//! The one way to write a file: beside the place where it is to stand, and then there in one step.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A file that is being written, under a random name in the directory of its place. Dropped before it is put there, it
/// is removed, and whatever stood there stays.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    temporary: PathBuf,
    place: PathBuf,
    is_placed: bool,
}

/// Who may read a file while it is written, and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone, until its mode is set.
    Private,
    /// Whom the process's umask lets.
    Default,
}

impl AtomicFile {
    /// Begins a file that is to stand at `place`, which must name a file and no symbolic link.
    ///
    /// # Errors
    ///
    /// What the system says when it is created.
    pub fn create(place: &Path, access: Access) -> io::Result<Self> {
        let directory = directory(place);
        loop {
            let temporary = directory.join(format!(".sectile-{:016x}.tmp", random()));
            match create_new(&temporary, access) {
                Ok(file) => return Ok(Self { file, temporary, place: place.to_owned(), is_placed: false }),
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
    pub fn at(mut self, place: &Path) -> Self {
        place.clone_into(&mut self.place);
        self
    }

    /// Puts the file into its place, over whatever stands there.
    ///
    /// # Errors
    ///
    /// What the system says when it is renamed; the temporary file is removed.
    pub fn put(mut self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.place)?;
        self.is_placed = true;
        Ok(())
    }

    /// Puts the file into its place, where nothing stands.
    ///
    /// # Errors
    ///
    /// As for [`put`](Self::put); and something stands there by now.
    pub fn put_new(mut self) -> io::Result<()> {
        rename_new(&self.temporary, &self.place)?;
        self.is_placed = true;
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.is_placed {
            _ = fs::remove_file(&self.temporary); // what is left has a name that says what it is
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
    if access == Access::Private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    {
        _ = access; // who may read it is inherited from the directory
    }
    options.open(path)
}

/// Renames a file to a name that nothing has.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS) => {} // not every file system can
            renamed => return Ok(renamed?),
        }
    }
    rename_by_link(from, to)
}

/// Renames a file in two steps: a second name is given only where there is none. A kill between them leaves both.
fn rename_by_link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => {
            _ = fs::remove_file(from); // what is left has a name that says what it is
            return Ok(());
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
        Err(_) => {} // not every file system has links
    }
    match fs::symlink_metadata(to) {
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

/// A directory that is to be synced. It is opened before its names change: where that is not possible, nothing has
/// happened yet.
#[derive(Debug)]
pub struct Directory(Option<File>);

impl Directory {
    /// The directory of this file's name; without `sync`, nothing is opened or synced.
    ///
    /// # Errors
    ///
    /// What the system says when it is opened.
    pub fn open_parent(path: &Path, sync: bool) -> io::Result<Self> {
        // Elsewhere a directory cannot be opened as a file.
        Ok(Self(if sync && cfg!(unix) { Some(File::open(directory(path))?) } else { None }))
    }

    /// Makes what happened to the names in it last.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn sync(&self) -> io::Result<()> {
        self.0.as_ref().map_or(Ok(()), File::sync_all)
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
    use std::io::Write;

    #[test]
    fn the_file_appears_only_when_it_is_put() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("a");
        let names = || fs::read_dir(directory.path()).unwrap().count();

        let dropped = AtomicFile::create(&place, Access::Private).unwrap();
        dropped.file().write_all(b"no").unwrap();
        assert_eq!((names(), place.exists()), (1, false));
        drop(dropped);
        assert_eq!(names(), 0);

        for content in ["one", "two"] {
            let file = AtomicFile::create(&place, Access::Default).unwrap();
            file.file().write_all(content.as_bytes()).unwrap();
            file.put().unwrap();
            assert_eq!((fs::read_to_string(&place).unwrap(), names()), (content.to_owned(), 1));
        }

        let (late, new) = (directory.path().join("a"), directory.path().join("b"));
        let put_new = |place: &Path| AtomicFile::create(place, Access::Default).unwrap().put_new();
        assert_eq!(put_new(&late).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!((fs::read_to_string(&place).unwrap(), names()), ("two".to_owned(), 1));
        put_new(&new).unwrap();
        assert_eq!((new.exists(), names()), (true, 2));
    }

    #[test]
    fn the_fallback_does_not_replace_an_existing_file() {
        let directory = tempfile::tempdir().unwrap();
        let [from, to, taken] = ["from", "to", "taken"].map(|name| directory.path().join(name));
        fs::write(&from, "new").unwrap();
        fs::write(&taken, "old").unwrap();
        assert_eq!(rename_by_link(&from, &taken).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!((fs::read_to_string(&taken).unwrap(), from.exists()), ("old".to_owned(), true));
        rename_by_link(&from, &to).unwrap();
        assert_eq!((fs::read_to_string(&to).unwrap(), from.exists()), ("new".to_owned(), false));
    }

    #[test]
    fn a_bare_name_is_in_the_current_directory() {
        assert_eq!(directory(Path::new("a.wasm")), Path::new("."));
        assert_eq!(directory(Path::new("b/a.wasm")), Path::new("b"));
        assert_eq!(directory(Path::new("/a.wasm")), Path::new("/"));
    }
}
