//! Finds the largest section of a binary in memory with a visitor of its own.
//!
//!     cargo run --example slice -- app.wasm

use sectile::scan::{DataRequest, Section, Visitor};
use sectile::{Escaped, Limits, drive};

#[derive(Default)]
struct Largest<'a>(Option<Section<'a>>);

impl<'a> Visitor<'a> for Largest<'a> {
    fn section(&mut self, section: &Section<'a>) -> DataRequest {
        let len = |section: &Section<'_>| section.range().end - section.range().start;
        if self.0.is_none_or(|largest| len(section) > len(&largest)) {
            self.0 = Some(*section);
        }
        DataRequest::Nothing
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bytes = std::fs::read(std::env::args_os().nth(1).ok_or("give a file")?)?;
    let mut largest = Largest::default();
    let outcome = drive::scan_slice(&bytes, &mut largest, Limits::default());
    if let Some(section) = largest.0 {
        let name = Escaped::new(section.name());
        println!("largest section: {} `{name}` at {:?}", section.kind(), section.range());
    }
    println!("{} of {} bytes examined", outcome.cost().bytes, bytes.len());
    outcome.complete()?;
    Ok(())
}
