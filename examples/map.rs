//! Reads a memory-mapped file: the values are slices of the map.
//!
//!     cargo run --example map -- app.wasm

use std::fs::File;

use sectile::drive::Map;
use sectile::metadata::Field;
use sectile::{Escaped, Limits};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("give a file")?;
    // SAFETY: nobody changes or truncates the file while this runs; that is a promise, see `Map::of`.
    #[allow(unsafe_code)]
    let map = unsafe { Map::of(&File::open(path)?) }?;

    let outcome = sectile::read_slice(&map, Limits::default())?;
    for item in outcome.value.items() {
        let licenses = item.annotation(Field::Licenses).and_then(|value| value.as_str());
        let licenses = Escaped::new(licenses.unwrap_or("no licence")); // it is anybody's text
        println!("{} {}: {licenses}", item.kind(), outcome.value.path(item));
    }
    println!("{} of {} bytes looked at", outcome.cost.bytes, map.len());
    outcome.complete()?;
    Ok(())
}
