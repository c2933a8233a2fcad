//! `sectile oci check`.

use sectile_oci::CheckReport;
use sectile_oci::consumer::ImageCheck;

use crate::args::OciCheckArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::registry;
use crate::source::{InputLocation, InputSource};
use crate::text;

pub fn run(source: &InputSource, args: &OciCheckArgs, output: &mut Output) -> Result<Exit, Failure> {
    let check = check(source, args)?;
    let loads = |answer| check.verdicts().iter().any(|verdict| verdict.loads() == answer);
    // A rule that cannot be checked is an incomplete answer.
    let exit = match (loads(Some(false)), loads(None)) {
        (true, _) => Exit::No,
        (false, true) => Exit::Failed,
        (false, false) => Exit::Done,
    };
    let report = CheckReport::new(source.name(), &check);
    if args.report.json {
        report.write_json(output.out())?;
    } else if output.shows_success() || exit != Exit::Done {
        text::write_image_check(&report, output.layout(), output.out())?;
    }
    Ok(exit)
}

fn check(source: &InputSource, args: &OciCheckArgs) -> Result<ImageCheck, Failure> {
    const NO_IMAGE: &str = "this is not an image: give HOST/REPOSITORY[:TAG|@DIGEST] or oci:DIR[:NAME|@DIGEST]";
    let image = match source.location() {
        InputLocation::RegistryImage(image) => image,
        InputLocation::File => source.argument().to_str().ok_or_else(|| Failure::Other(NO_IMAGE.to_owned()))?,
        InputLocation::LayoutImage | InputLocation::Stdin | InputLocation::Url(_) => {
            let locator = source.layout_image().ok_or_else(|| Failure::Other(NO_IMAGE.to_owned()))??;
            return Ok(ImageCheck::from_layout(&locator, &args.consumers)?);
        }
    };
    let reference = registry::parse_reference(image)?;
    Ok(registry::client(args.scheme)?.check(&reference, &args.consumers)?)
}
