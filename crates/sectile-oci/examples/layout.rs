//! Adds the image of a binary to an image layout, with a vendor set in the image, and reads it back.
//!
//!     cargo run -p sectile-oci --example layout -- app.wasm layout 1.0.0

use std::error::Error;

use sectile::splice::WriteOptions;
use sectile::{Edit, Escaped, Field, Input};
use sectile_oci::{ImageOptions, Layout};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(directory), Some(name)) = (args.next(), args.next(), args.next()) else {
        return Err("usage: layout FILE DIR NAME".into());
    };
    let input = Input::open(&file)?;
    let edit = Edit::new().set(Field::Vendor, "Example Ltd")?.plan_input(&input)?;
    let layout = Layout::open_or_create(&directory, WriteOptions::default())?;
    let added = layout.add(&input, edit.plan(), Some(&name.parse()?), &ImageOptions::default())?;
    println!("{}", added.image().descriptor().digest());

    let metadata = sectile_oci::open(format!("oci:{directory}:{name}"))?.read()?;
    for (field, value) in metadata.root().annotations() {
        println!("{field}: {}", Escaped::bytes(value.as_bytes()));
    }
    Ok(())
}
