//! Reads what arrives on standard input, chunk by chunk, and refuses it at the first bad one.
//!
//!     cargo run --example push < app.wasm

use std::io::Read;

use sectile::Limits;
use sectile::drive::Push;
use sectile::metadata::Reader;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = Limits::default();
    let mut push = Push::new(Reader::copying(limits), limits);
    let mut chunk = vec![0; 16 << 10];
    loop {
        match std::io::stdin().read(&mut chunk)? {
            0 => break,
            len => push.push(&chunk[..len])?,
        }
    }
    let cost = push.cost();
    let (reader, result) = push.finish();
    if let Some(metadata) = reader.finish() {
        let producers = metadata.items().iter().flat_map(|item| item.producers().fields());
        println!("{} items, {} producers", metadata.items().len(), producers.flat_map(|field| field.values()).count());
    }
    println!("{} bytes in {} chunks", cost.bytes, cost.reads);
    Ok(result?)
}
