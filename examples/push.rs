//! Reads standard input in chunks and stops at the first malformed byte.
//!
//!     cargo run --example push < app.wasm

use std::io::Read;

use sectile::drive::PushDriver;
use sectile::metadata::StreamReader;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut push = PushDriver::new(StreamReader::new());
    let mut chunk = vec![0; 16 << 10];
    loop {
        match std::io::stdin().read(&mut chunk)? {
            0 => break,
            len => push.push(&chunk[..len])?,
        }
    }
    let outcome = push.finish();
    if let Some(metadata) = outcome.value() {
        let producers = metadata.items().flat_map(|item| item.producers().fields());
        println!("{} items, {} producers", metadata.items().len(), producers.flat_map(|field| field.values()).count());
    }
    println!("{} bytes in {} chunks", outcome.cost().bytes, outcome.cost().reads);
    outcome.complete()?; // truncated input is an error
    Ok(())
}
