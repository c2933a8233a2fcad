//! Pushing to registries, good ones and hostile ones, all of them on loopback.

mod auth;
mod held;
mod hostile;
mod reference;
mod referrer;
mod upload;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sectile::edit::Edit;
use sectile::oci::registry::{Client, ClientOptions, Credentials, Pushed, Reference, RegistryError};
use sectile::oci::{Image, ImageOptions};
use sectile::splice::Plan;
use sectile::{Input, Limits};
use tempfile::TempDir;

use crate::support::binary::{custom, module};
use crate::support::server::Server;

/// Limits that no good registry comes to, on a machine that is busy; and pauses that no test waits for.
fn options() -> ClientOptions {
    let long = Duration::from_secs(20);
    ClientOptions {
        connect: long,
        stalled: long,
        answer: long,
        pause: Duration::from_millis(1),
        patience: Duration::from_millis(200),
        chunk: 64 << 10,
        ..Default::default()
    }
}

/// For registries that stall: nobody waits for them.
fn hurried() -> ClientOptions {
    ClientOptions { stalled: Duration::from_millis(400), answer: Duration::from_millis(800), ..options() }
}

fn anonymous() -> Client {
    Client::new(Credentials::anonymous(), options())
}

/// For megabytes, on a machine that is busy.
fn patient() -> Client {
    let long = Duration::from_secs(20);
    Client::new(Credentials::anonymous(), ClientOptions { stalled: long, answer: long, ..options() })
}

fn reference(server: &Server, rest: &str) -> Reference {
    format!("{}/{rest}", server.address).parse().unwrap()
}

/// A module of about so many bytes, no two parts of it alike, in a file.
fn binary(len: usize) -> (TempDir, PathBuf, Vec<u8>) {
    let noise: Vec<u8> =
        (0..len as u64 / 8).flat_map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes()).collect();
    let bytes = module(&[custom("licenses", "MIT"), custom("noise", noise)]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.wasm");
    fs::write(&path, &bytes).unwrap();
    (directory, path, bytes)
}

/// A file, as the image that it is without further words.
struct Packed {
    input: Input,
    plan: Plan,
    image: Image,
}

impl Packed {
    fn of(path: &Path) -> Self {
        let input = Input::open(path).unwrap();
        let plan = Edit::new().plan(&input, Limits::default()).unwrap().plan;
        let image = Image::of(&input, &plan, &ImageOptions::default(), Limits::default()).unwrap();
        Self { input, plan, image }
    }

    fn push(&self, client: &Client, reference: &Reference) -> Result<Pushed, RegistryError> {
        client.push(reference, &self.image, &self.plan, &self.input, &mut |_, _| {})
    }
}

fn push(client: &Client, reference: &Reference, path: &Path) -> Result<Pushed, RegistryError> {
    Packed::of(path).push(client, reference)
}

/// What an error says, with what brought it about.
fn said(error: &RegistryError) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}
