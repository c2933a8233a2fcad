//! `sectile oci …`: a binary as a Wasm OCI artifact, and images in registries.

mod annotations;
mod binary;
mod check;
mod config;
mod copy;
mod layout;
mod login;
mod options;
mod progress;
mod pull;
mod push;
mod tags;
mod write_back;

pub use self::annotations::run as annotations;
pub use self::check::run as check;
pub use self::config::run as config;
pub use self::copy::run as copy;
pub use self::layout::run as layout;
pub use self::login::{login, logout};
pub use self::pull::run as pull;
pub use self::push::run as push;
pub use self::tags::run as tags;
pub use self::write_back::write_back;
