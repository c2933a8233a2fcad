//! The drivers for a collector, which supplies the limits and returns a value.

use super::{Fetch, FetchOptions, ReadAt, scan_at, scan_fetch, scan_slice};
use crate::outcome::Outcome;
use crate::scan::{Collector, Visitor};

/// Collects a value from bytes in memory. See [`scan_slice`].
pub fn collect_slice<'a, C: Collector + Visitor<'a>>(bytes: &'a [u8], mut collector: C) -> Outcome<C::Value> {
    let limits = collector.limits();
    scan_slice(bytes, &mut collector, limits).and_then(|()| collector.finish())
}

/// Collects a value from `len` bytes of a source with positioned reads. See [`scan_at`].
pub fn collect_at<R: ReadAt + ?Sized, C: Collector + for<'w> Visitor<'w>>(
    source: &R,
    len: u64,
    mut collector: C,
) -> Outcome<C::Value> {
    let limits = collector.limits();
    scan_at(source, len, &mut collector, limits).and_then(|()| collector.finish())
}

/// Collects a value from a source of byte ranges. See [`scan_fetch`].
pub async fn collect_fetch<F: Fetch, C: Collector + for<'w> Visitor<'w>>(
    source: &mut F,
    mut collector: C,
    options: FetchOptions,
) -> Outcome<C::Value> {
    let limits = collector.limits();
    scan_fetch(source, &mut collector, options, limits).await.and_then(|()| collector.finish())
}
