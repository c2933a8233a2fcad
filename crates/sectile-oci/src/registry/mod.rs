//! A client for registries that pushes images, and reads images by ranges. Source: the OCI
//! distribution specification 1.1.

mod blob_upload;
mod challenge;
mod client;
mod credential;
mod error;
mod image;
mod manifest;
mod manifest_upload;
mod options;
mod push;
mod reference;
mod referrer;
mod retry;
mod session;
mod token;
mod transport;
mod url;

pub use self::client::Client;
pub use self::credential::{Credential, CredentialError, Credentials};
pub use self::error::RegistryError;
pub use self::image::{RegistryImage, RegistryImageError};
pub use self::manifest_upload::PushedImage;
pub use self::options::{ClientOptions, Scheme};
pub use self::reference::{Reference, ReferenceError};
pub use self::referrer::{Artifact, AttachedArtifact};
