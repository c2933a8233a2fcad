//! Counts the bytes that a search examines, in tests.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static EXAMINED: Cell<u64> = const { Cell::new(0) };
}

/// Counts bytes that are searched, decoded or copied.
pub(crate) fn count(bytes: usize) {
    #[cfg(test)]
    EXAMINED.set(EXAMINED.get() + bytes as u64);
    #[cfg(not(test))]
    let _ = bytes;
}

/// The number of bytes that this thread examined during a call.
#[cfg(test)]
pub(crate) fn during(call: impl FnOnce()) -> u64 {
    let before = EXAMINED.get();
    call();
    EXAMINED.get() - before
}
