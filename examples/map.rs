//! Reads a memory-mapped file: the values are slices of the map.
//!
//!     cargo run --example map -- app.wasm

use std::fs::File;

use sectile::{Escaped, Field, Limits, drive::Map};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("give a file")?;
    // SAFETY: the file must not be changed or truncated while this runs. See `Map::new`.
    #[allow(unsafe_code)]
    let map = unsafe { Map::new(&File::open(path)?) }?;

    let outcome = sectile::read_slice_with(&map, Limits::default());
    for item in outcome.value().into_iter().flat_map(|metadata| metadata.items()) {
        let licenses = item.text(Field::Licenses).unwrap_or("no license");
        println!("{} `{}`: {}", item.kind(), item.path(), Escaped::new(licenses)); // escaped: the text is untrusted
    }
    println!("{} of {} bytes examined", outcome.cost().bytes, map.len());
    outcome.complete()?;
    Ok(())
}
