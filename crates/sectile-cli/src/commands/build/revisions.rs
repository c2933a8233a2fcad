//! The Git revisions of a build.

use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use sectile::internal::fingerprint::FileFingerprint;

use crate::git::{GitError, Revision, WorkTree};

/// The revisions of work trees. Each is read once.
#[derive(Default)]
pub struct Revisions {
    read: Vec<(WorkTree, Revision)>,
    early: Option<JoinHandle<Option<EarlyRevision>>>,
}

/// A revision that is read while Cargo runs.
struct EarlyRevision {
    work_tree: WorkTree,
    revision: Revision,
    lock_files: Vec<LockFile>,
}

/// A lock file of Cargo, as it was before the revision was read.
struct LockFile {
    path: PathBuf,
    fingerprint: Option<FileFingerprint>,
}

impl Revisions {
    /// Starts to read the revision of a directory on another thread.
    pub fn start(directory: PathBuf) -> Self {
        let read = move || {
            let work_tree = WorkTree::find(&directory).ok()?;
            let lock_files = LockFile::all_above(&directory, &work_tree);
            let revision = work_tree.revision().ok()?;
            Some(EarlyRevision { work_tree, revision, lock_files })
        };
        Self { read: Vec::new(), early: thread::Builder::new().spawn(read).ok() }
    }

    /// Discards the revision that was read early, because the build may have changed tracked files
    /// since.
    pub fn discard_early(&mut self) {
        self.early = None;
    }

    /// The revision of the work tree that contains this file or directory.
    pub fn find(&mut self, path: &Path) -> Result<Revision, GitError> {
        if let Some(Ok(Some(early))) = self.early.take().map(JoinHandle::join)
            && early.lock_files.iter().all(LockFile::is_unchanged)
        {
            self.read.push((early.work_tree, early.revision));
        }
        let work_tree = WorkTree::find(path)?;
        if let Some((_, revision)) = self.read.iter().find(|(read, _)| *read == work_tree) {
            return Ok(revision.clone());
        }
        let revision = work_tree.revision()?;
        self.read.push((work_tree, revision.clone()));
        Ok(revision)
    }
}

impl LockFile {
    /// The lock files that a build in this directory may write.
    fn all_above(directory: &Path, work_tree: &WorkTree) -> Vec<Self> {
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let within = directory.ancestors().take_while(|directory| directory.starts_with(work_tree.root()));
        let paths = within.map(|directory| directory.join("Cargo.lock"));
        paths.map(|path| Self { fingerprint: fingerprint(&path), path }).collect()
    }

    fn is_unchanged(&self) -> bool {
        fingerprint(&self.path) == self.fingerprint
    }
}

fn fingerprint(path: &Path) -> Option<FileFingerprint> {
    path.metadata().ok().map(|metadata| FileFingerprint::new(&metadata))
}
