//! Reads rows by their names, one a line of the input, and frames their binaries with `wasmparser`.
//!
//! Prints the number of binaries, and fails if `wasmparser` cannot frame one of them.

use std::error::Error;
use std::io;

use sectile_audit::RowReader;
use wasmparser::Parser;

fn main() -> Result<(), Box<dyn Error>> {
    let reader = RowReader::new();
    let (mut framed, mut failed) = (0, 0);
    for name in io::stdin().lines() {
        let (name, mut bytes) = (name?, Vec::new());
        let outcome = reader.copy(name.as_ref(), &mut bytes).map_err(|error| error.to_string()).and_then(|_| {
            Parser::new(0)
                .parse_all(&bytes)
                .try_for_each(|payload| payload.map(drop))
                .map_err(|error| error.to_string())
        });
        match outcome {
            Ok(()) => framed += 1,
            Err(error) => {
                failed += 1;
                eprintln!("{name}: {error}");
            }
        }
    }
    println!("wasmparser frames {framed} of {} binaries", framed + failed);
    if failed > 0 { Err("a row is not a binary".into()) } else { Ok(()) }
}
