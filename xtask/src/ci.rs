//! CI: named steps, two at a time where they do not wait for each other.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::process::root;
use crate::steps::{LANES, Step};

/// The result of one step.
struct Finished {
    name: &'static str,
    time: Duration,
    result: Result<(), String>,
}

/// Prints the steps.
pub(crate) fn list() {
    for step in LANES.into_iter().flatten() {
        println!("{:12} {}", step.name, step.about);
    }
}

/// Runs these steps, or all.
pub(crate) fn run(names: &[&str]) -> Result<(), String> {
    let known = |name: &&&str| LANES.into_iter().flatten().all(|step| step.name != **name);
    if let Some(unknown) = names.iter().find(known) {
        return Err(format!("unknown step `{unknown}`: `cargo xtask ci --list` lists the steps"));
    }
    let begun = Instant::now();
    let logs = root().join("target/ci");
    fs::create_dir_all(&logs).map_err(|error| format!("{}: {error}", logs.display()))?;
    let finished = Mutex::new(Vec::new());
    let failed = AtomicBool::new(false);
    thread::scope(|scope| {
        for lane in LANES {
            let (logs, finished, failed) = (&logs, &finished, &failed);
            let steps: Vec<&Step> = lane.iter().filter(|step| names.is_empty() || names.contains(&step.name)).collect();
            scope.spawn(move || {
                for step in steps {
                    if failed.load(Ordering::Relaxed) {
                        break;
                    }
                    let done = run_step(step, &logs.join(format!("{}.log", step.name)), begun, finished);
                    failed.fetch_or(done.result.is_err(), Ordering::Relaxed);
                    lock(finished).push(done);
                }
            });
        }
    });
    let finished = finished.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!("\n{:>8}  step", "seconds");
    for Finished { name, time, result } in &finished {
        println!("{:>8}  {name}{}", time.as_secs(), if result.is_ok() { "" } else { "  FAILED" });
    }
    println!("{:>8}  in all", begun.elapsed().as_secs());
    let errors: Vec<String> = finished
        .iter()
        .filter_map(|done| Some(format!("step {} failed: {}", done.name, done.result.as_ref().err()?)))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
}

fn run_step(step: &Step, log: &Path, begun: Instant, printing: &Mutex<Vec<Finished>>) -> Finished {
    let started = Instant::now();
    println!("== {} begins ({} s)", step.name, begun.elapsed().as_secs());
    let result = match File::create(log) {
        Ok(file) => (step.run)(&mut Context::new(file)),
        Err(error) => Err(format!("{}: {error}", log.display())),
    };
    let time = started.elapsed();
    let _one_at_a_time = lock(printing);
    let outcome = if result.is_ok() { "passed" } else { "FAILED" };
    println!("\n== {}: {} ({outcome} in {} s)", step.name, step.about, time.as_secs());
    if let Ok(mut file) = File::open(log) {
        _ = io::copy(&mut file, &mut io::stdout());
    }
    Finished { name: step.name, time, result }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
