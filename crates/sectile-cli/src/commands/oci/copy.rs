//! `sectile oci copy`.

use std::io::Write;

use sectile_oci::registry::{Client, CopiedImage, CopyOptions, ImagePlace, copy};

use super::progress::PercentLine;
use crate::args::CopyArgs;
use crate::display::escaped;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::image_name::ImageName;
use crate::output::Output;
use crate::registry;

pub fn run(args: &CopyArgs, output: &mut Output) -> Result<Exit, Failure> {
    let (source_client, destination_client) = clients(args)?;
    let options = CopyOptions { referrers: args.referrers, write: args.write };
    let mut line = PercentLine::new("copying", args.no_progress);
    let mut on_progress = |done, total| line.update(done, total);
    let source = place(&args.source, source_client.as_ref());
    let destination = place(&args.destination, destination_client.as_ref());
    let (Some(source), Some(destination)) = (source, destination) else { return Ok(Exit::Failed) };
    let copied = copy(source, destination, options, &mut on_progress).map_err(Failure::from_image)?;
    drop(line);
    let reported = if output.shows_success() { write_summary(args, &copied, output) } else { Ok(()) };
    output.flush_report("the image is copied", reported.map_err(Failure::Output))?;
    Ok(Exit::Done)
}

/// The clients for the two places. The credentials in the environment are for one registry: the
/// destination, if the two places are in different registries.
fn clients(args: &CopyArgs) -> Result<(Option<Client>, Option<Client>), Failure> {
    let client = || registry::client(args.scheme);
    Ok(match (&args.source, &args.destination) {
        (ImageName::Registry(source), ImageName::Registry(destination)) => {
            let is_same = source.registry() == destination.registry();
            let source = if is_same { client()? } else { registry::client_of_files(args.scheme) };
            (Some(source), Some(client()?))
        }
        (ImageName::Registry(_), ImageName::Layout(_)) => (Some(client()?), None),
        (ImageName::Layout(_), ImageName::Registry(_)) => (None, Some(client()?)),
        (ImageName::Layout(_), ImageName::Layout(_)) => (None, None),
    })
}

fn place<'a>(name: &'a ImageName, client: Option<&'a Client>) -> Option<ImagePlace<'a>> {
    match name {
        ImageName::Registry(reference) => client.map(|client| ImagePlace::Registry(client, reference)),
        ImageName::Layout(locator) => Some(ImagePlace::Layout(locator)),
    }
}

fn write_summary(args: &CopyArgs, copied: &CopiedImage, output: &mut Output) -> std::io::Result<()> {
    let digest = copied.descriptor().digest();
    let name = match &args.destination {
        ImageName::Registry(reference) => reference.clone().with_digest(digest).to_string(),
        ImageName::Layout(_) => format!("{} ({digest})", args.destination),
    };
    let name = escaped(name.as_ref());
    let (manifests, blobs, bytes) = (copied.manifests(), copied.blobs(), copied.bytes());
    write!(output.out(), "{name}: {manifests} manifests and {blobs} blobs copied ({bytes} bytes)")?;
    for (number, state) in [(copied.existing(), "already there"), (copied.mounted(), "mounted")] {
        if number > 0 {
            write!(output.out(), ", {number} {state}")?;
        }
    }
    writeln!(output.out())
}
