//! Well-behaved and hostile registries on loopback.

mod auth;
mod hostile;
mod image;
mod list;
mod reference;
mod referrer;
mod shape;
mod upload;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sectile::Input;
use sectile::splice::Plan;
use sectile_oci::registry::{Client, ClientOptions, Credentials, PushedImage, Reference, RegistryError};
use sectile_oci::{Image, ImageOptions};
use tempfile::TempDir;

use super::unchanged;

use sectile_testing::binary::{custom, module};
use sectile_testing::server::Server;

/// Timeouts that no well-behaved registry reaches on a busy machine, and short pauses.
fn options() -> ClientOptions {
    let long = Duration::from_secs(20);
    ClientOptions {
        connect_timeout: long,
        idle_timeout: long,
        response_timeout: long,
        retry_pause: Duration::from_millis(1),
        max_total_pause: Duration::from_millis(200),
        chunk_size: 64 << 10,
        ..Default::default()
    }
}

/// Short timeouts, for registries that stall.
fn hurried() -> ClientOptions {
    ClientOptions {
        idle_timeout: Duration::from_millis(400),
        response_timeout: Duration::from_millis(800),
        ..options()
    }
}

fn anonymous() -> Client {
    Client::new(Credentials::anonymous(), options())
}

/// A client for large blobs on a busy machine.
fn patient() -> Client {
    let long = Duration::from_secs(20);
    Client::new(Credentials::anonymous(), ClientOptions { idle_timeout: long, response_timeout: long, ..options() })
}

fn reference(server: &Server, rest: &str) -> Reference {
    format!("{}/{rest}", server.address).parse().unwrap()
}

/// A file with a module of about this length without repetitions.
fn binary(len: usize) -> (TempDir, PathBuf, Vec<u8>) {
    let noise: Vec<u8> =
        (0..len as u64 / 8).flat_map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes()).collect();
    let bytes = module(&[custom("licenses", "MIT"), custom("noise", noise)]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.wasm");
    fs::write(&path, &bytes).unwrap();
    (directory, path, bytes)
}

/// The image of an unchanged file.
struct PackedImage {
    input: Input,
    plan: Plan,
    image: Image,
}

impl PackedImage {
    fn new(path: &Path) -> Self {
        let input = Input::open(path).unwrap();
        let plan = unchanged(&input);
        let image = Image::new(&input, &plan, &ImageOptions::default()).unwrap();
        Self { input, plan, image }
    }

    fn push(&self, client: &Client, reference: &Reference) -> Result<PushedImage, RegistryError> {
        client.push(reference, &self.image, &self.plan, &self.input, &mut |_, _| {})
    }
}

fn push(client: &Client, reference: &Reference, path: &Path) -> Result<PushedImage, RegistryError> {
    PackedImage::new(path).push(client, reference)
}

/// The message of an error with its source.
fn message(error: &RegistryError) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}
