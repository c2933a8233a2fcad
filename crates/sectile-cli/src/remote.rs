//! Remote inputs, read by ranges.

use std::io;
use std::ops::Range;

use sectile::drive::{self, Fetch, FetchOptions, Fetched, PrefetchedHead};
use sectile::interface::{CombinedReader, Interface};
use sectile::scan::Visitor;
use sectile::{Error, Limits, Metadata, Outcome};
use sectile_oci::registry::{Client, ClientOptions, Credentials, Reference, RegistryImage};
use sectile_policy::{Policy, Reading};
use sectile_remote::{Object, RemoteOptions};
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;
use crate::private_redirects;

/// The options for objects.
pub fn options() -> RemoteOptions {
    RemoteOptions { private_redirects: private_redirects::are_allowed(), ..Default::default() }
}

/// A remote input whose first bytes are already fetched.
pub struct RemoteInput {
    runtime: Runtime,
    source: PrefetchedHead<RemoteObject>,
    len: u64,
}

enum RemoteObject {
    Object(Box<Object>),
    /// The layer of an image in a registry.
    Layer(Box<RegistryImage>),
}

impl Fetch for RemoteObject {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        match self {
            Self::Object(object) => object.fetch(range).await,
            Self::Layer(layer) => layer.fetch(range).await,
        }
    }
}

impl RemoteInput {
    /// Opens an object by its URL.
    pub fn open_object(url: &str) -> Result<Self, Failure> {
        Self::new(RemoteObject::Object(Box::new(Object::open(url, &options())?)))
    }

    /// Opens the layer of an image in a registry, with the user's credentials.
    pub fn open_image(image: &str) -> Result<Self, Failure> {
        let reference = image.parse::<Reference>().map_err(|error| Failure::Other(error.to_string()))?;
        let options = ClientOptions { private_redirects: private_redirects::are_allowed(), ..Default::default() };
        let held = RegistryImage::open(Client::new(Credentials::from_user_files(), options), reference)?;
        Self::new(RemoteObject::Layer(Box::new(held)))
    }

    fn new(source: RemoteObject) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::from)?;
        let source = runtime
            .block_on(PrefetchedHead::prefetch(source, PrefetchedHead::<RemoteObject>::DEFAULT_LEN))
            .map_err(Error::from)?;
        let len = source.len().ok_or_else(|| io::Error::other("the server does not report its length"));
        Ok(Self { runtime, source, len: len.map_err(Error::from)? })
    }

    /// The first bytes.
    pub fn head(&self) -> &[u8] {
        self.source.head()
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// Compares an image's annotations with the metadata of its layer, and adds the findings to the
    /// metadata.
    pub fn compare(&self, metadata: &mut Metadata<'_>) {
        if let RemoteObject::Layer(layer) = self.source.source() {
            layer.compare(metadata);
        }
    }

    pub fn scan<V: for<'w> Visitor<'w>>(&mut self, visitor: &mut V, limits: Limits) -> Outcome<()> {
        self.runtime.block_on(drive::scan_fetch(&mut self.source, visitor, FetchOptions::default(), limits))
    }

    pub fn read_with(&mut self, limits: Limits) -> Outcome<Metadata<'static>> {
        self.runtime.block_on(sectile::read_fetch_with(&mut self.source, FetchOptions::default(), limits))
    }

    pub fn read_with_interface(&mut self, limits: Limits) -> Outcome<(Metadata<'static>, Interface)> {
        let reader = CombinedReader::with_limits(limits);
        self.runtime.block_on(drive::collect_fetch(&mut self.source, reader, FetchOptions::default()))
    }

    pub fn read_with_policy(&mut self, policy: &Policy) -> Outcome<Reading<'static>> {
        self.runtime.block_on(sectile_policy::read_fetch(&mut self.source, FetchOptions::default(), policy))
    }

    pub fn read_part(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let range = offset..offset + buffer.len() as u64;
        let fetched = self.runtime.block_on(self.source.fetch(range))?;
        let len = fetched.bytes().len().min(buffer.len());
        buffer[..len].copy_from_slice(&fetched.bytes()[..len]);
        Ok(len)
    }
}
