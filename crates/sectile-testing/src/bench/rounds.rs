//! Two whole programs, run alternately on all threads.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

/// Times of the rounds of two sides.
pub struct Ratios {
    /// Fastest round of the first side in seconds.
    pub ours: f64,
    /// Fastest round of the second side in seconds.
    pub theirs: f64,
    /// Median of the ratios of the rounds.
    pub median: f64,
    /// Median of the ratios of processor time, which other processes disturb less.
    pub processor: f64,
}

/// Wall time and processor time of a round in seconds.
#[derive(Clone, Copy)]
struct RoundTime {
    wall: f64,
    processor: f64,
}

fn time(run: &mut impl FnMut() -> u64) -> RoundTime {
    let (begun, spent) = (Instant::now(), processor());
    assert!(black_box(run()) > 0);
    RoundTime { wall: begun.elapsed().as_secs_f64(), processor: processor() - spent }
}

/// Processor time of all threads of this process in seconds.
///
/// # Panics
///
/// The system is not Linux.
pub fn processor() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0; // per second, the unit of the kernel for programs
    let stat = fs::read_to_string("/proc/self/stat").expect("this is Linux");
    let after_name = stat.rsplit(')').next().expect("there is a name");
    let numbers = after_name.split_whitespace().skip(11).take(2); // user and system time
    numbers.map(|ticks| ticks.parse::<f64>().expect("it is a number")).sum::<f64>() / TICKS_PER_SECOND
}

/// Runs both sides alternately, this many rounds. Each returns a nonzero number, so that its work
/// is not optimized away.
pub fn paired(rounds: usize, mut ours: impl FnMut() -> u64, mut theirs: impl FnMut() -> u64) -> Ratios {
    let rounds: Vec<[RoundTime; 2]> = (0..rounds).map(|_| [time(&mut ours), time(&mut theirs)]).collect();
    let fastest = |side: usize| rounds.iter().map(|round| round[side].wall).fold(f64::INFINITY, f64::min);
    let median = |of: fn(&RoundTime) -> f64| {
        let mut ratios: Vec<_> = rounds.iter().map(|[ours, theirs]| of(ours) / of(theirs)).collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    };
    let (median, processor) = (median(|took| took.wall), median(|took| took.processor));
    Ratios { ours: fastest(0), theirs: fastest(1), median, processor }
}

/// Prints a row: both times, their ratio, and whether it is within the limit.
pub fn print_ratio(row: &str, other: &str, ratios: &Ratios, limit: f64) {
    let ratio = ratios.ours / ratios.theirs;
    println!(
        "| {row}: sectile {:.0} ms, {other} {:.0} ms, ratio {ratio:.2} (median {:.2}, of processor time {:.2}; limit {limit} x): {}\n",
        ratios.ours * 1e3,
        ratios.theirs * 1e3,
        ratios.median,
        ratios.processor,
        if ratio <= limit { "reached" } else { "MISSED" },
    );
}
