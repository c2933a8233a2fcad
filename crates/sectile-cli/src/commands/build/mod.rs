//! The commands that set metadata in a build: `sectile wrap` and `cargo sectile`.

mod artifact;
mod cargo;
mod cargo_args;
mod dependencies;
mod judgment;
mod messages;
mod metadata;
mod packages;
mod program;
mod revisions;
mod wrap;

pub use self::cargo::run as cargo;
pub use self::wrap::run as wrap;
