//! Reads files again and again with `sectile::read`, for `bench.py`: `read_rate READS FILE…`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let reads: usize = arguments.next().ok_or("usage: read_rate READS FILE...")?.parse()?;
    let files: Vec<String> = arguments.collect();
    for _ in 0..reads / files.len().max(1) {
        for file in &files {
            std::hint::black_box(sectile::read(file)?);
        }
    }
    Ok(())
}
