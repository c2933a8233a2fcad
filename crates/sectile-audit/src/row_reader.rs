//! Reads the binary that a name of a row stands for, with the walk that made the row.

mod copier;
mod escapes;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;
#[cfg(feature = "registry")]
use std::sync::Arc;

use self::copier::RowCopier;
#[cfg(feature = "registry")]
use super::blob::WalkError;
use super::root::{Root, RootKind};
use super::row_name::{RowName, RowNameError};
#[cfg(feature = "registry")]
use super::walk::RegistryRoot;
use super::walk::{WalkOptions, lookup};
use sectile::digest::Digest;
use sectile::internal::quoted;
use sectile::{Escaped, FindingCode};
#[cfg(feature = "registry")]
use sectile_oci::{internal::RegistryBlob, registry::Client};
#[cfg(feature = "remote")]
use sectile_remote::{RemoteError, RemoteOptions};

/// Reads the binary that a name of a row stands for.
///
/// Only the file, the object or the image at the start of the name is inspected, by the walk of an audit. The bytes are
/// therefore those that the audit judged.
///
/// ```no_run
/// use sectile_audit::RowReader;
///
/// let mut bytes = Vec::new();
/// let copy = RowReader::new().copy("dist/app.tgz!package/app.wasm".as_ref(), &mut bytes)?;
/// assert_eq!(copy.size, bytes.len() as u64);
/// # Ok::<(), sectile_audit::RowReadError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RowReader {
    walk_options: WalkOptions,
    #[cfg(feature = "remote")]
    remote_options: RemoteOptions,
    #[cfg(feature = "registry")]
    client: Option<Arc<Client>>,
}

/// A binary that was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowCopy {
    /// Length in bytes.
    pub size: u64,
    /// Digest of its bytes.
    pub digest: Digest,
}

