//! Counts the allocations of a piece of work, per thread, so that tests may run in parallel.
#![allow(unsafe_code)] // implements an allocator

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

/// The system's allocator with counters. A test binary that measures declares it:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: sectile_testing::memory::Counting = sectile_testing::memory::Counting;
/// # assert!(sectile_testing::memory::measure(|| vec![0; 100]).1.total >= 100);
/// ```
#[derive(Debug)]
pub struct Counting;

/// Allocations in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// In total, freed or not.
    pub total: u64,
    /// Maximum at one time, above the level at the start.
    pub peak: u64,
    /// Largest request.
    pub largest: u64,
    /// Number of requests, reallocations included.
    pub requests: u64,
    /// Not freed at the end.
    pub kept: u64,
}

thread_local! {
    static TOTAL: Cell<u64> = const { Cell::new(0) };
    static LARGEST: Cell<u64> = const { Cell::new(0) };
    static REQUESTS: Cell<u64> = const { Cell::new(0) };
    /// Current level relative to the start: below 0 if older memory was freed.
    static LIVE: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// Runs the work and returns its allocations.
///
/// # Panics
///
/// [`Counting`] is not the global allocator. Otherwise every bound would appear to hold.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, Allocated) {
    REQUESTS.set(0);
    drop(black_box(Box::new(0_u8)));
    assert!(REQUESTS.get() > 0, "declare `Counting` as the global allocator of the test binary");
    TOTAL.set(0);
    drop(std::hint::black_box(Box::new(0_u8)));
    assert!(TOTAL.get() > 0, "`Counting` is not the global allocator of this binary");
    TOTAL.set(0);
    LARGEST.set(0);
    REQUESTS.set(0);
    LIVE.set(0);
    PEAK.set(0);
    let value = work();
    let peak = PEAK.get() as u64;
    let kept = LIVE.get().max(0) as u64;
    let allocated = Allocated { total: TOTAL.get(), peak, largest: LARGEST.get(), requests: REQUESTS.get(), kept };
    (value, allocated)
}

fn record_growth(size: usize, from: usize) {
    TOTAL.set(TOTAL.get() + size as u64);
    LARGEST.set(LARGEST.get().max(size as u64));
    REQUESTS.set(REQUESTS.get() + 1);
    LIVE.set(LIVE.get() + size as i64 - from as i64);
    PEAK.set(PEAK.get().max(LIVE.get()));
}

fn record_shrink(size: usize) {
    LIVE.set(LIVE.get() - size as i64);
}

// SAFETY: every call goes unchanged to the system allocator. The counters are thread-local `Cell`s
// without a destructor, and do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        record_growth(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        record_growth(layout.size(), 0);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        record_growth(size, layout.size());
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        record_shrink(layout.size());
        unsafe { System.dealloc(old, layout) }
    }
}

#[cfg(test)]
#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn allocations_are_counted() {
    let (kept, allocated) = measure(|| {
        drop(Vec::<u8>::with_capacity(1000));
        Vec::<u8>::with_capacity(600)
    });
    drop(kept);
    assert_eq!(allocated, Allocated { total: 1600, peak: 1000, largest: 1000, requests: 2, kept: 600 });
    assert_eq!(measure(|| ()).1, Allocated::default());
}
