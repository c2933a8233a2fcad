//! Reads a file with positioned reads and prints its findings.
//!
//!     cargo run --example file -- app.wasm

use sectile::{Input, Limits, Metadata};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let input = Input::open(std::env::args_os().nth(1).ok_or("give a file")?)?;
    let outcome = input.read_with(Limits::default());
    // A truncated file has findings, too: those before the cut.
    for finding in outcome.value().into_iter().flat_map(Metadata::findings) {
        println!("{finding}"); // escaped: safe on a terminal
    }
    let cost = outcome.cost();
    println!("{} of {} bytes read, in {} reads", cost.bytes, input.len(), cost.reads);
    outcome.complete()?;
    Ok(())
}
