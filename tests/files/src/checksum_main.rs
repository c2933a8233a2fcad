//! See ../ORIGIN.md for how this is built.

use std::io::{Read, Write};

fn main() -> std::io::Result<()> {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input)?;
    let sum = adler::adler32_slice(&input);
    std::io::stdout().write_all(itoa::Buffer::new().format(sum).as_bytes())
}
