//! Drivers. Each driver feeds a [`Scanner`](crate::scan::Scanner) from one kind of source.
//!
//! | source | driver | reads |
//! | --- | --- | --- |
//! | bytes in memory | [`scan_slice`] | borrows, copies nothing |
//! | a file that does not change during the scan | [`Map`], then [`scan_slice`] | the pages that are accessed |
//! | a file, or another source of positioned reads | [`scan_at`] | a few windows |
//! | chunks as they arrive | [`PushDriver`] | everything; buffers only headers, names and requested data |
//! | chunks on their way to another consumer | [`Inspected`] with a [`PushDriver`] | everything; the chunks pass unchanged |
//! | a remote source of byte ranges | [`scan_fetch`] | windows sized by the cost of a request |
//!
//! A `scan_` function takes a visitor and limits. A `collect_` function takes a
//! [`Collector`](crate::scan::Collector), such as a metadata reader. The function applies the
//! collector's limits and returns the collected value.
//!
//! For the same bytes, every driver makes the same calls to the visitor and returns the same error.

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
