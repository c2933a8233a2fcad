//! The commands that set metadata in a build: `sectile wrap` and `cargo sectile`.

mod artifact;
mod cargo;
mod judgment;
mod messages;
mod metadata;
mod program;
mod wrap;

pub use self::cargo::run as cargo;
pub use self::wrap::run as wrap;
