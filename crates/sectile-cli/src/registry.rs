//! The client for registries, with the user's credentials.

use std::env::{self, VarError};

use sectile_oci::registry::{Client, ClientOptions, Credential, Credentials, Reference, Scheme};

use crate::failure::Failure;
use crate::private_redirects;

const USERNAME: &str = "SECTILE_REGISTRY_USERNAME";
const PASSWORD: &str = "SECTILE_REGISTRY_PASSWORD";

/// A client with the user's credentials: those in the environment, or else those in the files of
/// Docker and Podman.
pub fn client(scheme: Scheme) -> Result<Client, Failure> {
    let credentials = match environment_credential()? {
        Some(credential) => Credentials::fixed(credential),
        None => Credentials::from_user_files(),
    };
    Ok(Client::new(credentials, options(scheme)))
}

/// A client that ignores the credentials in the environment, which are for another registry.
pub fn client_of_files(scheme: Scheme) -> Client {
    Client::new(Credentials::from_user_files(), options(scheme))
}

pub fn options(scheme: Scheme) -> ClientOptions {
    ClientOptions { scheme, private_redirects: private_redirects::are_allowed(), ..Default::default() }
}

/// Parses an image in a registry: `HOST/REPOSITORY[:TAG|@DIGEST]`.
pub fn parse_reference(image: &str) -> Result<Reference, Failure> {
    image.parse().map_err(|error| Failure::Other(format!("{error}")))
}

fn environment_credential() -> Result<Option<Credential>, Failure> {
    match (variable(USERNAME)?, variable(PASSWORD)?) {
        (Some(user), Some(password)) => Ok(Some(Credential::password(user, password))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Failure::Other(format!("{USERNAME} is set, but {PASSWORD} is not: set both or none"))),
        (None, Some(_)) => Err(Failure::Other(format!("{PASSWORD} is set, but {USERNAME} is not: set both or none"))),
    }
}

/// The value of a variable. An empty one counts as not set.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Failure::Other(format!("{name} is not UTF-8"))),
    }
}
