//! Opens the files of a unit through a handle of their directory, so that the system does not look up the whole path of
//! each.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use sectile::internal::directory::OpenDirectory;
use sectile::internal::{self, Link};

/// The directory of the file that was opened last. It is opened for the second file.
#[derive(Default)]
pub(in super::super) struct LastDirectory {
    path: OsString,
    handle: Handle,
}

#[derive(Default)]
enum Handle {
    #[default]
    NotOpened,
    Open(OpenDirectory),
    /// The files are opened by their paths, which gives the error of each.
    Failed,
}

impl LastDirectory {
    /// Opens a file for reading, unless it is a symbolic link. Opening a FIFO does not block.
    pub(super) fn open(&mut self, path: &Path) -> io::Result<File> {
        if let (Some(directory), Some(name)) = (path.parent(), path.file_name())
            && let Some(directory) = self.handle_of(directory)
        {
            return directory.open_file(name, false);
        }
        internal::open(path, OpenOptions::new().read(true), Link::Refused)
    }

    /// The handle of a directory, if the last file was in it, too, and it can be opened.
    fn handle_of(&mut self, directory: &Path) -> Option<&OpenDirectory> {
        if self.path == directory.as_os_str() {
            if let Handle::NotOpened = self.handle {
                self.handle = OpenDirectory::open(directory).map_or(Handle::Failed, Handle::Open);
            }
        } else {
            directory.as_os_str().clone_into(&mut self.path);
            self.handle = Handle::NotOpened;
        }
        match &self.handle {
            Handle::Open(directory) => Some(directory),
            Handle::NotOpened | Handle::Failed => None,
        }
    }
}
