//! `sectile oci layout`.

use sectile_oci::{ImageDraft, Layout, LayoutError, LayoutReport, RefName};

use super::binary::EditedBinary;
use super::options::image_options;
use crate::args::LayoutArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::text;

pub fn run(args: &LayoutArgs, output: &mut Output) -> Result<Exit, Failure> {
    let LayoutArgs { image, directory, .. } = args;
    if directory.as_os_str() == "-" {
        return Err(Failure::Other(
            "a layout cannot be written to standard output: give a directory with -o".to_owned(),
        ));
    }
    let name = args.ref_name.as_ref().map(|name| name.parse::<RefName>()).transpose()?;
    let EditedBinary { input, plan } = EditedBinary::open(&image.binary, output)?;
    let image_options = image_options(image)?;
    // Fails before a directory is created for a binary that cannot be an image.
    ImageDraft::read(&input, &plan, &image_options)?;
    let layout = Layout::open_or_create(directory, args.write).map_err(|error| match error {
        LayoutError::NotLayout(_) => {
            Failure::Other(format!("{error}; give an empty directory, or one that does not exist"))
        }
        error => error.into(),
    })?;
    let added = layout.add(&input, &plan, name.as_ref(), &image_options)?;
    let report = LayoutReport::new(image.binary.source.name(), directory, name.as_ref(), &added);
    let reported = match args.report.json {
        true => report.write_json(output.out()),
        false if output.shows_success() => text::write_layout(&report, output.layout(), output.out()),
        false => Ok(()),
    };
    output.flush_report("the image is in the layout", reported.map_err(Failure::Output))?;
    Ok(Exit::Done)
}
