//! Adds the image of a binary to an image layout, with a vendor set on the way, and reads it back from there.
//!
//!     cargo run --features oci --example layout -- app.wasm layout 1.0.0

use std::error::Error;

use sectile::edit::Edit;
use sectile::metadata::Field;
use sectile::oci::{ImageOptions, Layout};
use sectile::splice::WriteOptions;
use sectile::{Input, Limits};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(directory), Some(name)) = (args.next(), args.next(), args.next()) else {
        return Err("usage: layout FILE DIR NAME".into());
    };
    let input = Input::open(&file)?;
    let plan = Edit::new().set(Field::Vendor, "Example Ltd")?.plan(&input, Limits::default())?.plan;
    let layout = Layout::open_or_create(&directory, WriteOptions::default())?;
    let added = layout.add(&input, &plan, Some(&name.parse()?), &ImageOptions::default(), Limits::default())?;
    println!("{}", added.image.descriptor().digest);

    let metadata = Input::locate(format!("oci:{directory}:{name}"))?.read(Limits::default())?.complete()?;
    for (field, value) in metadata.root().annotations() {
        println!("{field}: {}", sectile::Escaped::bytes(value.as_bytes()));
    }
    Ok(())
}
