//! What lies elsewhere, read by ranges.

use std::io;
use std::ops::Range;

use sectile::drive::{self, Cost, Fetch, FetchOptions, Fetched, Headed};
use sectile::interface::{self, Interface};
use sectile::metadata::Metadata;
use sectile::oci::registry::{Client, ClientOptions, Credentials, Held, Reference};
use sectile::policy::{self, Reading};
use sectile::remote::{Object, RemoteOptions, local_path};
use sectile::scan::Visitor;
use sectile::{Error, Input, Limits, Outcome, Policy};
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;
use crate::input::{self, Opened};

/// Opens what a URL names: what lies on this machine as a file.
pub fn open(url: &str) -> Result<Opened, Failure> {
    if let Some(image) = input::in_registry(url) {
        return Ok(Opened::Remote(Box::new(held(image)?)));
    }
    if let Some(path) = local_path(url)? {
        return Ok(Opened::Here(Input::open(path)?));
    }
    let object = Object::open(url, &RemoteOptions::default())?;
    Ok(Opened::Remote(Box::new(Remote::begin(Source::Object(Box::new(object)))?)))
}

/// Opens the layer of an image in a registry, with the user's credentials.
pub fn held(image: &str) -> Result<Remote, Failure> {
    let reference = image.parse::<Reference>().map_err(|error| Failure::Other(error.to_string()))?;
    let held = Held::open(Client::new(Credentials::of_user(), ClientOptions::default()), reference)?;
    Remote::begin(Source::Held(Box::new(held)))
}

/// Bytes that lie elsewhere, of which the first are here.
pub struct Remote {
    runtime: Runtime,
    source: Headed<Source>,
    len: u64,
}

/// Where they lie.
enum Source {
    Object(Box<Object>),
    Held(Box<Held>),
}

impl Fetch for Source {
    async fn fetch(&mut self, range: Range<u64>) -> io::Result<Fetched> {
        match self {
            Self::Object(object) => object.fetch(range).await,
            Self::Held(held) => held.fetch(range).await,
        }
    }
}

impl Remote {
    fn begin(source: Source) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::from)?;
        let source = runtime.block_on(Headed::begin(source, Headed::<Source>::FIRST)).map_err(Error::from)?;
        let len = source.len().ok_or_else(|| io::Error::other("the server does not say how long it is"));
        Ok(Self { runtime, source, len: len.map_err(Error::from)? })
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// Compares an image's annotations with the metadata that was read of its layer.
    pub fn compare(&self, metadata: &mut Metadata<'_>) {
        if let Source::Held(held) = self.source.source() {
            held.compare(metadata);
        }
    }

    pub fn scan<V: for<'w> Visitor<'w>>(&mut self, visitor: &mut V, limits: Limits) -> (Result<(), Error>, Cost) {
        self.runtime.block_on(drive::fetch(&mut self.source, visitor, FetchOptions::default(), limits))
    }

    pub fn read(&mut self, limits: Limits) -> Result<Outcome<Metadata<'static>>, Error> {
        self.runtime.block_on(sectile::read_fetch(&mut self.source, FetchOptions::default(), limits))
    }

    pub fn read_with_interface(&mut self, limits: Limits) -> Result<Outcome<(Metadata<'static>, Interface)>, Error> {
        let reading = interface::read_fetch_with_metadata(&mut self.source, FetchOptions::default(), limits);
        self.runtime.block_on(reading)
    }

    pub fn read_for(&mut self, policy: &Policy) -> Result<Outcome<Reading<'static>>, Error> {
        self.runtime.block_on(policy::read_fetch(&mut self.source, FetchOptions::default(), policy))
    }

    pub fn read_part(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let range = offset..offset + buffer.len() as u64;
        let fetched = self.runtime.block_on(self.source.fetch(range))?;
        let len = fetched.bytes.len().min(buffer.len());
        buffer[..len].copy_from_slice(&fetched.bytes[..len]);
        Ok(len)
    }
}
