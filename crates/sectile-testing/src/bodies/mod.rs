//! The checks of the fuzz targets as plain functions. Ordinary tests also call them, with the seeds
//! and with their own inputs.
//!
//! - [`framing()`] compares the scanner with wasmparser;
//! - [`drivers()`] compares the drivers with each other, the metadata with the bytes, and imports
//!   and exports with wasmparser;
//! - [`fetches()`] reads from a source with wrong answers;
//! - [`plans()`] makes random edits and checks the guarantees of an edit;
//! - [`stream_edits()`] compares streamed edits with planned ones;
//! - [`inventory()`] compares the inventories of all drivers and windows;
//! - [`binary()`] generates the inputs: invalid modules and components.

mod chunks;
mod collectors;
mod drivers;
mod framing;
mod generate;
#[cfg(feature = "interface")]
mod interface;
#[cfg(feature = "inventory")]
mod inventory;
mod outline;
mod plans;
mod ranges;
mod recorder;
mod stream_edits;

pub use self::chunks::push;
pub use self::collectors::collect;
pub use self::drivers::drivers;
pub use self::framing::{Verdict, framing};
pub use self::generate::binary;
#[cfg(feature = "inventory")]
pub use self::inventory::inventory;
pub use self::outline::Outline;
pub use self::plans::{CONTROLS, concatenation, plans};
pub use self::ranges::{fetches, now};
pub use self::recorder::{EnteredItem, Event, Recorder, RequestPolicy};
pub use self::stream_edits::{run_stream_edit, stream_edits};
