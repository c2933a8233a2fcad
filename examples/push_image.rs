//! Pushes a file to a registry, as it is.
//!
//!     cargo run --example push_image --features push -- app.wasm registry.example.com/team/app:1.0

use sectile::edit::Edit;
use sectile::oci::registry::{Client, ClientOptions, Credentials, Reference};
use sectile::oci::{Image, ImageOptions};
use sectile::{Input, Limits};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let file = args.next().ok_or("which file?")?;
    let reference: Reference = args.next().and_then(|text| text.into_string().ok()).ok_or("where to?")?.parse()?;

    let input = Input::open(file)?;
    let plan = Edit::new().plan(&input, Limits::default())?.plan; // or what is to be set in the image
    let image = Image::of(&input, &plan, &ImageOptions::default(), Limits::default())?;

    let client = Client::new(Credentials::of_user(), ClientOptions::default());
    let pushed = client.push(&reference, &image, &plan, &input, &mut |_, _| {})?;
    println!("{}: {} bytes sent", pushed.reference, pushed.sent);
    Ok(())
}
