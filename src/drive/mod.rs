//! The drivers: each feeds a [`Scanner`](crate::scan::Scanner) from somewhere, and decides nothing about WebAssembly.
//!
//! | the bytes are | driver | reads |
//! | --- | --- | --- |
//! | in memory | [`slice()`] | borrows, copies nothing |
//! | in a file that nobody truncates | [`Map`], then [`slice()`] | as above; the pages that are touched |
//! | in a file, or behind anything with positioned reads | [`read_at()`] | a few windows |
//! | arriving | [`Push`] | everything that arrives, holding next to nothing |
//! | on their way to somebody else | [`Tee`] over a [`Push`] | as above; they go on untouched |
//! | far away, and given by ranges | [`fetch()`] | windows as large as what a request costs asks for |
//!
//! Every driver gives the same calls to the visitor, and the same error, for the same bytes.

mod buffer;
mod fetch;
mod headed;
mod map;
mod pace;
mod push;
mod read_at;
mod slice;
mod tee;

pub use self::fetch::{Fetch, FetchOptions, Fetched, fetch};
pub use self::headed::Headed;
pub use self::map::Map;
pub use self::push::Push;
#[cfg(feature = "digest")]
pub(crate) use self::read_at::read_some;
pub use self::read_at::{ReadAt, read_at};
pub use self::slice::slice;
pub use self::tee::{Tee, TeeError, Watch};

/// What a reading cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Bytes that were read: from a file or a source of ranges, those that the reads gave; of pushed chunks, all of
    /// them; in memory, those that were looked at.
    pub bytes: u64,
    /// Reads that were made, requests that were sent, or chunks that were pushed; 0 in memory.
    pub reads: u64,
}
