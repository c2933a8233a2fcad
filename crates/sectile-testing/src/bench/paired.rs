//! Paired measurements: two sides timed alternately in one run, and a line that compares them. On a
//! busy machine, the ratio of alternating sides is more reliable than absolute times.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;
use sectile::Cost;

/// One side of a measurement, with its name.
pub struct Side<F> {
    pub name: &'static str,
    pub run: F,
}

/// Times both sides. Each is a benchmark of criterion, and the other side also runs between
/// criterion's samples of ours. Returns `None` if criterion does not measure: with `--test`,
/// `--list` or a filter that excludes the group.
pub fn paired<A, B>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    mut ours: impl FnMut() -> A,
    mut theirs: Side<impl FnMut() -> B>,
) -> Option<Times> {
    let mut rounds = Vec::new();
    let mut turns_of_theirs = 1;
    group.bench_function("sectile", |bencher| {
        bencher.iter_custom(|turns| {
            let spent = time(turns, &mut ours);
            let spent_on_theirs = time(turns_of_theirs, &mut theirs.run);
            if spent >= MIN_ROUND_TIME {
                rounds.push(Round { ours: per_turn(spent, turns), theirs: per_turn(spent_on_theirs, turns_of_theirs) });
            }
            // The next round gets as many turns as take the same time as ours.
            let in_proportion = u128::from(turns_of_theirs) * spent.as_nanos() / spent_on_theirs.as_nanos().max(1);
            turns_of_theirs = in_proportion.max(1) as u64;
            spent
        });
    });
    group.bench_function(theirs.name, |bencher| bencher.iter(&mut theirs.run));
    Times::of(&rounds)
}

/// Shorter rounds, at the beginning of a warm-up, mostly measure the clock.
const MIN_ROUND_TIME: Duration = Duration::from_micros(50);

/// With fewer rounds, criterion did not measure.
const MIN_ROUNDS: usize = 10;

/// Nanoseconds per turn of each side.
struct Round {
    ours: f64,
    theirs: f64,
}

fn time<T>(turns: u64, run: &mut impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..turns {
        black_box(run());
    }
    start.elapsed()
}

fn per_turn(spent: Duration, turns: u64) -> f64 {
    spent.as_nanos() as f64 / turns as f64
}

/// Nanoseconds per turn in the fastest round of each side, and the median of the ratios. The
/// fastest round was disturbed least; the median shows whether it was luck.
#[derive(Clone, Copy)]
pub struct Times {
    pub ours: f64,
    pub theirs: f64,
    pub median_ratio: f64,
}

impl Times {
    fn of(rounds: &[Round]) -> Option<Self> {
        if rounds.len() < MIN_ROUNDS {
            return None;
        }
        let fastest = |side: fn(&Round) -> f64| rounds.iter().map(side).fold(f64::INFINITY, f64::min);
        let (ours, theirs) = (fastest(|round| round.ours), fastest(|round| round.theirs));
        let mut ratios: Vec<_> = rounds.iter().map(|round| round.ours / round.theirs).collect();
        ratios.sort_by(f64::total_cmp);
        Some(Self { ours, theirs, median_ratio: ratios[ratios.len() / 2] })
    }
}

/// A performance target.
#[derive(Clone, Copy)]
pub enum Target {
    /// At most this many times the other side, plus this many nanoseconds.
    AtMost(f64, f64),
    /// At least this many times as fast as the other side.
    Faster(f64),
}

/// One line of the table: times, ratio, verdict, bytes.
pub struct Line<'a> {
    pub row: &'a str,
    pub other: &'static str,
    pub times: Times,
    pub target: Target,
    pub cost: Cost,
    pub size: u64,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Times { ours, theirs, median_ratio } = self.times;
        write!(f, "| {}: sectile {}, {} {}, ", self.row, Nanoseconds(ours), self.other, Nanoseconds(theirs))?;
        let reached = match self.target {
            Target::AtMost(factor, plus) => {
                let limit = factor * theirs + plus;
                write!(f, "ratio {:.2} (median {median_ratio:.2}; limit {factor} x", ours / theirs)?;
                if plus > 0.0 {
                    write!(f, " + {plus} ns")?;
                }
                write!(f, " = {})", Nanoseconds(limit))?;
                ours <= limit
            }
            Target::Faster(times) => {
                let (reached, median) = (theirs / ours, 1.0 / median_ratio);
                write!(f, "{reached:.0} x as fast (median {median:.0}; to reach {times:.0})")?;
                reached >= times
            }
        };
        let verdict = if reached { "reached" } else { "MISSED" };
        let Cost { bytes, reads } = self.cost;
        write!(f, ": {verdict}; bytes {} {bytes} of {}", if reads == 0 { "looked at" } else { "read" }, self.size)?;
        if reads > 0 {
            write!(f, " in {reads} reads")?;
        }
        Ok(())
    }
}

/// Prints a line of the table, if there was a measurement.
#[allow(clippy::print_stdout)] // a bench prints
pub fn print(line: Option<Line<'_>>) {
    if let Some(line) = line {
        println!("{line}\n");
    }
}

/// A time in a readable unit.
struct Nanoseconds(f64);

impl fmt::Display for Nanoseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ns @ ..1e2 => write!(f, "{ns:.1} ns"),
            ns @ ..1e4 => write!(f, "{ns:.0} ns"),
            ns @ ..1e7 => write!(f, "{:.1} µs", ns / 1e3),
            ns => write!(f, "{:.1} ms", ns / 1e6),
        }
    }
}
