//! Counts what a piece of work allocates: by the thread that does it, so that tests may run side by side.
#![allow(unsafe_code)] // an allocator is made of it

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[global_allocator]
static COUNTING: Counting = Counting;

struct Counting;

/// What was allocated, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// In all, whatever was freed again.
    pub total: u64,
    /// At the most at one time, beyond what was there before.
    pub peak: u64,
    /// By one request.
    pub largest: u64,
    /// So many requests there were, for more room as well as for new.
    pub requests: u64,
}

thread_local! {
    static TOTAL: Cell<u64> = const { Cell::new(0) };
    static LARGEST: Cell<u64> = const { Cell::new(0) };
    static REQUESTS: Cell<u64> = const { Cell::new(0) };
    /// What is allocated now, less what was when the count began: below 0 where older memory was freed.
    static LIVE: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// Does some work, and gives what it allocated.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, Allocated) {
    TOTAL.set(0);
    LARGEST.set(0);
    REQUESTS.set(0);
    LIVE.set(0);
    PEAK.set(0);
    let value = work();
    let peak = PEAK.get() as u64;
    let allocated = Allocated { total: TOTAL.get(), peak, largest: LARGEST.get(), requests: REQUESTS.get() };
    (value, allocated)
}

fn grew(size: usize, from: usize) {
    TOTAL.set(TOTAL.get() + size as u64);
    LARGEST.set(LARGEST.get().max(size as u64));
    REQUESTS.set(REQUESTS.get() + 1);
    LIVE.set(LIVE.get() + size as i64 - from as i64);
    PEAK.set(PEAK.get().max(LIVE.get()));
}

fn shrank(size: usize) {
    LIVE.set(LIVE.get() - size as i64);
}

// SAFETY: every call is passed on as it is to the system's allocator. The counters are `Cell`s without a destructor, of
// the thread alone, and allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grew(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grew(layout.size(), 0);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grew(size, layout.size());
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        shrank(layout.size());
        unsafe { System.dealloc(old, layout) }
    }
}

#[test]
fn what_is_allocated_is_counted() {
    let (kept, allocated) = measure(|| {
        drop(Vec::<u8>::with_capacity(1000));
        Vec::<u8>::with_capacity(600)
    });
    drop(kept);
    assert_eq!(allocated, Allocated { total: 1600, peak: 1000, largest: 1000, requests: 2 });
    assert_eq!(measure(|| ()).1, Allocated::default());
}
