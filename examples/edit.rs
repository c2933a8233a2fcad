//! Sets the licence of a file, and says what becomes of it.
//!
//!     cargo run --example edit -- app.wasm "MIT OR Apache-2.0"

use sectile::edit::Edit;
use sectile::metadata::Field;
use sectile::splice::WriteOptions;
use sectile::{Escaped, Input, Limits};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (path, licenses) = args.next().zip(args.next()).ok_or("give a file and a licence")?;
    let edit = Edit::new().set(Field::Licenses, licenses)?; // checked here: it must be an SPDX expression
    let planned = edit.plan(&Input::open(&path)?, Limits::default())?;
    for change in &planned.changes {
        let section = Escaped::new(&change.section);
        println!("{section} {}: {} bytes before, {} after", change.kind.name(), change.before, change.after);
    }
    let plan = &planned.plan;
    println!("{} bytes are kept, {} inserted", plan.kept(), plan.inserted());
    plan.replace(&path, WriteOptions::default())?; // every reader sees wholly the old or wholly the new file
    Ok(())
}
