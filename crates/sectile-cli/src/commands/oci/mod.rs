//! `sectile oci …`: a binary as a Wasm OCI artifact.

mod annotations;
mod binary;
mod config;
mod layout;
mod options;
mod progress;
mod push;

pub use self::annotations::run as annotations;
pub use self::config::run as config;
pub use self::layout::run as layout;
pub use self::push::run as push;
