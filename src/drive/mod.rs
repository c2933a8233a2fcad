//! Drivers: each feeds a [`Scanner`](crate::scan::Scanner) from one kind of source, and knows nothing about WebAssembly.
//!
//! | source | driver | reads |
//! | --- | --- | --- |
//! | bytes in memory | [`scan_slice`] | borrows, copies nothing |
//! | a file that is not truncated meanwhile | [`Map`], then [`scan_slice`] | the same; pages that are touched |
//! | a file, or anything with positioned reads | [`scan_at`] | a few windows |
//! | chunks that arrive | [`PushDriver`] | everything that arrives; holds next to nothing |
//! | chunks on their way elsewhere | [`Inspected`] over a [`PushDriver`] | the same; the chunks go on unchanged |
//! | a remote source of byte ranges | [`scan_fetch`] | windows whose size follows from the cost of a request |
//!
//! A `scan_` function takes a visitor and limits. A `collect_` function takes a [`Collector`](crate::scan::Collector), such as a
//! metadata reader, uses its limits, and returns its value.
//!
//! Every driver makes the same calls to the visitor, and gives the same error, for the same bytes.

mod buffer;
mod collect;
mod fetch;
mod inspected;
mod map;
mod prefetched;
mod push;
pub(crate) mod read_at;
mod slice;
mod window_sizer;

pub use self::collect::{collect_at, collect_fetch, collect_slice};
pub use self::fetch::{Fetch, FetchOptions, Fetched, scan_fetch};
pub use self::inspected::{ChunkInspector, Inspected, InspectedError};
pub use self::map::Map;
pub use self::prefetched::PrefetchedHead;
pub use self::push::PushDriver;
pub use self::read_at::{ReadAt, scan_at};
pub use self::slice::scan_slice;
