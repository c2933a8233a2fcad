//! The revision of the work tree that a file lies in, out of the repository's own files.
//!
//! Every repository is read as a stranger's, whoever owns it: nothing that it configures is run, no filter, hook or
//! monitor, and no configuration is read but its own, without what that includes. So neither the user's configuration nor
//! the environment makes a difference, `safe.directory` included.

mod dirty;
mod error;
mod plain;
mod staged;

use std::fmt;
use std::path::Path;

use gix::ObjectId;
use gix::discover::upwards;
use gix::sec::Trust;

pub use self::error::GitError;

/// The revision of a work tree.
///
/// `Display` gives what the field is to say: the commit, and `+dirty` behind it where tracked files are not what they are in
/// that.
///
/// ```no_run
/// use sectile::git::Revision;
///
/// println!("{}", Revision::of("Cargo.toml")?); // 0123456789abcdef0123456789abcdef01234567+dirty
/// # Ok::<(), sectile::git::GitError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Revision {
    commit: ObjectId,
    is_dirty: bool,
}

impl Revision {
    /// The revision of the work tree that holds this file or directory: that of the innermost repository, be it a
    /// submodule or a linked work tree. What is said to be dirty is what `git describe --dirty` calls so:
    ///
    /// - a tracked file that is changed, staged, or gone; untracked files do not count;
    /// - a submodule whose checked-out commit is another than the recorded one, or that is dirty itself;
    /// - a file that a filter program would have to be run on to tell, since none is.
    ///
    /// The commit, the trees of its files and the index are read, and of files those whose size and times the index does
    /// not vouch for; nothing that grows with the history.
    ///
    /// # Errors
    ///
    /// The file lies in no work tree; the repository is bare, has no commit yet, or keeps its references or objects in a
    /// way that is not known; its `HEAD`, its index, or an object that is needed, cannot be read.
    pub fn of(path: impl AsRef<Path>) -> Result<Self, GitError> {
        let path = path.as_ref();
        let failed = |source| GitError::Io { path: path.to_owned(), source };
        let absolute = std::path::absolute(path).map_err(failed)?;
        let is_directory = path.metadata().map_err(failed)?.is_dir();
        let directory = absolute.parent().filter(|_| !is_directory).unwrap_or(&absolute);
        let directory = directory.canonicalize().map_err(failed)?;
        plain::check_above(&directory)?;
        let options = upwards::Options { trust: upwards::TrustPolicy::Assume(Trust::Reduced), ..Default::default() };
        let (found, _) = gix::discover::upwards_opts(&directory, options)
            .map_err(|_| GitError::NoRepository { path: path.to_owned() })?;
        let (git_dir, work_tree) = found.into_repository_and_work_tree_directories();
        match work_tree {
            Some(work_tree) => Self::of_work_tree(&work_tree, &git_dir, 0),
            None => Err(GitError::Bare { path: git_dir }),
        }
    }

    /// The commit, in hexadecimal digits.
    pub fn commit(&self) -> String {
        self.commit.to_string()
    }

    /// Whether tracked files are not what they are in the commit.
    pub fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    fn of_work_tree(work_tree: &Path, git_dir: &Path, depth: u32) -> Result<Self, GitError> {
        let failed = |source: gix::Error| GitError::Repository { path: work_tree.to_owned(), source: source.into() };
        let options = gix::open::Options::isolated().with(Trust::Reduced);
        let repository = options.open(work_tree).map_err(failed)?.to_thread_local();
        check_references(&repository)?;
        if repository.workdir().is_none() {
            return Err(GitError::Bare { path: git_dir.to_owned() });
        }
        let head = repository.head().map_err(failed)?;
        let Some(id) = head.id() else { return Err(GitError::Unborn { path: work_tree.to_owned() }) };
        let id = id.detach();
        let commit = repository.find_commit(id).map_err(failed)?;
        let tree = commit.tree_id().map_err(failed)?.detach();
        let is_dirty = dirty::is_dirty(&repository, tree, depth).map_err(failed)?;
        Ok(Self { commit: id, is_dirty })
    }

    /// Of a submodule's work tree, if there is one.
    fn of_submodule(work_tree: &Path, depth: u32) -> Option<Result<Self, GitError>> {
        let dot_git = work_tree.join(".git");
        dot_git.symlink_metadata().ok()?;
        let opened = || {
            plain::check_dot_git(&dot_git)?;
            let kind = gix::discover::is_git(&dot_git);
            let found = kind
                .ok()
                .and_then(|kind| gix::discover::repository::Path::from_dot_git_dir(dot_git.clone(), kind, work_tree));
            let path = || GitError::NoRepository { path: work_tree.to_owned() };
            let (git_dir, _) = found.ok_or_else(path)?.into_repository_and_work_tree_directories();
            Self::of_work_tree(work_tree, &git_dir, depth)
        };
        Some(opened())
    }
}

/// References are read where they are files; where they are not, those that are there only pretend.
fn check_references(repository: &gix::Repository) -> Result<(), GitError> {
    match repository.config_snapshot().string("extensions.refStorage") {
        Some(storage) if storage.as_slice() != b"files" => Err(GitError::References { storage: storage.to_string() }),
        _ => Ok(()),
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.commit, if self.is_dirty { "+dirty" } else { "" })
    }
}
