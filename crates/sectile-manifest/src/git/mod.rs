//! The revision of the Git work tree that contains a file, read without the program `git`.
//!
//! Every repository is untrusted, regardless of its owner. Configured filters, hooks and monitors
//! are never run. Only the repository's own configuration is read, without includes. The user's
//! configuration (including `safe.directory`) and the environment have no effect.

mod dirty;
mod error;
mod plain;
mod staged;

use std::fmt;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::discover::upwards;
use gix::refs::TargetRef;
use gix::sec::Trust;

pub use self::error::GitError;

/// The revision of a work tree.
///
/// `Display` writes the value for the `revision` field: the commit, followed by `+dirty` if tracked
/// files differ from it.
///
/// ```no_run
/// use sectile_manifest::git::Revision;
///
/// println!("{}", Revision::for_path("Cargo.toml")?); // 0123456789abcdef0123456789abcdef01234567+dirty
/// # Ok::<(), sectile_manifest::git::GitError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Revision {
    commit: ObjectId,
    is_dirty: bool,
}

impl Revision {
    /// The revision of the work tree that contains this file or directory. The innermost repository
    /// counts, including submodules and linked work trees. As for `git describe --dirty`, the work
    /// tree is dirty if:
    ///
    /// - a tracked file is changed, staged, or deleted; untracked files do not count;
    /// - the checked-out commit of a submodule is not the recorded one, or the submodule is dirty;
    /// - comparing a file requires a filter program, because none is run.
    ///
    /// Reads the commit, its trees, the index, and the files whose size or times differ from the
    /// index. The history is not read.
    ///
    /// # Errors
    ///
    /// - The file is not in a work tree.
    /// - The repository is bare, has no commit yet, or stores its references or objects in an
    ///   unsupported way.
    /// - `HEAD`, the index, or a required object cannot be read.
    pub fn for_path(path: impl AsRef<Path>) -> Result<Self, GitError> {
        WorkTree::find(path)?.revision()
    }

    /// The commit, in hexadecimal digits.
    pub fn commit(&self) -> String {
        self.commit.to_string()
    }

    /// Whether tracked files differ from the commit.
    pub fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    fn for_work_tree(work_tree: &Path, git_dir: &Path, depth: u32) -> Result<Self, GitError> {
        let failed = |source: gix::Error| GitError::Repository { path: work_tree.to_owned(), source: source.into() };
        let options = gix::open::Options::isolated().with(Trust::Reduced);
        let repository = options.open(work_tree).map_err(failed)?.to_thread_local();
        check_references(&repository)?;
        if repository.workdir().is_none() {
            return Err(GitError::Bare { path: git_dir.to_owned() });
        }
        let Some(id) = head_id(&repository).map_err(failed)? else {
            return Err(GitError::Unborn { path: work_tree.to_owned() });
        };
        let commit = repository.find_commit(id).map_err(failed)?;
        let tree = commit.tree_id().map_err(failed)?.detach();
        let is_dirty = dirty::is_dirty(&repository, tree, depth).map_err(failed)?;
        Ok(Self { commit: id, is_dirty })
    }

    /// The revision of a submodule, if it is checked out.
    fn for_submodule(work_tree: &Path, depth: u32) -> Option<Result<Self, GitError>> {
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
            Self::for_work_tree(work_tree, &git_dir, depth)
        };
        Some(opened())
    }
}

/// A Git work tree: a directory with the files of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkTree {
    root: PathBuf,
    git_dir: PathBuf,
}

impl WorkTree {
    /// Finds the work tree that contains this file or directory. The innermost repository counts.
    ///
    /// # Errors
    ///
    /// The file is not in a work tree, or the repository is bare.
    pub fn find(path: impl AsRef<Path>) -> Result<Self, GitError> {
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
        let (git_dir, root) = found.into_repository_and_work_tree_directories();
        let root = root.ok_or_else(|| GitError::Bare { path: git_dir.clone() })?;
        // The found path may be relative to the current directory.
        Ok(Self { root: root.canonicalize().map_err(failed)?, git_dir })
    }

    /// The directory that holds the files.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The revision of the files, as for [`Revision::for_path`].
    ///
    /// # Errors
    ///
    /// As for [`Revision::for_path`].
    pub fn revision(&self) -> Result<Revision, GitError> {
        Revision::for_work_tree(&self.root, &self.git_dir, 0)
    }
}

/// Maximum length of a chain of symbolic references, including `HEAD`. Source: Git's
/// `SYMREF_MAXDEPTH`.
const MAX_SYMBOLIC: usize = 5;

/// The object of `HEAD`. Branches may be symbolic references themselves. `None` if the last one
/// does not exist.
fn head_id(repository: &gix::Repository) -> Result<Option<ObjectId>, gix::Error> {
    let head = repository.head()?;
    if let Some(id) = head.id() {
        return Ok(Some(id.detach()));
    }
    let Some(mut reference) = head.try_into_referent() else { return Ok(None) };
    for _ in 1..MAX_SYMBOLIC {
        let name = match reference.target() {
            TargetRef::Object(id) => return Ok(Some(id.to_owned())),
            TargetRef::Symbolic(name) => name.to_owned(),
        };
        match repository.try_find_reference(&name)? {
            Some(next) => reference = next,
            None => return Ok(None),
        }
    }
    Err(gix::Error::from_error(TooManySymbolic))
}

#[derive(Debug, thiserror::Error)]
#[error("`HEAD` refers to a chain of more than {MAX_SYMBOLIC} symbolic references")]
struct TooManySymbolic;

/// Rejects repositories that do not store references as files. Any reference files there are
/// placeholders.
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
