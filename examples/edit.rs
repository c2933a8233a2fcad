//! Sets the license of a file and prints what the edit changes.
//!
//!     cargo run --example edit -- app.wasm "MIT OR Apache-2.0"

use sectile::{Edit, Escaped, Field, splice::WriteOptions};

fn main() -> Result<(), sectile::Error> {
    let mut args = std::env::args().skip(1);
    let (Some(path), Some(licenses)) = (args.next(), args.next()) else {
        eprintln!("usage: edit FILE LICENSE");
        std::process::exit(2);
    };
    let edit = Edit::new().set(Field::Licenses, licenses)?; // fails unless it is an SPDX expression
    let file_plan = edit.plan(path)?;
    for change in file_plan.plan().changes() {
        let (section, kind) = (Escaped::new(change.section()), change.kind());
        println!("{section} {kind}: {} bytes before, {} after", change.before(), change.after());
    }
    for finding in file_plan.plan().findings() {
        println!("{finding}");
    }
    let plan = file_plan.plan().plan();
    println!("{} bytes kept, {} inserted", plan.kept(), plan.inserted());
    file_plan.write(WriteOptions::default())?; // a reader sees the old file or the new one
    Ok(())
}
