//! A client for registries that pushes, copies and lists images, and reads images by ranges. Source: the OCI
//! distribution specification 1.1.

pub(crate) mod blob;
mod blob_download;
mod blob_upload;
mod challenge;
mod client;
mod copy;
mod credential;
mod error;
mod fetch;
mod image;
mod list;
mod manifest;
mod manifest_upload;
mod options;
mod push;
mod reference;
mod referrer;
mod retry;
mod sequential_blob;
mod session;
mod token;
mod transport;
mod url;

pub use self::client::Client;
pub use self::copy::{CopiedImage, CopyOptions, ImagePlace, copy};
pub use self::credential::{Credential, CredentialError, CredentialFile, CredentialPlace, Credentials};
pub use self::error::RegistryError;
pub use self::image::{RegistryImage, RegistryImageError};
pub use self::manifest_upload::PushedImage;
pub use self::options::{ClientOptions, Scheme};
pub use self::reference::{Reference, ReferenceError, RegistryHost};
pub use self::referrer::{Artifact, AttachedArtifact};
