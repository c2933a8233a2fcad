//! Git work trees. A build without the feature `git` has the same types, and reads none.

#[cfg(feature = "git")]
pub use sectile_manifest::git::{GitError, Revision, WorkTree};

/// Whether the directory has no commit that a build could record.
#[cfg(feature = "git")]
pub fn has_no_commit(error: &GitError) -> bool {
    matches!(error, GitError::NoRepository { .. } | GitError::Unborn { .. } | GitError::Bare { .. })
}

#[cfg(not(feature = "git"))]
pub use self::absent::{GitError, Revision, WorkTree, has_no_commit};

#[cfg(not(feature = "git"))]
mod absent {
    use std::convert::Infallible;
    use std::error::Error;
    use std::fmt;
    use std::path::Path;

    /// This build does not read Git.
    #[derive(Debug)]
    pub struct GitError;

    impl fmt::Display for GitError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("this build of Sectile does not read Git")
        }
    }

    impl Error for GitError {}

    pub fn has_no_commit(_: &GitError) -> bool {
        false
    }

    #[derive(Clone)]
    pub struct Revision(Infallible);

    impl Revision {
        pub fn for_path(_: impl AsRef<Path>) -> Result<Self, GitError> {
            Err(GitError)
        }
    }

    impl fmt::Display for Revision {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0 {}
        }
    }

    #[derive(PartialEq)]
    pub struct WorkTree(Infallible);

    impl WorkTree {
        pub fn find(_: impl AsRef<Path>) -> Result<Self, GitError> {
            Err(GitError)
        }

        pub fn root(&self) -> &Path {
            match self.0 {}
        }

        pub fn revision(&self) -> Result<Revision, GitError> {
            match self.0 {}
        }
    }
}
