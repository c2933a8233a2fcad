//! Reads a file again and again and writes its document to memory, for the benches of the bindings: `show_rate READS FILE`
//! prints the nanoseconds of processor time that one read takes.

use std::ffi::OsStr;
use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};
use sectile::Input;
use sectile_policy::report::Report;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(reads), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("usage: show_rate READS FILE".into());
    };
    let reads: u32 = reads.parse()?;
    let mut document = Vec::new();
    let start = processor_time();
    for _ in 0..reads {
        document.clear();
        let input = Input::open(&file)?;
        let outcome = input.read_with(sectile::Limits::default());
        Report::new(OsStr::new(&file), Some(input.len()), &outcome).write_json(&mut document)?;
        black_box(&document);
    }
    println!("{}", (processor_time() - start) / i64::from(reads));
    Ok(())
}

/// Nanoseconds of processor time of this process.
fn processor_time() -> i64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}
