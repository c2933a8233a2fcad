//! Pushes a file to a registry without changes, with the user's credentials.
//!
//!     cargo run -p sectile-oci --example push_image --features registry -- app.wasm registry.example.com/team/app:1.0

use sectile::Input;
use sectile::splice::Plan;
use sectile_oci::registry::{Client, ClientOptions, Credentials, Reference};
use sectile_oci::{Image, ImageOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(reference)) = (args.next(), args.next()) else {
        return Err("usage: push_image FILE HOST/REPOSITORY:TAG".into());
    };
    let reference: Reference = reference.parse()?;

    let input = Input::open(file)?;
    let plan = Plan::identity(&input); // or the plan of an edit, to set metadata in the image
    let image = Image::new(&input, &plan, &ImageOptions::default())?;

    let client = Client::new(Credentials::from_user_files(), ClientOptions::default());
    let pushed = client.push(&reference, &image, &plan, &input, &mut |_, _| {})?;
    println!("{}: {} bytes sent", pushed.reference(), pushed.bytes_sent());
    Ok(())
}
