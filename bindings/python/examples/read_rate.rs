//! Nanoseconds of `sectile::read`, for `bench.py`: `read_rate READS FILE…`.

use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let reads: usize = arguments.next().ok_or("usage: read_rate READS FILE...")?.parse()?;
    let files: Vec<String> = arguments.collect();
    let rounds = reads / files.len().max(1);
    let start = Instant::now();
    for _ in 0..rounds {
        for file in &files {
            std::hint::black_box(sectile::read(file)?);
        }
    }
    println!("{}", start.elapsed().as_nanos() as f64 / (rounds * files.len()) as f64);
    Ok(())
}
