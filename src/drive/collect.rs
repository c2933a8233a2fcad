//! Each driver with a collector, which brings its limits and ends with a value.

use super::{Fetch, FetchOptions, ReadAt, scan_at, scan_fetch, scan_slice};
use crate::outcome::Outcome;
use crate::scan::{Collector, Visitor};

/// Collects a value from bytes in memory, as [`scan_slice`] scans them.
pub fn collect_slice<'a, C: Collector + Visitor<'a>>(bytes: &'a [u8], mut collector: C) -> Outcome<C::Value> {
    let limits = collector.limits();
    scan_slice(bytes, &mut collector, limits).and_then(|()| collector.finish())
}

/// Collects a value from `len` bytes of a source with positioned reads, as [`scan_at`] scans them.
pub fn collect_at<R: ReadAt + ?Sized, C: Collector + for<'w> Visitor<'w>>(
    source: &R,
    len: u64,
    mut collector: C,
) -> Outcome<C::Value> {
    let limits = collector.limits();
    scan_at(source, len, &mut collector, limits).and_then(|()| collector.finish())
}

/// Collects a value from a source of byte ranges, as [`scan_fetch`] scans it.
pub async fn collect_fetch<F: Fetch, C: Collector + for<'w> Visitor<'w>>(
    source: &mut F,
    mut collector: C,
    options: FetchOptions,
) -> Outcome<C::Value> {
    let limits = collector.limits();
    scan_fetch(source, &mut collector, options, limits).await.and_then(|()| collector.finish())
}
