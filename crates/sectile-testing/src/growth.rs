//! Growth of time with input size.

use std::time::Duration;

/// Asserts that an input takes about four times as long as a quarter of it. Quadratic work would
/// take sixteen times as long. Measures the minimum processor time of several rounds, so that other
/// load on the machine matters little.
#[track_caller]
pub fn assert_linear<T, O>(most: usize, make: impl Fn(usize) -> T, work: impl Fn(&T) -> O) {
    let least = |size| {
        let input = make(size);
        (0..3).map(|_| time_of(|| work(&input))).min().unwrap()
    };
    let (quarter, whole) = (least(most / 4), least(most));
    let limit = quarter * 9 + Duration::from_millis(10);
    assert!(whole < limit, "{whole:?} for {most}, {quarter:?} for a quarter of it");
}

fn time_of<O>(work: impl FnOnce() -> O) -> Duration {
    let begun = now();
    let done = work();
    let took = now().saturating_sub(begun);
    drop(done);
    took
}

/// Processor time of this thread.
#[cfg(unix)]
fn now() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}

#[cfg(not(unix))]
fn now() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap()
}

#[test]
fn linear_time_is_distinguished_from_quadratic_time() {
    use std::hint::black_box;

    let of = |most: usize, turns: fn(usize) -> usize| {
        let work = |size: &usize| (0..turns(*size)).fold(0_usize, |sum, nth| black_box(sum ^ nth));
        std::panic::catch_unwind(|| assert_linear(most, |size| size, work)).is_ok()
    };
    assert!(of(4_000_000, |size| size));
    assert!(!of(8_000, |size| size * size));
}
