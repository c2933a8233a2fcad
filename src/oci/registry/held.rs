//! An image that a registry holds, read where it lies.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

use ureq::http::{Method, header};

use super::client::Client;
use super::error::{Fault, RegistryError};
use super::reference::Reference;
use super::session::{Access, Ask, Learnt, Session};
use super::transport::Answer;
use crate::digest::Digest;
use crate::drive::{Fetch, Fetched};
use crate::metadata::Metadata;
use crate::oci::drift;
use crate::oci::layout::{Picked, Pointer};
use crate::oci::{Annotations, Descriptor, INDEX, LayoutError, MANIFEST, MAX_MANIFEST};

/// What a manifest may be, in the order in which it is liked: OCI's media types, and Docker's.
const MANIFESTS: [&str; 4] = [
    MANIFEST,
    INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// Tag of a reference that has neither tag nor digest, as other clients take it.
const LATEST: &str = "latest";

/// An image in a registry: its manifest was read and hashed; its layer of WebAssembly stays there, and is a source of ranges
/// ([`Fetch`]), which blocks while it fetches. Parts cannot be hashed: that they are the layer's is the registry's word. Where
/// it gives no ranges, only a layer of up to 4 MiB can be read.
///
/// ```no_run
/// use sectile::oci::registry::{Client, ClientOptions, Credentials, Held};
///
/// let client = Client::new(Credentials::of_user(), ClientOptions::default());
/// let held = Held::open(client, "registry.example.com/tools/app:1.0".parse()?)?;
/// println!("{} has {} bytes", held.layer().digest, held.layer().size);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Held {
    client: Client,
    reference: Reference,
    learnt: Option<Learnt>,
    picked: Picked,
}

/// Why an image of a registry cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeldError {
    /// The registry does not give it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What it gives is no image with one layer of WebAssembly, or not what it is called by.
    #[error(transparent)]
    Image(#[from] LayoutError),
}

impl Held {
    /// Finds an image: by the digest of the reference, or else by its tag, or else by the tag `latest`. Where an index
    /// lists several, for several platforms, the one for `wasm` is meant.
    ///
    /// # Errors
    ///
    /// The registry does not have it, or does not give it; it has no layer of WebAssembly, or several; a document is
    /// malformed, or not what it is called by.
    pub fn open(client: Client, reference: Reference) -> Result<Self, HeldError> {
        let mut session = Session::new(&client, &reference, Access::Pull)?;
        let media_types = MANIFESTS.join(", ");
        let (first, mut tagged) = if let Some(digest) = reference.digest() {
            (digest, None)
        } else {
            let bytes = session.manifest(reference.tag().unwrap_or(LATEST), &media_types)?;
            (Digest::of(&bytes), Some(bytes))
        };
        let place = format!("{}/{}", reference.registry(), reference.repository());
        let called = |digest| PathBuf::from(format!("{place}@{digest}"));
        let picked = Picked::find(Pointer::to(first), called, |pointer| match tagged.take() {
            Some(bytes) => Ok(bytes),
            None => session.manifest(&pointer.digest.to_string(), &media_types).map_err(HeldError::Registry),
        })?;
        let learnt = Some(session.learnt());
        Ok(Self { client, reference, learnt, picked })
    }

    /// The image's digest, which is its manifest's.
    pub fn image(&self) -> Digest {
        self.picked.image
    }

    /// The manifest's annotations.
    pub fn annotations(&self) -> &Annotations {
        &self.picked.annotations
    }

    /// What points to the layer of WebAssembly.
    pub fn layer(&self) -> &Descriptor {
        &self.picked.layer
    }

    /// Compares the manifest's annotations with the metadata that was read of its layer, as
    /// [`Stored::compare`](crate::oci::Stored::compare) does.
    pub fn compare(&self, metadata: &mut Metadata<'_>) {
        drift::compare(self.annotations(), metadata);
    }

    /// A part of the layer; fewer bytes than were asked for where those are more than an answer may have.
    fn part(&mut self, range: Range<u64>) -> Result<Fetched, RegistryError> {
        let Descriptor { digest, size, .. } = self.picked.layer;
        let range = range.start..range.end.min(size).min(range.start.saturating_add(MAX_MANIFEST));
        if range.is_empty() {
            return Ok(Fetched { len: Some(size), ..Fetched::default() });
        }
        let mut session = match self.learnt.take() {
            Some(learnt) => Session::resumed(&self.client, &self.reference, Access::Pull, learnt)?,
            None => Session::new(&self.client, &self.reference, Access::Pull)?,
        };
        let url = session.url(&format!("blobs/{digest}"))?;
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        let ask = Ask::new(Method::GET, url).field(header::RANGE, &bytes).field(header::ACCEPT_ENCODING, "identity");
        let request = format!("GET {}", ask.url);
        let answer = session.ask(ask)?;
        let given = given(answer, &range, size);
        let part = given.map_err(|fault| session.error(Some(request), fault));
        self.learnt = Some(session.learnt());
        Ok(Fetched { bytes: part?.into(), len: Some(size) })
    }
}

/// The part that an answer gives, if it is the one that was asked for.
fn given(mut answer: Answer, range: &Range<u64>, size: u64) -> Result<Vec<u8>, Fault> {
    let len = range.end - range.start;
    match answer.status {
        206 => {
            let expected = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            let unknown = format!("bytes {}-{}/*", range.start, range.end - 1);
            let is_it = answer.field("content-range").is_some_and(|said| said == expected || said == unknown);
            if is_it && answer.body.len() as u64 == len {
                return Ok(answer.body);
            }
            Err(Fault::malformed("it gives another part of the layer than it was asked for"))
        }
        // It gives no parts; all of it is within what an answer may have.
        200 if answer.body.len() as u64 == size => {
            answer.body.truncate(range.end as usize);
            Ok(answer.body.split_off(range.start as usize))
        }
        200 => Err(Fault::malformed("the layer has another length than its manifest says")),
        _ => Err(Fault::unwanted(&answer)),
    }
}

impl Fetch for Held {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        self.part(range).map_err(io::Error::other)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("reference", &self.reference).field("picked", &self.picked).finish_non_exhaustive()
    }
}
