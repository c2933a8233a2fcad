//! Lists the sections of bytes in memory, with a visitor of its own.
//!
//!     cargo run --example slice -- app.wasm

use sectile::scan::{Section, Visitor, Want};
use sectile::{Limits, drive};

#[derive(Default)]
struct Largest<'a>(Option<Section<'a>>);

impl<'a> Visitor<'a> for Largest<'a> {
    fn section(&mut self, section: &Section<'a>) -> Want {
        let len = |section: &Section<'_>| section.range().end - section.range().start;
        if self.0.is_none_or(|largest| len(section) > len(&largest)) {
            self.0 = Some(*section);
        }
        Want::Nothing
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bytes = std::fs::read(std::env::args_os().nth(1).ok_or("give a file")?)?;
    let mut largest = Largest::default();
    let (result, cost) = drive::slice(&bytes, &mut largest, Limits::default());
    if let Some(section) = largest.0 {
        println!("the largest section is {} {:?} at {:?}", section.kind_name(), section.name(), section.range());
    }
    println!("{} of {} bytes looked at", cost.bytes, bytes.len());
    Ok(result?)
}
