//! `sectile oci config`.

use std::io::Write;

use sectile_oci::Image;

use super::binary::EditedBinary;
use super::options::image_options;
use crate::args::ImageArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

pub fn run(args: &ImageArgs, output: &mut Output) -> Result<Exit, Failure> {
    let binary = EditedBinary::open(&args.binary, output)?;
    let image = Image::new(&binary.input, &binary.plan, &image_options(args)?)?;
    output.out().write_all(image.config())?;
    Ok(Exit::Done)
}
