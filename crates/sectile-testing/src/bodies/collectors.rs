//! One collector on several drivers.

use std::fmt::Debug;

use sectile::drive;
use sectile::scan::{Collector, Visitor};
use sectile::{Limits, Outcome};

use super::chunks::push;
use super::ranges::{Pieces, now};
use super::recorder::error_text;

/// Collects from the same bytes with every driver, and returns the value and the message of the
/// error.
///
/// # Panics
///
/// The drivers disagree.
pub fn collect<C>(bytes: &[u8], chunks: &[usize], make: impl Fn() -> C) -> (Option<C::Value>, Option<String>)
where
    C: Collector + for<'w> Visitor<'w>,
    C::Value: PartialEq + Debug,
{
    let limits: Limits = make().limits();
    let parts = |outcome: Outcome<C::Value>| {
        let (value, error, _) = outcome.into_parts();
        (value, error_text(error.map_or(Ok(()), Err)))
    };
    let expected = parts(drive::collect_slice(bytes, make()));
    assert_eq!(parts(drive::collect_at(bytes, bytes.len() as u64, make())), expected, "positioned reads");
    let options = drive::FetchOptions { max_bytes: u64::MAX, max_requests: u64::MAX, ..Default::default() };
    for tells_len in [true, false] {
        let mut source = Pieces::new(bytes, chunks, tells_len);
        assert_eq!(parts(now(drive::collect_fetch(&mut source, make(), options))), expected, "ranges");
    }
    let (collector, result) = push(bytes, chunks, make(), limits);
    assert_eq!((collector.finish(), error_text(result)), expected, "chunks of {chunks:?}");
    expected
}
