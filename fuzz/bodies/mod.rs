//! What the fuzz targets check, as plain functions: the targets call them, and so do the ordinary tests, over the seeds
//! and over inputs of their own.
//!
//! - `archives()` audits any bytes as a file of a store;
//! - [`framing()`] holds the scanner against wasmparser, as the contract says;
//! - [`drivers()`] holds the drivers against each other, the metadata against the bytes,
//!   and imports and exports against wasmparser;
//! - [`fetches()`] reads from a source that lies;
//! - `manifest()` holds the readers of manifests against what they promise, and JSON against serde_json;
//! - `policy()` holds the reader of policies, and the verdicts, against what they promise;
//! - [`plans()`] edits anything in any way, and holds what comes of it against what is promised;
//! - [`passing()`] edits what passes in chunks, and judges it, as the whole would be;
//! - [`binary()`] makes the inputs: modules and components that lie.

#[cfg(feature = "audit")]
mod archives;
mod chunks;
mod drivers;
mod framing;
mod generate;
#[cfg(feature = "interface")]
mod interface;
#[cfg(feature = "manifest")]
mod manifest;
mod outline;
mod passing;
mod plans;
#[cfg(feature = "policy")]
mod policy;
mod ranges;
mod recorder;

#[cfg(feature = "audit")]
pub use self::archives::archives;
pub use self::chunks::push;
pub use self::drivers::drivers;
pub use self::framing::{Verdict, framing};
pub use self::generate::binary;
#[cfg(feature = "manifest")]
pub use self::manifest::manifest;
pub use self::outline::Outline;
pub use self::passing::{pass, passing};
pub use self::plans::{CONTROLS, concatenation, plans};
#[cfg(feature = "policy")]
pub use self::policy::policy;
pub use self::ranges::{fetches, now};
pub use self::recorder::{Asks, Event, Recorder};
