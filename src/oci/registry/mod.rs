//! Registries: where images are pushed to, and read where they lie, by the distribution API. Source: the OCI distribution specification, 1.1.

mod challenge;
mod client;
mod credential;
mod error;
mod held;
mod manifest;
mod package;
mod pause;
mod push;
mod reference;
mod referrer;
mod session;
mod token;
mod transport;
mod upload;
mod url;

pub use self::client::{Client, ClientOptions, Scheme};
pub use self::credential::{Credential, CredentialError, Credentials};
pub use self::error::RegistryError;
pub use self::held::{Held, HeldError};
pub use self::package::Pushed;
pub use self::reference::{Reference, ReferenceError};
pub use self::referrer::{Artifact, Attached};