/// The reason why the binary of a row was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowReadError {
    /// The name begins with neither a file nor an image of a store.
    #[error("no such file or image")]
    NoStore,
    /// The file or the image has no binary of this name. The first names of others are listed, except for the path of
    /// an archive.
    #[error("no binary has this name; {}", binaries(.0))]
    NoBinary(Vec<OsString>),
    /// Several different binaries have the name, such as two entries of an archive.
    #[error("several different binaries have this name: unpack the archive to read one of them")]
    Ambiguous,
    /// The row of this name has a finding instead of a binary.
    #[error("{message}")]
    #[non_exhaustive]
    Finding {
        /// The code of the finding.
        code: FindingCode,
        /// Its message.
        message: String,
    },
    /// The name is malformed.
    #[error(transparent)]
    Name(#[from] RowNameError),
    /// The binary cannot be read or decompressed.
    #[error(transparent)]
    Read(io::Error),
    /// The bytes cannot be written.
    #[error(transparent)]
    Write(io::Error),
    /// The object cannot be read.
    #[cfg(feature = "remote")]
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

/// The first names for a message.
fn binaries(names: &[OsString]) -> String {
    const MAX_SHOWN: usize = 4;
    /// Length at which a name is shortened. Others can be copied from the message.
    const MAX_NAME_LEN: usize = 400;
    let shown = |name: &OsString| match &*name.to_string_lossy() {
        name if name.len() > MAX_NAME_LEN => quoted(name),
        name => format!("`{}`", Escaped::new(name)),
    };
    let shown: Vec<String> = names.iter().take(MAX_SHOWN).map(shown).collect();
    match names.len() {
        0 => "it has no binaries".to_owned(),
        1..=MAX_SHOWN => format!("its binaries: {}", shown.join(", ")),
        _ => format!("its binaries begin with {}", shown.join(", ")),
    }
}

/// The store at the start of a name.
enum Store<'n> {
    Images(&'n OsStr),
    Root(Root),
}

impl RowReader {
    /// A reader with the default limits of a walk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the limits on archives.
    #[must_use]
    pub fn with_walk(mut self, walk_options: WalkOptions) -> Self {
        self.walk_options = walk_options;
        self
    }

    /// Sets the options for objects.
    #[cfg(feature = "remote")]
    #[must_use]
    pub fn with_remote(self, remote_options: RemoteOptions) -> Self {
        Self { remote_options, ..self }
    }

    /// Sets the client for images in registries. Without one, they are not read.
    #[cfg(feature = "registry")]
    #[must_use]
    pub fn with_registry(self, client: Client) -> Self {
        Self { client: Some(Arc::new(client)), ..self }
    }

    /// Copies the binary of the row with this name to a writer.
    ///
    /// A file or an image of the whole name comes first. If there is none, the name is split as by [`RowName`]. A name
    /// as it is displayed, with escapes such as `\x1b`, is accepted if nothing has it as its exact name.
    ///
    /// # Errors
    ///
    /// See [`RowReadError`]. The writer may have received a part of the bytes.
    pub fn copy(&self, name: &OsStr, out: &mut dyn Write) -> Result<RowCopy, RowReadError> {
        let result = self.copy_exact(name, out);
        match (&result, escapes::unescaped(name)) {
            (Err(RowReadError::NoStore | RowReadError::NoBinary(_)), Some(name)) => {
                self.copy_exact(&name, out).or(result)
            }
            _ => result,
        }
    }

    /// Copies the binary of the row with this name, which is a file, an object, or an entry in it.
    ///
    /// # Errors
    ///
    /// As for [`copy`](Self::copy).
    pub fn copy_from(&self, root: &Root, name: &OsStr, out: &mut dyn Write) -> Result<RowCopy, RowReadError> {
        self.copy_in(&Store::Root(root.clone()), name, out)
    }

    fn copy_exact(&self, name: &OsStr, out: &mut dyn Write) -> Result<RowCopy, RowReadError> {
        let whole = self.open(name)?;
        if let Some(store) = whole {
            match self.copy_in(&store, name, out) {
                Err(RowReadError::NoStore) => {}
                result => return result,
            }
        }
        let split = RowName::parse(name)?;
        let store = if split.entries().is_empty() { None } else { self.open(split.path())? };
        self.copy_in(&store.ok_or(RowReadError::NoStore)?, name, out)
    }

    /// The store at this path, if it may exist.
    // Only an object fails to open, and has options.
    #[cfg_attr(not(feature = "remote"), allow(clippy::unnecessary_wraps, clippy::unused_self))]
    fn open<'n>(&self, path: &'n OsStr) -> Result<Option<Store<'n>>, RowReadError> {
        #[cfg(feature = "registry")]
        if let (Some(client), Some(image)) = (&self.client, path.to_str().and_then(|url| url.strip_prefix("oci://"))) {
            let image = RegistryRoot::image(image, client.clone());
            return Ok(image.map(|image| Store::Root(Root(RootKind::Registry(image)))));
        }
        match path.to_str() {
            #[cfg(feature = "remote")]
            Some(url) if url.contains("://") => Ok(Some(Store::Root(Root::url(url, &self.remote_options)?))),
            Some(image) if image.starts_with("oci:") => Ok(Some(Store::Images(path))),
            _ => Ok(Path::new(path).is_file().then(|| Store::Root(Root::from(path)))),
        }
    }

    fn copy_in(&self, store: &Store<'_>, name: &OsStr, out: &mut dyn Write) -> Result<RowCopy, RowReadError> {
        let mut copier = RowCopier::new(name, out);
        let images = self.inspect(store, Some(name), &mut copier)?;
        let result = copier.finish();
        let (Ok(None), true) = (&result, images.as_ref().is_none_or(|images| !images.is_empty())) else {
            return result.and_then(|copy| copy.ok_or(RowReadError::NoStore));
        };
        if let Store::Root(Root(RootKind::Path(path))) = store
            && path.as_os_str() == name
        {
            return Err(RowReadError::NoBinary(Vec::new())); // the file is an archive
        }
        let mut lister = RowCopier::lister(images.as_deref());
        self.inspect(store, None, &mut lister)?;
        let names = lister.into_names();
        match &names[..] {
            // An image stands for its only binary.
            [only] if images.is_some_and(|images| images.iter().any(|image| image == name)) => {
                let mut copier = RowCopier::new(only, out);
                self.inspect(store, Some(only), &mut copier)?;
                copier.finish()?.ok_or(RowReadError::Ambiguous)
            }
            _ => Err(RowReadError::NoBinary(names)),
        }
    }

    /// Walks the store for a binary. Returns the names of its images, unless it is a file or an object.
    #[cfg_attr(not(any(feature = "registry", feature = "remote")), allow(clippy::unnecessary_wraps))] // only they fail
    fn inspect(
        &self,
        store: &Store<'_>,
        name: Option<&OsStr>,
        copier: &mut RowCopier<'_>,
    ) -> Result<Option<Vec<OsString>>, RowReadError> {
        #[cfg(any(feature = "registry", feature = "remote"))]
        let policy = sectile_policy::Policy::default();
        #[cfg(any(feature = "registry", feature = "remote"))]
        let read_options = crate::reading::ReadOptions {
            policy: &policy,
            outline: crate::outline::OutlineParts::default(),
            with_interface: false,
            hashes: false,
            should_stop: &|| false,
        };
        match store {
            Store::Images(name) => return Ok(Some(lookup::inspect_images(name, &self.walk_options, copier))),
            Store::Root(root) => match &root.0 {
                RootKind::Path(path) | RootKind::File(path, _) => {
                    // A file of this name is read, whatever it contains.
                    let is_whole = name == Some(path.as_os_str());
                    lookup::inspect_file(path, is_whole, &self.walk_options, copier);
                }
                #[cfg(feature = "remote")]
                RootKind::Objects(objects) => {
                    match lookup::inspect_object(objects, &self.walk_options, read_options, copier) {
                        Err(RemoteError::Missing) => return Err(RowReadError::NoStore),
                        result => result?,
                    }
                    if copier.is_remote {
                        lookup::read_object(objects, |stream| copier.add(stream))?;
                    }
                }
                #[cfg(feature = "registry")]
                RootKind::Registry(image) => {
                    let end_layer = |copier: &mut RowCopier<'_>, blob: &RegistryBlob| {
                        if std::mem::take(&mut copier.is_remote) {
                            match blob.read_verified() {
                                Ok(mut layer) => copier.add(&mut layer),
                                Err(error) => copier.fail(RowReadError::Read(io::Error::other(error))),
                            }
                        }
                    };
                    lookup::inspect_registry(image, &self.walk_options, read_options, copier, end_layer)
                        .map_err(|WalkError { code, message, .. }| RowReadError::Finding { code, message })?;
                    return Ok(Some(vec![image.url().into()]));
                }
            },
        }
        Ok(None)
    }
}
