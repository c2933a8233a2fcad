//! Sets on a file what a manifest says, and the revision of the work tree that it lies in.
//!
//!     cargo run --example manifest --features manifest,git -- app.wasm Cargo.toml

use sectile::edit::Edit;
use sectile::git::Revision;
use sectile::manifest::Manifest;
use sectile::metadata::Field;
use sectile::splice::WriteOptions;
use sectile::{Input, Limits};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (path, manifest) = args.next().zip(args.next()).ok_or("give a file and a manifest")?;
    let revision = Revision::of(&manifest)?.to_string(); // no program is run, and no configuration but the repository's read
    let manifest = Manifest::read(&manifest)?;
    for notice in manifest.notices() {
        println!("{}: {notice}", notice.kind.name()); // what is dropped, or taken in another form
    }
    let edit = Edit::new().set(Field::Revision, revision)?.manifest(&manifest)?; // what is set already stays
    edit.plan(&Input::open(&path)?, Limits::default())?.plan.replace(&path, WriteOptions::default())?;
    Ok(())
}
