//! The storage of the Docker distribution's registry: `blobs`, and `repositories` with links to them.
//!
//! Source: the distribution's `registry/storage/paths.go`. The walk inspects all files of a storage as in any directory,
//! also those below `repositories`. This module adds the digest of each blob and the names of its images.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::images::{BlobId, LayerIndex, NamedTarget, Target, quoted_name};
use super::store_files::StoreFiles;
use crate::blob::{BlobLocation, WalkError};
use sectile::FindingCode;
use sectile::digest::Digest;
use sectile::internal::{self, Link};
use sectile_oci::internal::UncomputedDigest;

const REPOSITORIES: &str = "repositories";

/// The usual place of a storage below the root that a registry is configured with.
const STORAGE: &str = "docker/registry/v2";

/// Whether a directory is the root of such a storage, `…/docker/registry/v2`.
///
/// A registry follows links to the directories of blobs. A link to repositories is not followed: it may lead anywhere.
pub(super) fn is_registry(directory: &Path) -> bool {
    let repositories = directory.join(REPOSITORIES).symlink_metadata();
    repositories.is_ok_and(|metadata| metadata.is_dir()) && directory.join("blobs").join("sha256").is_dir()
}

/// The start of the names `oci:DIR:REPOSITORY:TAG` and `oci:DIR:REPOSITORY@sha256:…`. DIR is the root that the registry
/// is configured with, if the storage has its usual place in it.
fn prefix(directory: &Path) -> OsString {
    let root = directory.ends_with(STORAGE).then(|| directory.ancestors().nth(STORAGE.split('/').count())).flatten();
    let mut prefix = OsString::from("oci:");
    prefix.push(match root {
        Some(root) if root.as_os_str().is_empty() => Path::new("."),
        Some(root) => root,
        None => directory,
    });
    prefix
}

/// Reads the images of all repositories.
pub(super) fn read_images(files: &StoreFiles<'_>, report_error: &mut dyn FnMut(WalkError)) -> LayerIndex {
    let mut links = RepositoryLinks { named: Vec::new(), report_error };
    links.repositories(&files.directory.join(REPOSITORIES));
    let named = links.named;
    LayerIndex::resolve(files, prefix(&files.directory), named, Vec::new(), report_error)
}

/// The storage below the root that a registry is configured with, or at this directory.
pub(super) fn find_storage(directory: &Path) -> Option<PathBuf> {
    [directory.join(STORAGE), directory.to_owned()].into_iter().find(|directory| is_registry(directory))
}

/// The image of a name as in [`NamedTarget::name`].
pub(super) fn named_image(directory: &Path, name: &OsStr) -> Option<NamedTarget> {
    let link = link_path(name.to_str()?.strip_prefix(':')?)?;
    let target = read_link(&directory.join(REPOSITORIES).join(link)).ok()?;
    Some(NamedTarget { target, name: name.to_owned(), is_chosen: true, embedded: None })
}

/// The path of the link to an image `REPOSITORY:TAG` or `REPOSITORY@sha256:…`.
fn link_path(image: &str) -> Option<String> {
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(std::path::is_separator);
    let (repository, link) = if let Some((repository, digest)) = image.split_once('@') {
        let digest: Digest = digest.parse().ok()?;
        (repository, format!("revisions/sha256/{}/link", digest.hex()))
    } else {
        let (repository, tag) = image.rsplit_once(':').filter(|(_, tag)| is_part(tag))?;
        (repository, format!("tags/{tag}/current/link"))
    };
    repository.split('/').all(is_part).then(|| format!("{repository}/_manifests/{link}"))
}

/// Reads the links of a storage.
struct RepositoryLinks<'t> {
    named: Vec<NamedTarget>,
    report_error: &'t mut dyn FnMut(WalkError),
}

impl RepositoryLinks<'_> {
    /// Reads all repositories. Their names have several parts, each a directory.
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

    /// Reads the tags of a repository, and the revisions without a tag.
    fn repository(&mut self, manifests: &Path, name: &OsStr) {
        let first = self.named.len();
        let tags = manifests.join("tags");
        for tag in self.directories(&tags) {
            if let Some(target) = self.link(&tags.join(&tag).join("current").join("link")) {
                let mut image = OsString::from(":");
                image.push(name);
                image.push(":");
                image.push(tag);
                self.named.push(NamedTarget { target, name: image, is_chosen: true, embedded: None });
            }
        }
        let mut tagged: Vec<BlobId> = self.named[first..].iter().map(|named| named.target.blob.clone()).collect();
        tagged.sort_unstable();
        let revisions = manifests.join("revisions").join("sha256");
        for revision in self.directories(&revisions) {
            match self.link(&revisions.join(revision).join("link")) {
                Some(target) if tagged.binary_search(&target.blob).is_err() => {
                    let mut image = OsString::from(":");
                    image.push(name);
                    image.push(format!("@{}", target.blob));
                    self.named.push(NamedTarget { target, name: image, is_chosen: true, embedded: None });
                }
                _ => {}
            }
        }
    }

    /// Reads a link, or returns `None` if it does not exist. The walk reports a link that cannot be read.
    fn link(&mut self, path: &Path) -> Option<Target> {
        match read_link(path) {
            Ok(target) => Some(target),
            Err(error) => {
                if error.kind() == io::ErrorKind::InvalidData {
                    self.report_malformed(path, &error);
                }
                None // otherwise a deleted tag or revision
            }
        }
    }

    fn report_malformed(&mut self, path: &Path, error: &io::Error) {
        let location = BlobLocation::new(path);
        (self.report_error)(WalkError::new(location, FindingCode::MalformedLayout, error.to_string()));
    }

    /// The names of the directories in a directory, sorted. The walk reports a directory that cannot be read.
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
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => self.report_malformed(path, &error),
            _ => {}
        }
        names.sort_unstable();
        names
    }
}

/// Reads a link: a file that contains a digest.
fn read_link(path: &Path) -> io::Result<Target> {
    const LEN: usize = "sha512:".len() + 128;
    let file = internal::open(path, OpenOptions::new().read(true), Link::Refused)?;
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "the link does not contain a digest");
    if !file.metadata()?.is_file() {
        return Err(invalid());
    }
    let mut text = String::new();
    file.take(LEN as u64 + 2).read_to_string(&mut text)?;
    let text = text.trim_end();
    if let Some(digest) = UncomputedDigest::parse(text) {
        return Ok(Target::new(BlobId::Uncomputed(digest)));
    }
    let digest = text.parse().map_err(|error| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is not a digest: {error}", quoted_name(OsStr::new(text))),
        )
    })?;
    Ok(Target::new(BlobId::Computed(digest)))
}
