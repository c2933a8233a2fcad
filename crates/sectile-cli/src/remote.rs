//! Remote inputs, read by ranges.

use std::future::Future;
use std::io;
use std::ops::Range;

use sectile::drive::{self, Fetch, FetchOptions, Fetched, PrefetchedHead};
use sectile::internal::run_blocking;
use sectile::scan::{Collector, Visitor};
use sectile::{Error, Limits, Metadata, Outcome};
use sectile_oci::Platform;
use sectile_oci::registry::{RegistryImage, Scheme};
use sectile_policy::{Policy, Reading};
#[cfg(feature = "remote")]
use sectile_remote::{Object, RemoteOptions};
#[cfg(feature = "remote")]
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;
#[cfg(feature = "remote")]
use crate::private_redirects;
use crate::registry;

/// The options for objects.
#[cfg(feature = "remote")]
pub fn options() -> RemoteOptions {
    RemoteOptions { private_redirects: private_redirects::are_allowed(), ..Default::default() }
}

/// Opens an image in a registry, with the user's credentials.
pub fn open_image(image: &str, platform: Option<&Platform>) -> Result<RegistryImage, Failure> {
    let client = registry::client(Scheme::Auto)?;
    Ok(RegistryImage::open_for(client, registry::parse_reference(image)?, platform)?)
}

/// A remote input whose first bytes are already fetched.
pub struct RemoteInput {
    executor: Executor,
    source: PrefetchedHead<RemoteObject>,
    len: u64,
}

enum RemoteObject {
    #[cfg(feature = "remote")]
    Object(Box<Object>),
    /// The layer of an image in a registry.
    Layer(Box<RegistryImage>),
}

impl Fetch for RemoteObject {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        match self {
            #[cfg(feature = "remote")]
            Self::Object(object) => object.fetch(range).await,
            Self::Layer(layer) => layer.fetch(range).await,
        }
    }
}

/// Runs the futures of a source.
enum Executor {
    /// For a source that blocks while it fetches.
    Blocking,
    #[cfg(feature = "remote")]
    Tokio(Runtime),
}

impl Executor {
    fn run<F: Future>(&self, future: F) -> F::Output {
        match self {
            Self::Blocking => run_blocking(future),
            #[cfg(feature = "remote")]
            Self::Tokio(runtime) => runtime.block_on(future),
        }
    }
}

impl RemoteInput {
    /// Opens an object by its URL.
    #[cfg(feature = "remote")]
    pub fn open_object(url: &str) -> Result<Self, Failure> {
        let object = Object::open(url, &options())?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::from)?;
        Self::new(RemoteObject::Object(Box::new(object)), Executor::Tokio(runtime))
    }

    /// Reads the layer of an image in a registry.
    pub fn from_image(image: RegistryImage) -> Result<Self, Failure> {
        Self::new(RemoteObject::Layer(Box::new(image)), Executor::Blocking)
    }

    fn new(source: RemoteObject, executor: Executor) -> Result<Self, Failure> {
        let source = executor
            .run(PrefetchedHead::prefetch(source, PrefetchedHead::<RemoteObject>::DEFAULT_LEN))
            .map_err(Error::from)?;
        let len = source.len().ok_or_else(|| io::Error::other("the server does not report its length"));
        Ok(Self { executor, source, len: len.map_err(Error::from)? })
    }

    /// The first bytes.
    #[cfg(feature = "remote")]
    pub fn head(&self) -> &[u8] {
        self.source.head()
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// Compares an image's annotations with the metadata of its layer, and adds the findings to the
    /// metadata.
    pub fn compare(&self, metadata: &mut Metadata<'_>) {
        match self.source.source() {
            RemoteObject::Layer(layer) => layer.compare(metadata),
            #[cfg(feature = "remote")]
            RemoteObject::Object(_) => {}
        }
    }

    /// Downloads the layer of an image and compares its digest with the one in the manifest.
    pub fn verify(&self, metadata: &mut Metadata<'_>) -> Result<(), Failure> {
        match self.source.source() {
            RemoteObject::Layer(layer) => Ok(layer.verify(metadata)?),
            #[cfg(feature = "remote")]
            RemoteObject::Object(_) => Ok(()),
        }
    }

    pub fn scan<V: for<'w> Visitor<'w>>(&mut self, visitor: &mut V, limits: Limits) -> Outcome<()> {
        self.executor.run(drive::scan_fetch(&mut self.source, visitor, FetchOptions::default(), limits))
    }

    pub fn collect<C: Collector + for<'w> Visitor<'w>>(&mut self, collector: C) -> Outcome<C::Value> {
        self.executor.run(drive::collect_fetch(&mut self.source, collector, FetchOptions::default()))
    }

    pub fn read_with_policy(&mut self, policy: &Policy) -> Outcome<Reading<'static>> {
        self.executor.run(sectile_policy::read_fetch(&mut self.source, FetchOptions::default(), policy))
    }

    pub fn read_part(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let range = offset..offset + buffer.len() as u64;
        let fetched = self.executor.run(self.source.fetch(range))?;
        let len = fetched.bytes().len().min(buffer.len());
        buffer[..len].copy_from_slice(&fetched.bytes()[..len]);
        Ok(len)
    }
}
