//! The storage of the Docker distribution's registry: `blobs`, each once, and `repositories`, with links to them.
//!
//! Source: the distribution's `registry/storage/paths.go`. Uploads that are under way lie below `repositories`, of which
//! nothing but links is read.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::images::{Images, Named, shown};
use crate::audit::blob::{Place, Trouble};
use crate::digest::Digest;
use crate::finding::Code;
use crate::oci::layout::picked::Pointer;
use crate::store::{self, Link};

pub(super) const REPOSITORIES: &str = "repositories";

/// Whether a directory is the root of such a storage, `…/docker/registry/v2`.
pub(super) fn is_registry(directory: &Path) -> bool {
    let is_directory = |path: PathBuf| path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    is_directory(directory.join(REPOSITORIES)) && is_directory(directory.join("blobs").join("sha256"))
}

/// What the repositories of a storage call its blobs.
pub(super) fn images(directory: &Path, trouble: &mut dyn FnMut(Trouble)) -> Images {
    let mut links = Links { named: Vec::new(), trouble };
    links.repositories(&directory.join(REPOSITORIES));
    let named = links.named;
    Images::resolve(directory, named, &|digest| blob_path(directory, digest), trouble)
}

fn blob_path(directory: &Path, digest: Digest) -> PathBuf {
    let hex = digest.hex();
    directory.join("blobs").join("sha256").join(&hex[..2]).join(&hex).join("data")
}

/// The links of a storage.
struct Links<'t> {
    named: Vec<Named>,
    trouble: &'t mut dyn FnMut(Trouble),
}

impl Links<'_> {
    /// Repositories have names of several parts, each a directory.
    fn repositories(&mut self, root: &Path) {
        let mut left = vec![(root.to_owned(), OsString::new())];
        while let Some((directory, name)) = left.pop() {
            let inner = self.directories(&directory);
            if inner.iter().any(|inner| inner == "_manifests") {
                self.repository(&directory.join("_manifests"), &name);
            }
            for part in inner.into_iter().rev().filter(|part| !part.as_encoded_bytes().starts_with(b"_")) {
                let mut whole = name.clone();
                if !whole.is_empty() {
                    whole.push("/");
                }
                whole.push(&part);
                left.push((directory.join(part), whole));
            }
        }
    }

    /// Its tags; and of its revisions those that no tag names.
    fn repository(&mut self, manifests: &Path, name: &OsStr) {
        let first = self.named.len();
        let tags = manifests.join("tags");
        for tag in self.directories(&tags) {
            if let Some(digest) = self.link(&tags.join(&tag).join("current").join("link")) {
                let mut name = name.to_owned();
                name.push(":");
                name.push(tag);
                self.named.push(Named { pointer: Pointer::to(digest), name });
            }
        }
        let mut tagged: Vec<Digest> = self.named[first..].iter().map(|named| named.pointer.digest).collect();
        tagged.sort_unstable();
        let revisions = manifests.join("revisions").join("sha256");
        for revision in self.directories(&revisions) {
            match self.link(&revisions.join(revision).join("link")) {
                Some(digest) if tagged.binary_search(&digest).is_err() => {
                    let mut name = name.to_owned();
                    name.push(format!("@{digest}"));
                    self.named.push(Named { pointer: Pointer::to(digest), name });
                }
                _ => {}
            }
        }
    }

    /// Where a link leads; none that is not there.
    fn link(&mut self, path: &Path) -> Option<Digest> {
        match read_link(path) {
            Ok(digest) => Some(digest),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None, // a tag, or a revision, that was deleted
            Err(error) => {
                let code = match error.kind() {
                    io::ErrorKind::InvalidData => Code::MalformedLayout,
                    _ => Code::Unreadable,
                };
                (self.trouble)(Trouble { place: Place::new(path), state: None, code, message: error.to_string() });
                None
            }
        }
    }

    /// The directories in a directory, by their names.
    fn directories(&mut self, path: &Path) -> Vec<OsString> {
        let mut names = Vec::new();
        let result = fs::read_dir(path).and_then(|entries| {
            for entry in entries {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    names.push(entry.file_name());
                }
            }
            Ok(())
        });
        match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let message = error.to_string();
                (self.trouble)(Trouble { place: Place::new(path), state: None, code: Code::Unreadable, message });
            }
            _ => {}
        }
        names.sort_unstable();
        names
    }
}

/// A link is a file that holds a digest.
fn read_link(path: &Path) -> io::Result<Digest> {
    const LEN: usize = "sha256:".len() + 64;
    let file = store::open(path, OpenOptions::new().read(true), Link::Refused)?;
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "it should hold a digest, and does not");
    if !file.metadata()?.is_file() {
        return Err(invalid());
    }
    let mut text = String::new();
    file.take(LEN as u64 + 2).read_to_string(&mut text)?;
    let text = text.trim_end();
    text.parse().map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} leads nowhere: {error}", shown(OsStr::new(text))))
    })
}
