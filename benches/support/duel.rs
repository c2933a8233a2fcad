//! Two sides, timed in turn in one run, and the line that says how they compare. Times by themselves say little on a
//! machine that does other things too; a ratio of sides that took turns says something.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;
use sectile::drive::Cost;

/// Something to be timed, and what it is called.
pub struct Side<F> {
    pub name: &'static str,
    pub run: F,
}

/// Times both sides: each as a benchmark of criterion's, and while criterion samples ours, theirs is timed between the
/// samples. Gives nothing where criterion does not measure: under `--test`, `--list`, or a filter that leaves it out.
pub fn duel<A, B>(
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
            if spent >= LEAST {
                rounds.push(Round { ours: per_turn(spent, turns), theirs: per_turn(spent_on_theirs, turns_of_theirs) });
            }
            // As long as ours took, next time.
            let in_proportion = u128::from(turns_of_theirs) * spent.as_nanos() / spent_on_theirs.as_nanos().max(1);
            turns_of_theirs = in_proportion.max(1) as u64;
            spent
        });
    });
    group.bench_function(theirs.name, |bencher| bencher.iter(&mut theirs.run));
    Times::of(&rounds)
}

/// Rounds shorter than this, of a warm-up's beginning, measure the clock.
const LEAST: Duration = Duration::from_micros(50);

/// With fewer rounds than this, criterion was not asked to measure.
const FEWEST: usize = 10;

/// Nanoseconds that a turn of each side took.
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

/// Nanoseconds a turn: the fastest round of each side, which is the one that was disturbed least; and the median of
/// the rounds' ratios, which shows whether that was luck.
#[derive(Clone, Copy)]
pub struct Times {
    pub ours: f64,
    pub theirs: f64,
    pub median_ratio: f64,
}

impl Times {
    fn of(rounds: &[Round]) -> Option<Self> {
        if rounds.len() < FEWEST {
            return None;
        }
        let fastest = |side: fn(&Round) -> f64| rounds.iter().map(side).fold(f64::INFINITY, f64::min);
        let (ours, theirs) = (fastest(|round| round.ours), fastest(|round| round.theirs));
        let mut ratios: Vec<_> = rounds.iter().map(|round| round.ours / round.theirs).collect();
        ratios.sort_by(f64::total_cmp);
        Some(Self { ours, theirs, median_ratio: ratios[ratios.len() / 2] })
    }
}

/// What is to be reached.
#[derive(Clone, Copy)]
pub enum Target {
    /// At most so many times the other side, and so many nanoseconds.
    AtMost(f64, f64),
    /// So many times as fast as the other side, or more.
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

/// Prints a line of the table, where there is something to say.
#[allow(clippy::print_stdout)] // a bench prints
pub fn print(line: Option<Line<'_>>) {
    if let Some(line) = line {
        println!("{line}\n");
    }
}

/// A time as people read it.
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
