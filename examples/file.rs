//! Reads a file by positioned reads, and says what is wrong with it.
//!
//!     cargo run --example file -- app.wasm

use sectile::{Escaped, Input, Limits};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let input = Input::open(std::env::args_os().nth(1).ok_or("give a file")?)?;
    let outcome = input.read(Limits::default())?;
    for finding in outcome.value.findings() {
        // What a file says may hold anything: escape it before it meets a terminal.
        println!("{} at {:#x}: {}", finding.code, finding.offset, Escaped::new(&finding.message));
    }
    println!("{} of {} bytes read, in {} reads", outcome.cost.bytes, input.len(), outcome.cost.reads);
    outcome.complete()?;
    Ok(())
}
