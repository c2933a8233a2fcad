//! Public types of the crate are `Send` and `Sync`. Checked by compiling.

use sectile_manifest::{Manifest, ManifestError};

fn shared<T: Send + Sync>() {}

macro_rules! all_shared {
    ($($type:ty),* $(,)?) => { $(shared::<$type>();)* };
}

#[test]
fn everything_is_send_and_sync() {
    all_shared!(Manifest, ManifestError);
}

#[cfg(feature = "git")]
#[test]
fn revisions_are_send_and_sync() {
    use sectile_manifest::git::{GitError, Revision};

    all_shared!(GitError, Revision);
}
