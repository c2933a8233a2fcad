//! Sets the metadata of a manifest, and the revision of its work tree, on a file.
//!
//!     cargo run -p sectile-manifest --features git --example manifest -- app.wasm Cargo.toml

use sectile::splice::WriteOptions;
use sectile::{Edit, Field};
use sectile_manifest::Manifest;
use sectile_manifest::git::Revision;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (path, manifest) = args.next().zip(args.next()).ok_or("give a file and a manifest")?;
    let revision = Revision::for_path(&manifest)?.to_string(); // runs no program
    let manifest = Manifest::read(&manifest)?;
    for notice in manifest.notices() {
        println!("{}: {notice}", notice.kind.name()); // ignored and changed values
    }
    let edit = manifest.add_to(Edit::new().set(Field::Revision, revision)?)?; // the edit's own values win
    edit.plan(&path)?.write(WriteOptions::default())?;
    Ok(())
}
